"""Where things lie in this checkout, and how the tools run programs and talk."""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".state"
VENV = ROOT / ".venv"
TOOLS = ROOT / ".tools"
SCRIPTS = VENV / ("Scripts" if os.name == "nt" else "bin")
SUFFIX = ".exe" if os.name == "nt" else ""
NODE_PACKAGES = ("sdk/typescript", "core/web", "ui")
SKIPPED_FOLDERS = frozenset({"node_modules", "dist", "__pycache__"})


def script(name: str) -> Path:
    """Return the path of a program that the virtual environment holds."""
    return SCRIPTS / f"{name}{SUFFIX}"


PYTHON = script("python")


def base_python() -> str:
    """Return the interpreter itself, whatever link or virtual environment it was called by."""
    return os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of every program we start: the checkout's own tools come first."""
    path = [str(SCRIPTS), str(TOOLS / "bin"), os.environ.get("PATH", os.defpath)]
    return {
        **({} if sys.stdout.isatty() else {"NO_COLOR": "1"}),
        **os.environ,
        "PATH": os.pathsep.join(path),
        # Otherwise uv would fetch an interpreter, and pnpm another pnpm.
        "UV_PYTHON_DOWNLOADS": "never",
        "npm_config_manage_package_manager_versions": "false",
        **(extra or {}),
    }


def say(text: str) -> None:
    print(text, flush=True)


def fail(text: str) -> None:
    """Print what went wrong and what to do about it."""
    print(text, file=sys.stderr, flush=True)


class ToolFailed(Exception):
    """A program ended with an error; its output holds the reason."""

    def __init__(self, command: Sequence[str], output: str) -> None:
        super().__init__(f"`{' '.join(map(str, command))}` failed\n{output.rstrip()}")


def run(*command: str | Path, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> str:
    """Run a program quietly and return what it printed; on an error raise with all of it."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words,
        cwd=cwd,
        env=environment(env),
        text=True,
        encoding="utf-8",
        errors="replace",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode:
        raise ToolFailed(words, done.stdout)
    return done.stdout


def answer_of(*command: str) -> str:
    """Return what a program prints; nothing when it fails or is not there."""
    try:
        done = subprocess.run(
            command, env=environment(), capture_output=True, text=True, check=False, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def files_under(path: Path) -> Iterator[Path]:
    """Yield the files of a folder, or the file itself, in a stable order."""
    if path.is_file():
        yield path
        return
    for folder, names, files in os.walk(path):
        names[:] = sorted(set(names) - SKIPPED_FOLDERS)
        yield from (Path(folder) / name for name in sorted(files))


def digest(inputs: Iterable[str | Path]) -> str:
    """Return one hash over files (name and content), folders, and plain words."""
    total = hashlib.sha256()
    for item in inputs:
        if isinstance(item, str):
            total.update(item.encode() + b"\0")
            continue
        for file in files_under(item):
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            total.update(f"{file.relative_to(ROOT).as_posix()}\0{content}\0".encode())
    return total.hexdigest()


class Stamp:
    """Remembers for which inputs a step was last done."""

    def __init__(self, name: str, inputs: Iterable[str | Path]) -> None:
        self._path = STATE / "stamps" / name
        self.value = digest(inputs)

    def fresh(self) -> bool:
        return self._path.is_file() and self._path.read_text() == self.value

    def clear(self) -> None:
        self._path.unlink(missing_ok=True)

    def write(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(self.value)


class Stopwatch:
    """Counts the seconds since it was made."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._start
