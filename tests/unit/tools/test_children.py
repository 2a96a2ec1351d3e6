"""Programs that are started together end together."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.support.processes import eventually
from tools import ports, session
from tools.children import Child

# A child that ignores SIGTERM and has started another one that does, too.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
sleep = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
print(subprocess.Popen([sys.executable, "-c", sleep]).pid, flush=True)
time.sleep(600)
"""


class Log:
    """Keeps what a child said and how it ended."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.codes: list[int] = []
        self.heard = asyncio.Event()

    def show(self, _name: str, line: str) -> None:
        self.lines.append(line.strip())
        self.heard.set()

    async def ended(self, _child: Child, code: int) -> None:
        self.codes.append(code)
        self.heard.set()


def child(log: Log, program: str) -> Child:
    command = [sys.executable, "-c", program]
    return Child("test", command, Path.cwd(), os.environ, log.show, log.ended)


def alive(pid: int) -> bool:
    """Tell whether a process runs; one that ended and was not collected does not."""
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.mark.anyio
async def test_stopping_a_child_ends_what_it_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the tree is left, though all of it ignores the kind request."""
    monkeypatch.setattr("tools.children.GRACE_SECONDS", 0.2)
    log = Log()
    parent = child(log, STUBBORN)
    await parent.start()
    await asyncio.wait_for(log.heard.wait(), 20)
    pids = [parent.pid, int(log.lines[0])]
    assert all(pid and alive(pid) for pid in pids)

    await parent.stop()

    # A kill is a word to the kernel, which takes its moment to act on it.
    eventually(lambda: not any(pid and alive(pid) for pid in pids), within=5, what="their end")
    assert log.codes == []


@pytest.mark.anyio
async def test_a_child_that_ends_by_itself_is_reported() -> None:
    """The supervisor hears of it with the exit code, after the last line."""
    log = Log()
    crashing = child(log, "import sys; print('why'); sys.exit(3)")
    await crashing.start()
    while not log.codes:
        log.heard.clear()
        await asyncio.wait_for(log.heard.wait(), 20)

    assert (log.lines, log.codes, crashing.pid) == (["why"], [3], None)
    await crashing.stop()


def test_what_a_killed_run_has_left_is_ended(tmp_path: Path) -> None:
    """The next run ends the processes that the list on disk names."""
    left = subprocess.Popen([sys.executable, "-c", STUBBORN], start_new_session=True)
    processes = session.Processes(tmp_path)
    processes.write({"core": left.pid})

    assert session.Processes(tmp_path).end_leftovers() == 1
    assert left.wait(20) == -signal.SIGKILL


def test_a_process_that_only_has_the_same_number_is_left_alone(tmp_path: Path) -> None:
    """A number is given again by the system; the time of the start tells them apart."""
    (tmp_path / "processes.json").write_text(f'{{"core": [{os.getpid()}, 12.5]}}')

    assert session.Processes(tmp_path).end_leftovers() == 0


def test_a_second_run_sees_the_first(tmp_path: Path) -> None:
    """Two supervisors in one checkout would share ports and data."""
    processes = session.Processes(tmp_path)
    assert processes.running() is None

    processes.write(session.ids([("core", None)]))

    assert processes.running() == os.getpid()


def test_keys_are_random_kept_and_private(tmp_path: Path) -> None:
    """A checkout keeps its keys, since its data can be read with no others."""
    keys = session.load_keys(tmp_path)

    assert session.load_keys(tmp_path) == keys
    assert session.new_keys() != keys
    assert (tmp_path / "keys.json").stat().st_mode & 0o077 == 0


@pytest.fixture
def listen(request: pytest.FixtureRequest) -> Callable[[], int]:
    """Return a function that takes a port and keeps it until the test ends."""

    def take() -> int:
        taken = socket.create_server((ports.LOOPBACK, 0))
        request.addfinalizer(taken.close)
        number: int = taken.getsockname()[1]
        return number

    return take


def test_a_taken_port_is_moved(listen: Callable[[], int]) -> None:
    """The next free one is used, and never one that was given out already."""
    wanted = listen()

    found = ports.free_port(wanted, {wanted + 1})

    assert found > wanted + 1
    assert ports.port_free(found)
