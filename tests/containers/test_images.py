"""What is in the images, and what is not."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.containers import Built, Containers
from tools import image
from tools.workspace import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

MIB = 1024 * 1024
OWN_LAYERS = 120 * MIB
ABSENT = ("cc", "g++", "gcc", "git", "make", "node", "npm", "pip", "pip3", "pnpm", "uv", "wheel")
UNIMPORTABLE = ("ensurepip", "hatchling", "pip", "pytest", "setuptools", "wheel")
TEN_LARGEST = """
import os
files = [os.path.join(at, n) for top in ("/opt/venv", "/app") for at, _, ns in os.walk(top) for n in ns]
sizes = sorted(((os.lstat(f).st_size, f) for f in files), reverse=True)
print(*(f"{size / 1048576:7.2f} MiB  {file}" for size, file in sizes[:10]), sep="\\n")
"""
UNCOMPILED = """
import importlib.util, pathlib
for file in pathlib.Path("/opt/venv/lib").rglob("*.py"):
    if not pathlib.Path(importlib.util.cache_from_source(str(file))).is_file():
        print(file)
"""
# Decoys that a careless copy would carry along.
SECRETS = (".env", "ui/.env.local", "backend/src/.git-credentials", "token.txt", "backend/id_rsa")
OUTSIDE = (
    ".git",
    ".venv",
    "tests",
    "tools",
    "bench",
    "docs",
    "node_modules",
    "dist",
    "__pycache__",
)
NEEDED = ("plugin.yaml", "pnpm-lock.yaml", "requirements/runtime.lock", "ui/webpack.config.js")


def tags(built: Built) -> tuple[str, str]:
    return built.plugin, built.core


def inside(containers: Containers, tag: str, script: str) -> str:
    """Return what a few lines of Python print in a container of the image."""
    words = ("run", "--rm", "--network=none", "--entrypoint=/opt/venv/bin/python")
    return containers.ask(*words, tag, "-c", script)


def test_the_configuration_is_what_a_cluster_wants(containers: Containers, built: Built) -> None:
    """A numeric user, python itself as the first process, a health check, and labels."""
    known = image.images()
    for name, identity in zip(("plugin", "core"), built.ids, strict=True):
        config = containers.inspect(identity)["Config"]
        labels = {
            key.removeprefix("org.opencontainers.image."): value
            for key, value in config["Labels"].items()
        }

        assert config["User"] == "10001:10001"
        assert config["Entrypoint"][:2] == ["/opt/venv/bin/python", "-m"]
        assert config["Healthcheck"]["Test"][0] == "CMD"
        assert {"HOME=/tmp", "PYTHONDONTWRITEBYTECODE=1"} <= set(config["Env"])
        assert labels["title"] == known[name].title
        assert labels["version"] == known[name].version
        assert labels["revision"] == image.revision()
        assert labels["licenses"] == "Apache-2.0"
        assert "source" in labels


def test_own_layers_are_small(
    containers: Containers, built: Built, capsys: pytest.CaptureFixture[str]
) -> None:
    """What we add to the base stays within 120 MiB, bytecode and all."""
    base = containers.inspect(built.base)["Size"]
    for tag in tags(built):
        own = containers.inspect(tag)["Size"] - base
        with capsys.disabled():
            print(f"\n{tag}: own layers {own / MIB:.1f} MiB; the ten largest files:")
            print(inside(containers, tag, TEN_LARGEST))

        assert MIB < own <= OWN_LAYERS
    with capsys.disabled():
        print(f"base and both images took {built.seconds:.0f} s")


def test_no_tool_is_left_inside(containers: Containers, built: Built) -> None:
    """Whoever gets in finds no compiler, installer, test runner or second language."""
    look = f"""
import importlib.util, pathlib, shutil
print([name for name in {ABSENT} if shutil.which(name)])
print([name for name in {UNIMPORTABLE} if importlib.util.find_spec(name)])
print([str(f) for f in pathlib.Path("/opt/venv").rglob("test*") if f.name in ("test", "tests")])
print([str(f) for f in pathlib.Path("/app").rglob("*.map")])
"""
    for tag in tags(built):
        assert inside(containers, tag, look).splitlines() == ["[]"] * 4


def test_the_base_had_an_installer(containers: Containers, built: Built) -> None:
    """What the test above does not find was there before."""
    words = ("run", "--rm", "--network=none", built.base, "python3", "-m", "pip", "--version")

    assert containers.ask(*words).startswith("pip ")


def test_bytecode_is_there_for_every_module(containers: Containers, built: Built) -> None:
    """Nothing is compiled at the start: nobody could write it to a read-only root."""
    for tag in tags(built):
        assert inside(containers, tag, UNCOMPILED) == ""


def test_the_command_builds_them(built: Built, bases: Mapping[str, str]) -> None:
    """`./just image` does what the fixtures of this layer do, and names what came of it."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.image", "plugin", "core", "--", "--quiet", "--network=host"],
        cwd=ROOT,
        env={**os.environ, **bases},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert [f"image: {tag}" in done.stdout for tag in tags(built)] == [True, True]


def test_the_context_holds_what_is_needed_and_nothing_private(
    containers: Containers, tmp_path: Path
) -> None:
    """A build sees no history, no tests, no secret, though all of them lie in the checkout."""
    copy, seen = tmp_path / "checkout", tmp_path / "seen"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(copy)], check=True)
    (copy / ".dockerignore").write_bytes((ROOT / ".dockerignore").read_bytes())
    for name in (*SECRETS, "node_modules/x.js", "ui/dist/x.js", "backend/src/__pycache__/x.pyc"):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text("decoy")
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    containers.call(
        *("build", "--quiet", "--file", str(tmp_path / "Dockerfile")),
        *("--output", f"type=local,dest={seen}", str(copy)),
    )
    files = {file.relative_to(seen).as_posix() for file in seen.rglob("*") if file.is_file()}

    assert set(NEEDED) <= files
    assert [file for file in files if file in SECRETS] == []
    assert [file for file in files if set(file.split("/")) & set(OUTSIDE)] == []
    assert [file for file in files if ".test." in file] == []
