"""Say how long each thing is kept (design: Storage; docs/operate-data.md has the table).

What happened once and is over, a heart put on or somebody asked to come, is fleeting: remembered
for a season, then only its numbers are left. What stands as long as its content, a story, stays.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from plugin_analytics.clock import micros
from plugin_analytics.model.events import RAW_WINDOW
from plugin_analytics.model.families import BY_NAME
from plugin_analytics.model.rollup import Stored

OBSERVED_FOR = timedelta(days=30)
FLEETING_FOR = timedelta(days=90)
COUNTED_YEARS = 10
FLEETING = ("invitation", "membership", "reaction")


class Ages(NamedTuple):
    """Before which moment each thing is too old; counts go by whole years of their first day."""

    observed: int
    fleeting: int
    raw: int
    arrival: date
    counts: date


def ages(now: datetime) -> Ages:
    """Return what is too old at *now*."""
    return Ages(
        observed=micros(now - OBSERVED_FOR),
        fleeting=micros(now - FLEETING_FOR),
        raw=micros(now - RAW_WINDOW),
        arrival=(now - RAW_WINDOW).date(),
        counts=date(now.year - COUNTED_YEARS, 1, 1),
    )


def fleeting_types() -> Sequence[str]:
    """Return the event types whose subjects are forgotten."""
    return [kind.name for name in FLEETING for kind in BY_NAME[name].types]


def countable(events: Iterable[Stored], horizons: Mapping[str, int]) -> list[Stored]:
    """Leave out what came when the like of its day had already been forgotten.

    Whether such an event changes anything could only be told from what is gone: counting it might
    count it twice.
    """
    before = {kind.name: at for name, at in horizons.items() for kind in BY_NAME[name].types}
    return [event for event in events if event.at >= before.get(event.type, event.at)]
