"""Read what an event is wrapped in: core's own envelope, and the other shapes it is sent in.

Three documents of the platform describe three shapes (`docs/events.md`), and CloudEvents 1.0 is a
fourth. Each becomes the one `Envelope`; only the fast path, the envelope itself, reads the bytes
once.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import UNSET, Meta, UnsetType

from mosaiclife_plugin_sdk import BadRequest, UnsupportedMediaType
from mosaiclife_plugin_sdk.errors import detail_of
from mosaiclife_plugin_sdk.webhooks import MAX_EVENTS
from plugin_analytics.errors import BatchTooLarge
from plugin_analytics.model.families.base import Hide, Identifier

JSON, CLOUD_EVENT = "application/json", "application/cloudevents+json"
CLOUD_BATCH = "application/cloudevents-batch+json"

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
TypeName = Annotated[
    str, Meta(pattern=r"\A[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*\Z", max_length=128)
]
Source = Annotated[str, Meta(min_length=1, max_length=64)]
Actor = Annotated[str, Meta(pattern=r"\A(user|service|plugin):[\x21-\x7e]{1,128}\Z")]
Moment = Annotated[datetime, Meta(tz=True)]
TenantId = Annotated[str, Meta(min_length=1, max_length=64)]
_ShortText = Annotated[str, Meta(min_length=1, max_length=1024)]


class Resource(msgspec.Struct, frozen=True):
    """What the event is about, in core's words."""

    kind: Annotated[str, Meta(min_length=1, max_length=64)]
    id: Identifier


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """The normative envelope; fields that are not named here are ignored."""

    id: Identifier
    type: TypeName
    version: Annotated[int, Meta(ge=1)]
    occurred_at: Moment
    tenant_id: TenantId
    resource: Resource
    payload: msgspec.Raw
    source: Source = "core"
    actor_id: Actor | None = None


class Opened(NamedTuple):
    """What every shape comes down to."""

    id: str
    type: str
    version: int
    occurred_at: datetime
    tenant_id: str
    payload: msgspec.Raw
    source: str
    actor_id: str | None


Reader = Callable[[msgspec.Raw, str, Hide], Opened | Envelope]


class Parcel(NamedTuple):
    """A delivery split into raw events, and how to read each."""

    events: list[msgspec.Raw]
    read: Reader


class _Batch(msgspec.Struct):
    events: list[msgspec.Raw]


class _Marks(msgspec.Struct):
    """What tells the shapes apart."""

    event_type: msgspec.Raw | UnsetType = UNSET
    timestamp: msgspec.Raw | UnsetType = UNSET
    occurred_at: msgspec.Raw | UnsetType = UNSET


class _Traced(msgspec.Struct):
    """What any shape may say of the trace that it belongs to (CloudEvents: distributed tracing)."""

    traceparent: str | None = None


class _EventMessage(msgspec.Struct, rename="camel"):
    """The message of `API-DESIGN.md`."""

    type: TypeName
    timestamp: Moment
    payload: msgspec.Raw
    id: Identifier | None = None
    source: Source | None = None
    tenant_id: TenantId | None = None
    actor_id: Actor | None = None


class _StoryEvent(msgspec.Struct):
    """The event of `DATA-DESIGN.md`: flat, and about stories only."""

    event_type: TypeName
    story_id: Identifier
    timestamp: Moment
    legacy_id: Identifier | None = None
    user_id: Identifier | None = None
    changes: dict[str, Any] | None = None
    id: Identifier | None = None
    source: Source | None = None
    tenant_id: TenantId | None = None


class _CloudEvent(msgspec.Struct):
    """CloudEvents 1.0 in structured mode, with the extensions `tenantid` and `actorid`."""

    specversion: Annotated[str, Meta(pattern=r"\A1\.0\Z")]
    id: _ShortText
    source: _ShortText
    type: _ShortText
    time: Moment
    data: msgspec.Raw
    tenantid: TenantId | None = None
    actorid: Actor | None = None
    dataversion: Annotated[int, Meta(ge=1)] | None = None


_envelopes = msgspec.json.Decoder(Envelope)
_traced = msgspec.json.Decoder(_Traced)
_marks = msgspec.json.Decoder(_Marks)
_messages = msgspec.json.Decoder(_EventMessage)
_stories = msgspec.json.Decoder(_StoryEvent)
_clouds = msgspec.json.Decoder(_CloudEvent)
_batches = msgspec.json.Decoder(_Batch)
_lists = msgspec.json.Decoder(list[msgspec.Raw])
_objects = msgspec.json.Decoder(dict[str, msgspec.Raw])


def read_parcel(body: bytes, content_type: str = JSON) -> Parcel:
    """Split a delivery: one envelope, `{"events": […]}`, or CloudEvents single or batched."""
    split = _SPLITTERS.get(content_type) or _SPLITTERS.get(
        content_type.partition(";")[0].strip().lower()
    )
    if split is None:
        raise UnsupportedMediaType(f"Send events as {', '.join(_SPLITTERS)}.")
    try:
        parcel = split(body)
    except msgspec.ValidationError as error:
        raise BadRequest("The body holds no events.", details=[detail_of(error)]) from error
    except UNREADABLE as error:
        raise BadRequest("The body is not JSON.") from error
    if len(parcel.events) > MAX_EVENTS:
        raise BatchTooLarge
    return parcel


def _split_plain(body: bytes) -> Parcel:
    if (usual := _usual(body)) is not None:
        return Parcel([msgspec.Raw(body)], lambda *_: usual)
    whole = _objects.decode(body)
    events = _batches.decode(body).events if "events" in whole else [msgspec.Raw(body)]
    return Parcel(events, read_plain)


def _usual(body: bytes) -> Envelope | None:
    """Return the envelope that *body* is, where that can be told without looking into it twice.

    A key that is spelled with escapes might be `events`, and one that is no UTF-8 makes the whole
    no JSON, though reading an envelope passes over it.
    """
    text = body.decode("latin-1")
    if not text.isascii() or "\\" in text or '"events"' in text:
        return None
    try:
        return _envelopes.decode(text)
    except msgspec.DecodeError:
        return None


def _split_cloud(body: bytes) -> Parcel:
    _objects.decode(body)
    return Parcel([msgspec.Raw(body)], read_cloud)


def _split_clouds(body: bytes) -> Parcel:
    return Parcel(_lists.decode(body), read_cloud)


_SPLITTERS: dict[str, Callable[[bytes], Parcel]] = {
    JSON: _split_plain,
    CLOUD_EVENT: _split_cloud,
    CLOUD_BATCH: _split_clouds,
}


def traceparents(events: Iterable[msgspec.Raw]) -> Iterator[str]:
    """Yield under which span each event happened, where it says so."""
    for raw in events:
        with suppress(*UNREADABLE):
            if value := _traced.decode(raw).traceparent:
                yield value


def read_plain(raw: msgspec.Raw, tenant: str, hide: Hide) -> Opened | Envelope:
    """Read one event of core; a `ValidationError` names the fault in the shape it was sent in."""
    try:
        return _envelopes.decode(raw)
    except msgspec.ValidationError:
        variant = _variant_of(raw)
        if variant is None:
            raise
    return variant(raw, tenant, hide)


def _variant_of(raw: msgspec.Raw) -> Reader | None:
    try:
        marks = _marks.decode(raw)
    except msgspec.ValidationError:
        return None
    if marks.event_type is not UNSET:
        return _read_story_event
    looks_like_message = marks.timestamp is not UNSET and marks.occurred_at is UNSET
    return _read_message if looks_like_message else None


def _read_message(raw: msgspec.Raw, tenant: str, hide: Hide) -> Opened:
    message = _messages.decode(raw)
    return Opened(
        id=message.id or _id_from_content(raw, hide),
        type=message.type,
        version=1,
        occurred_at=message.timestamp,
        tenant_id=message.tenant_id or tenant,
        payload=message.payload,
        source=message.source or "core",
        actor_id=message.actor_id,
    )


def _read_story_event(raw: msgspec.Raw, tenant: str, hide: Hide) -> Opened:
    event = _stories.decode(raw)
    approved = event.event_type == "approved"
    verb = "updated" if approved else event.event_type
    return Opened(
        id=event.id or _id_from_content(raw, hide),
        type=f"story.{verb}" if verb in _STORY_VERBS else verb,
        version=1,
        occurred_at=event.timestamp,
        tenant_id=event.tenant_id or tenant,
        payload=_story_payload(event, {"status": "published"} if approved else {}),
        source=event.source or "core",
        actor_id=None if event.user_id is None else f"user:{event.user_id}",
    )


_STORY_VERBS = frozenset({"created", "updated", "deleted"})


def _story_payload(event: _StoryEvent, said: dict[str, Any]) -> msgspec.Raw:
    """Write a flat event's fields as a payload; a change told as old and new is the new."""
    changes = {
        name: value["new"] if isinstance(value, dict) and "new" in value else value
        for name, value in (event.changes or {}).items()
    }
    if event.legacy_id is not None:
        changes.setdefault("legacy_ids", [event.legacy_id])
    return msgspec.Raw(msgspec.json.encode({**changes, **said, "story_id": event.story_id}))


def read_cloud(raw: msgspec.Raw, tenant: str, hide: Hide) -> Opened:
    """Read one CloudEvent: source and id make its key, `time` is when it happened."""
    event = _clouds.decode(raw)
    return Opened(
        id=_identifier(event.id, hide),
        type=_type_name(event.type),
        version=event.dataversion or 1,
        occurred_at=event.time,
        tenant_id=event.tenantid or tenant,
        payload=event.data,
        source=event.source,
        actor_id=event.actorid,
    )


def _identifier(text: str, hide: Hide) -> str:
    """Return *text* if it may stand as an id, else what stands for it and says nothing."""
    return text if valid(Identifier, text) else hide("event-id:" + text).hex()


def _type_name(text: str) -> str:
    """Return *text* if it may be the name of a type; the empty name is of nobody's."""
    return valid(TypeName, text) or ""


def _id_from_content(raw: msgspec.Raw, hide: Hide) -> str:
    """Make an id of the canonical content: the same event gets the same, whatever its spacing.

    The hash is keyed. An open one would let whoever holds the database guess at what was dropped.
    """
    canonical = msgspec.json.encode(msgspec.json.decode(raw), order="sorted")
    return hide("event:" + canonical.decode()).hex()


def valid(kind: Any, value: Any) -> str | None:
    """Return *value* if it is of the constrained type *kind*."""
    try:
        found: str = msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return None
    return found
