"""Say what every family of event types has in common.

A family owns a few event types. For each it lists the payload fields that are kept, and all else
in a payload is dropped before storage. It names the *subject* that an event is about (one story,
one reaction of one person), and reduces all the acts on a subject to *facts*. A reduction looks at
the set of acts alone, so neither order of arrival nor repetition can change it.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from typing import Annotated, Any, NamedTuple, Self

import msgspec
from msgspec import Meta

Identifier = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{1,64}\Z")]
Legacies = Annotated[list[Identifier], Meta(max_length=100)]
Word = Annotated[str, Meta(pattern=r"\A[a-z0-9_]{1,32}\Z")]
Hide = Callable[[str], bytes]
WHOLE_TENANT = ""
UNKNOWN = "unknown"


class Sensitivity(IntEnum):
    """Who may ever learn of an act; the store keeps the number."""

    SHARED = 0  # done by name before the whole circle
    OBSERVED = 1  # passive or private: only ever shown as a crowd
    SEALED = 2  # never shown below the tenant
    CONTROL = 3  # an act on the data itself


class Payload(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The kept fields of one event type; unknown fields never reach the store."""

    def legacies(self) -> Sequence[str]:
        """Return the legacies that the event names itself."""
        return ()

    def without(self, legacies: Collection[str]) -> Self:
        """Return the payload as if it had not named *legacies*."""
        del legacies
        return self

    def sensitivity(self, usual: Sensitivity) -> Sensitivity:
        """Return the class of this act; *usual* is that of its type."""
        return usual

    def hidden(self, hide: Hide) -> Self:
        """Return the payload with *hide* in the place of people's ids."""
        del hide
        return self


class OfOneLegacy(Payload, frozen=True, kw_only=True):
    """What is kept of an act in at most one legacy."""

    legacy_id: Identifier | None = None

    def legacies(self) -> Sequence[str]:
        """Return the one legacy, if it is named."""
        return () if self.legacy_id is None else (self.legacy_id,)


class OfManyLegacies(Payload, frozen=True, kw_only=True):
    """What is kept of something that several legacies may share."""

    legacy_ids: Legacies | None = None

    def legacies(self) -> Sequence[str]:
        """Return the legacies that the event names itself."""
        return self.legacy_ids or ()

    def without(self, legacies: Collection[str]) -> Self:
        """Return the payload for the other legacies."""
        others = [legacy for legacy in self.legacies() if legacy not in legacies]
        return msgspec.structs.replace(self, legacy_ids=others)


class Act(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One event as its subject remembers it."""

    at: int
    id: str
    type: str
    person: bytes | None
    body: bytes
    seal: bytes | None = None  # who did it, for whoever asks with a name and the key


class Fact(NamedTuple):
    """One change of one count: what, where, when, by whom, until when it stood, of what kind."""

    legacy: str
    at: int
    metric: str
    delta: int
    person: bytes | None = None
    until: int | None = None
    dim: str = ""


@dataclass(frozen=True)
class EventType:
    """One type of event: how it is spelled, what is kept of it, and how private it is."""

    name: str
    payload: type[Payload]
    sensitivity: Sensitivity
    aliases: tuple[str, ...] = ()

    def spellings(self) -> set[str]:
        """Return the name, as core's three documents write it, and the type's own aliases."""
        return {self.name, _pascal(self.name), _plural(self.name), *self.aliases}


def _no_subject(payload: Any, person: bytes | None) -> None:
    """Remember nothing: no report asks for the family's acts yet."""
    del payload, person


def no_facts(acts: Sequence[Act]) -> Iterable[Fact]:
    """Count nothing: the family is kept for what later reports ask."""
    del acts
    return ()


@dataclass(frozen=True)
class Family:
    """The event types that speak of one kind of subject."""

    name: str
    types: Sequence[EventType]
    subject: Callable[[Any, bytes | None], str | None] = _no_subject
    facts: Callable[[Sequence[Act]], Iterable[Fact]] = no_facts
    personal: bool = False  # each person has subjects of their own
    _decoders: dict[str, msgspec.json.Decoder[Any]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Build one decoder for each type, once."""
        for kind in self.types:
            self._decoders[kind.name] = msgspec.json.Decoder(kind.payload)

    @property
    def remembered(self) -> bool:
        """Tell whether acts on the family's subjects are remembered."""
        return self.subject is not _no_subject

    def decode(self, name: str, body: bytes | msgspec.Raw) -> Any:
        """Read a payload of the event type *name*; a `ValidationError` carries the JSON path."""
        return self._decoders[name].decode(body)

    def read(self, name: str, body: bytes) -> Any:
        """Read a kept payload: a fold asks each of them for its subject, and then for its facts."""
        return _read(self._decoders[name], body)


@lru_cache(maxsize=4_096)
def _read(decoder: msgspec.json.Decoder[Any], body: bytes) -> Any:
    return decoder.decode(body)


def kind_of(*parts: str | None) -> str:
    """Return the word under which facts of one kind are counted, by the values of its dimensions."""
    return " ".join(part or UNKNOWN for part in parts)


def in_each(legacies: Iterable[str]) -> list[str]:
    """Return the scopes that a count belongs to: each legacy once, and the whole tenant once."""
    return [WHOLE_TENANT, *dict.fromkeys(legacies)]


class Stay(NamedTuple):
    """What came once and may have gone once."""

    came: Act
    gone: int | None

    def facts(self, metric: str, legacies: Iterable[str], dim: str = "") -> Iterator[Fact]:
        """Count one up when it came, and one down when it went; *dim* says of what kind it is."""
        for legacy in in_each(legacies):
            yield Fact(legacy, self.came.at, metric, 1, self.came.person, self.gone, dim)
            if self.gone is not None:
                yield Fact(legacy, self.gone, metric, -1, dim=dim)


def stay_of(acts: Sequence[Act], came: str, ends: Collection[str]) -> Stay | None:
    """Find the first act of type *came* and the first that ended it; None if it never stood.

    An end that lies before the beginning wins all the same: what core has deleted does not return.
    """
    begun = [act for act in acts if act.type == came]
    ended = [act.at for act in acts if act.type in ends]
    if not begun:
        return None
    first = begun[0] if len(begun) == 1 else min(begun, key=lambda act: (act.at, act.id))
    gone = min(ended) if ended else None
    return None if gone is not None and gone < first.at else Stay(first, gone)


def _pascal(name: str) -> str:
    return "".join(part.capitalize() for part in re.split(r"[._]", name))


def _plural(name: str) -> str:
    """Spell a type as the topics of `API-DESIGN.md` do: `stories.created`."""
    kind, _, rest = name.partition(".")
    return f"{kind[:-1]}ies.{rest}" if kind.endswith("y") else f"{kind}s.{rest}"
