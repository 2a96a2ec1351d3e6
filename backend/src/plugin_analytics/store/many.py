"""Write many rows by few statements.

The driver gives the interpreter away at every row of its own loop, and has to wait for it again.
Within one statement it does not, and other threads go on.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Any

STATEMENTS = 512  # that a connection keeps prepared: one for each number of rows, of each table
_LARGE = (256, 64)


def write_rows(
    connection: sqlite3.Connection, statement: str, rows: Sequence[Sequence[Any]]
) -> int:
    """Run *statement*, in which `{rows}` stands for all *rows*; return how many it has changed."""
    changed = start = 0
    for size in _sizes(len(rows)):
        values = list(chain.from_iterable(rows[start : start + size]))
        text = _written_out(statement, len(rows[start]), size)
        changed += connection.execute(text, values).rowcount
        start += size
    return changed


def _sizes(number: int) -> Iterator[int]:
    """Cut *number* so that few different statements are needed, and a small one is one of them."""
    for size in _LARGE:
        while number >= size:
            yield size
            number -= size
    if number:
        yield number


@cache
def _written_out(statement: str, columns: int, number: int) -> str:
    row = f"({', '.join('?' * columns)})"
    return statement.format(rows=", ".join([row] * number))
