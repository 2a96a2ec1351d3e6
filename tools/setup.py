"""Install what the checkout needs, each step once for its inputs.

Runs on the Python that started just, before anything is installed. A step whose inputs have not
changed is passed over, so a warm run takes a fraction of a second and needs no network.
"""

import hashlib
import json
import os
import shutil
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.workspace import (
    NODE_PACKAGES,
    PYTHON,
    ROOT,
    STATE,
    TOOLS,
    VENV,
    Stamp,
    Stopwatch,
    ToolFailed,
    base_python,
    fail,
    run,
    say,
    script,
)

OLDEST_NODE = (22, 13)
MARK = VENV / "made"
EDITABLES = ("sdk/python", "sdk/contract", "core/server", "backend")


@dataclass(frozen=True)
class Step:
    """One thing to install: what it depends on, what it leaves behind, and how it is done."""

    name: str
    says: str
    inputs: Sequence[str | Path]
    leaves: Path
    do: Callable[[], None]


def install_tools() -> None:
    """Fetch the pinned uv, as ./just does; needed when another just runs the recipes."""
    lock = ROOT / "requirements/tools.lock"
    copy = TOOLS / "tools.lock"
    if copy.is_file() and copy.read_bytes() == lock.read_bytes():
        return
    say("setup: uv …")
    shutil.rmtree(TOOLS, ignore_errors=True)
    pip = [base_python(), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run(*pip, "--no-deps", "--require-hashes", "--target", TOOLS, "-r", lock)
    shutil.copy(lock, copy)


def make_venv() -> None:
    """Make the environment, with a mark in it by which later steps know it from an earlier one."""
    run("uv", "venv", "--quiet", "--clear", "--python", base_python(), VENV)
    MARK.write_text(uuid.uuid4().hex)


def install_packages() -> None:
    """Bring the environment to exactly the lock, then add our own packages as editables.

    The sync removes the editables and a hashed install refuses them, so both steps go together.
    Bytecode is compiled because an image may forbid Python to write it: it halves the start.
    """
    uv = ["uv", "pip"]
    target = ["--quiet", "--python", str(PYTHON)]
    lock = ROOT / "requirements/dev.lock"
    run(*uv, "sync", *target, "--require-hashes", "--compile-bytecode", lock)
    editables = [word for folder in EDITABLES for word in ("--editable", str(ROOT / folder))]
    run(*uv, "install", *target, "--no-deps", "--no-build-isolation", *editables)


def link_system_node() -> None:
    """Put the system's Node in the place of the one that came with the packages."""
    script("node").unlink(missing_ok=True)
    link = ["-m", "nodeenv", "--quiet", "--node=system", "--python-virtualenv"]
    try:
        run(PYTHON, *link, env={"VIRTUAL_ENV": str(VENV)})
        found = run(script("node"), "--version").strip().lstrip("v")
    except (ToolFailed, OSError) as error:
        raise SystemExit("NODE=system: no node on PATH; unset NODE to use our own") from error
    if tuple(map(int, found.split("."))) < OLDEST_NODE:
        oldest = ".".join(map(str, OLDEST_NODE))
        raise SystemExit(f"NODE=system: node {found} is older than {oldest}; unset NODE, or update")


def install_pnpm() -> None:
    """Install the pnpm that package.json pins, and only if its content has the pinned hash."""
    wanted, _, pinned = pinned_pnpm().partition("+")
    folder = STATE / "pnpm"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    npm = script("npm")
    run(npm, "pack", "--silent", "--pack-destination", folder, wanted)
    archive = next(folder.glob("*.tgz"))
    verify(archive, pinned)
    run(npm, "install", "--silent", "--global", "--prefix", VENV, archive)


def pinned_pnpm() -> str:
    pinned: str = json.loads((ROOT / "package.json").read_text())["packageManager"]
    return pinned


def verify(archive: Path, pinned: str) -> None:
    """Compare a file with a pin of the form `sha512.<hex>`."""
    algorithm, _, expected = pinned.partition(".")
    if hashlib.new(algorithm, archive.read_bytes()).hexdigest() != expected:
        raise SystemExit(f"{archive.name} does not have the hash that package.json pins")


def install_node_modules() -> None:
    # Without a terminal pnpm would otherwise refuse to replace a folder of another shape.
    unasked = "--config.confirmModulesPurge=false"
    run(script("pnpm"), "install", "--frozen-lockfile", "--reporter=append-only", unasked)


def steps() -> Iterator[Step]:
    """Yield the steps in order; the inputs of one are read after the one before it is done."""
    # Any Python that made the environment stays good for it, so that two terminals with different
    # ones on their PATH do not take turns. A change of NODE makes it anew, so that no link of the
    # other kind stays behind; so does a checkout that was moved, whose scripts hold the old path.
    node = os.environ.get("NODE", "")
    yield Step("venv", "a virtual environment", [str(ROOT), node], PYTHON, make_venv)

    manifests = [ROOT / folder / "pyproject.toml" for folder in EDITABLES]
    packages = [MARK, ROOT / "requirements/dev.lock", *manifests]
    yield Step("packages", "Python packages", packages, script("pytest"), install_packages)
    if node == "system":
        yield Step("node", "the system's Node", packages, script("node"), link_system_node)

    yield Step("pnpm", "pnpm", [MARK, pinned_pnpm()], script("pnpm"), install_pnpm)

    locked = [ROOT / name for name in ("pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json")]
    modules = [*locked, *(ROOT / folder / "package.json" for folder in NODE_PACKAGES)]
    yield Step("modules", "Node packages", modules, ROOT / "node_modules", install_node_modules)


def apply(step: Step) -> None:
    stamp = Stamp(step.name, step.inputs)
    if stamp.fresh() and step.leaves.exists():
        return
    watch = Stopwatch()
    say(f"setup: {step.says} …")
    stamp.clear()
    step.do()
    stamp.write()
    say(f"setup: {step.says} ({watch.seconds:.1f} s)")


def main() -> int:
    try:
        install_tools()
        for step in steps():
            apply(step)
    except ToolFailed as error:
        fail(f"setup: {error}\nsetup: see ./just doctor, mend the cause, and run it again")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
