"""Forget in the database: wishes, tombstones, and everything that names whom they are about.

Reading is done beside the writer; each change is one short transaction, so that deliveries do not
wait. Doing a step twice changes nothing.
"""

import json
import sqlite3
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Select, func, or_, select, true, tuple_

from plugin_analytics.model.erasure import MARKS, Ask, Target, Tombs
from plugin_analytics.model.families import Act, Sensitivity
from plugin_analytics.model.rollup import Memory, acts_of
from plugin_analytics.store import schema
from plugin_analytics.store.codes import Codes
from plugin_analytics.store.erasure_log import ErasureLog
from plugin_analytics.store.erasures import (
    MARK,
    TOMBSTONE_DAYS,
    Fulfilled,
    KeptRow,
    Logged,
    Needle,
    Piece,
    RawRow,
    Request,
    Rows,
    Waiting,
)
from plugin_analytics.store.folding import Folding
from plugin_analytics.store.reading import Reading
from plugin_analytics.store.scrubbing import Scrub
from plugin_analytics.store.writer import Session, Writer

if TYPE_CHECKING:
    from pathlib import Path

LIFETIME = timedelta(days=TOMBSTONE_DAYS) // timedelta(microseconds=1)
ROWS_AT_ONCE = 5_000
_FOR_EVER = frozenset({"person", "legacy", MARK})  # whenever it happened, it is refused
_BURY = (
    "INSERT INTO tombstone (tenant, kind, hash, at, expires_at) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET expires_at = max(expires_at, excluded.expires_at)"
)
_ASK = (
    "INSERT INTO erasure (tenant, id, kind, hash, target, seq, at, requested_at, rows, days)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0) ON CONFLICT DO NOTHING"
)
_AIM = "UPDATE erasure SET target = ? WHERE tenant = ? AND id = ?"
_NOTE_ROWS = "UPDATE erasure SET rows = rows + ? WHERE tenant = ? AND id = ?"
_NOTE_DAY = "INSERT INTO erased_day (tenant, erasure, day) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_FULFIL = (
    "UPDATE erasure SET target = NULL, finished_at = ?, days = ?, digest = ?"
    " WHERE tenant = ? AND id = ?"
)
_FORGET_DAYS = "DELETE FROM erased_day WHERE tenant = ? AND erasure = ?"
_FORGET_SUBJECT = "DELETE FROM memory WHERE tenant = ? AND subject = ?"
_ERASE_RAW = "DELETE FROM event WHERE tenant = ? AND seq = ?"
_ERASE_SPAN = "DELETE FROM event WHERE tenant = ? AND seq > ? AND seq <= ?"
_UNNAME_RAW = "UPDATE event SET person = NULL WHERE tenant = ? AND seq = ?"
_CHANGE_RAW = "UPDATE event SET body = ? WHERE tenant = ? AND seq = ?"
_LEAVE_RAW = "UPDATE event SET person = ?, body = ?, seal = ? WHERE tenant = ? AND seq = ?"
_MARK_RAW = (
    "UPDATE event SET type = ?, content = x'', person = NULL, class = ?, body = ?, seal = ?"
    " WHERE tenant = ? AND seq = ?"
)
_ERASE_ASIDE = "DELETE FROM quarantine WHERE tenant = ? AND key = ?"
_CHANGE_ASIDE = "UPDATE quarantine SET kept = ? WHERE tenant = ? AND key = ?"
_NEWEST = "SELECT COALESCE(MAX(seq), 0) FROM event WHERE tenant = ?"
_ZONE = "SELECT zone FROM progress WHERE tenant = ?"
# Taken back opt-outs go with the word that took them back.
_FORGET_OUTS = (
    "DELETE FROM tombstone WHERE kind = 'optout' AND EXISTS (SELECT 1 FROM tombstone AS back"
    " WHERE back.tenant = tombstone.tenant AND back.kind = 'enabled'"
    " AND back.hash = tombstone.hash AND back.at > tombstone.at AND back.expires_at <= ?)"
)
_FORGET_TOMBS = "DELETE FROM tombstone WHERE expires_at <= ? AND kind <> 'mark'"
_FORGET_MARK = "DELETE FROM tombstone WHERE tenant = ? AND kind = 'mark' AND hash = ?"
_DROP_GRANT = "DELETE FROM legacy_grant WHERE tenant = ? AND legacy = ?"
_DROP_NAME = "DELETE FROM legacy WHERE tenant = ? AND code = ?"
_REGRANT = (
    "INSERT INTO legacy_grant (tenant, legacy, at, id, types) VALUES (?, ?, ?, '', ?)"
    " ON CONFLICT DO UPDATE SET at = excluded.at, id = excluded.id, types = excluded.types"
    " WHERE excluded.at > legacy_grant.at"
)
# What is counted for one legacy, by the columns that tell its rows apart.
_OF_LEGACY = {
    "rollup": "grain, metric, start, dim",
    "told": "day, until",
    "voice": "person",
    "teller": "grain, start, person",
    "fact": "day, metric, subject, at, delta",
    "frozen": "day, metric, dim",
    "dirty_day": "day",
}
_UNNAMED = (
    "DELETE FROM legacy WHERE tenant = ?1 AND code NOT IN ("
    "SELECT legacy FROM fact WHERE tenant = ?1 UNION SELECT legacy FROM dirty_day WHERE tenant = ?1"
    " UNION SELECT legacy FROM rollup WHERE tenant = ?1"
    " UNION SELECT legacy FROM legacy_grant WHERE tenant = ?1)"
)
_target = msgspec.json.Decoder(Target)
_encoder = msgspec.json.Encoder()


def bury(
    connection: sqlite3.Connection, tenant: int, kind: str, name: bytes, at: int, moment: int
) -> None:
    """Let the door refuse what is meant, from the *moment* at which that was asked for."""
    expires = None if kind == "optout" else moment + LIFETIME
    row = tenant, kind, name, 0 if kind in _FOR_EVER else at, expires
    connection.execute(_BURY, row)


def utter(
    connection: sqlite3.Connection,
    log: ErasureLog,
    tenant: int,
    asks: Iterable[tuple[Ask, int]],
    moment: int,
) -> None:
    """Write wishes, each with the number of its event, in the open transaction and in the log."""
    lines = []
    for ask, seq in asks:
        if ask.kind != "grant":
            bury(connection, tenant, ask.kind, ask.hash, ask.at, moment)
        if ask.kind != "enabled":
            target = None if ask.target is None else _encoder.encode(ask.target)
            row = tenant, ask.id, ask.kind, ask.hash, target, seq, ask.at, moment
            connection.execute(_ASK, row)
        lines.append(Logged(ask.id, ask.kind, ask.tenant_hash, ask.hash, ask.at, moment, ask.types))
    try:
        log.append(lines)
    except OSError as error:
        # The disk's failure, and the writer's business: nothing of this is promised.
        raise sqlite3.OperationalError(str(error)) from error


class Erasing(Reading):
    """The part of the store that forgets."""

    path: "Path"
    _writer: Writer
    _scrub: Scrub
    _folding: Folding
    _codes: Codes
    _log: ErasureLog
    _hand: threading.RLock
    _wanting: threading.Lock  # held by the first who waits for the hand

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let no other thread change what is remembered while this one reads and rewrites it."""
        if not self._hand.acquire(blocking=False):
            self._wanting.acquire()
            self._hand.acquire()
            self._wanting.release()
        try:
            yield
        finally:
            self._hand.release()

    def wanted(self) -> bool:
        """Tell whether a thread waits to be alone."""
        return self._wanting.locked()

    def tenants(self) -> Sequence[str]:
        """Return every tenant that has ever sent anything."""
        return [row.name for row in self._all(select(schema.tenant.c.name))]

    # --- wishes

    def tombs(self, tenant: str) -> Tombs:
        """Return what the door must refuse for a tenant."""
        columns, found = schema.tombstone.c, Tombs()
        query = select(columns.kind, columns.hash, columns.at)
        mine = columns.tenant == self._tenant_code(tenant), columns.kind != MARK
        for row in self._all(query.where(*mine)):
            found.add(*row)
        return found

    def ask(self, tenant: str, asks: Sequence[Ask], requested_at: int) -> Future[None]:
        """Write wishes down, in the database and in the log beside it."""

        def work(session: Session) -> None:
            code = self._codes.tenant(session.driver, tenant)
            (newest,) = session.driver.execute(_NEWEST, (code,)).fetchone()
            numbered = [(ask, newest) for ask in asks]
            utter(session.driver, self._log, code, numbered, requested_at)

        return self._writer.submit(work)

    def wishes(self) -> Sequence[Request]:
        """Return the wishes that are not fulfilled, the oldest first."""
        columns = schema.erasure.c
        named = schema.tenant.c.code == columns.tenant
        query = (
            select(schema.tenant.c.name, *columns)
            .join_from(schema.erasure, schema.tenant, named)
            .where(columns.finished_at.is_(None))
            .order_by(columns.requested_at, columns.id)
        )
        return [
            Request(
                tenant=row.name,
                id=row.id,
                kind=row.kind,
                hash=row.hash,
                target=None if row.target is None else _target.decode(row.target),
                seq=row.seq,
                at=row.at,
                requested_at=row.requested_at,
            )
            for row in self._all(query)
        ]

    def wish_count(self) -> int:
        """Return how many wishes are not fulfilled."""
        query = select(func.count()).where(schema.erasure.c.finished_at.is_(None))
        return int(self._all(query)[0][0])

    def fulfilled(
        self,
        tenant: str,
        *,
        name: bytes | None = None,
        before: tuple[int, str] | None = None,
        limit: int,
    ) -> Sequence[Fulfilled]:
        """Return what became of wishes, the newest first; of one person only, by keyed hash."""
        columns = schema.erasure.c
        query = self._receipts(tenant)
        if name is not None:
            query = query.where(columns.hash == name)
        if before is not None:
            query = query.where(tuple_(columns.requested_at, columns.id) < before)
        newest_first = query.order_by(columns.requested_at.desc(), columns.id.desc())
        return [Fulfilled(*row) for row in self._all(newest_first.limit(limit))]

    def wish(self, tenant: str, wish: str) -> Fulfilled:
        """Return how far one wish is."""
        query = self._receipts(tenant).where(schema.erasure.c.id == wish)
        return Fulfilled(*self._all(query)[0])

    def _receipts(self, tenant: str) -> Select[Any]:
        columns = schema.erasure.c
        shown = ("id", "kind", "requested_at", "finished_at", "rows", "days", "digest")
        mine = columns.tenant == self._tenant_code(tenant)
        return select(*(columns[each] for each in shown)).where(mine)

    def fulfil(
        self, tenant: str, wish: str, finished_at: int, days: int, digest: str
    ) -> Future[None]:
        """Write the receipt, and forget what was needed to find what had to go."""

        def work(session: Session) -> None:
            code = self._codes.tenant(session.driver, tenant)
            session.driver.execute(_FULFIL, (finished_at, days, digest, code, wish))
            session.driver.execute(_FORGET_DAYS, (code, wish))

        return self._writer.submit(work)

    def erased_days(self, tenant: str, wish: str) -> int:
        """Return on how many days something has changed."""
        columns = schema.erased_day.c
        mine = columns.tenant == self._tenant_code(tenant), columns.erasure == wish
        return int(self._all(select(func.count()).where(*mine))[0][0])

    def aim(self, tenant: str, wish: str, target: Target) -> Future[None]:
        """Note of whom a wish speaks that came back from the log."""

        def work(session: Session) -> None:
            code = self._codes.tenant(session.driver, tenant)
            session.driver.execute(_AIM, (_encoder.encode(target), code, wish))

        return self._writer.submit(work)

    def regrant(self, tenant: str, legacy: str, at: int, types: Sequence[str]) -> Future[None]:
        """Let what a keeper once said stand again, unless something later was said."""

        def work(session: Session) -> None:
            code = self._codes.tenant(session.driver, tenant)
            number = self._codes.legacy(session.driver, code, legacy)
            session.driver.execute(_REGRANT, (code, number, at, " ".join(types)))

        return self._writer.submit(work)

    # --- what is remembered

    def horizon(self, tenant: str) -> Future[int]:
        """Return the number of the last event, once all that was handed in before is stored."""

        def work(session: Session) -> int:
            code = self._codes.tenant(session.driver, tenant)
            return int(session.driver.execute(_NEWEST, (code,)).fetchone()[0])

        return self._writer.submit(work)

    def subjects(
        self,
        tenant: str,
        needles: Sequence[bytes],
        after: bytes,
        limit: int,
        upto: bytes | None = None,
    ) -> Sequence[Memory]:
        """Return what is remembered that holds one of *needles*; without any, everything."""
        columns = schema.memory.c
        holds = [func.instr(columns.acts, needle) > 0 for needle in needles]
        query = (
            select(columns.subject, schema.word.c.name, columns.last_at, columns.acts)
            .join_from(schema.memory, schema.word, schema.word.c.code == columns.family)
            .where(columns.tenant == self._tenant_code(tenant), columns.subject > after)
            .where(or_(*holds) if holds else true())
            .where(columns.subject <= upto if upto is not None else true())
            .order_by(columns.subject)
            .limit(limit)
        )
        return [Memory(*row) for row in self._all(query)]

    def families(self, tenant: str, subjects: Sequence[bytes]) -> Mapping[bytes, str]:
        """Return the family of each subject that is known."""
        columns = schema.memory.c
        query = select(columns.subject, schema.word.c.name).join_from(
            schema.memory, schema.word, schema.word.c.code == columns.family
        )
        mine = columns.tenant == self._tenant_code(tenant), columns.subject.in_(subjects)
        return {row.subject: row.name for row in self._all(query.where(*mine))}

    def rewrite(self, tenant: str, wish: str | None, piece: Piece, zone: str) -> Future[bool]:
        """Change what is remembered and counted; False if the zone of the counts has changed."""

        def work(session: Session) -> bool:
            connection = session.driver
            code = self._codes.tenant(connection, tenant)
            if connection.execute(_ZONE, (code,)).fetchone() != (zone,):
                return False
            self._rewrite(connection, code, wish, piece)
            return True

        return self._writer.submit(work, rows=1 + len(piece.folded.memories) + len(piece.gone))

    def _rewrite(
        self, connection: sqlite3.Connection, tenant: int, wish: str | None, piece: Piece
    ) -> None:
        connection.executemany(_FORGET_SUBJECT, [(tenant, subject) for subject in piece.gone])
        self._folding.apply(connection, tenant, piece.folded)
        if wish is None:
            return
        days = {day.toordinal() for _, day in piece.folded.days()}
        connection.executemany(_NOTE_DAY, [(tenant, wish, day) for day in days])
        connection.execute(_NOTE_ROWS, (piece.rows, tenant, wish))
        self._follow_up(connection, tenant, wish, piece.marked, piece.asks)

    def _follow_up(
        self,
        connection: sqlite3.Connection,
        tenant: int,
        wish: str,
        marked: Iterable[bytes],
        asks: Sequence[Ask],
    ) -> None:
        """Note on which subjects marks lie, and what else must be forgotten with a wish."""
        when = "SELECT requested_at FROM erasure WHERE tenant = ? AND id = ?"
        (moment,) = connection.execute(when, (tenant, wish)).fetchone()
        for subject in marked:
            bury(connection, tenant, MARK, subject, 0, moment)
        if asks:
            utter(connection, self._log, tenant, [(ask, 0) for ask in asks], moment)

    # --- what came in

    def raw(self, tenant: str, needle: Needle, after: int, upto: int) -> Sequence[RawRow]:
        """Return the raw events with numbers in (after, upto] that may be meant."""
        columns = schema.event.c
        holds = []
        if needle.person is not None:
            holds.append(columns.person == needle.person)
        if needle.text is not None:
            holds.append(func.instr(columns.body, needle.text) > 0)
        if needle.sealed:
            holds.append(columns.seal.is_not(None))
        if needle.ids:
            listed = func.json_each(json.dumps(sorted(needle.ids))).table_valued("value")
            holds.append(columns.id.in_(select(listed.c.value)))
        query = (
            select(
                columns.seq,
                columns.id,
                schema.word.c.name,
                columns.at,
                columns.person,
                columns.body,
                columns["class"],
                columns.seal,
            )
            .join_from(schema.event, schema.word, schema.word.c.code == columns.type)
            .where(columns.tenant == self._tenant_code(tenant))
            .where(columns.seq > after, columns.seq <= upto)
            .where(or_(*holds) if holds else true())
            .where(columns.at > needle.later_than if needle.later_than is not None else true())
        )
        return [RawRow(*row) for row in self._all(query)]

    def erase_waiting(self, tenant: str, wish: str, waiting: Waiting) -> Future[None]:
        """Change events that no fold has seen, while none can see them."""

        def work(session: Session) -> None:
            connection = session.driver
            code = self._codes.tenant(connection, tenant)
            connection.executemany(_ERASE_RAW, [(code, seq) for seq in waiting.gone])
            self._leave(connection, code, waiting.left)
            connection.execute(_NOTE_ROWS, (len(waiting.gone) + len(waiting.left), code, wish))
            self._follow_up(connection, code, wish, waiting.marked, waiting.asks)

        return self._writer.submit(work, rows=1 + len(waiting.gone) + len(waiting.left))

    def _leave(self, connection: sqlite3.Connection, tenant: int, left: Mapping[int, Act]) -> None:
        """Write what is left of raw events: the same with less, or a mark as the door leaves it."""
        marks, rest = list[tuple[Any, ...]](), list[tuple[Any, ...]]()
        for seq, act in left.items():
            if act.type in MARKS:
                kind = self._codes.word(connection, act.type), int(Sensitivity.CONTROL)
                marks.append((*kind, act.body, act.seal, tenant, seq))
            else:
                rest.append((act.person, act.body, act.seal, tenant, seq))
        connection.executemany(_MARK_RAW, marks)
        connection.executemany(_LEAVE_RAW, rest)

    def newest(self, tenant: str) -> int:
        """Return the number of the last event."""
        columns = schema.event.c
        mine = columns.tenant == self._tenant_code(tenant)
        return int(self._all(select(func.coalesce(func.max(columns.seq), 0)).where(mine))[0][0])

    def erase_span(self, tenant: str, wish: str, after: int, upto: int) -> Future[None]:
        """Delete every raw event with a number in (after, upto]."""

        def work(session: Session) -> None:
            code = self._codes.tenant(session.driver, tenant)
            erased = session.driver.execute(_ERASE_SPAN, (code, after, upto)).rowcount
            session.driver.execute(_NOTE_ROWS, (erased, code, wish))

        return self._writer.submit(work, rows=upto - after)

    def erase_raw(self, tenant: str, wish: str, rows: Rows) -> Future[None]:
        """Delete raw events, or take names off them."""

        def work(session: Session) -> None:
            connection = session.driver
            code = self._codes.tenant(connection, tenant)
            connection.executemany(_ERASE_RAW, [(code, seq) for seq in rows.gone])
            connection.executemany(_UNNAME_RAW, [(code, seq) for seq in rows.unnamed])
            changed = [(body, code, seq) for seq, body in rows.bodies.items()]
            connection.executemany(_CHANGE_RAW, changed)
            number = len(rows.gone) + len(rows.unnamed) + len(rows.bodies)
            connection.execute(_NOTE_ROWS, (number, code, wish))

        return self._writer.submit(work, rows=1 + len(rows.gone) + len(rows.bodies))

    def set_aside(self, tenant: str, needle: bytes | None) -> Sequence[KeptRow]:
        """Return what is kept in the quarantine and holds *needle*."""
        columns = schema.quarantine.c
        query = select(columns.key, columns.type, columns.received_at, columns.kept).where(
            columns.tenant == self._tenant_code(tenant)
        )
        if needle is not None:
            query = query.where(columns.kept.is_not(None), func.instr(columns.kept, needle) > 0)
        return [KeptRow(*row) for row in self._all(query)]

    def erase_set_aside(
        self, tenant: str, wish: str, gone: Sequence[bytes], kept: Mapping[bytes, bytes]
    ) -> Future[None]:
        """Delete rows of the quarantine, or change what they keep."""

        def work(session: Session) -> None:
            connection = session.driver
            code = self._codes.tenant(connection, tenant)
            connection.executemany(_ERASE_ASIDE, [(code, key) for key in gone])
            changed = [(body, code, key) for key, body in kept.items()]
            connection.executemany(_CHANGE_ASIDE, changed)
            connection.execute(_NOTE_ROWS, (len(gone) + len(kept), code, wish))

        return self._writer.submit(work, rows=1 + len(gone) + len(kept))

    # --- what is counted

    def close_legacy(self, tenant: str, legacy: str) -> Future[bool]:
        """Drop the next part of what is counted for a legacy, at last its name; True if not last."""

        def work(session: Session) -> bool:
            connection = session.driver
            code = self._codes.tenant(connection, tenant)
            find = "SELECT code FROM legacy WHERE tenant = ? AND name = ?"
            found = connection.execute(find, (code, legacy)).fetchone()
            if found is None:
                return False
            if any(_drop_some(connection, table, (code, found[0])) for table in _OF_LEGACY):
                return True
            connection.execute(_DROP_GRANT, (code, found[0]))
            connection.execute(_DROP_NAME, (code, found[0]))
            self._codes.legacies.pop((code, legacy), None)
            self._codes.voices.clear()
            return False

        return self._writer.submit(work, rows=ROWS_AT_ONCE)

    def close_tenant(self, tenant: str, at: int) -> Future[None]:
        """Drop what no act explains any more: old numbers, grants up to a moment, empty names."""

        def work(session: Session) -> None:
            connection = session.driver
            code = self._codes.tenant(connection, tenant)
            mark = (
                "INSERT INTO dirty_day (tenant, legacy, day) SELECT DISTINCT tenant, legacy, day"
                " FROM frozen WHERE tenant = ? ON CONFLICT DO NOTHING"
            )
            connection.execute(mark, (code,))
            # How many came and how late, by day of arrival, is of those who came.
            for table in ("frozen", "intake", "lateness"):
                connection.execute(f"DELETE FROM {table} WHERE tenant = ?", (code,))  # noqa: S608  # names from this module
            connection.execute("DELETE FROM legacy_grant WHERE tenant = ? AND at <= ?", (code, at))
            connection.execute(_UNNAMED, (code,))
            self._codes.forget()

        return self._writer.submit(work, rows=ROWS_AT_ONCE)

    # --- after a restore

    def legacy_names(self, tenant: str) -> Iterable[str]:
        """Return every legacy that has been named."""
        columns, code = schema.legacy.c, self._tenant_code(tenant)
        yield from (
            row.name for row in self._all(select(columns.name).where(columns.tenant == code))
        )
        bodies = schema.event.c
        query = select(bodies.body).where(bodies.tenant == code).distinct()
        for row in self._all(query):
            yield from _names_in(row.body)

    def people(self, tenant: str) -> Iterable[bytes]:
        """Return every pseudonym in the raw events and in what is remembered."""
        columns = schema.event.c
        query = select(columns.person).where(columns.tenant == self._tenant_code(tenant)).distinct()
        yield from (row.person for row in self._all(query) if row.person is not None)
        after = b""
        while rows := self.subjects(tenant, (), after, ROWS_AT_ONCE):
            after = rows[-1].subject
            for row in rows:
                yield from (act.person for act in acts_of(row.acts) if act.person is not None)

    def logged(self) -> Sequence[Logged]:
        """Return the lines of the log beside the database."""
        return self._log.lines()

    def known_wishes(self) -> Collection[str]:
        """Return the names of all wishes that the database knows."""
        return {row.id for row in self._all(select(schema.erasure.c.id))}

    def shorten_log(self, keep: Collection[str]) -> None:
        """Keep only the lines of these wishes."""
        self._log.keep(keep)

    # --- when the time of tombstones is over

    def overdue_marks(self, now: int, limit: int) -> Sequence[tuple[str, bytes]]:
        """Return subjects (of which tenant, and which) with marks whose time is over."""
        columns = schema.tombstone.c
        query = (
            select(schema.tenant.c.name, columns.hash)
            .join_from(schema.tombstone, schema.tenant, schema.tenant.c.code == columns.tenant)
            .where(columns.kind == MARK, columns.expires_at <= now)
            .order_by(schema.tenant.c.name, columns.hash)
            .limit(limit)
        )
        return [(row.name, row.hash) for row in self._all(query)]

    def forget_marks(self, tenant: str, subjects: Sequence[bytes]) -> Future[None]:
        """Forget that subjects have marks."""

        def work(session: Session) -> None:
            code = self._codes.tenant(session.driver, tenant)
            session.driver.executemany(_FORGET_MARK, [(code, each) for each in subjects])

        return self._writer.submit(work, rows=1 + len(subjects))

    def forget_tombstones(self, now: int) -> Future[int]:
        """Forget what the door no longer has to refuse; return how much."""

        def work(session: Session) -> int:
            outs = session.driver.execute(_FORGET_OUTS, (now,)).rowcount
            return outs + session.driver.execute(_FORGET_TOMBS, (now,)).rowcount

        return self._writer.submit(work)

    def scrub(self) -> None:
        """Leave no byte of what was deleted: not in the log, and not in the file's unused room."""
        self._scrub()


def _drop_some(connection: sqlite3.Connection, table: str, scope: tuple[int, int]) -> bool:
    """Delete up to so many rows of a legacy; tell whether there were any."""
    rest = _OF_LEGACY[table]
    drop = (
        f"DELETE FROM {table} WHERE tenant = ?1 AND legacy = ?2 AND ({rest}) IN"  # noqa: S608  # names from this module
        f" (SELECT {rest} FROM {table} WHERE tenant = ?1 AND legacy = ?2 LIMIT {ROWS_AT_ONCE})"
    )
    return connection.execute(drop, scope).rowcount > 0


def _names_in(body: bytes) -> Iterable[str]:
    fields: dict[str, Any] = msgspec.json.decode(body)
    one, many = fields.get("legacy_id"), fields.get("legacy_ids")
    return [*([one] if isinstance(one, str) else []), *(many or [])]
