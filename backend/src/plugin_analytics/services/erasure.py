"""Forget whom or what has asked for it, everywhere, and write a receipt (`erasure.process`).

A wish is on the disk, and refused at the door, before its sender has an answer. Here it is
fulfilled: events that wait to be folded, subjects, raw events and the quarantine are gone through in
short steps. Of what waits is left what the door would leave of it now, so that nobody has to wait
for a backlog. Only where the acts on a subject decide together what is left of them, is everything
folded first. A run that dies halfway is done again from the beginning, which changes nothing twice.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import date, timedelta
from itertools import groupby
from typing import TypeVar
from zoneinfo import ZoneInfo

import msgspec
from msgspec import structs

from plugin_analytics.clock import Clock, from_micros, micros, rfc3339
from plugin_analytics.model.calendar import local_date
from plugin_analytics.model.erasure import (
    MARKS,
    Ask,
    Graves,
    Hashes,
    Mark,
    Target,
    digest_of,
    visible,
    without_marks,
)
from plugin_analytics.model.families import BY_NAME, Act, Family
from plugin_analytics.model.rollup import (
    Folded,
    Memory,
    Stored,
    act_of,
    acts_of,
    difference,
    subject_of,
)
from plugin_analytics.services.grants import GrantBook
from plugin_analytics.services.pace import giving_way
from plugin_analytics.services.rollup import Refresh
from plugin_analytics.services.wishes import Deed, Fate, Task, task_of
from plugin_analytics.store.base import Store
from plugin_analytics.store.erasures import (
    TOMBSTONE_DAYS,
    Fulfilled,
    Logged,
    Needle,
    Piece,
    RawRow,
    Request,
    Rows,
    Waiting,
)

SUBJECTS_AT_ONCE = 200
SLICES = 64  # of what is remembered
MARKS_AT_ONCE = 5_000
RAW_SPAN = 50_000
RAW_AT_ONCE = 500
# What such a wish leaves of an act does not depend on the other acts on its subject.
APART = frozenset({"person", "optout", "legacy"})
LOG_DAYS = TOMBSTONE_DAYS + 7
RESTS, LONGEST_REST_SECONDS = 2, 1.0
_encoder = msgspec.json.Encoder()
_DAY = timedelta(days=1) // timedelta(microseconds=1)
T = TypeVar("T")
Cancelled = Callable[[], bool]
Progress = Callable[[int, int | None, str], None]


class Receipt(msgspec.Struct, frozen=True, rename="camel"):
    """What became of a wish; it names nobody."""

    id: str
    kind: str
    state: str
    requested_at: str
    finished_at: str | None
    rows: int
    days_rebuilt: int
    digest: str | None


def receipt_of(found: Fulfilled) -> Receipt:
    """Return a receipt as its reader sees it."""
    finished = found.finished_at
    return Receipt(
        id=found.id,
        kind=found.kind,
        state="pending" if finished is None else "done",
        requested_at=rfc3339(from_micros(found.requested_at)),
        finished_at=None if finished is None else rfc3339(from_micros(finished)),
        rows=found.rows,
        days_rebuilt=found.days,
        digest=found.digest,
    )


class _Interrupted(Exception):
    """The run was asked to stop; what is left is for the next one."""


class Erase:
    """Fulfil every wish that waits."""

    def __init__(
        self, store: Store, clock: Clock, hashes: Hashes, refresh: Refresh, book: GrantBook
    ) -> None:
        """Forget in *store*, count anew by *refresh*, and tell *book* what must be refused."""
        self._store = store
        self._clock = clock
        self._hashes = hashes
        self._refresh = refresh
        self._book = book
        self._waiting = store.wish_count()

    def waiting(self) -> int:
        """Return how many wishes waited when somebody last looked."""
        return self._waiting

    def __call__(
        self, cancelled: Cancelled, progress: Progress = lambda *_: None
    ) -> dict[str, int]:
        """Go on until nothing waits or somebody asks to stop; return what came of it."""
        erased = rows = 0
        try:
            while wishes := self._store.wishes():
                self._waiting = len(wishes)
                progress(erased, erased + len(wishes), "")
                rows += self._fulfil(wishes[0], cancelled)
                erased += 1
            self._let_rest(cancelled)
        except _Interrupted:
            pass
        if erased:
            self._store.scrub()
        self._waiting = self._store.wish_count()
        return {"erased": erased, "rows": rows, "waiting": self._waiting}

    # --- one wish

    def _fulfil(self, request: Request, cancelled: Cancelled) -> int:
        """Forget what one wish asks, and write its receipt; return how many rows went."""
        _stop_if(cancelled)
        request = self._aimed(request)
        if request.target is not None:
            self._erase(request, cancelled)
        return self._sign(request)

    def _erase(self, request: Request, cancelled: Cancelled) -> None:
        tenant = request.tenant
        with self._store.alone():
            # Whatever was judged before the wish was known has been handed in by now.
            horizon = self._store.horizon(tenant).result()
        apart = request.kind in APART
        if not apart:
            self._follow(tenant, horizon, cancelled)
        task = task_of(request, horizon, self._store, self._hashes)
        if apart:
            self._go_through_waiting(task, cancelled)
        self._go_through_subjects(task, cancelled)
        self._go_through_raw(task, cancelled)
        self._go_through_quarantine(task)
        self._close(request, cancelled)
        self._follow(tenant, 0 if apart else horizon, cancelled)
        if request.kind == "tenant":
            self._close(request, cancelled)

    def _follow(self, tenant: str, horizon: int, cancelled: Cancelled) -> None:
        """Fold and count what came up to the horizon, whichever thread began it."""
        self._refresh.follow(tenant, horizon, cancelled)
        _stop_if(cancelled)

    def _close(self, request: Request, cancelled: Cancelled) -> None:
        """Drop what is counted for a legacy or tenant that is gone, and what it was called."""
        tenant, target = request.tenant, request.target
        if request.kind == "legacy" and target is not None and target.legacy is not None:
            while self._store.close_legacy(tenant, target.legacy).result():
                _stop_if(cancelled)
        if request.kind == "tenant":
            self._store.close_tenant(tenant, request.at).result()
        if request.kind in ("legacy", "tenant"):
            self._book.forget(tenant)

    def _sign(self, request: Request) -> int:
        """Write the receipt."""
        tenant, now = request.tenant, micros(self._clock())
        found = self._store.wish(tenant, request.id)
        days = self._store.erased_days(tenant, request.id)
        signed = receipt_of(found._replace(finished_at=now, days=days))
        digest = digest_of(msgspec.to_builtins(signed))
        self._store.fulfil(tenant, request.id, now, days, digest).result()
        return found.rows

    # --- what waits to be folded

    def _go_through_waiting(self, task: Task, cancelled: Cancelled) -> None:
        """Leave of each event what the door would; what is folded meanwhile is remembered."""
        tenant, reached = task.request.tenant, 0
        while reached < task.horizon and task.waiting != Needle():
            _stop_if(cancelled)
            with self._giving_way(), self._store.alone():
                progress = self._store.progress(tenant)
                first = max(reached, progress.seq if progress else 0)
                reached = min(first + RAW_SPAN, task.horizon)
                rows = self._store.raw(tenant, task.waiting, first, reached)
                for some in _parts(rows, RAW_AT_ONCE):
                    self._change(task, some)

    def _change(self, task: Task, rows: Sequence[RawRow]) -> None:
        request, gone, marked = task.request, list[int](), list[bytes]()
        left, legacies = dict[int, Act](), set[str]()
        for row in rows:
            event = Stored(row.id, row.type, row.at, row.person, row.body, row.seal)
            found = subject_of(event)
            if found is None:
                continue  # never to be folded: gone through with all other raw events
            family, subject = found
            fate = task.left(family, (act_of(event),))
            legacies |= fate.legacies
            if not fate.gone:
                continue
            for act in fate.acts:
                left[row.seq] = _raw(act, family, subject)
                marked.extend([subject] if act.type in MARKS else ())
            gone.extend([] if fate.acts else [row.seq])
        if gone or left:
            asks = self._asks_for(request, legacies)
            waiting = Waiting(gone, left, marked, asks)
            self._store.erase_waiting(request.tenant, request.id, waiting).result()
            self._book.learn(request.tenant, (), asks)

    # --- what is remembered

    def _go_through_subjects(self, task: Task, cancelled: Cancelled) -> None:
        """Look at everything that is remembered, a slice at a time: folding may go on between."""
        tenant = task.request.tenant
        for first in range(0, 256, 256 // SLICES):
            after, upto = bytes([first]), bytes([first + 256 // SLICES - 1]) + b"\xff" * 32
            more = True
            while more:
                _stop_if(cancelled)
                with self._giving_way(), self._store.alone():
                    found = self._store.subjects(
                        tenant, task.subjects, after, SUBJECTS_AT_ONCE, upto
                    )
                    more = bool(found)
                    if found and self._rewrite(task, found):
                        after = found[-1].subject

    def _rewrite(self, task: Task, found: Sequence[Memory]) -> bool:
        """Change a few subjects; False if the zone of the counts has changed meanwhile."""
        tenant = task.request.tenant
        progress = self._store.progress(tenant)
        if progress is None:
            return True
        day_of = _days_in(progress.zone)
        folded, gone, marked, rows = Folded(), list[bytes](), list[bytes](), 0
        legacies: set[str] = set()
        for memory in found:
            family, acts = BY_NAME[memory.family], acts_of(memory.acts)
            left = task.left(family, acts)
            if not left.gone:
                continue
            _add(folded, difference(memory.subject, family, acts, left.acts, day_of))
            rows += len(left.gone)
            legacies |= left.legacies
            hidden = () if visible(family, left.acts) else left.acts
            unfound = (act for act in left.gone if act.seal or not _holds(task, act.body))
            deeds = (act for act in (*hidden, *unfound) if act.type not in MARKS)
            task.deeds |= {Deed(act.id, act.at, act.type) for act in deeds}
            if not left.acts:
                gone.append(memory.subject)
            elif any(act.type in MARKS for act in left.acts):
                marked.append(memory.subject)
        asks = self._asks_for(task.request, legacies)
        piece = Piece(folded, gone, marked, rows, asks)
        if not self._store.rewrite(tenant, task.request.id, piece, progress.zone).result():
            return False
        self._book.learn(tenant, (), asks)
        return True

    def _asks_for(self, request: Request, legacies: Iterable[str]) -> list[Ask]:
        """Return the wishes that follow: what somebody began goes with them."""
        graves = Graves(request.tenant, hashes=self._hashes)
        key = bytes.fromhex(request.id)
        return [
            graves.ask("legacy", key, request.at, Target(legacy=legacy))
            for legacy in sorted(legacies)
        ]

    # --- what came in

    def _go_through_raw(self, task: Task, cancelled: Cancelled) -> None:
        """Look at every raw event up to the horizon, a span at a time."""
        tenant, wish = task.request.tenant, task.request.id
        if task.request.kind == "tenant":
            for start in range(0, task.horizon, RAW_AT_ONCE):
                _stop_if(cancelled)
                end = min(start + RAW_AT_ONCE, task.horizon)
                with self._giving_way():
                    self._store.erase_span(tenant, wish, start, end).result()
            return
        needle = task.needle
        if needle == needle._replace(person=None, text=None, ids=set()):
            return  # nothing of it can be found
        for start in range(0, task.horizon, RAW_SPAN):
            _stop_if(cancelled)
            end = min(start + RAW_SPAN, task.horizon)
            rows = self._store.raw(tenant, needle, start, end)
            fates = [(row.seq, task.fate(row)) for row in rows]
            for some in _parts([each for each in fates if any(each[1])], RAW_AT_ONCE):
                with self._giving_way():
                    self._store.erase_raw(tenant, wish, _rows(some)).result()

    def _go_through_quarantine(self, task: Task) -> None:
        request = task.request
        needle = task.person.hex().encode() if task.person is not None else task.text
        if needle is None and request.kind != "tenant":
            return
        rows = self._store.set_aside(request.tenant, needle)
        fates = [(row.key, task.kept(row)) for row in rows]
        gone = [key for key, fate in fates if fate.goes]
        kept = {key: fate.body for key, fate in fates if fate.body is not None}
        if gone or kept:
            self._store.erase_set_aside(request.tenant, request.id, gone, kept).result()

    def _giving_way(self) -> AbstractContextManager[None]:
        return giving_way(self._store.waiting, rests=RESTS, longest=LONGEST_REST_SECONDS)

    # --- whom a wish means that came back from the log

    def _aimed(self, request: Request) -> Request:
        """Find out of whom a wish speaks, if anything of them is left."""
        if request.target is not None:
            return request
        target = self._found(request)
        if target is None:
            return request
        self._store.aim(request.tenant, request.id, target).result()
        return request._replace(target=target)

    def _found(self, request: Request) -> Target | None:
        tenant, hashes = request.tenant, self._hashes
        if request.kind == "tenant":
            return Target()
        if request.kind in ("legacy", "grant"):
            for legacy in set(self._store.legacy_names(tenant)):
                if hashes.legacy(tenant, legacy) == request.hash:
                    return self._named(request, legacy)
            return None
        for person in set(self._store.people(tenant)):
            if hashes.person(tenant, person) == request.hash:
                return Target(person=person.hex())
        return Target(person="")  # what bears only their seal is found without

    def _named(self, request: Request, legacy: str) -> Target:
        """Return the target; a revocation that a restored copy never saw stands again."""
        if request.kind == "legacy":
            return Target(legacy=legacy)
        logged = {each.id: each for each in self._store.logged()}
        types = (logged[request.id].types or ()) if request.id in logged else ()
        self._store.regrant(request.tenant, legacy, request.at, types).result()
        self._book.forget(request.tenant)
        return Target(legacy=legacy, types=types)

    # --- when the time of tombstones is over

    def _let_rest(self, cancelled: Cancelled) -> None:
        """Forget tombstones whose time is over, and what lay under their marks."""
        now = micros(self._clock())
        while overdue := self._store.overdue_marks(now, MARKS_AT_ONCE):
            for tenant, own in groupby(overdue, key=lambda row: row[0]):
                self._unmark(tenant, [subject for _, subject in own], cancelled)
        if self._store.forget_tombstones(now).result():
            self._book.forget()

    def _unmark(self, tenant: str, subjects: Sequence[bytes], cancelled: Cancelled) -> None:
        """Forget marks and what they hid, among the raw events too."""
        deeds: set[Deed] = set()
        for some in _parts(subjects, SUBJECTS_AT_ONCE):
            _stop_if(cancelled)
            with self._store.alone():
                deeds |= self._uncover(tenant, some)
        ids = {deed.id for deed in deeds}
        for start in range(0, self._store.newest(tenant) if ids else 0, RAW_SPAN):
            _stop_if(cancelled)
            rows = self._store.raw(tenant, Needle(ids=ids), start, start + RAW_SPAN)
            gone = [row.seq for row in rows if Deed(row.id, row.at, row.type) in deeds]
            self._store.erase_raw(tenant, "", Rows(gone)).result()
        self._store.forget_marks(tenant, subjects).result()

    def _uncover(self, tenant: str, subjects: Sequence[bytes]) -> set[Deed]:
        """Take the marks off a few subjects; return by what the lost acts are found again."""
        progress = self._store.progress(tenant)
        if progress is None:
            return set()
        held, families = (
            self._store.memories(tenant, subjects),
            self._store.families(tenant, subjects),
        )
        folded, gone, deeds = Folded(), list[bytes](), set[Deed]()
        for subject, found in held.items():
            family, acts = BY_NAME[families[subject]], acts_of(found)
            left = without_marks(family, acts)
            deeds |= {Deed(act.id, act.at, act.type) for act in acts if act not in left}
            _add(folded, difference(subject, family, acts, left, _days_in(progress.zone)))
            if not left:
                gone.append(subject)
        self._store.rewrite(tenant, None, Piece(folded, gone, (), 0), progress.zone).result()
        return deeds


def replay(store: Store, hashes: Hashes, now: int) -> int:
    """Ask again for what an older copy of the database does not know; return how much."""
    lines = store.logged()
    known, tenants = store.known_wishes(), {hashes.tenant(each): each for each in store.tenants()}
    current = [line for line in lines if _current(line, lines, now)]
    again = 0
    for line in current:
        tenant = tenants.get(line.tenant_hash)
        if tenant is not None and line.id not in known:
            store.ask(tenant, [_asked(line)], line.requested_at).result()
            again += line.kind != "enabled"
    store.shorten_log({line.id for line in current})
    return again


def _current(line: Logged, lines: Iterable[Logged], now: int) -> bool:
    """Tell whether a line may still matter: an opt-out does until it was taken back."""
    if line.requested_at > now - LOG_DAYS * _DAY:
        return True
    return line.kind == "optout" and not any(
        each.kind == "enabled" and each.hash == line.hash and each.at > line.at for each in lines
    )


def _asked(line: Logged) -> Ask:
    return Ask(
        kind=line.kind,  # type: ignore[arg-type]  # written by `utter` from the same words
        id=line.id,
        tenant_hash=line.tenant_hash,
        hash=line.hash,
        at=line.at,
        types=line.types,
    )


def _holds(task: Task, body: bytes) -> bool:
    """Tell whether a raw event is found by what it says, or by who did it."""
    return task.text is None or task.text in body


def _rows(fates: Sequence[tuple[int, Fate]]) -> Rows:
    return Rows(
        gone=[seq for seq, fate in fates if fate.goes],
        unnamed=[seq for seq, fate in fates if fate.unnamed],
        bodies={seq: fate.body for seq, fate in fates if fate.body is not None},
    )


def _raw(act: Act, family: Family, subject: bytes) -> Act:
    """Return an act as the raw events keep it: a mark says there on what it lies."""
    if act.type not in MARKS:
        return act
    return structs.replace(act, body=_encoder.encode(Mark(family.name, subject.hex())))


def _parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _add(whole: Folded, part: Folded) -> None:
    whole.memories.extend(part.memories)
    whole.dropped.extend(part.dropped)
    whole.added.extend(part.added)


def _days_in(zone: str) -> Callable[[int], date]:
    key = ZoneInfo(zone)
    return lambda at: local_date(at, key)


def _stop_if(cancelled: Cancelled) -> None:
    if cancelled():
        raise _Interrupted
