"""A volume that turns read-only while the plugin runs: refused in time, told, nothing lost.

Linux has no way back for a volume whose files stand open: it refuses to remount it read-only, and
what an error has closed stays closed until it is unmounted. So three things are shown here: a real
ext4 volume that its kernel closes after an error, a volume that is closed at the start and opened
later, and, for the way back under the running process, every write to the volume answered `EROFS`
by `strace` until it lets go.
"""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.outages import (
    assert_batches_are_whole,
    assert_nothing_is_lost,
    running,
    senders_of,
    why_red,
)
from tests.support.processes import eventually
from tests.support.senders import Sender, delivering, status
from tests.support.volumes import volume

WRITES = "pwrite64,write,ftruncate,fallocate,fsync,fdatasync"


@contextmanager
def read_only(pid: int, folder: Path) -> Iterator[None]:
    """Answer what a process writes to the database in *folder* as a closed volume would."""
    paths = [part for name in ("", "-wal", "-shm") for part in ("-P", f"{folder}/plugin.db{name}")]
    command = ["strace", "-f", "-o", "/dev/null", *paths, "-e", f"inject={WRITES}:error=EROFS"]
    try:
        tracer = subprocess.Popen([*command, "-p", str(pid)], stderr=subprocess.PIPE)
    except FileNotFoundError:
        pytest.skip("no strace on this machine (Debian: strace)")
    assert tracer.stderr is not None
    try:
        first = tracer.stderr.readline().decode()
        if "attached" not in first:
            pytest.skip(f"strace may not look here: {first.strip()}")
        yield
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.communicate()


def assert_told(url: str, folder: Path, senders: list[Sender]) -> None:
    """Look at a plugin that cannot write: it is up, red, and reads."""
    eventually(lambda: all(one.put_off > 1 for one in senders), what="a 503 for each")
    eventually(lambda: status(url, "/readyz") == 503, within=5, what="a red probe")
    assert "disk I/O error" in why_red(url)
    assert status(url, "/healthz") == 200
    assert status(url, "/v1/data/overview?period=all") == 200
    assert_batches_are_whole(folder, senders)


@pytest.mark.slow
def test_writes_that_are_refused_for_a_while_lose_nothing(tmp_path: Path) -> None:
    """The same process goes on as soon as it may write again."""
    with running(tmp_path) as (url, process):
        senders = senders_of(url)
        with delivering(senders):
            eventually(lambda: all(one.acknowledged for one in senders), what="the first events")
            with read_only(process.pid, tmp_path / "data"):
                assert_told(url, tmp_path, senders)
            before = [len(one.acknowledged) for one in senders]
            eventually(lambda: status(url, "/readyz") == 200, within=5, what="a green probe")
            eventually(
                lambda: all(
                    len(one.acknowledged) > n for one, n in zip(senders, before, strict=True)
                ),
                what="ingest going on",
            )

        assert_nothing_is_lost(url, tmp_path, senders)


@pytest.mark.slow
def test_volume_that_its_kernel_closes_is_told_and_keeps_all(tmp_path: Path) -> None:
    """After an error of the file system nothing can be written; all that was acknowledged stays."""
    with volume(tmp_path / "data", "ext4", options="errors=remount-ro") as disk:
        with running(tmp_path) as (url, _):
            senders = senders_of(url)
            with delivering(senders):
                eventually(lambda: all(one.acknowledged for one in senders))
                disk.report_an_error()
                assert_told(url, tmp_path, senders)
        disk.mount_again()
        with running(tmp_path) as (url, _):
            for one in senders:
                one.url = url
            assert_nothing_is_lost(url, tmp_path, senders)


def test_volume_that_is_read_only_at_the_start_is_waited_out(tmp_path: Path) -> None:
    """Up and red; opened for writing, the same process takes what comes."""
    with volume(tmp_path / "data", "ext4") as disk:
        disk.remount("ro")
        with running(tmp_path) as (url, _):
            senders = senders_of(url)
            with delivering(senders):
                eventually(lambda: all(one.put_off for one in senders), what="a 503 for each")
                assert "Read-only file system" in why_red(url)
                disk.remount("rw")
                eventually(lambda: status(url, "/readyz") == 200, what="a green probe")
                eventually(lambda: all(one.acknowledged for one in senders), what="ingest")

            assert_nothing_is_lost(url, tmp_path, senders)
