"""Fold new acts into what is known of a subject, and say which counts change."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from plugin_analytics.model.erasure import MARKS, Mark, compact, is_control, visible
from plugin_analytics.model.families import BY_NAME, BY_TYPE, Act, Fact, Family

DayOf = Callable[[int], date]
DEFINITION = "v1"  # what the metrics mean
COUNTED_BY = "v1 crowds"  # and how the counts are kept: those of another way are made anew
KEY_BYTES = 16  # of the key under which a subject is remembered

# Of these types every act changes what is known of a subject; no other has to be looked at.
_FAMILIES = {
    name: family for name, family in BY_TYPE.items() if family.remembered and not is_control(name)
}
FOLDED = frozenset({*_FAMILIES, *MARKS})

_memory = msgspec.msgpack.Decoder(list[Act])
_mark = msgspec.json.Decoder(Mark)
_encoder = msgspec.msgpack.Encoder()


class Stored(NamedTuple):
    """An event as the store hands it to the fold."""

    id: str
    type: str
    at: int
    person: bytes | None
    body: bytes
    seal: bytes | None = None


class DatedFact(NamedTuple):
    """A fact of one subject, on the reporting day that it falls on."""

    subject: bytes
    day: date
    until_day: date | None
    fact: Fact


class Memory(NamedTuple):
    """All acts on one subject, as the store keeps them."""

    subject: bytes
    family: str
    last_at: int
    acts: bytes


@dataclass
class Folded:
    """What one fold changes: subjects to remember, facts to drop, facts to add."""

    memories: list[Memory] = field(default_factory=list)
    dropped: list[DatedFact] = field(default_factory=list)
    added: list[DatedFact] = field(default_factory=list)

    def days(self) -> set[tuple[str, date]]:
        """Return each legacy's days whose counts this changes."""
        return {(dated.fact.legacy, dated.day) for dated in (*self.dropped, *self.added)}


def by_subject(events: Iterable[Stored]) -> dict[bytes, list[Stored]]:
    """Group events by what they are about; those that count nothing fall away."""
    groups: dict[bytes, list[Stored]] = {}
    for event in events:
        found = subject_of(event)
        if found is not None:
            groups.setdefault(found[1], []).append(event)
    return groups


def subject_of(event: Stored) -> tuple[Family, bytes] | None:
    """Return what an event is about, by family and key; None when it counts nothing."""
    if event.type in MARKS:
        mark = _mark.decode(event.body)
        return BY_NAME[mark.family], mark.key
    family = _FAMILIES.get(event.type)
    if family is None:
        return None
    name = family.subject(family.read(event.type, event.body), event.person)
    return None if name is None else (family, subject_key(family.name, name))


def fold(
    groups: Mapping[bytes, Sequence[Stored]], memories: Mapping[bytes, bytes], day_of: DayOf
) -> Folded:
    """Join new events to what was known, and compare the facts before with the facts after."""
    folded = Folded()
    for subject, events in groups.items():
        family = _family_of(events[0])
        if len(events) == 1 and subject not in memories:
            # As most are: nothing is to be joined or compared.
            act = act_of(events[0])
            folded.memories.append(Memory(subject, family.name, act.at, _encoder.encode((act,))))
            folded.added.extend(_dated(subject, family, (act,), day_of))
            continue
        known = acts_of(memories[subject]) if subject in memories else []
        acts = _joined(known, events)
        change = difference(subject, family, known, acts, day_of)
        folded.memories.extend(change.memories)
        folded.dropped.extend(change.dropped)
        folded.added.extend(change.added)
    return folded


def difference(
    subject: bytes, family: Family, known: Sequence[Act], acts: Sequence[Act], day_of: DayOf
) -> Folded:
    """Return which facts go and come when a subject's acts change; what is left of it is kept."""
    before = set(_dated(subject, family, known, day_of))
    after = set(_dated(subject, family, acts, day_of))
    memories = [memory_of(subject, family.name, acts)] if acts else []
    return Folded(memories, list(before - after), list(after - before))


def refold(memories: Iterable[Memory], day_of: DayOf) -> Folded:
    """Return every fact that follows from what is remembered, by the rules of this release."""
    folded = Folded()
    for memory in memories:
        acts = acts_of(memory.acts)
        folded.added.extend(_dated(memory.subject, BY_NAME[memory.family], acts, day_of))
    return folded


def memory_of(subject: bytes, family: str, acts: Sequence[Act]) -> Memory:
    """Return *acts* on a subject as the store keeps them."""
    return Memory(subject, family, max(act.at for act in acts), _encoder.encode(acts))


def acts_of(acts: bytes) -> list[Act]:
    """Return what is remembered of a subject."""
    return _memory.decode(acts)


def _joined(known: list[Act], events: Sequence[Stored]) -> list[Act]:
    """Add events to the acts on a subject, each once, in an order that does not tell arrival."""
    acts = {
        (act.at, act.id, act.type, act.body, act.person or b""): act
        for act in (*known, *map(act_of, events))
    }
    joined = [acts[key] for key in sorted(acts)]
    return compact(joined) if any(act.type in MARKS for act in joined) else joined


def act_of(event: Stored) -> Act:
    """Return an event as its subject remembers it."""
    body = b"" if event.type in MARKS else event.body
    return Act(event.at, event.id, event.type, event.person, body, event.seal)


def _family_of(event: Stored) -> Family:
    if event.type in MARKS:
        return BY_NAME[_mark.decode(event.body).family]
    return BY_TYPE[event.type]


def _dated(
    subject: bytes, family: Family, acts: Sequence[Act], day_of: DayOf
) -> Iterable[DatedFact]:
    counting = visible(family, acts)
    return [
        DatedFact(
            subject, day_of(fact.at), None if fact.until is None else day_of(fact.until), fact
        )
        for fact in (family.facts(counting) if counting else ())
    ]


def subject_key(family: str, name: str) -> bytes:
    """Return the key under which the subject *name* of a family is remembered."""
    return blake2b(f"{family}:{name}".encode(), digest_size=KEY_BYTES).digest()
