"""Many rows in few statements: every row is written once, whatever their number."""

import sqlite3
from contextlib import closing

import pytest

from plugin_analytics.store.many import STATEMENTS, write_rows

NEW = "INSERT INTO pair (a, b) VALUES {rows} ON CONFLICT DO NOTHING"
TABLE = "CREATE TABLE pair (a INTEGER PRIMARY KEY, b TEXT)"


@pytest.mark.parametrize("number", [0, 1, 2, 63, 64, 65, 255, 256, 257, 500, 1_000])
def test_every_row_is_written_once(number: int) -> None:
    """The number of changes is that of the rows, and the table holds just these."""
    rows = [(index, f"row {index}") for index in range(number)]
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(TABLE)
        changed = write_rows(connection, NEW, rows)
        stored = connection.execute("SELECT a, b FROM pair ORDER BY a").fetchall()

    assert changed == number
    assert stored == rows


def test_rows_that_were_there_do_not_count() -> None:
    """What a conflict leaves as it was is no change."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(TABLE)
        write_rows(connection, NEW, [(1, "first"), (70, "first")])
        changed = write_rows(connection, NEW, [(index, "second") for index in range(80)])
        first = connection.execute("SELECT COUNT(*) FROM pair WHERE b = 'first'").fetchone()

    assert (changed, first) == (78, (2,))


def test_few_statements_suffice() -> None:
    """A batch of any size needs no more statements than a connection keeps prepared."""
    used: set[str] = set()
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(TABLE)
        connection.set_trace_callback(lambda text: used.add(text[:12] + str(text.count("("))))
        for number in range(1, 600):
            connection.execute("DELETE FROM pair")
            write_rows(connection, NEW, [(index, "") for index in range(number)])

    # Events, answers, and the two kinds of tallies.
    assert 4 * len(used) < STATEMENTS
