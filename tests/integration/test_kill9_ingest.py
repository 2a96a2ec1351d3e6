"""kill -9 during ingest: every acknowledged event is present exactly once (design §8).

A real process, real HTTP, several senders. The process is killed at random points; what was not
acknowledged is delivered again to the next process, as core would. Three rounds run with every
`test`, and 25 with `test-all`; KILL_ROUNDS asks for another number.
"""

import os
import random
import threading
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.support.processes import ServerProcess, eventually, free_port
from tests.support.senders import Sender, alive, environment, stored, stories

QUICK, THOROUGH = 3, int(os.environ.get("KILL_ROUNDS", "25"))
SEED = int(os.environ.get("KILL_SEED", "0")) or random.randrange(1, 10**6)
SENDERS = 4


@pytest.mark.timeout(60 + 20 * max(QUICK, THOROUGH))
@pytest.mark.parametrize("rounds", [QUICK, pytest.param(THOROUGH, marks=pytest.mark.slow)])
def test_acknowledged_events_survive_kill_9_exactly_once(tmp_path: Path, rounds: int) -> None:
    """After every kill all acknowledged events are there once, and no report counts one twice."""
    print(f"rounds={rounds} KILL_SEED={SEED}")
    port, chance = free_port(), random.Random(SEED)
    url = f"http://127.0.0.1:{port}"
    process = ServerProcess("plugin_analytics", environment(tmp_path, port), tmp_path / "log")
    senders = [Sender(f"w{n}", url, random.Random(f"{SEED}-{n}")) for n in range(SENDERS)]

    for _ in range(rounds):
        process.start()
        eventually(lambda: alive(url), what="the process answering")
        threads = [threading.Thread(target=sender.run) for sender in senders]
        for thread in threads:
            thread.start()
        time.sleep(chance.uniform(0.05, 1.0))
        process.kill()
        for thread in threads:
            thread.join()

        held = stored(tmp_path)
        acknowledged = [each for sender in senders for each in sender.acknowledged]
        missing = [each for each in acknowledged if held[each] != 1]
        assert not missing, f"{len(missing)} of {len(acknowledged)}: {missing[:5]}"
        assert set(held.values()) <= {1}

    process.start()
    eventually(lambda: alive(url), what="the process answering")
    try:
        for sender in senders:
            if sender.pending:
                with httpx.Client(timeout=10) as client:
                    assert sender.deliver(client)
        everything = {each for sender in senders for each in sender.acknowledged}
        assert everything, "no delivery was ever acknowledged: nothing was shown"
        # Less than a lease lasts: a killed process must not hold up the counting.
        eventually(lambda: stories(url) == len(everything), within=20, what="counting everything")
    finally:
        process.stop()

    assert stored(tmp_path) == Counter(everything)
    assert [sender.refused for sender in senders] == [[]] * SENDERS
    print(f"{len(everything)} events acknowledged over {rounds} kills, each present once")
