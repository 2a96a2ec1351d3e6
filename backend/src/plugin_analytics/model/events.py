"""Read domain events: from raw bytes to what is stored, or to the reason why not (spec §8.3).

Three things can become of one event here: `Event` (to be stored), `Ignored` (of no interest) and
`Poison` (to be set aside with a reason). What is malformed as a whole raises `BadRequest`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

from mosaiclife_plugin_sdk import BadRequest
from mosaiclife_plugin_sdk.errors import detail_of
from plugin_analytics.clock import micros
from plugin_analytics.errors import BatchTooLarge
from plugin_analytics.model.families import BY_TYPE, Family
from plugin_analytics.model.families.base import Identifier

MAX_EVENTS = 500
MAX_EVENT_BYTES = 64 * 1024
VERSIONS = frozenset({1})
FUTURE_ALLOWANCE = timedelta(minutes=5)
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)  # since then every zone keeps to quarter hours

Reason = Literal[
    "SCHEMA", "UNSUPPORTED_VERSION", "IN_FUTURE", "TOO_OLD", "TENANT_MISMATCH", "TOO_LARGE"
]
TypeName = Annotated[
    str, Meta(pattern=r"\A[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*\Z", max_length=128)
]
Source = Annotated[str, Meta(min_length=1, max_length=64)]
Pseudonymise = Callable[[str, str], bytes]
Actor = Annotated[str, Meta(pattern=r"\A(user|service|plugin):[\x21-\x7e]{1,128}\Z")]


class Resource(msgspec.Struct, frozen=True):
    """What the event is about, in core's words."""

    kind: Annotated[str, Meta(min_length=1, max_length=64)]
    id: Identifier


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """The normative envelope; fields that are not named here are ignored."""

    id: Identifier
    type: TypeName
    version: Annotated[int, Meta(ge=1)]
    occurred_at: Annotated[datetime, Meta(tz=True)]
    tenant_id: Annotated[str, Meta(min_length=1, max_length=64)]
    resource: Resource
    payload: msgspec.Raw
    source: Source = "core"
    actor_id: Actor | None = None


class _Batch(msgspec.Struct):
    events: list[msgspec.Raw]


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


class Ignored(NamedTuple):
    """An event of a type that no report asks for."""

    id: str | None
    type: str


class Poison(NamedTuple):
    """An event that cannot be taken, and why; `field` is the JSON path of the fault."""

    key: bytes
    id: str | None
    type: str | None
    reason: Reason
    field: str
    message: str
    kept: bytes | None = None


Judgement = Event | Ignored | Poison

_envelopes = msgspec.json.Decoder(Envelope)
_fields = msgspec.json.Decoder(dict[str, Any])
_batches = msgspec.json.Decoder(_Batch)
_objects = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encoder = msgspec.json.Encoder()
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def read_batch(body: bytes) -> list[msgspec.Raw]:
    """Split a delivery into raw events: one envelope, or `{"events": […]}`."""
    try:
        whole = _objects.decode(body)
        events = _batches.decode(body).events if "events" in whole else [msgspec.Raw(body)]
    except msgspec.ValidationError as error:
        raise BadRequest("The body holds no events.", details=[detail_of(error)]) from error
    except _UNREADABLE as error:
        raise BadRequest("The body is not JSON.") from error
    if len(events) > MAX_EVENTS:
        raise BatchTooLarge
    return events


@dataclass(frozen=True)
class Judge:
    """Decide what becomes of each event of one call."""

    tenant: str
    now: datetime
    pseudonymise: Pseudonymise

    def __call__(self, raw: msgspec.Raw) -> Judgement:
        """Return what becomes of *raw*; nothing that it holds makes this raise."""
        if len(memoryview(raw)) > MAX_EVENT_BYTES:
            return self._poison(raw, "TOO_LARGE", "$", "the event is larger than 64 KiB")
        try:
            envelope = _envelopes.decode(raw)
            family = BY_TYPE.get(envelope.type)
            if family is None:
                return Ignored(envelope.id, envelope.type)
            return self._refusal(raw, envelope, family) or self._accept(raw, envelope, family)
        except msgspec.ValidationError as error:
            fault = detail_of(error)
            return self._poison(raw, "SCHEMA", fault["field"], fault["message"])
        except _UNREADABLE:
            return self._poison(raw, "SCHEMA", "$", "the event is not JSON")

    def _refusal(self, raw: msgspec.Raw, envelope: Envelope, family: Family) -> Poison | None:
        """Return why a well-formed event of a known type cannot be taken, if it cannot."""
        if envelope.tenant_id != self.tenant:
            return self._poison(raw, "TENANT_MISMATCH", "$.tenant_id", "not the tenant of the call")
        fault: tuple[Reason, str, str] | None = None
        if envelope.version not in VERSIONS:
            fault = "UNSUPPORTED_VERSION", "$.version", "not a known version"
        elif envelope.occurred_at > self.now + FUTURE_ALLOWANCE:
            fault = "IN_FUTURE", "$.occurred_at", "later than five minutes ahead"
        elif envelope.occurred_at < EARLIEST:
            fault = "TOO_OLD", "$.occurred_at", "earlier than 1990"
        if fault is None:
            return None
        return self._poison(raw, *fault)._replace(kept=self._kept(envelope, family))

    def _accept(self, raw: msgspec.Raw, envelope: Envelope, family: Family) -> Event | Poison:
        try:
            payload = family.decode(envelope.type, envelope.payload)
        except msgspec.ValidationError as error:
            fault = detail_of(error, "$.payload")
            return self._poison(raw, "SCHEMA", fault["field"], fault["message"])
        at, body = micros(envelope.occurred_at), _encoder.encode(payload)
        person = self._person(envelope.actor_id)
        return Event(
            key=self._key(envelope.source, envelope.id),
            content=_digest(envelope.type.encode(), b"%d" % at, person or b"", body),
            id=envelope.id,
            type=envelope.type,
            at=at,
            person=person,
            body=body,
            legacies=tuple(payload.legacies()),
        )

    def _person(self, actor: str | None) -> bytes | None:
        """Return the pseudonym of a person; services and plugins are never people."""
        if actor is None or not actor.startswith("user:"):
            return None
        return self.pseudonymise(self.tenant, actor)

    def _key(self, source: str, event_id: str) -> bytes:
        return _digest(self.tenant.encode(), source.encode(), event_id.encode())

    def _kept(self, envelope: Envelope, family: Family) -> bytes | None:
        """Return the kept fields of an event that a later release or hour might take."""
        try:
            payload = family.decode(envelope.type, envelope.payload)
        except msgspec.ValidationError:
            return None
        person = self._person(envelope.actor_id)
        return _encoder.encode(
            {
                "version": envelope.version,
                "occurredAt": envelope.occurred_at,
                "person": person.hex() if person else None,
                "payload": payload,
            }
        )

    def _poison(self, raw: msgspec.Raw, reason: Reason, field: str, message: str) -> Poison:
        """Set *raw* aside under what can be named of it: nothing that might be a person's words."""
        fields = _fields_of(raw)
        event_id = _if_valid(Identifier, fields.get("id"))
        source = _if_valid(Source, fields.get("source")) or "core"
        unnamed = _digest(self.tenant.encode(), bytes(raw))
        return Poison(
            key=unnamed if event_id is None else self._key(source, event_id),
            id=event_id,
            type=_if_valid(TypeName, fields.get("type")),
            reason=reason,
            field=field,
            message=_without_values(message),
        )


def _fields_of(raw: msgspec.Raw) -> dict[str, Any]:
    try:
        return _fields.decode(raw)
    except _UNREADABLE:
        return {}


def _if_valid(kind: Any, value: Any) -> str | None:
    try:
        valid: str = msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return None
    return valid


def _without_values(message: str) -> str:
    """Cut off the value that msgspec quotes: the answer is stored, and texts must not be."""
    return message.partition(" '")[0]


def _digest(*parts: bytes) -> bytes:
    """Hash *parts* to 16 bytes; each is led by its length, so that none can borrow from another."""
    hasher = blake2b(digest_size=16)
    for part in parts:
        hasher.update(len(part).to_bytes(4, "big"))
        hasher.update(part)
    return hasher.digest()
