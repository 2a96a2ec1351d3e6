"""Keep who told something, by the day and by the end of what was told (ADR 9).

Everybody who has told something in a scope has a number there, their *voice*. A day keeps the
numbers as bits: those whose telling still stands together, and of what has ended each end apart.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping

from plugin_analytics.model.crowds import STANDS, crowd_of, numbers_in, packed, unpacked
from plugin_analytics.model.reports import TELLINGS
from plugin_analytics.store.codes import Codes

Telling = tuple[int, int, int]  # a legacy, a day, and until when it stood
_KEPT = "SELECT people FROM told WHERE (tenant, legacy, day, until) = (?, ?, ?, ?)"
_KEEP = (
    "INSERT INTO told (tenant, legacy, day, until, people) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET people = excluded.people"
)
_DROP_DAY = "DELETE FROM told WHERE tenant = ? AND legacy = ? AND day = ? RETURNING people"
_HEARD_ON = "SELECT people FROM told WHERE tenant = ? AND legacy = ? AND day = ?"
_TOLD_ON = (
    "SELECT until, person FROM fact WHERE tenant = ? AND legacy = ? AND day = ?"
    " AND metric IN ({tellings}) AND delta = 1 AND person IS NOT NULL"
)
_HEARD = "SELECT people FROM told WHERE tenant = ? AND legacy = ?"
_VOICES = "SELECT number FROM voice WHERE tenant = ? AND legacy = ?"
_SILENCE = "DELETE FROM voice WHERE (tenant, legacy, number) = (?, ?, ?)"


class Crowds:
    """Write who told what stands; the writer's thread alone does."""

    def __init__(self, codes: Codes) -> None:
        """Take the numbers of people from *codes*."""
        self._codes = codes

    def add(
        self,
        connection: sqlite3.Connection,
        tenant: int,
        told: Mapping[Telling, Iterable[bytes]],
    ) -> None:
        """Let people have told something."""
        for key, people in sorted(told.items()):  # neighbours together
            found = connection.execute(_KEPT, (tenant, *key)).fetchone()
            before = unpacked(found[0]) if found else 0
            after = before | self._crowd(connection, tenant, key[0], people)
            if after != before:
                connection.execute(_KEEP, (tenant, *key, packed(after)))

    def recount(
        self, connection: sqlite3.Connection, tenant: int, days: Iterable[tuple[int, int]]
    ) -> None:
        """Let the facts say who told something on days of legacies; who is gone is forgotten."""
        tellings = ", ".join(str(self._codes.word(connection, metric)) for metric in TELLINGS)
        statement, silent = _TOLD_ON.format(tellings=tellings), set[int]()
        for legacy, day in sorted(days):
            here = tenant, legacy, day
            before = _heard(connection.execute(_DROP_DAY, here))
            told: defaultdict[Telling, set[bytes]] = defaultdict(set)
            for until, person in connection.execute(statement, here):
                told[legacy, day, until or STANDS].add(person)
            self.add(connection, tenant, told)
            if before & ~_heard(connection.execute(_HEARD_ON, here)):
                silent.add(legacy)
        self.forget_silent(connection, tenant, silent)

    def forget_silent(
        self, connection: sqlite3.Connection, tenant: int, legacies: Iterable[int]
    ) -> None:
        """Forget the numbers of people of whom nothing is told: they may have been erased."""
        for legacy in legacies:
            voices = crowd_of(number for (number,) in connection.execute(_VOICES, (tenant, legacy)))
            silent = voices & ~_heard(connection.execute(_HEARD, (tenant, legacy)))
            gone = [(tenant, legacy, number) for number in numbers_in(silent)]
            connection.executemany(_SILENCE, gone)
            self._codes.voices.clear()

    def _crowd(
        self, connection: sqlite3.Connection, tenant: int, legacy: int, people: Iterable[bytes]
    ) -> int:
        voice = self._codes.voice
        return crowd_of(voice(connection, tenant, legacy, person) for person in people)


def _heard(told: Iterable[tuple[bytes]]) -> int:
    """Return everybody who told something."""
    crowd = 0
    for (people,) in told:
        crowd |= unpacked(people)
    return crowd
