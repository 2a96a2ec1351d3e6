"""Cron schedules: what an expression means, and what a change of the clocks does to it."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mosaiclife_plugin_sdk.cron import Cron, CronError

BERLIN = ZoneInfo("Europe/Berlin")


def fires(expression: str, zone: str, start: str, count: int) -> list[str]:
    """Return the next local fires as ISO texts with their offsets."""
    cron = Cron.parse(expression, zone)
    moment, found = datetime.fromisoformat(start), []
    for _ in range(count):
        following = cron.next_after(moment)
        assert following is not None
        moment = following
        found.append(moment.astimezone(ZoneInfo(zone)).isoformat(timespec="minutes"))
    return found


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 9 * * 1", "2026-06-08T09:00+00:00"),  # a Monday; APScheduler's reading is Tuesday
        ("0 9 * * 0", "2026-06-07T09:00+00:00"),
        ("0 9 * * 7", "2026-06-07T09:00+00:00"),
        ("0 9 * * SUN", "2026-06-07T09:00+00:00"),
        ("0 0 13 * 5", "2026-06-05T00:00+00:00"),  # the 13th or a Friday, whichever is first
        ("0 0 13 * ?", "2026-06-13T00:00+00:00"),
        ("0 0 */2 * 5", "2026-06-05T00:00+00:00"),  # a starred day field narrows: odd AND Friday
        ("0 0 L * *", "2026-06-30T00:00+00:00"),
        ("0 0 * * 1#2", "2026-06-08T00:00+00:00"),
        ("0 0 29 2 *", "2028-02-29T00:00+00:00"),
        ("20-40/10 6,18 * * *", "2026-06-03T18:20+00:00"),
        ("@hourly", "2026-06-03T13:00+00:00"),
        ("@daily", "2026-06-04T00:00+00:00"),
        ("@MIDNIGHT", "2026-06-04T00:00+00:00"),
        ("@weekly", "2026-06-07T00:00+00:00"),
        ("@monthly", "2026-07-01T00:00+00:00"),
        ("@yearly", "2027-01-01T00:00+00:00"),
        (" @annually ", "2027-01-01T00:00+00:00"),
    ],
)
def test_expression_means_what_cron_means(expression: str, expected: str) -> None:
    """Each expression fires next when cron, not APScheduler, would fire it."""
    assert fires(expression, "UTC", "2026-06-03T12:00:00+00:00", 1) == [expected]


@pytest.mark.parametrize(
    ("expression", "zone", "start", "expected"),
    [
        pytest.param(
            "30 2 * * *",
            "Europe/Berlin",
            "2026-03-28T12:00+01:00",
            ["2026-03-29T03:00+02:00", "2026-03-30T02:30+02:00"],
            id="a skipped time runs at the first instant after the gap",
        ),
        pytest.param(
            "*/15 2 * * *",
            "Europe/Berlin",
            "2026-03-28T12:00+01:00",
            ["2026-03-29T03:00+02:00", "2026-03-30T02:00+02:00"],
            id="several skipped times run once",
        ),
        pytest.param(
            "0 */2 * * *",
            "Europe/Berlin",
            "2026-03-29T00:30+01:00",
            ["2026-03-29T03:00+02:00", "2026-03-29T04:00+02:00"],
            id="a step over hours lives on the wall too",
        ),
        pytest.param(
            "0,30 2,3 * * *",
            "Europe/Berlin",
            "2026-03-28T12:00+01:00",
            ["2026-03-29T03:00+02:00", "2026-03-29T03:30+02:00", "2026-03-30T02:00+02:00"],
            id="a skipped time does not double the fire at the end of the gap",
        ),
        pytest.param(
            "30 2 * * *",
            "Europe/Berlin",
            "2026-10-24T12:00+02:00",
            ["2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"],
            id="a repeated time runs in the first pass only",
        ),
        pytest.param(
            "*/20 2 * * *",
            "Europe/Berlin",
            "2026-10-25T02:10+02:00",
            ["2026-10-25T02:20+02:00", "2026-10-25T02:40+02:00", "2026-10-26T02:00+01:00"],
            id="a repeated hour runs once with all its minutes",
        ),
        pytest.param(
            "30 2 * * *",
            "Europe/Berlin",
            "2026-10-25T02:10+01:00",
            ["2026-10-26T02:30+01:00"],
            id="asked during the second pass, the first has been",
        ),
        pytest.param(
            "0 * * * *",
            "Europe/Berlin",
            "2026-10-25T01:30+02:00",
            ["2026-10-25T02:00+02:00", "2026-10-25T02:00+01:00", "2026-10-25T03:00+01:00"],
            id="an hourly schedule runs each real hour",
        ),
        pytest.param(
            "30 0-23 * * *",
            "Europe/Berlin",
            "2026-03-29T01:00+01:00",
            ["2026-03-29T01:30+01:00", "2026-03-29T03:30+02:00"],
            id="every hour spelled out is hourly, and a gap costs it nothing",
        ),
        pytest.param(
            "15 2 * * *",
            "Australia/Lord_Howe",
            "2026-10-03T12:00+10:30",
            ["2026-10-04T02:30+11:00", "2026-10-05T02:15+11:00"],
            id="a gap of half an hour",
        ),
        pytest.param(
            "0 0 * * *",
            "America/Santiago",
            "2026-09-05T12:00-04:00",
            ["2026-09-06T01:00-03:00", "2026-09-07T00:00-03:00"],
            id="a day without midnight",
        ),
        pytest.param(
            "0 12 30 12 *",
            "Pacific/Apia",
            "2011-12-29T00:00-10:00",
            ["2011-12-31T00:00+14:00", "2012-12-30T12:00+14:00"],
            id="a day that never was",
        ),
    ],
)
def test_change_of_the_clocks(expression: str, zone: str, start: str, expected: list[str]) -> None:
    """Wall-clock schedules neither lose nor repeat a fire; hourly ones do not notice."""
    assert fires(expression, zone, start, len(expected)) == expected


@pytest.mark.parametrize(
    "expression",
    [
        *("", "@often", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *"),
        *("* * * 13 *", "* * * * 8", "*/0 * * * *", "5-1 * * * *", "a * * * *", "1,,2 * * * *"),
        *("0 0 30 2 *", "0 0 31 4,6 *", "? * * * *", "\u0661 * * * *", "0 0 * * \u00b2L"),
        *("-1 * * * *", "9" * 5000 + " * * * *"),
    ],
)
def test_what_is_not_cron_is_refused(expression: str) -> None:
    """A schedule that cannot be read, or can never fire, is refused with a reason."""
    with pytest.raises(CronError, match=r"cron|never fires"):
        Cron.parse(expression)


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "", "../etc/passwd", "Europe", "a\0b"])
def test_unknown_zone_is_refused(zone: str) -> None:
    """A zone that does not exist is the same kind of error, whatever its name does to paths."""
    with pytest.raises(CronError, match="time zone"):
        Cron.parse("@daily", zone)


def test_naive_moment_is_refused() -> None:
    """A moment without a zone could be any: it is not guessed."""
    with pytest.raises(ValueError, match="naive"):
        Cron.parse("@daily").next_after(datetime(2026, 1, 1))  # noqa: DTZ001 - the fault itself


@pytest.mark.parametrize(
    ("expression", "now", "expected"),
    [
        ("* * * * *", "2026-06-03T12:00:30+00:00", "2026-06-03T12:00:00+00:00"),
        ("0 12 * * *", "2026-06-03T12:00:00+00:00", "2026-06-03T12:00:00+00:00"),
        ("0 12 * * *", "2026-06-03T11:59:59+00:00", "2026-06-02T12:00:00+00:00"),
        ("@monthly", "2026-06-30T00:00:00+00:00", "2026-06-01T00:00:00+00:00"),
        ("0 0 29 2 *", "2026-06-03T00:00:00+00:00", "2024-02-29T00:00:00+00:00"),
    ],
)
def test_last_until_is_the_latest_fire(expression: str, now: str, expected: str) -> None:
    """However many fires were missed, the latest of them stands for all."""
    found = Cron.parse(expression).last_until(datetime.fromisoformat(now))
    assert found == datetime.fromisoformat(expected)


def test_fires_agree_with_a_walk_minute_by_minute() -> None:
    """Over both changes of a year, each wall-clock fire is what walking every minute finds.

    The walk knows no cron library: it looks at the wall clock at each minute of real
    time, notes the minutes that it shows for the first time, and at a jump the skipped ones.
    """
    dice = random.Random(20261123)
    for day in (datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC)):
        for _ in range(60):
            minute, hours = dice.randrange(60), sorted(dice.sample(range(24), 6))
            cron = Cron.parse(f"{minute} {','.join(map(str, hours))} * * *", "Europe/Berlin")
            assert _taken(cron, day, 3) == _walked(minute, hours, day, 3)


def _taken(cron: Cron, start: datetime, days: int) -> list[datetime]:
    found, moment = [], start
    while (moment := cron.next_after(moment) or start) <= start + timedelta(days=days):
        found.append(moment)
    return found


def _walked(minute: int, hours: list[int], start: datetime, days: int) -> list[datetime]:
    found: list[datetime] = []
    furthest = start.astimezone(BERLIN).replace(tzinfo=None)
    for step in range(1, days * 24 * 60 + 1):
        moment = start + timedelta(minutes=step)
        wall = moment.astimezone(BERLIN).replace(tzinfo=None)
        due = False
        while furthest < wall:
            furthest += timedelta(minutes=1)
            due = due or (furthest.minute == minute and furthest.hour in hours)
        if due:
            found.append(moment)
    return found
