"""Count how what came in has ended, and how late it was: what the health of the data is told by."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import chain, repeat
from operator import attrgetter
from typing import Any

from plugin_analytics.clock import EPOCH
from plugin_analytics.model.events import BACKFILL
from plugin_analytics.model.families import TYPES
from plugin_analytics.store.base import Batch, Outcome
from plugin_analytics.store.codes import STRANGER, Codes
from plugin_analytics.store.many import write_rows

_TALLY = (
    "INSERT INTO intake (tenant, day, source, type, outcome, reason, number)"
    " VALUES {rows} ON CONFLICT DO UPDATE SET number = number + excluded.number"
)
_LATE = (
    "INSERT INTO lateness (tenant, day, bucket, number, worst) VALUES {rows}"
    " ON CONFLICT DO UPDATE SET number = number + excluded.number,"
    " worst = max(worst, excluded.worst)"
)
_SOURCE, _TYPE = attrgetter("source"), attrgetter("type")
_DAY = timedelta(days=1) // timedelta(microseconds=1)
_FIRST_DAY = EPOCH.date().toordinal()

Written = tuple[int, Batch, Sequence[Outcome]]  # tenant, what it brought, what became of the events
_Ended = tuple[Batch, Sequence[Outcome]]
_Place = tuple[int, int]  # tenant, day of arrival


class Tallies:
    """Add up endings by source, type and reason, and lateness by powers of two."""

    def __init__(self, codes: Codes) -> None:
        """Write words by their *codes*."""
        self._codes = codes
        self.arrived: Callable[[int, int], None] = lambda *_: None

    def add(self, connection: sqlite3.Connection, written: Iterable[Written]) -> None:
        """Add what a few batches have brought."""
        endings: Counter[tuple[int, int, str, str, str, str]] = Counter()
        late: dict[tuple[int, int], list[int]] = {}
        for place, ended in _by_place(written).items():
            for ending, number in _endings(ended).items():
                endings[*place, *ending] += number
            late[place] = _lateness(ended)
        rows = [(*self._in_codes(connection, *key), number) for key, number in endings.items()]
        write_rows(connection, _TALLY, rows)
        buckets = [(*place, *one) for place, found in late.items() for one in _buckets(found)]
        write_rows(connection, _LATE, buckets)
        for _, _, _, number, worst in buckets:
            self.arrived(worst, number)

    def _in_codes(
        self,
        connection: sqlite3.Connection,
        tenant: int,
        day: int,
        source: str,
        name: str,
        *words: str,
    ) -> tuple[Any, ...]:
        codes = self._codes
        known = not name or name in TYPES
        kind = codes.word(connection, name) if known else codes.stranger(connection, STRANGER, name)
        rest = (codes.word(connection, word) for word in words)
        return tenant, day, codes.source(connection, source), kind, *rest


def _by_place(written: Iterable[Written]) -> dict[_Place, list[_Ended]]:
    """Return what belongs to each tenant and day of arrival."""
    found: dict[_Place, list[_Ended]] = {}
    for tenant, batch, outcomes in written:
        place = tenant, _FIRST_DAY + batch.received_at // _DAY
        found.setdefault(place, []).append((batch, outcomes))
    return found


def _endings(ended: Sequence[_Ended]) -> Counter[tuple[str, str, str, str]]:
    """Count source, type, outcome and reason of everything that some batches have brought."""
    events = list(chain.from_iterable([batch.events for batch, _ in ended]))
    outcomes = chain.from_iterable([outcomes for _, outcomes in ended])
    endings: Counter[tuple[str, str, str, str]] = Counter(
        zip(map(_SOURCE, events), map(_TYPE, events), outcomes, repeat(""))  # the last never ends
    )
    for poison in chain.from_iterable([batch.poison for batch, _ in ended]):
        endings[poison.source, poison.type or "", "quarantined", poison.reason] += 1
    for ignored in chain.from_iterable([batch.ignored for batch, _ in ended]):
        endings[ignored.source, ignored.type, "ignored", ignored.code or ""] += 1
    return endings


def _lateness(ended: Sequence[_Ended]) -> list[int]:
    """Return by how many seconds each accepted event was late; a backfill is so on purpose."""
    return [
        max(0, (batch.received_at - event.at) // 1_000_000)
        for batch, outcomes in ended
        for event, outcome in zip(batch.events, outcomes, strict=True)
        if outcome == "accepted" and event.source != BACKFILL
    ]


def _buckets(seconds: list[int]) -> Iterator[tuple[int, int, int]]:
    """Yield of each power of two that it occurs, how often, and what was the most."""
    seconds.sort()
    powers = list(map(int.bit_length, seconds))
    worst = dict(zip(powers, seconds, strict=True))  # of several, the last stands
    for power, number in Counter(powers).items():
        yield power, number, worst[power]
