"""Tell a person what is held about them, and forget it when they ask; the same for a tenant."""

import asyncio
import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from mosaiclife_plugin_sdk import time_left
from plugin_analytics.clock import Clock, from_micros, micros, rfc3339
from plugin_analytics.model.cursors import Cursors
from plugin_analytics.model.erasure import Ask, Hashes, Said, Target
from plugin_analytics.model.families import BY_TYPE, Act
from plugin_analytics.model.pseudonyms import Pseudonyms
from plugin_analytics.model.rollup import acts_of
from plugin_analytics.services.erasure import Receipt, receipt_of
from plugin_analytics.services.grants import GrantBook
from plugin_analytics.services.pages import Pagination, Report
from plugin_analytics.store.base import Store
from plugin_analytics.store.erasures import Fulfilled, Needle

RECEIPTS = 20
RAW_SPAN = 50_000
SLICES = 64  # of what is remembered, so that a look can end in time
RESERVE_SECONDS = 0.5  # what is left of the call's time when looking ends


class Held(msgspec.Struct, frozen=True, rename="camel"):
    """What the plugin holds about one person in one tenant; `complete` if all of it was seen."""

    events: dict[str, int]
    first: str | None
    last: str | None
    legacies: int
    opted_out: bool
    complete: bool
    receipts: list[Receipt]


class Accepted(msgspec.Struct, frozen=True, rename="camel"):
    """That a wish was written down."""

    receipt_id: str
    state: str


class ErasuresQuery(NamedTuple):
    """Which page of the receipts."""

    limit: int
    cursor: str | None


class DataSubject:
    """What people and tenants may ask about their own."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        pseudonymise: Pseudonyms,
        hashes: Hashes,
        book: GrantBook,
        cursors: Cursors,
    ) -> None:
        """Read from *store* what *hashes* name, and tell *book* what is refused from now on."""
        self._store = store
        self._clock = clock
        self._pseudonymise = pseudonymise
        self._hashes = hashes
        self._book = book
        self._cursors = cursors
        self._asking = asyncio.Lock()

    def held(self, tenant: str, sub: str) -> Report:
        """Tell what is held about a person, as far as the time of the call allows to look."""
        person = self._person(tenant, sub)
        acts: set[tuple[int, str, str]] = set()
        legacies: set[str] = set()
        complete = True
        for found in self._looks(tenant, person):
            if found is None:
                complete = False
                break
            for act in found:
                acts.add((act.at, act.id, act.type))
                legacies.update(BY_TYPE[act.type].decode(act.type, act.body).legacies())
        name = self._hashes.person(tenant, person)
        moments = [at for at, _, _ in acts]
        held = Held(
            events=dict(sorted(Counter(kind for _, _, kind in acts).items())),
            first=_instant(min(moments, default=None)),
            last=_instant(max(moments, default=None)),
            legacies=len(legacies),
            opted_out=self._store.tombs(tenant).opted_out(name),
            complete=complete,
            receipts=[
                receipt_of(each)
                for each in self._store.fulfilled(tenant, name=name, limit=RECEIPTS)
            ],
        )
        return Report(held, {})

    async def forget(self, tenant: str, sub: str) -> Accepted:
        """Ask that a person be forgotten up to now; what they do later counts anew."""
        person = self._person(tenant, sub)
        name, now = self._hashes.person(tenant, person), micros(self._clock())
        out = self._ask("optout", tenant, name, now, Target(person=person.hex()))
        back = self._ask("enabled", tenant, name, now + 1, None)
        return await self._write(tenant, name, [out, back], now)

    async def erase_tenant(self, tenant: str) -> Accepted:
        """Ask that everything of a tenant be forgotten up to now."""
        name, now = self._hashes.tenant(tenant), micros(self._clock())
        return await self._write(
            tenant, name, [self._ask("tenant", tenant, name, now, Target())], now
        )

    def receipts(self, tenant: str, query: ErasuresQuery) -> Report:
        """Return one page of the receipts, the newest first."""
        bound = ("erasures", tenant)
        before = None if query.cursor is None else _place(self._cursors.read(bound, query.cursor))
        rows = self._store.fulfilled(tenant, before=before, limit=query.limit + 1)
        page, more = rows[: query.limit], len(rows) > query.limit
        following = self._cursors.make(bound, _mark(page[-1])) if more else None
        pagination = Pagination(query.limit, more, following)
        return Report([receipt_of(row) for row in page], {"pagination": pagination})

    async def _write(self, tenant: str, name: bytes, asks: list[Ask], now: int) -> Accepted:
        """Write wishes down, unless the same one is waiting already."""
        async with self._asking:
            waiting = await asyncio.to_thread(self._waiting, tenant, name, asks[0].kind)
            if waiting is not None:
                return Accepted(waiting.id, "pending")
            await asyncio.wrap_future(self._store.ask(tenant, asks, now))
            self._book.learn(tenant, (), asks)
            return Accepted(asks[0].id, "pending")

    def _waiting(self, tenant: str, name: bytes, kind: str) -> Fulfilled | None:
        recent = self._store.fulfilled(tenant, name=name, limit=RECEIPTS)
        return next(
            (each for each in recent if each.finished_at is None and each.kind == kind), None
        )

    def _ask(self, kind: Said, tenant: str, name: bytes, at: int, target: Target | None) -> Ask:
        tenant_hash = self._hashes.tenant(tenant)
        return Ask(kind, secrets.token_hex(16), tenant_hash, name, at, target)

    def _person(self, tenant: str, sub: str) -> bytes:
        return self._pseudonymise(tenant, "user:" + sub.removeprefix("user:"))

    def _looks(self, tenant: str, person: bytes) -> Iterator[Sequence[Act] | None]:
        """Yield what each look finds, the newest events first; None once the time is over."""
        for end in range(self._store.newest(tenant), 0, -RAW_SPAN):
            if _late():
                yield None
            rows = self._store.raw(tenant, Needle(person), max(0, end - RAW_SPAN), end)
            yield [Act(row.at, row.id, row.type, row.person, row.body) for row in rows]
        for number in range(SLICES):
            if _late():
                yield None
            edges = bytes([number * 256 // SLICES]), bytes([(number + 1) * 256 // SLICES - 1])
            after, upto = edges[0], edges[1] + b"\xff" * 32
            memories = self._store.subjects(tenant, (person,), after, RAW_SPAN, upto)
            acts = (act for memory in memories for act in acts_of(memory.acts))
            yield [act for act in acts if act.person == person]


def _late() -> bool:
    left = time_left()
    return left is not None and left < RESERVE_SECONDS


def _instant(at: int | None) -> str | None:
    return None if at is None else rfc3339(from_micros(at))


def _mark(row: Fulfilled) -> str:
    return f"{row.requested_at}:{row.id}"


def _place(mark: str) -> tuple[int, str]:
    moment, _, name = mark.partition(":")
    return int(moment), name
