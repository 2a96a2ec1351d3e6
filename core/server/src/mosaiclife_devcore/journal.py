"""Keep what happened in the order in which it is delivered (sdk/schema/event.schema.json)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from mosaiclife_devcore.ids import ulid
from mosaiclife_plugin_sdk import Clock, rfc3339, utc_now

MOST = 100_000


class Resource(msgspec.Struct, frozen=True):
    """The thing that an event is about."""

    kind: str
    id: str


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A domain event as it travels; it carries ids and never a title or a text."""

    id: str
    type: str
    version: int
    source: str
    occurred_at: str
    tenant_id: str
    actor_id: str | None
    resource: Resource
    payload: dict[str, Any]


class Journal:
    """All events since the start, each under a running number that never moves."""

    def __init__(self, clock: Clock = utc_now, *, most: int = MOST) -> None:
        self._clock = clock
        self._most = most
        self._events: list[Event] = []
        self._first = 0
        self._listeners: list[Callable[[], None]] = []

    @property
    def end(self) -> int:
        """Return the number that the next event gets."""
        return self._first + len(self._events)

    def listen(self, listener: Callable[[], None]) -> None:
        """Call *listener* after events were added."""
        self._listeners.append(listener)

    def extend(self, events: Iterable[Event]) -> None:
        """Add events; the oldest go when there are too many for a development machine."""
        self._events.extend(events)
        if (surplus := len(self._events) - self._most) > 0:
            del self._events[:surplus]
            self._first += surplus
        for listener in self._listeners:
            listener()

    def record(
        self, kind: str, *, tenant: str, actor: str, about: tuple[str, str], payload: dict[str, Any]
    ) -> Event:
        """Write down that *actor* did something just now."""
        now = self._clock()
        event = Event(
            id=ulid(now),
            type=kind,
            version=1,
            source="core",
            occurred_at=rfc3339(now),
            tenant_id=tenant,
            actor_id=f"user:{actor}",
            resource=Resource(*about),
            payload=payload,
        )
        self.extend([event])
        return event

    def since(self, number: int, most: int) -> tuple[int, Sequence[Event]]:
        """Return up to *most* events from *number* on, and the number of the first of them."""
        start = max(number, self._first)
        offset = start - self._first
        return start, self._events[offset : offset + most]
