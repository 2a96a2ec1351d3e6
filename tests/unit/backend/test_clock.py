"""What is deleted by age waits while nobody knows the time."""

from datetime import UTC, datetime, timedelta

import pytest

from plugin_analytics.clock import SETTLED_AFTER, SLACK, Steadiness

START = datetime(2026, 3, 1, tzinfo=UTC)
YEAR = timedelta(days=400)


class World:
    """A time that passes for all, and a clock that may be wrong."""

    def __init__(self) -> None:
        self.passed = timedelta()
        self.wrong = timedelta()
        self.steady = Steadiness(lambda: START + self.passed + self.wrong, self._monotonic)

    def _monotonic(self) -> float:
        return self.passed.total_seconds()

    def after(self, time: timedelta) -> bool:
        self.passed += time
        return self.steady()


def test_a_clock_that_runs_evenly_is_trusted() -> None:
    """However long it runs, and although it is set right by a little again and again."""
    world = World()

    for _ in range(1000):
        world.wrong += SLACK
        assert world.after(timedelta(hours=1))


@pytest.mark.parametrize("leap", [YEAR, -YEAR, timedelta(hours=2), -timedelta(hours=2)])
def test_a_leap_is_not_trusted_until_the_clock_is_back(leap: timedelta) -> None:
    """The way back needs no waiting."""
    world = World()
    world.wrong = leap

    assert not world.after(timedelta(minutes=1))
    assert not world.after(timedelta(hours=23))
    world.wrong = timedelta()
    assert world.after(timedelta(minutes=1))


def test_a_clock_that_keeps_to_its_new_time_is_trusted_again() -> None:
    """A machine without a clock of its own is set right once, years ahead."""
    world = World()
    world.wrong = YEAR

    assert not world.after(timedelta())
    assert not world.after(SETTLED_AFTER - timedelta(seconds=1))
    assert world.after(timedelta(seconds=1))


def test_each_further_leap_begins_the_waiting_anew() -> None:
    """A clock that leaps about is never trusted."""
    world = World()

    for _ in range(10):
        world.wrong += YEAR
        assert not world.after(SETTLED_AFTER - timedelta(seconds=1))
