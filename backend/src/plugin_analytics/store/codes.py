"""Keep as small numbers what repeats in every row: tenants, their legacies, people, and words.

The writer makes a number where there is none yet. Should its transaction be undone, everything
remembered is forgotten, for another name may get that number then.
"""

import sqlite3

from plugin_analytics.store.schema import WHOLE

MAX_STRANGERS = 64
MAX_VOICES = 50_000  # that are remembered beside the database: some 10 MiB
STRANGER, SOURCE = "?", "@"
OTHER = "other"
_MAX_SOURCE = 64


class Codes:
    """The numbers of one database."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.tenants: dict[str, int] = {}
        self.legacies: dict[tuple[int, str], int] = {}
        self.words: dict[str, int] = {}
        self.voices: dict[tuple[int, int, bytes], int] = {}

    def forget(self) -> None:
        """Look everything up again."""
        for known in (self.tenants, self.legacies, self.words, self.voices):
            known.clear()

    def tenant(self, connection: sqlite3.Connection, name: str) -> int:
        """Return the number of a tenant, made in the open transaction if there is none."""
        code = self.tenants.get(name)
        if code is None:
            code = self.tenants[name] = _code(connection, "tenant", name)
        return code

    def legacy(self, connection: sqlite3.Connection, tenant: int, name: str) -> int:
        """Return the number of a legacy of *tenant*; the empty name is the whole tenant."""
        if not name:
            return WHOLE
        code = self.legacies.get((tenant, name))
        if code is None:
            code = self.legacies[tenant, name] = _legacy_code(connection, tenant, name)
        return code

    def voice(self, connection: sqlite3.Connection, tenant: int, legacy: int, person: bytes) -> int:
        """Return the number of a person among those who told something in a legacy."""
        key = tenant, legacy, person
        code = self.voices.get(key)
        if code is None:
            if len(self.voices) >= MAX_VOICES:
                self.voices.clear()
            code = self.voices[key] = _voice_number(connection, key)
        return code

    def word(self, connection: sqlite3.Connection, text: str) -> int:
        """Return the number of a word."""
        code = self.words.get(text)
        if code is None:
            code = self.words[text] = _code(connection, "word", text)
        return code

    def stranger(self, connection: sqlite3.Connection, mark: str, text: str) -> int:
        """Return the number of a word that a sender has chosen; beyond the first 64 all are one."""
        code = self.words.get(mark + text)
        if code is None:
            code = self.word(connection, mark + _admitted(connection, mark, text))
        return code

    def source(self, connection: sqlite3.Connection, text: str) -> int:
        """Return the number of the source of an event."""
        return self.stranger(connection, SOURCE, text if len(text) <= _MAX_SOURCE else OTHER)


def _admitted(connection: sqlite3.Connection, mark: str, text: str) -> str:
    query = "SELECT name FROM word WHERE substr(name, 1, 1) = ?"
    known = {name[1:] for (name,) in connection.execute(query, (mark,))}
    return text if text in known or len(known) < MAX_STRANGERS else OTHER


def _code(connection: sqlite3.Connection, table: str, name: str) -> int:
    find = f"SELECT code FROM {table} WHERE name = ?"  # noqa: S608  # names from this module
    found = connection.execute(find, (name,)).fetchone()
    if found is None:
        make = f"INSERT INTO {table} (name) VALUES (?) RETURNING code"  # noqa: S608  # names from this module
        found = connection.execute(make, (name,)).fetchone()
    return int(found[0])


def _legacy_code(connection: sqlite3.Connection, tenant: int, name: str) -> int:
    find = "SELECT code FROM legacy WHERE tenant = ? AND name = ?"
    found = connection.execute(find, (tenant, name)).fetchone()
    if found is None:
        make = (
            "INSERT INTO legacy (tenant, code, name) SELECT ?, COALESCE(MAX(code), 0) + 1, ?"
            " FROM legacy WHERE tenant = ? RETURNING code"
        )
        found = connection.execute(make, (tenant, name, tenant)).fetchone()
    return int(found[0])


def _voice_number(connection: sqlite3.Connection, key: tuple[int, int, bytes]) -> int:
    find = "SELECT number FROM voice WHERE (tenant, legacy, person) = (?, ?, ?)"
    found = connection.execute(find, key).fetchone()
    if found is None:
        make = (
            "INSERT INTO voice (tenant, legacy, person, number)"
            " SELECT ?1, ?2, ?3, COALESCE(MAX(number), -1) + 1 FROM voice"
            " WHERE tenant = ?1 AND legacy = ?2 RETURNING number"
        )
        found = connection.execute(make, key).fetchone()
    return int(found[0])
