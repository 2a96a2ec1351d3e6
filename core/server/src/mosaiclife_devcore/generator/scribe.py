"""Write events down as core would, and give them out in the order of time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from heapq import heappop, heappush
from typing import Any

from mosaiclife_devcore.generator.ids import Ids
from mosaiclife_devcore.generator.population import Person

Envelope = dict[str, Any]
DAY = 86_400_000
FIRST_BACKFILL_DAYS = (
    395  # a plugin may refuse what is older than 400 days, unless it is a backfill
)


class Scribe:
    """Holds the events that are known of, among them some that lie ahead."""

    def __init__(self, ids: Ids, tenant: str, end: int) -> None:
        self.ids = ids
        self.end = end
        self.count = 0
        self._tenant = tenant
        self._backfill_before = end - FIRST_BACKFILL_DAYS * DAY
        self._waiting: list[tuple[int, int, Envelope]] = []

    def put(
        self, moment: int, kind: str, actor: Person | None, about: str, payload: dict[str, Any]
    ) -> bool:
        """Write an event down, if it happens before the end; tell whether it does."""
        if moment >= self.end or (actor is not None and actor.gone <= moment):
            return False
        self.count += 1
        event = {
            "id": self.ids.at(moment),
            "type": kind,
            "version": 1,
            "source": "backfill" if moment < self._backfill_before else "core",
            "occurred_at": written(moment),
            "tenant_id": self._tenant,
            "actor_id": f"user:{actor.id}" if actor else "service:core",
            "resource": {"kind": kind.partition(".")[0], "id": about},
            "payload": payload,
        }
        heappush(self._waiting, (moment, self.count, event))
        return True

    def before(self, moment: int) -> Iterator[Envelope]:
        """Yield what happened before *moment* and has not been given out, the oldest first."""
        while self._waiting and self._waiting[0][0] < moment:
            yield heappop(self._waiting)[2]


def written(moment: int) -> str:
    """Return a moment as RFC 3339 writes it."""
    days, rest = divmod(moment, DAY)
    minutes, thousandths = divmod(rest, 60_000)
    return (
        f"{_day(days)}T{minutes // 60:02d}:{minutes % 60:02d}"
        f":{thousandths // 1000:02d}.{thousandths % 1000:03d}Z"
    )


def read(text: str) -> int:
    """Return the moment that `written` wrote."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@lru_cache(maxsize=512)
def _day(days: int) -> str:
    """Return the date that lies so many days after the first of 1970."""
    return datetime.fromtimestamp(days * DAY // 1000, UTC).strftime("%Y-%m-%d")
