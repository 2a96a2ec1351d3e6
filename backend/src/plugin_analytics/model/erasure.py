"""Decide what must be forgotten, and what is left of a subject when it is.

A person who is deleted takes along everything that they began, and their own acts on what others
began. A legacy takes along what names no other. Somebody who does not want to be watched leaves
what they told behind, without a name. Which of the acts on a subject are left must not depend on
the order in which they came, so an erased act that may decide over others leaves a *mark*: that
there was one, and when. It names nobody, and goes with the tombstones.
"""

import hmac
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Literal, NamedTuple

import msgspec
from msgspec import structs

from plugin_analytics.model.families import BY_TYPE, TYPES, Act, Family, Sensitivity

Kind = Literal["person", "legacy", "grant", "optout", "tenant"]
Said = Literal["person", "legacy", "grant", "optout", "tenant", "enabled"]
BY_PERSON, BY_LEGACY = "erased.by_person", "erased.by_legacy"
MARKS = frozenset({BY_PERSON, BY_LEGACY})
CONTENT = frozenset({"story", "response", "media", "legacy"})  # what outlives an opt-out, unnamed
BEGINS_LEGACY = "legacy.created"
SEALED = b"seal:"  # leads every seal, so that those who have one are found
_SIZE = 16

_encoder = msgspec.json.Encoder(order="deterministic")


class Mark(msgspec.Struct, frozen=True):
    """On which subject an act was that is gone."""

    family: str
    subject: str

    @property
    def key(self) -> bytes:
        """Return the key under which the subject is remembered."""
        return bytes.fromhex(self.subject)


class Marked(NamedTuple):
    """A mark that is to be kept of one event that was refused."""

    type: str
    at: int
    id: str
    mark: Mark
    seal: bytes | None = None


class Target(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is needed to find what must go; it is forgotten once that is done."""

    person: str | None = None
    legacy: str | None = None
    types: tuple[str, ...] | None = None  # what a grant still allows


class Ask(NamedTuple):
    """A wish that data be forgotten, or be kept again, under keyed hashes."""

    kind: Said
    id: str
    tenant_hash: bytes
    hash: bytes
    at: int
    target: Target | None = None
    types: tuple[str, ...] | None = None


class Hashes:
    """Name people, legacies and tenants so that only who holds the key can tell whom."""

    def __init__(self, key: bytes) -> None:
        """Derive everything from *key*."""
        self._key = key
        # The same few are asked for again and again; what is remembered dies with the process.
        self.person = lru_cache(maxsize=16_384)(self._person)
        self.legacy = lru_cache(maxsize=16_384)(self._legacy)

    def tenant(self, tenant: str) -> bytes:
        """Return what stands for a tenant."""
        return self._of(b"tenant", tenant.encode())

    def seal(self, person: bytes, event_id: str) -> bytes:
        """Return what proves who did one act to whoever asks for that person, and links no two."""
        return SEALED + self._of(b"seal", person, event_id.encode())

    def request(self, kind: str, person_or_legacy: bytes, key: bytes) -> str:
        """Return the name of the wish that one event utters: the same for its repetitions."""
        return self._of(b"request", kind.encode(), person_or_legacy, key).hex()

    def _person(self, tenant: str, pseudonym: bytes) -> bytes:
        return self._of(b"person", tenant.encode(), pseudonym)

    def _legacy(self, tenant: str, name: str) -> bytes:
        return self._of(b"legacy", tenant.encode(), name.encode())

    def _of(self, *parts: bytes) -> bytes:
        framed = b"".join([b"%d:%b" % (len(part), part) for part in parts])
        return hmac.digest(self._key, framed, "sha256")[:_SIZE]


NO_HASHES = Hashes(b"nobody's")


@dataclass
class Tombs:
    """What one tenant has said that it does not want to see again, by keyed hashes."""

    people: set[bytes] = field(default_factory=set)
    legacies: set[bytes] = field(default_factory=set)
    outs: dict[bytes, int] = field(default_factory=dict)  # the latest wish not to be watched
    ins: dict[bytes, set[int]] = field(default_factory=dict)
    tenant: int | None = None

    @property
    def silent(self) -> bool:
        """Tell whether nobody has been, or wants to be, forgotten."""
        return not (self.people or self.legacies or self.outs) and self.tenant is None

    def add(self, kind: str, name: bytes, at: int) -> None:
        """Take a wish over, in whatever order wishes come."""
        match kind:
            case "person":
                self.people.add(name)
            case "legacy":
                self.legacies.add(name)
            case "optout":
                self.outs[name] = max(at, self.outs.get(name, at))
            case "enabled":
                self.ins.setdefault(name, set()).add(at)
            case "tenant":
                self.tenant = at if self.tenant is None else max(at, self.tenant)

    def bound(self, name: bytes, at: int) -> bool:
        """Tell whether an act at a moment falls under an opt-out of the person."""
        out = self.outs.get(name)
        if out is None:
            return False
        return not any(out < moment <= at for moment in self.ins.get(name, ()))

    def opted_out(self, name: bytes) -> bool:
        """Tell whether what the person does now would not be watched."""
        out = self.outs.get(name)
        return out is not None and not any(out < moment for moment in self.ins.get(name, ()))


_UNSAID = Tombs()  # what hardly any call adds to; nothing is ever put into this one


class Graves:
    """What one call must refuse: what is known, and what the call itself has said."""

    def __init__(
        self, tenant: str = "", known: Tombs | None = None, hashes: Hashes = NO_HASHES
    ) -> None:
        """Begin with what is *known*, which stays as it is."""
        self._tenant = tenant
        self.hashes = hashes
        self._known = known or Tombs()
        self._said = _UNSAID

    def say(self, ask: Ask) -> None:
        """Let a wish hold for the rest of the call."""
        if self._said is _UNSAID:
            self._said = Tombs()
        self._said.add(ask.kind, ask.hash, ask.at)

    def ask(self, kind: Said, key: bytes, at: int, target: Target) -> Ask:
        """Return the wish that the event under *key* utters."""
        name = self._name(target)
        return Ask(
            kind=kind,
            id=self.hashes.request(kind, name, key),
            tenant_hash=self.hashes.tenant(self._tenant),
            hash=name,
            at=at,
            target=None if kind == "enabled" else target,
            types=target.types,
        )

    @property
    def silent(self) -> bool:
        """Tell whether there is nothing to refuse."""
        return self._known.silent and self._said.silent

    def over(self, at: int) -> bool:
        """Tell whether the whole tenant was erased after a moment."""
        return any(
            tombs.tenant is not None and at <= tombs.tenant for tombs in (self._known, self._said)
        )

    def person(self, pseudonym: bytes | None) -> bool:
        """Tell whether a person has been deleted."""
        people, said = self._known.people, self._said.people
        if pseudonym is None or not (people or said):
            return False
        name = self.hashes.person(self._tenant, pseudonym)
        return name in people or name in said

    def gone(self, legacies: Sequence[str]) -> list[str]:
        """Return those of *legacies* that have been deleted."""
        known, said = self._known.legacies, self._said.legacies
        if not (known or said):
            return []
        names = ((each, self.hashes.legacy(self._tenant, each)) for each in legacies)
        return [each for each, name in names if name in known or name in said]

    def bound(self, pseudonym: bytes | None, at: int) -> bool:
        """Tell whether a person does not want an act to be known as theirs."""
        if pseudonym is None or not (self._known.outs or self._said.outs):
            return False
        name = self.hashes.person(self._tenant, pseudonym)
        both = Tombs()
        for tombs in (self._known, self._said):
            if name in tombs.outs:
                both.add("optout", name, tombs.outs[name])
            for moment in tombs.ins.get(name, ()):
                both.add("enabled", name, moment)
        return both.bound(name, at)

    def sealed(self, pseudonym: bytes | None, event_id: str) -> bytes | None:
        """Return the seal of an act whose person is not to be known."""
        if pseudonym is None:
            return None
        return self.hashes.seal(self.hashes.person(self._tenant, pseudonym), event_id)

    def _name(self, target: Target) -> bytes:
        if target.person is not None:
            return self.hashes.person(self._tenant, bytes.fromhex(target.person))
        if target.legacy is not None:
            return self.hashes.legacy(self._tenant, target.legacy)
        return self.hashes.tenant(self._tenant)


# --- what is left of a subject

IsTheirs = Callable[[Act], bool]
Seal = Callable[[Act], bytes | None]


class Left(NamedTuple):
    """What is left of the acts on a subject, and what went."""

    acts: list[Act]
    gone: Sequence[Act]  # as they were: those that went, and those that changed
    legacies: frozenset[str] = frozenset()  # legacies that must go as well


def visible(family: Family, acts: Sequence[Act]) -> Sequence[Act]:
    """Return the acts that count: none when one that is erased decides over them all."""
    if MARKS.isdisjoint([act.type for act in acts]):
        return acts
    first = min(acts, key=lambda act: (act.at, act.id))
    if first.type == BY_PERSON:
        return ()
    real = [act for act in acts if act.type not in MARKS]
    orphaned = any(act.type == BY_LEGACY for act in acts)
    return () if orphaned and not any(_named(family, act) for act in real) else real


def without_person(family: Family, acts: Sequence[Act], theirs: IsTheirs) -> Left:
    """Forget what a person did; a mark stays for what others did on the same subject."""
    own = [act for act in acts if theirs(act)]
    kept = [act for act in acts if not theirs(act)]
    created = [act for act in own if act.type == BEGINS_LEGACY]
    legacies = frozenset(name for act in created for name in _named(family, act))
    if own and not family.personal:
        first = min(own, key=lambda act: (act.at, act.id))
        kept.append(Act(first.at, first.id, BY_PERSON, None, b""))
    return Left(compact(kept), own, legacies)


def without_legacy(acts: Sequence[Act], legacy: str, seal: Seal) -> Left:
    """Forget that a legacy was named; of what named no other a mark stays, and a seal on it."""
    kept: list[Act] = []
    gone: list[Act] = []
    for act in acts:
        left = act if act.type in MARKS else _less(act, legacy)
        if left is not act:
            gone.append(act)
        kept.append(left or Act(act.at, act.id, BY_LEGACY, None, b"", seal(act)))
    return Left(compact(kept), gone)


def without_leave(
    family: Family,
    acts: Sequence[Act],
    legacy: str,
    allowed: Collection[str] | None,
    spared: Collection[str],
) -> Left:
    """Forget what a legacy no longer allows; it leaves no mark, for the grant is the door."""
    kept: list[Act] = []
    gone: list[Act] = []
    for act in acts:
        free = act.type in MARKS or act.id in spared or allowed is None or act.type in allowed
        left = act if free else _less(act, legacy)
        if left is not act:
            gone.append(act)
        if left is not None:
            kept.append(left)
    had = any(act.type not in MARKS and _named(family, act) for act in acts)
    has = any(act.type not in MARKS and _named(family, act) for act in kept)
    if gone and had and not has:
        kept = [act for act in kept if act.id in spared]
        gone = [act for act in acts if act.id not in spared]
    return Left(kept, gone)


def without_name(
    family: Family,
    acts: Sequence[Act],
    theirs: IsTheirs,
    bound: Callable[[int], bool],
    seal: Seal,
) -> Left:
    """Take a person's name off what they told, and forget what else they did."""
    kept: list[Act] = []
    gone: list[Act] = []
    for act in acts:
        if act.person is None or not theirs(act) or not bound(act.at):
            kept.append(act)
            continue
        gone.append(act)
        if family.name in CONTENT:
            kept.append(structs.replace(act, person=None, seal=seal(act)))
    return Left(kept, gone)


def without_past(acts: Sequence[Act], until: int, also: Collection[str]) -> Left:
    """Forget everything up to a moment, and what had come ahead of its time."""
    kept = [act for act in acts if act.at > until and act.id not in also]
    return Left(kept, [act for act in acts if act.at <= until or act.id in also])


def without_marks(family: Family, acts: Sequence[Act]) -> list[Act]:
    """Return what is left once the time of the marks is over."""
    return [act for act in visible(family, acts) if act.type not in MARKS]


def compact(acts: Iterable[Act]) -> list[Act]:
    """Keep the first mark of a person: it decides, and no other adds to it."""
    order = sorted(acts, key=lambda act: (act.at, act.id, act.type, act.body))
    firsts = [act for act in order if act.type == BY_PERSON][:1]
    return [act for act in order if act.type != BY_PERSON or act is firsts[0]]


def body_without(name: str, body: bytes, legacy: str) -> bytes | None:
    """Return a kept payload as if it had not named *legacy*; None when it named no other."""
    payload = BY_TYPE[name].decode(name, body)
    named = payload.legacies()
    if legacy not in named:
        return body
    if set(named) == {legacy}:
        return None
    return _encoder.encode(payload.without([legacy]))


def is_control(name: str) -> bool:
    """Tell whether a type is an act on the data itself."""
    kind = TYPES.get(name)
    return kind is not None and kind.sensitivity is Sensitivity.CONTROL


def digest_of(receipt: dict[str, object]) -> str:
    """Return the SHA-256 of a receipt's other fields as JSON: keys sorted, no spaces."""
    fields = {name: value for name, value in receipt.items() if name != "digest"}
    return sha256(_encoder.encode(fields)).hexdigest()


def _named(family: Family, act: Act) -> Sequence[str]:
    named: Sequence[str] = family.decode(act.type, act.body).legacies()
    return named


def _less(act: Act, legacy: str) -> Act | None:
    if f'"{legacy}"'.encode() not in act.body:
        return act
    body = body_without(act.type, act.body, legacy)
    if body is None:
        return None
    return act if body == act.body else structs.replace(act, body=body)
