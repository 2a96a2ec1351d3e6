"""Judge domain events: what is stored of each, or the reason why not (spec §8.3).

Three things can become of one event here: `Event` (to be stored), `Ignored` (of no interest) and
`Poison` (to be set aside with a reason). What an event is wrapped in is the business of `envelopes`.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
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
from plugin_analytics.model.erasure import (
    BEGINS_LEGACY,
    BY_LEGACY,
    BY_PERSON,
    Ask,
    Graves,
    Mark,
    Marked,
    Said,
    Target,
    body_without,
)
from plugin_analytics.model.erasure import (
    CONTENT as TOLD,
)
from plugin_analytics.model.families import BY_TYPE, TYPES, EventType, Payload, Sensitivity
from plugin_analytics.model.families.base import Hide, Identifier
from plugin_analytics.model.families.legacies import LegacyDeleted
from plugin_analytics.model.families.people import DELETED, ENABLED, OPTED_OUT, Person
from plugin_analytics.model.families.permissions import Permission
from plugin_analytics.model.grants import Grant, Standing, grant_of
from plugin_analytics.model.keys import content_of, event_key
from plugin_analytics.model.rollup import subject_key

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
Code = Reason | Literal["OPTED_OUT"]
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
    seal: bytes | None = None
    ask: Ask | None = None

    @property
    def backfill(self) -> bool:
        """Tell whether the event was sent long after it happened, on purpose."""
        return self.source == BACKFILL


class Ignored(NamedTuple):
    """An event of a type that no report asks for, or that nobody has allowed to be watched."""

    id: str | None
    type: str
    code: Code | None = None
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
    mark: Marked | None = None
    ask: Ask | None = None


class Refused(NamedTuple):
    """Why a well-formed event is set aside, and what it leaves behind."""

    reason: Reason
    message: str
    mark: Marked | None = None
    ask: Ask | None = None


class Unwanted(NamedTuple):
    """Why nobody need look at a well-formed event."""

    code: Code


class Kept(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is kept of an event that a later release or hour might take."""

    version: int
    occurred_at: datetime
    person: str | None
    payload: msgspec.Raw
    id: str | None = None
    source: str = CORE


Judgement = Event | Ignored | Poison
_WISHES: dict[str, Said] = {DELETED: "person", OPTED_OUT: "optout", ENABLED: "enabled"}

_fields = msgspec.json.Decoder(dict[str, Any])
_kept = msgspec.json.Decoder(Kept)
_encoder = msgspec.json.Encoder()


class Judge:
    """Decide what becomes of each event of one call."""

    def __init__(
        self,
        tenant: str,
        now: datetime,
        pseudonymise: Pseudonymise,
        read: Reader = read_plain,
        standing: Standing | None = None,
        plugin: str = "",
        graves: Graves | None = None,
    ) -> None:
        """Judge what *tenant* sends as of *now*, and add to *standing* and *graves* what it says."""
        self.tenant = tenant
        self.now = now
        self.pseudonymise = pseudonymise
        self.read = read
        self.standing = standing or Standing({})
        self.plugin = plugin
        self.graves = graves or Graves()
        self._hide: Hide = partial(pseudonymise, tenant)

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
        if isinstance(payload, Permission) and payload.plugin_id not in (None, self.plugin):
            return Ignored(event.id, event.type, source=event.source)  # said of another plugin
        found = admit(event, payload, self.standing, self.graves)
        if isinstance(found, Event):
            return found
        if isinstance(found, Unwanted):
            return Ignored(event.id, event.type, found.code, event.source)
        return self._refused(raw, event, found)

    def _refused(self, raw: msgspec.Raw, event: Event, found: Refused) -> Poison:
        """Set an event aside of which nothing is kept; what is erased is not even named."""
        poison = self._poison(raw, found.reason, "$.payload", found.message)
        erased = found.reason == "ERASED_SUBJECT"
        return poison._replace(
            key=event.key,
            id=None if erased else event.id,
            source=event.source,
            mark=found.mark,
            ask=found.ask,
        )

    def _payload(self, envelope: Opened | Envelope, kind: EventType) -> Payload:
        """Read the kept fields, with pseudonyms in the place of people."""
        payload: Payload = BY_TYPE[kind.name].decode(kind.name, envelope.payload)
        return payload.hidden(self._hide)

    def _person(self, actor: str | None) -> bytes | None:
        """Return the pseudonym of a person; services and plugins are never people."""
        if actor is None or not actor.startswith("user:"):
            return None
        return self.pseudonymise(self.tenant, actor)

    def _key(self, source: str, event_id: str) -> bytes:
        return event_key(self.tenant, source, event_id)

    def _kept(self, envelope: Opened | Envelope, kind: EventType) -> bytes | None:
        """Return the kept fields of an event that a later release or hour might take."""
        try:
            payload = self._payload(envelope, kind)
        except msgspec.ValidationError:
            return None
        person = self._person(envelope.actor_id)
        if self.graves.person(person) or self.graves.gone(payload.legacies()):
            return None  # whenever it happened, it would not be taken
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


def reread(  # what is stored, and what decides over it now
    key: bytes,
    name: str | None,
    kept: bytes | None,
    now: datetime,
    standing: Standing,
    graves: Graves | None = None,
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
    verdict = admit(event, payload, standing, graves or Graves())
    return verdict if isinstance(verdict, Event) else None


def admit(
    event: Event, payload: Payload, standing: Standing, graves: Graves
) -> Event | Refused | Unwanted:
    """Return what is stored of an event, after what legacies allow and what has been erased."""
    if isinstance(payload, Permission):
        return _permitted(event, payload, standing, graves)
    if event.sensitivity is Sensitivity.CONTROL:
        return _uttered(event, payload, graves)
    closed = standing.closed(event.legacies, event.type, event.sensitivity)
    if not closed and graves.silent:
        return event  # as nearly all are
    if closed and len(closed) == len(event.legacies):
        if any(map(standing.decided, closed)):
            return Refused("NO_GRANT", "no legacy of it allows this")
        return Unwanted("NO_GRANT")
    if graves.over(event.at):
        return Refused("ERASED_SUBJECT", "all of that time was erased")
    if graves.person(event.person):
        return _of_nobody(event, payload, graves)
    gone = graves.gone(event.legacies)
    lost = [*closed, *gone]
    if gone and set(lost) >= set(event.legacies):
        seal = graves.sealed(event.person, event.id)
        mark = _mark_of(event, payload, BY_LEGACY, seal)
        return Refused("ERASED_SUBJECT", "no legacy of it is left", mark)
    if lost:
        left = payload.without(lost)
        event = event._replace(body=_encoder.encode(left), legacies=tuple(left.legacies()))
    return _unnamed_if_asked(event, graves)


def _permitted(
    event: Event, payload: Permission, standing: Standing, graves: Graves
) -> Event | Refused:
    """Note what a keeper has said of this plugin, and ask that the rest go if it is less."""
    if graves.gone(event.legacies):
        return Refused("ERASED_SUBJECT", "its legacy is gone")
    grant = grant_of(event.type, event.at, event.id, payload)
    if not standing.say(payload.legacy_id, grant) or grant.types is None:
        return event._replace(grant=grant)
    target = Target(legacy=payload.legacy_id, types=tuple(sorted(grant.types)))
    return event._replace(grant=grant, ask=graves.ask("grant", event.key, event.at, target))


def _uttered(event: Event, payload: Payload, graves: Graves) -> Event:
    """Note whom or what an event wants to be forgotten; the event itself is kept without it."""
    if isinstance(payload, Person):
        person = payload.user_id or (event.person.hex() if event.person else None)
        if person is None:
            return event
        ask = graves.ask(_WISHES[event.type], event.key, event.at, Target(person=person))
    elif isinstance(payload, LegacyDeleted):
        ask = graves.ask("legacy", event.key, event.at, Target(legacy=payload.legacy_id))
    else:
        return event
    graves.say(ask)
    return event._replace(ask=ask)


def _of_nobody(event: Event, payload: Payload, graves: Graves) -> Refused:
    """Refuse what somebody did who is gone; a legacy that they began goes as well."""
    ask = None
    if event.type == BEGINS_LEGACY:
        ask = graves.ask("legacy", event.key, event.at, Target(legacy=event.legacies[0]))
        graves.say(ask)
    mark = _mark_of(event, payload, BY_PERSON)
    return Refused("ERASED_SUBJECT", "its person is gone", mark, ask)


def _mark_of(event: Event, payload: Payload, kind: str, seal: bytes | None = None) -> Marked | None:
    """Return the mark that a refused act leaves on its subject, where it may decide over others."""
    family = BY_TYPE[event.type]
    if not family.remembered or (family.personal and kind == BY_PERSON):
        return None
    name = family.subject(payload, event.person)
    if name is None:
        return None
    mark = Mark(family.name, subject_key(family.name, name).hex())
    return Marked(kind, event.at, event.id, mark, seal)


def _unnamed_if_asked(event: Event, graves: Graves) -> Event | Unwanted:
    """Take the name off what somebody told who does not want to be watched; refuse all else."""
    if event.person is None or not graves.bound(event.person, event.at):
        return event
    if BY_TYPE[event.type].name not in TOLD:
        return Unwanted("OPTED_OUT")
    return event._replace(person=None, seal=graves.sealed(event.person, event.id))


def kept_without(name: str, kept: bytes, legacy: str) -> bytes | None:
    """Return what is kept of an event as if it had not named *legacy*; None if nothing is left."""
    try:
        found = _kept.decode(kept)
        body = body_without(name, bytes(found.payload), legacy)
    except msgspec.ValidationError:
        return None
    if body is None:
        return None
    return _encoder.encode(msgspec.structs.replace(found, payload=msgspec.Raw(body)))


def kept_at(kept: bytes) -> int:
    """Return when that happened of which something is kept."""
    return micros(_kept.decode(kept).occurred_at)


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
    content = content_of(kind.name, moment, person or b"", body, CONTENT)
    legacies, sensitivity = tuple(payload.legacies()), payload.sensitivity(kind.sensitivity)
    # By place: by name it would cost twice as much, and each event is one.
    return Event(
        *(key, content, event_id, kind.name, moment),
        *(person, body, legacies, sensitivity, source),
    )


def _fields_of(raw: msgspec.Raw) -> dict[str, Any]:
    try:
        return _fields.decode(raw)
    except UNREADABLE:
        return {}


def _without_values(message: str) -> str:
    """Cut off the value that msgspec quotes: the answer is stored, and texts must not be."""
    return message.partition(" '")[0]
