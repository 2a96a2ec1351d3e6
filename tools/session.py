"""What `dev` remembers from one run to the next: secrets, and the processes it started."""

import base64
import json
import os
import secrets
import signal
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from tools.children import end_group
from tools.workspace import STATE

FOLDER = STATE / "dev"


@dataclass(frozen=True)
class Keys:
    """The words by which core, plugin and feed know each other; random, and of this checkout."""

    token: str
    webhook_secret: str
    pseudonym_key: str


def new_keys() -> Keys:
    return Keys(
        token=secrets.token_urlsafe(32),
        webhook_secret="whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
        pseudonym_key=secrets.token_hex(32),
    )


def load_keys(folder: Path = FOLDER) -> Keys:
    """Return the keys of the last run: the stored data can be read with no others."""
    path = folder / "keys.json"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        write_private(path, json.dumps(asdict(new_keys())))
    return Keys(**json.loads(path.read_text()))


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


class Processes:
    """A list on disk of what runs, by which a run that was killed can be tidied up."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._path = folder / "processes.json"

    def running(self) -> int | None:
        """Return the process id of another supervisor in this checkout, if one runs."""
        supervisor = self._read().get("supervisor")
        return supervisor[0] if supervisor and is_same(*supervisor) else None

    def child(self, name: str) -> int | None:
        """Return the process id of a child of the supervisor that runs, if it runs itself."""
        child = self._read().get(name) if self.running() else None
        return child[0] if child and is_same(*child) else None

    def end_leftovers(self) -> int:
        """End the children of a supervisor that could not do so itself; return how many."""
        left = [pid for pid, made in self._read().values() if is_same(pid, made)]
        for pid in left:
            end_group(pid, signal.SIGKILL)
        return len(left)

    def write(self, pids: Mapping[str, int]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        known = {name: (pid, made) for name, pid in pids.items() if (made := made_at(pid))}
        self._path.write_text(json.dumps(known))

    def clear(self) -> None:
        self._path.unlink(missing_ok=True)

    def _read(self) -> dict[str, tuple[int, float]]:
        if not self._path.is_file():
            return {}
        return {
            name: (pid, made) for name, (pid, made) in json.loads(self._path.read_text()).items()
        }


def made_at(pid: int) -> float | None:
    """Return when a process began; with its id it tells it from a later one of the same id."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return None


def is_same(pid: int, made: float) -> bool:
    return made_at(pid) == made


def ids(children: Iterable[tuple[str, int | None]]) -> dict[str, int]:
    """Keep the children that run, and add this process itself."""
    running = {name: pid for name, pid in children if pid is not None}
    return {"supervisor": os.getpid(), **running}
