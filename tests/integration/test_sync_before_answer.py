"""The sync before the answer, as the kernel sees it (design §8).

A killed process loses nothing that the kernel already has, so kill -9 shows nothing about a power
cut. Here `strace` writes down what the process asks of the kernel, and the order in it decides.
"""

import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.support.events import body_of, delivery_headers, story
from tests.support.processes import ServerProcess, eventually, free_port
from tests.support.senders import SECRET, TOKEN, alive, environment

CALLS = "fsync,fdatasync,pwrite64,write,writev,sendto,sendmsg"
WHOLE_PAGE = "8192"
SENDERS, EACH = 4, 5


@contextmanager
def traced(pid: int, trace: Path) -> Iterator[None]:
    """Write down what a process asks of the kernel until the block ends."""
    command = ["strace", "-f", "-yy", "-s", WHOLE_PAGE, "-e", f"trace={CALLS}", "-o", str(trace)]
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
        tracer.terminate()
        tracer.communicate()


def deliver(url: str, marker: str) -> None:
    """Deliver one event whose id, and whose answer, hold *marker*."""
    body = body_of([story(marker, "l1", id=marker)])
    headers = {**delivery_headers(TOKEN, SECRET, body), "X-Request-ID": marker}
    answer = httpx.post(f"{url}/v1/webhooks/ingest", content=body, headers=headers)
    assert (answer.status_code, answer.headers["X-Request-ID"]) == (200, marker)


def answered_too_early(lines: Sequence[str], marker: str) -> str:
    """Return what is wrong with the order of write, sync and answer; nothing when it is right."""
    answers = [n for n, line in enumerate(lines) if "<TCP:" in line and marker in line]
    if not answers:
        return "no answer was seen"
    # The first one counts: later commits write the page again, with their own events on it.
    written = next((n for n, line in enumerate(lines) if is_write(line) and marker in line), None)
    if written is None or written > answers[0]:
        return "answered before the event was written"
    between = lines[written : answers[0]]
    return "" if any(map(is_done_sync, between)) else "answered before the event was synced"


def is_write(line: str) -> bool:
    return "pwrite64(" in line and "plugin.db" in line


def is_done_sync(line: str) -> bool:
    """Tell whether a sync of the database or its log ended here, and well."""
    return "sync(" in line and "plugin.db" in line and line.endswith("= 0")


def joined(lines: Sequence[str]) -> Iterator[str]:
    """Let the end of a call that others have interrupted name its file again."""
    begun: dict[str, str] = {}
    for line in lines:
        thread, call = line.split(maxsplit=1)
        if call.endswith(" <unfinished ...>"):
            begun[thread] = call.removesuffix(" <unfinished ...>")
        if call.startswith("<... ") and thread in begun:
            yield f"{thread} {begun.pop(thread)}{call.partition(' resumed>')[2]}"
        else:
            yield line


def test_every_answer_comes_after_the_sync(tmp_path: Path) -> None:
    """Event into the log, log synced, answer sent: in this order for every delivery."""
    port, trace = free_port(), tmp_path / "trace"
    url = f"http://127.0.0.1:{port}"
    process = ServerProcess("plugin_analytics", environment(tmp_path, port), tmp_path / "log")
    markers = [f"mark-{uuid4()}" for _ in range(SENDERS * EACH)]
    process.start()
    try:
        eventually(lambda: alive(url), what="the process answering")
        with traced(process.pid, trace), ThreadPoolExecutor(SENDERS) as senders:
            list(senders.map(lambda marker: deliver(url, marker), markers))
            time.sleep(0.2)  # the last lines are on their way
    finally:
        process.stop()

    lines = list(joined(trace.read_text(errors="replace").splitlines()))
    wrong = {marker: fault for marker in markers if (fault := answered_too_early(lines, marker))}
    assert wrong == {}


@pytest.mark.parametrize(
    ("trace", "fault"),
    [
        ("write sync answer", ""),
        ("write begin-sync end-sync answer", ""),
        ("write answer sync", "answered before the event was synced"),
        ("write begin-sync answer end-sync", "answered before the event was synced"),
        ("write failed-sync answer", "answered before the event was synced"),
        ("write other-sync answer", "answered before the event was synced"),
        ("write begin-other end-sync answer", "answered before the event was synced"),
        ("write sync write answer", ""),
        ("sync write answer", "answered before the event was synced"),
        ("answer write sync", "answered before the event was written"),
        ("write sync", "no answer was seen"),
    ],
)
def test_the_reader_of_the_trace_sees_a_wrong_order(trace: str, fault: str) -> None:
    """Each line here is one of strace's, so that the test above cannot pass for nothing."""
    spoken = {
        "write": '7 pwrite64(10</x/data/plugin.db-wal>, "..m1..", 4096, 56) = 4096',
        "sync": "7 fdatasync(10</x/data/plugin.db-wal>) = 0",
        "begin-sync": "7 fdatasync(10</x/data/plugin.db-wal> <unfinished ...>",
        "end-sync": "7  <... fdatasync resumed>)          = 0",
        "failed-sync": "7 fdatasync(10</x/data/plugin.db-wal>) = -1 EIO (Input/output error)",
        "other-sync": "7 fdatasync(11</x/data>) = 0",
        "begin-other": "7 fdatasync(11</x/data> <unfinished ...>",
        "answer": '6 write(20<TCP:[127.0.0.1:1->127.0.0.1:2]>, "HTTP/1.1 200 m1", 9) = 9',
    }

    assert answered_too_early([*joined([spoken[word] for word in trace.split()])], "m1") == fault
