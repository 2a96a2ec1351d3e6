"""Run the plugin under test: the process that is shipped, on a folder of its own."""

import contextlib
import http.client
import os
import signal
import sqlite3
import struct
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

import psutil

from mosaiclife_plugin_sdk import new_secret
from tests.support.processes import ServerProcess, free_port
from tools.workspace import ROOT

MODULE = "plugin_analytics"
READY_SECONDS = 60.0
MIB = 1024 * 1024
SAMPLE_SECONDS = 0.2
# Access lines at one in a hundred, and no spans: what a busy instance would set.
SAMPLED = {"ACCESS_LOG_SAMPLE": "0.01", "TRACE_SAMPLE": "0"}


class PluginFailed(Exception):
    """The plugin did something with which nothing can be measured."""


@dataclass(frozen=True)
class Words:
    """The words by which core and plugin know each other, for one run."""

    token: str = "bench-token-of-one-run"
    secret: str = field(default_factory=new_secret)
    key: str = "bench-pseudonym-key-of-32-letters-and-more"


@dataclass
class PluginProcess:
    """The plugin on a free loopback port, over the database in *folder*."""

    folder: Path
    core_url: str
    words: Words
    extra: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        """Prepare the process without starting it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._server = ServerProcess(MODULE, self.environment, self.folder / "plugin.log")

    @property
    def environment(self) -> dict[str, str]:
        """Return what the plugin is told."""
        return {
            "CORE_BASE_URL": self.core_url,
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "PLUGIN_PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "PLUGIN_MANIFEST": str(ROOT / "plugin.yaml"),
            "UI_BUNDLE_DIR": str(ROOT / "ui" / "dist"),
            "DATA_DIR": str(self.folder),
            "REG_TOKEN": self.words.token,
            "WEBHOOK_SECRETS": self.words.secret,
            "PSEUDONYM_KEY": self.words.key,
            "DRAIN_SECONDS": "0",
            "STOP_GRACE_SECONDS": "30",
            **self.extra,
        }

    def start(self) -> float:
        """Start the process; return the seconds until it is ready."""
        began = time.perf_counter()
        self._server.start()
        while not self._is_ready():
            if time.perf_counter() - began > READY_SECONDS or not self._server.running:
                raise PluginFailed(f"the plugin did not become ready:\n{self._server.tail()}")
            time.sleep(0.005)
        return time.perf_counter() - began

    def stop(self) -> None:
        """Let it end as an orchestrator would."""
        self._server.stop(within=90)

    def kill(self) -> None:
        """End it at once, frozen or not; what has ended stays so."""
        if self._server.running:
            self._server.kill()

    def rss_mib(self) -> float:
        """Return the memory that is resident now."""
        return float(psutil.Process(self._server.pid).memory_info().rss) / MIB

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop the process where it is, so that it takes nothing from what runs meanwhile."""
        os.kill(self._server.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._server.pid, signal.SIGCONT)

    def _is_ready(self) -> bool:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            line.request("GET", "/readyz")
            return line.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            line.close()


class Watch:
    """Look at the memory of a process again and again, and remember the most."""

    def __init__(self, process: PluginProcess) -> None:
        self.most = 0.0
        self._process = process
        self._over = Event()
        self._thread = Thread(target=self._look, daemon=True)

    def __enter__(self) -> "Watch":
        """Begin to look."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Look no more."""
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            with contextlib.suppress(psutil.NoSuchProcess):
                self.most = max(self.most, self._process.rss_mib())


def commits(database: Path) -> int:
    """Return SQLite's own count of the transactions that were written to its log.

    It stands in the index of the log (`iChange` in the format of WAL-index headers).
    """
    with database.with_name(f"{database.name}-shm").open("rb") as index:
        head = index.read(12)
    return int(struct.unpack("=I", head[8:12])[0]) if len(head) == 12 else 0


def database_bytes(database: Path) -> int:
    """Return how large the database is, counting what lies in its log and not in the file yet."""
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as reader:
        pages: int = reader.execute("PRAGMA page_count").fetchone()[0]
        size: int = reader.execute("PRAGMA page_size").fetchone()[0]
    return pages * size
