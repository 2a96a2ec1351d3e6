"""Start and stop the project's own server processes for a test."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
CLEAN = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT")


def free_port() -> int:
    """Return a loopback port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def eventually(
    probe: Callable[[], T], *, within: float = 20.0, every: float = 0.05, what: str = "it"
) -> T:
    """Return the first truthy answer of `probe`; fail with the last one after `within` seconds."""
    deadline = time.monotonic() + within
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {within} s; last answer: {answer}")
        time.sleep(every)


@dataclass
class ServerProcess:
    """A Python module run as a server, in a process group and with an environment of its own."""

    module: str
    environment: Mapping[str, str]
    log: Path
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start the process; its output is appended to the log file."""
        kept = {key: os.environ[key] for key in CLEAN if key in os.environ}
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self.module],
                env={**kept, **self.environment},
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def running(self) -> bool:
        """Tell whether the process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Return the process's id; without one that lives there is none."""
        if self._process is None:
            raise ProcessLookupError(f"{self.module} does not run")
        return self._process.pid

    def stop(self, *, within: float = 15.0) -> int:
        """Ask the process to end and return its exit code."""
        return self._end(signal.SIGTERM, within)

    def kill(self) -> int:
        """End the process as a power cut would."""
        return self._end(signal.SIGKILL, 5.0)

    def _end(self, how: signal.Signals, within: float) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(how)
        try:
            return process.wait(timeout=within)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise AssertionError(f"{self.module} ignored {how.name}:\n{self.tail()}") from None

    def tail(self, lines: int = 40) -> str:
        """Return the end of the log, for a failure's message."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
