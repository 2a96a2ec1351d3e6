"""Say what every family of event types has in common.

A family owns a few event types. For each it lists the payload fields that are kept, and all else
in a payload is dropped before storage. It names the *subject* that an event is about (one story,
one reaction of one person), and reduces all the acts on a subject to *facts*. A reduction looks at
the set of acts alone, so neither order of arrival nor repetition can change it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta

Identifier = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{1,64}\Z")]
Legacies = Annotated[list[Identifier], Meta(max_length=100)]
WHOLE_TENANT = ""


class Payload(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The kept fields of one event type; unknown fields never reach the store."""

    def legacies(self) -> Sequence[str]:
        """Return the legacies that the event names itself."""
        return ()


class Act(msgspec.Struct, frozen=True, array_like=True):
    """One event as its subject remembers it."""

    at: int
    id: str
    type: str
    person: bytes | None
    body: bytes


class Fact(NamedTuple):
    """One change of one count: what, where, when, by whom, and until when it stood."""

    legacy: str
    at: int
    metric: str
    delta: int
    person: bytes | None = None
    until: int | None = None


@dataclass(frozen=True)
class Family:
    """The event types that speak of one kind of subject."""

    name: str
    payloads: Mapping[str, type[Payload]]
    subject: Callable[[Any, bytes | None], str | None]
    facts: Callable[[Sequence[Act]], Iterable[Fact]]
    _decoders: dict[str, msgspec.json.Decoder[Any]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Build one decoder for each type, once."""
        for name, payload in self.payloads.items():
            self._decoders[name] = msgspec.json.Decoder(payload)

    def decode(self, name: str, body: bytes | msgspec.Raw) -> Any:
        """Read a payload of the event type *name*; a `ValidationError` carries the JSON path."""
        return self._decoders[name].decode(body)


def in_each(legacies: Iterable[str]) -> list[str]:
    """Return the scopes that a count belongs to: each legacy once, and the whole tenant once."""
    return [WHOLE_TENANT, *dict.fromkeys(legacies)]


def no_facts(acts: Sequence[Act]) -> Iterable[Fact]:
    """Count nothing: the family is kept for what later reports ask."""
    del acts
    return ()
