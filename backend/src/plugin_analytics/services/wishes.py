"""Say, for each kind of wish, what is looked for and what is left of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from plugin_analytics.model.erasure import (
    CONTENT,
    MARKS,
    SEALED,
    Hashes,
    Left,
    body_without,
    without_leave,
    without_legacy,
    without_name,
    without_past,
    without_person,
)
from plugin_analytics.model.events import kept_at, kept_without
from plugin_analytics.model.families import BY_TYPE, Act, Family, Sensitivity
from plugin_analytics.store.base import Store
from plugin_analytics.store.erasures import KeptRow, Needle, RawRow, Request

EMPTY = b"{}"


class Fate(NamedTuple):
    """What becomes of a row: it goes, it changes, or (with neither) it stays."""

    goes: bool = False
    unnamed: bool = False
    body: bytes | None = None


STAYS, GOES, UNNAMED = Fate(), Fate(goes=True), Fate(unnamed=True)


class Deed(NamedTuple):
    """By what an act is found again among the raw events."""

    id: str
    at: int
    type: str


@dataclass
class Task:
    """One wish, and how it is fulfilled."""

    request: Request
    horizon: int
    left: Callable[[Family, Sequence[Act]], Left]
    raw: Callable[[RawRow], Fate]
    kept: Callable[[KeptRow], Fate]
    subjects: tuple[bytes, ...] = ()  # what to look for in what is remembered
    person: bytes | None = None
    text: bytes | None = None
    deeds: set[Deed] = field(default_factory=set)  # raw events that nothing else would find

    def fate(self, row: RawRow) -> Fate:
        """Return what becomes of a raw event."""
        named = self.person is not None and row.person == self.person
        if named or (self.text is not None and self.text in row.body):
            return self.raw(row)
        return GOES if Deed(row.id, row.at, row.type) in self.deeds else STAYS

    @property
    def needle(self) -> Needle:
        """Return what is looked for among the raw events."""
        return Needle(self.person, self.text, {deed.id for deed in self.deeds})

    @property
    def waiting(self) -> Needle:
        """Return what is looked for among the events that no fold has seen."""
        return Needle(self.person, self.text, sealed=SEALED in self.subjects)


def task_of(request: Request, horizon: int, store: Store, hashes: Hashes) -> Task:
    """Return how a wish is fulfilled."""
    makers: dict[str, Callable[[Request, int, Store, Hashes], Task]] = {
        "person": _person,
        "optout": _optout,
        "legacy": _legacy,
        "grant": _grant,
        "tenant": _tenant,
    }
    return makers[request.kind](request, horizon, store, hashes)


def _person(request: Request, horizon: int, store: Store, hashes: Hashes) -> Task:
    del store
    person, theirs = _pseudonym(request), _theirs(request, hashes)
    return Task(
        request,
        horizon,
        left=lambda family, acts: without_person(family, acts, theirs),
        raw=lambda row: UNNAMED if row.sensitivity == Sensitivity.CONTROL else GOES,
        kept=lambda _: GOES,
        subjects=(SEALED,) if person is None else (SEALED, person),
        person=person,
    )


def _optout(request: Request, horizon: int, store: Store, hashes: Hashes) -> Task:
    person, theirs = _pseudonym(request), _theirs(request, hashes)
    tombs = store.tombs(request.tenant)

    def bound(at: int) -> bool:
        return tombs.bound(request.hash, at)

    def raw(row: RawRow) -> Fate:
        if not bound(row.at):
            return STAYS
        family = BY_TYPE.get(row.type)
        told = family is not None and family.name in CONTENT
        return UNNAMED if told or row.sensitivity == Sensitivity.CONTROL else GOES

    def kept(row: KeptRow) -> Fate:
        # What was told is judged by the door when it is tried again, and loses its name there.
        told = BY_TYPE[row.type].name in CONTENT if row.type in BY_TYPE else False
        return GOES if bound(kept_at(row.kept)) and not told else STAYS

    return Task(
        request,
        horizon,
        left=lambda family, acts: without_name(
            family, acts, theirs, bound, lambda act: hashes.seal(request.hash, act.id)
        ),
        raw=raw,
        kept=kept,
        subjects=() if person is None else (person,),
        person=person,
    )


def _legacy(request: Request, horizon: int, store: Store, hashes: Hashes) -> Task:
    del store
    legacy, tenant = _name(request), request.tenant

    def seal(act: Act) -> bytes | None:
        if act.person is None:
            return act.seal
        return hashes.seal(hashes.person(tenant, act.person), act.id)

    def raw(row: RawRow) -> Fate:
        if row.type in MARKS:
            return STAYS
        if row.sensitivity == Sensitivity.CONTROL:
            return Fate(body=EMPTY) if legacy in _legacies(row) else STAYS
        return _narrowed(row, legacy)

    return Task(
        request,
        horizon,
        left=lambda _, acts: without_legacy(acts, legacy, seal),
        raw=raw,
        kept=lambda row: _kept_narrowed(row, legacy),
        subjects=(_quoted(legacy),),
        text=_quoted(legacy),
    )


def _grant(request: Request, horizon: int, store: Store, hashes: Hashes) -> Task:
    del hashes
    legacy = _name(request)
    allowed = frozenset(request.target.types or ()) if request.target else frozenset()
    text = _quoted(legacy)
    # What came after the word was judged by what stood then.
    later = store.raw(request.tenant, Needle(text=text), request.seq, horizon)
    spared = {row.id for row in later}

    def raw(row: RawRow) -> Fate:
        free = row.type in MARKS or row.type in allowed or row.seq > request.seq
        if free or row.sensitivity == Sensitivity.CONTROL:
            return STAYS
        return _narrowed(row, legacy)

    def kept(row: KeptRow) -> Fate:
        return STAYS if row.type in allowed else _kept_narrowed(row, legacy)

    return Task(
        request,
        horizon,
        left=lambda family, acts: without_leave(family, acts, legacy, allowed, spared),
        raw=raw,
        kept=kept,
        subjects=(text,),
        text=text,
    )


def _tenant(request: Request, horizon: int, store: Store, hashes: Hashes) -> Task:
    del hashes
    ahead = store.raw(request.tenant, Needle(later_than=request.at), 0, horizon)
    also = {row.id for row in ahead}
    return Task(
        request,
        horizon,
        left=lambda _, acts: without_past(acts, request.at, also),
        raw=lambda _: GOES,
        kept=lambda row: GOES if row.received_at <= request.requested_at else STAYS,
    )


def _theirs(request: Request, hashes: Hashes) -> Callable[[Act], bool]:
    """Return what tells a person's acts, also those that do not name them any more."""
    tenant, name = request.tenant, request.hash

    def theirs(act: Act) -> bool:
        if act.seal is not None:
            return act.seal == hashes.seal(name, act.id)
        return act.person is not None and hashes.person(tenant, act.person) == name

    return theirs


def _pseudonym(request: Request) -> bytes | None:
    """Return the pseudonym, if the database still holds it."""
    person = request.target.person if request.target else None
    return bytes.fromhex(person) if person else None


def _name(request: Request) -> str:
    assert request.target is not None  # noqa: S101  # a wish without a target finds nothing to do
    return request.target.legacy or ""


def _quoted(legacy: str) -> bytes:
    return f'"{legacy}"'.encode()


def _narrowed(row: RawRow, legacy: str) -> Fate:
    body = body_without(row.type, row.body, legacy)
    if body is None:
        return GOES
    return STAYS if body == row.body else Fate(body=body)


def _kept_narrowed(row: KeptRow, legacy: str) -> Fate:
    body = kept_without(row.type or "", row.kept, legacy) if row.type in BY_TYPE else None
    return GOES if body is None else Fate(body=body)


def _legacies(row: RawRow) -> Sequence[str]:
    if row.body == EMPTY:
        return ()
    named: Sequence[str] = BY_TYPE[row.type].decode(row.type, row.body).legacies()
    return named
