"""Judge domain events: what is stored of each, or the reason why not (spec §8.3).

Three things can become of one event here: `Event` (to be stored), `Ignored` (of no interest) and
`Poison` (to be set aside with a reason). What an event is wrapped in is the business of `envelopes`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from hashlib import blake2b
from typing import Any, Literal, NamedTuple

import msgspec

from mosaiclife_plugin_sdk.errors import detail_of
from plugin_analytics.clock import micros
from plugin_analytics.model.envelopes import (
    UNREADABLE,
    Envelope,
    Opened,
    Reader,
    Source,
    TypeName,
    read_plain,
    valid,
)
from plugin_analytics.model.families import BY_TYPE, TYPES, EventType, Payload, Sensitivity
from plugin_analytics.model.families.base import Hide, Identifier
from plugin_analytics.model.families.permissions import Permission
from plugin_analytics.model.grants import Grant, Standing, grant_of

MAX_EVENT_BYTES = 64 * 1024
VERSIONS = frozenset({1})
FUTURE_ALLOWANCE = timedelta(minutes=5)
RAW_WINDOW = timedelta(days=400)  # a year, and enough to set beside it the same weeks of the last
CORE, BACKFILL = "core", "backfill"
CONTENT = 8  # bytes by which a repetition is told from a conflict: a hint, not a proof
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)  # since then every zone keeps to quarter hours

Reason = Literal[
    "SCHEMA",
    "UNSUPPORTED_VERSION",
    "IN_FUTURE",
    "TOO_OLD",
    "TENANT_MISMATCH",
    "NO_GRANT",
    "TOO_LARGE",
    "ERASED_SUBJECT",
]
Pseudonymise = Callable[[str, str], bytes]


class Event(NamedTuple):
    """An event as it is stored: kept fields only, its actor a pseudonym."""

    key: bytes
    content: bytes
    id: str
    type: str
    at: int
    person: bytes | None
    body: bytes
    legacies: tuple[str, ...]
    sensitivity: Sensitivity = Sensitivity.SHARED
    source: str = CORE
    grant: Grant | None = None

    @property
    def backfill(self) -> bool:
        """Tell whether the event was sent long after it happened, on purpose."""
        return self.source == BACKFILL


class Ignored(NamedTuple):
    """An event of a type that no report asks for, or that nobody has allowed to be watched."""

    id: str | None
    type: str
    code: Reason | None = None
    source: str = CORE


class Poison(NamedTuple):
    """An event that cannot be taken, and why; `field` is the JSON path of the fault."""

    key: bytes
    id: str | None
    type: str | None
    reason: Reason
    field: str
    message: str
    kept: bytes | None = None
    source: str = CORE


class Kept(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is kept of an event that a later release or hour might take."""

    version: int
    occurred_at: datetime
    person: str | None
    payload: msgspec.Raw
    id: str | None = None
    source: str = CORE


Judgement = Event | Ignored | Poison

_fields = msgspec.json.Decoder(dict[str, Any])
_kept = msgspec.json.Decoder(Kept)
_encoder = msgspec.json.Encoder()


@dataclass(frozen=True)
class Judge:
    """Decide what becomes of each event of one call."""

    tenant: str
    now: datetime
    pseudonymise: Pseudonymise
    read: Reader = read_plain
    standing: Standing = field(default_factory=lambda: Standing({}))
    plugin: str = ""

    def __call__(self, raw: msgspec.Raw) -> Judgement:
        """Return what becomes of *raw*; nothing that it holds makes this raise."""
        if len(memoryview(raw)) > MAX_EVENT_BYTES:
            return self._poison(raw, "TOO_LARGE", "$", "the event is larger than 64 KiB")
        try:
            envelope = self.read(raw, self.tenant, self._hide)
            kind = TYPES.get(envelope.type)
            if kind is None:
                return Ignored(envelope.id, envelope.type, source=envelope.source)
            return self._refusal(raw, envelope, kind) or self._accept(raw, envelope, kind)
        except msgspec.ValidationError as error:
            fault = detail_of(error)
            return self._poison(raw, "SCHEMA", fault["field"], fault["message"])
        except UNREADABLE:
            return self._poison(raw, "SCHEMA", "$", "the event is not JSON")

    def _refusal(
        self, raw: msgspec.Raw, envelope: Opened | Envelope, kind: EventType
    ) -> Poison | None:
        """Return why a well-formed event of a known type cannot be taken, if it cannot."""
        if envelope.tenant_id != self.tenant:
            return self._poison(raw, "TENANT_MISMATCH", "$.tenant_id", "not the tenant of the call")
        if envelope.version not in VERSIONS:
            fault: tuple[Reason, str, str] | None = (
                "UNSUPPORTED_VERSION",
                "$.version",
                "not a known version",
            )
        else:
            fault = mistimed(envelope.occurred_at, self.now, backfill=envelope.source == BACKFILL)
        if fault is None:
            return None
        return self._poison(raw, *fault)._replace(
            key=self._key(envelope.source, envelope.id),
            id=envelope.id,
            type=kind.name,
            kept=self._kept(envelope, kind),
            source=envelope.source,
        )

    def _accept(self, raw: msgspec.Raw, envelope: Opened | Envelope, kind: EventType) -> Judgement:
        try:
            payload = self._payload(envelope, kind)
        except msgspec.ValidationError as error:
            fault = detail_of(error, "$.payload")
            return self._poison(raw, "SCHEMA", fault["field"], fault["message"])
        event = event_of(
            key=self._key(envelope.source, envelope.id),
            event_id=envelope.id,
            kind=kind,
            at=envelope.occurred_at,
            person=self._person(envelope.actor_id),
            payload=payload,
            source=envelope.source,
        )
        if isinstance(payload, Permission):
            return self._permitted(event, payload)
        closed = self.standing.closed(event.legacies, event.type, event.sensitivity)
        return self._narrowed(raw, event, payload, closed) if closed else event

    def _permitted(self, event: Event, payload: Permission) -> Event | Ignored:
        """Note what a keeper has said of this plugin; what is said of others is not ours."""
        if payload.plugin_id not in (None, self.plugin):
            return Ignored(event.id, event.type, source=event.source)
        grant = grant_of(event.type, event.at, event.id, payload)
        self.standing.say(payload.legacy_id, grant)
        return event._replace(grant=grant)

    def _narrowed(
        self, raw: msgspec.Raw, event: Event, payload: Payload, closed: Sequence[str]
    ) -> Judgement:
        """Keep an event for the legacies that are left; refuse it when none is."""
        if len(closed) < len(event.legacies):
            left = payload.without(closed)
            return event._replace(body=_encoder.encode(left), legacies=tuple(left.legacies()))
        if any(map(self.standing.decided, closed)):
            return self._poison(raw, "NO_GRANT", "$.payload", "no legacy of it allows this")
        return Ignored(event.id, event.type, "NO_GRANT", event.source)

    def _payload(self, envelope: Opened | Envelope, kind: EventType) -> Payload:
        """Read the kept fields, with pseudonyms in the place of people."""
        payload: Payload = BY_TYPE[kind.name].decode(kind.name, envelope.payload)
        return payload.hidden(self._hide)

    @cached_property
    def _hide(self) -> Hide:
        return partial(self.pseudonymise, self.tenant)

    def _person(self, actor: str | None) -> bytes | None:
        """Return the pseudonym of a person; services and plugins are never people."""
        if actor is None or not actor.startswith("user:"):
            return None
        return self.pseudonymise(self.tenant, actor)

    def _key(self, source: str, event_id: str) -> bytes:
        return _digest(self.tenant.encode(), source.encode(), event_id.encode())

    def _kept(self, envelope: Opened | Envelope, kind: EventType) -> bytes | None:
        """Return the kept fields of an event that a later release or hour might take."""
        try:
            payload = self._payload(envelope, kind)
        except msgspec.ValidationError:
            return None
        person = self._person(envelope.actor_id)
        kept = Kept(
            version=envelope.version,
            occurred_at=envelope.occurred_at,
            person=person.hex() if person else None,
            payload=msgspec.Raw(_encoder.encode(payload)),
            id=envelope.id,
            source=envelope.source,
        )
        return _encoder.encode(kept)

    def _poison(self, raw: msgspec.Raw, reason: Reason, field: str, message: str) -> Poison:
        """Set *raw* aside under what can be named of it: nothing that might be a person's words."""
        fields = _fields_of(raw)
        event_id = valid(Identifier, fields.get("id"))
        source = valid(Source, fields.get("source")) or CORE
        spelled = valid(TypeName, fields.get("type"))
        kind = TYPES.get(spelled) if spelled else None
        return Poison(
            key=self._unnamed(raw) if event_id is None else self._key(source, event_id),
            id=event_id,
            type=kind.name if kind else None,
            reason=reason,
            field=field,
            message=_without_values(message),
            source=source,
        )

    def _unnamed(self, raw: msgspec.Raw) -> bytes:
        """Return a key for what has no id; keyed, so that nobody can guess at the text from it."""
        return self._hide("raw:" + bytes(raw).decode("latin-1"))


def reread(
    key: bytes, name: str | None, kept: bytes | None, now: datetime, standing: Standing
) -> Event | None:
    """Return the event that was set aside under *key* if it can be taken now."""
    kind = TYPES.get(name or "")
    if kind is None or kept is None:
        return None
    try:
        found = _kept.decode(kept)
        payload: Payload = BY_TYPE[kind.name].decode(kind.name, found.payload)
    except msgspec.ValidationError:
        return None
    if found.version not in VERSIONS or mistimed(
        found.occurred_at, now, backfill=found.source == BACKFILL
    ):
        return None
    event = event_of(
        key=key,
        event_id=found.id or key.hex(),
        kind=kind,
        at=found.occurred_at,
        person=bytes.fromhex(found.person) if found.person else None,
        payload=payload,
        source=found.source,
    )
    if isinstance(payload, Permission):
        return event._replace(grant=grant_of(event.type, event.at, event.id, payload))
    return None if standing.closed(event.legacies, event.type, event.sensitivity) else event


def mistimed(
    occurred_at: datetime, now: datetime, *, backfill: bool
) -> tuple[Reason, str, str] | None:
    """Return what is wrong with the moment of an event: not yet, or no longer, to be counted."""
    if occurred_at > now + FUTURE_ALLOWANCE:
        return "IN_FUTURE", "$.occurred_at", "later than five minutes ahead"
    if occurred_at < EARLIEST:
        return "TOO_OLD", "$.occurred_at", "earlier than 1990"
    if not backfill and occurred_at < now - RAW_WINDOW:
        return "TOO_OLD", "$.occurred_at", f"more than {RAW_WINDOW.days} days ago, and no backfill"
    return None


def event_of(
    *,
    key: bytes,
    event_id: str,
    kind: EventType,
    at: datetime,
    person: bytes | None,
    payload: Payload,
    source: str,
) -> Event:
    """Return the event as it is stored."""
    moment, body = micros(at), _encoder.encode(payload)
    return Event(
        key=key,
        content=_digest(kind.name.encode(), b"%d" % moment, person or b"", body)[:CONTENT],
        id=event_id,
        type=kind.name,
        at=moment,
        person=person,
        body=body,
        legacies=tuple(payload.legacies()),
        sensitivity=payload.sensitivity(kind.sensitivity),
        source=source,
    )


def _fields_of(raw: msgspec.Raw) -> dict[str, Any]:
    try:
        return _fields.decode(raw)
    except UNREADABLE:
        return {}


def _without_values(message: str) -> str:
    """Cut off the value that msgspec quotes: the answer is stored, and texts must not be."""
    return message.partition(" '")[0]


def _digest(*parts: bytes) -> bytes:
    """Hash *parts* to 16 bytes; each is led by its length, so that none can borrow from another."""
    framed = b"".join([b"%d:%b" % (len(part), part) for part in parts])
    return blake2b(framed, digest_size=16).digest()
