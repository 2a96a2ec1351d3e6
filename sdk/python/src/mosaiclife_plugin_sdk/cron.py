"""Read cron expressions as cron does (spec §4).

`cronsim` does the calendar: Sunday is 0 and 7; when both day fields are restricted, a day
that fits either one fires, and as in Debian's cron a day field that begins with `*` (also
`*/2`) counts as not restricted. This module adds the `@` names, reads `?` in a day field
as `*`, and decides what a change of the clocks means:

* A schedule that names hours lives on the wall clock. A fire inside the hour that the
  clocks skip runs once, at the first instant after the gap. A fire inside an hour that
  comes twice runs in the first one only.
* A schedule for every hour (`*`) lives in elapsed time: it neither bunches up nor pauses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
MAX_LENGTH = 200
EVERY_HOUR = set(range(24))
SEARCH_FROM = datetime(2024, 1, 1)  # noqa: DTZ001 - what a clock on a wall shows
# Each window is short for the schedules that reach it; eight years hold a 29 February always.
LOOK_BACK = [timedelta(hours=1), timedelta(days=1), timedelta(days=32), timedelta(days=8 * 366)]


class CronError(ValueError):
    """A schedule that is not cron, names an unknown zone, or can never fire."""


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron schedule in one time zone."""

    expression: str
    zone: ZoneInfo
    fields: str
    hourly: bool

    @classmethod
    def parse(cls, expression: str, timezone: str = "UTC") -> Cron:
        """Read *expression*, or raise `CronError` with the reason."""
        fields = _five_fields(expression)
        sim = _simulate(fields, SEARCH_FROM, expression)
        if next(sim, None) is None:
            raise CronError(f"{expression!r} never fires")
        hourly = set(sim.hours) == EVERY_HOUR
        if hourly:
            # cronsim tells an hourly schedule by its first letter, not by its meaning.
            fields = _with_every_hour(fields)
        return cls(expression, _zone(timezone), fields, hourly)

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first fire later than *moment*, in UTC."""
        return next(self._fires(moment), None)

    def last_until(self, moment: datetime) -> datetime | None:
        """Return the latest fire that is not later than *moment*: what missed fires become."""
        for window in LOOK_BACK:
            last = None
            for fire in self._fires(moment - window):
                if fire > moment:
                    break
                last = fire
            if last is not None:
                return last
        return None

    def _fires(self, moment: datetime) -> Iterator[datetime]:
        if moment.tzinfo is None:
            raise ValueError("a naive datetime does not say which moment it is")
        return self._elapsed(moment) if self.hourly else self._on_the_wall(moment)

    def _elapsed(self, moment: datetime) -> Iterator[datetime]:
        for fire in _simulate(self.fields, moment.astimezone(self.zone), self.expression):
            yield fire.astimezone(UTC)

    def _on_the_wall(self, moment: datetime) -> Iterator[datetime]:
        wall = moment.astimezone(self.zone).replace(tzinfo=None)
        last = moment.astimezone(UTC)
        for local in _simulate(self.fields, wall, self.expression):
            fire = _instant(local, self.zone)
            # Several fires of one gap share an instant, and the second pass through a
            # repeated hour meets instants that have already been.
            if fire > last:
                last = fire
                yield fire


def _five_fields(expression: str) -> str:
    if len(expression) > MAX_LENGTH:
        raise CronError(f"a cron expression has at most {MAX_LENGTH} characters")
    text = ALIASES.get(expression.strip().lower(), expression)
    fields = text.split()
    if len(fields) != 5:
        raise CronError(f"{expression!r} is not cron: it needs five fields or one of {_names()}")
    for day in (2, 4):
        fields[day] = "*" if fields[day] == "?" else fields[day]
    return " ".join(fields)


def _with_every_hour(fields: str) -> str:
    minute, _, rest = fields.split(maxsplit=2)
    return f"{minute} * {rest}"


def _names() -> str:
    return " ".join(ALIASES)


def _simulate(fields: str, start: datetime, expression: str) -> CronSim:
    try:
        return CronSim(fields, start)
    except CronSimError as error:
        raise CronError(f"{expression!r} is not cron: {str(error).lower()}") from None


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # unknown, a folder of zones, or no such path
        raise CronError(f"{name!r} is not an IANA time zone") from None


def _instant(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment at which a clock in *zone* first shows *local*, or has passed it."""
    early = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if early.astimezone(zone).replace(tzinfo=None) == local:
        return early
    return _end_of_gap(local, zone)


def _end_of_gap(local: datetime, zone: ZoneInfo) -> datetime:
    """Find, to the second, when the clocks jumped over *local*."""
    # Read with the offset of before, a skipped time lies after the jump; and vice versa.
    after = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    before = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    offset = after.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before).total_seconds() // 2)
        if middle.astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after
