"""How much may wait to be stored: so many bytes, and for so long."""

import pytest

from mosaiclife_plugin_sdk import BadRequest
from plugin_analytics.errors import IngestBusy
from plugin_analytics.services.intake import MAX_BYTES, MAX_LAG_SECONDS, Intake
from tests.support.events import story
from tests.unit.backend.conftest import Bench


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_more_bytes_than_may_wait_are_refused() -> None:
    """Up to 8 MiB wait; what is too much is told when to come again, and not all at one time."""
    intake = Intake(Clock())
    leave = intake.enter(MAX_BYTES - 1)
    intake.enter(1)

    waits = set()
    for _ in range(200):
        with pytest.raises(IngestBusy) as refused:
            intake.enter(1)
        waits.add(refused.value.headers["Retry-After"])

    assert intake.bytes_waiting() == MAX_BYTES
    assert waits == {"2", "3", "4"}
    leave()
    intake.enter(MAX_BYTES - 1)


def test_a_disk_that_lags_refuses_more() -> None:
    """Once the oldest has waited for two seconds, nothing more gets in until it is through."""
    clock = Clock()
    intake = Intake(clock)
    oldest = intake.enter(1)
    clock.now += MAX_LAG_SECONDS
    second = intake.enter(1)

    clock.now += 0.1
    with pytest.raises(IngestBusy):
        intake.enter(1)

    oldest()
    intake.enter(1)
    second()


def test_a_single_delivery_always_gets_in() -> None:
    """A limit that is smaller than one delivery would keep it out for ever."""
    leave = Intake(Clock()).enter(MAX_BYTES * 2)
    leave()


def test_nothing_waits_once_it_is_answered(bench: Bench) -> None:
    """Good deliveries and those that cannot be read give their place back alike."""
    bench.deliver([story("s1", "l1")])
    with pytest.raises(BadRequest):
        bench.deliver([], body=b"{")

    assert bench.intake.bytes_waiting() == 0


def test_a_busy_intake_refuses_a_delivery(bench: Bench) -> None:
    """The sender keeps it, and it is taken once there is room."""
    leave = bench.intake.enter(MAX_BYTES)
    with pytest.raises(IngestBusy):
        bench.deliver([story("s1", "l1")])

    leave()

    assert bench.deliver([story("s1", "l1")])["accepted"] == 1
