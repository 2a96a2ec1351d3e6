"""Run the plugin while its surroundings fail, and look for what was lost."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.bundles import write_bundle
from tests.support.processes import ServerProcess, eventually, free_port
from tests.support.senders import Sender, alive, environment, stored, stories

SENDERS = 3
GRACE = 0.5


@contextmanager
def running(folder: Path, **other: str) -> Iterator[tuple[str, ServerProcess]]:
    """Run the plugin with its data in *folder*: its origin, and the process.

    It must not end by itself, and no answer may be a fault. *other* adds to its environment.
    """
    port = free_port()
    bundle = folder / "dist"
    bundle.mkdir(exist_ok=True)
    write_bundle(bundle, "entry")
    own = {"STORE_GRACE_SECONDS": str(GRACE), "UI_BUNDLE_DIR": str(bundle)}
    values = environment(folder, port, **own, **other)
    process = ServerProcess("plugin_analytics", values, folder / "log")
    process.start()
    url = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: alive(url), what="the process answering")
        yield url, process
        assert process.running
        assert '"status":500' not in process.log.read_text()
    finally:
        process.stop()


def senders_of(url: str) -> list[Sender]:
    """Return senders that never lose patience."""
    return [Sender(f"w{n}", url, random.Random(n), pause=0.1, patient=True) for n in range(SENDERS)]


def why_red(url: str) -> str:
    """Return what the store's check says, nothing while the plugin is ready."""
    checks = httpx.get(f"{url}/readyz").json()["data"]["checks"]
    return next((str(one["reason"]) for one in checks if one["name"] == "store"), "")


def assert_nothing_is_lost(url: str, folder: Path, senders: Sequence[Sender]) -> None:
    """Deliver what is pending; all that was acknowledged is there once, and is counted."""
    with httpx.Client(timeout=10) as client:
        for sender in senders:
            while sender.pending:
                assert sender.deliver(client)
    everything = {each for sender in senders for each in sender.acknowledged}
    eventually(lambda: stories(url) == len(everything), within=25, what="counting everything")
    assert stored(folder) == Counter(everything)
    assert [sender.refused for sender in senders] == [[]] * SENDERS


def assert_batches_are_whole(folder: Path, senders: Sequence[Sender]) -> None:
    """What was acknowledged is there, and of what was not either all or nothing."""
    held = stored(folder)
    for sender in senders:
        assert not [each for each in sender.acknowledged if held[each] != 1]
        if sender.pending:
            *_, ids = sender.pending
            assert sum(held[each] for each in ids) in (0, len(ids))
