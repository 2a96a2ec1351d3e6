"""Keep what the code of a release says to its database, to hold later revisions against it.

`python -m tests.support.statements` writes the sample of the revision that the code is at. A sample
is made once, when its release is, and never again: it stands for code that is no longer there.
"""

import json
import sqlite3
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, event

from plugin_analytics.store import schema
from plugin_analytics.store.sqlite import SQLiteStore
from tests.support.events import (
    event as envelope,
)
from tests.support.events import (
    granted,
    media,
    reaction,
    response,
    story,
)

SAMPLES = Path(__file__).parents[1] / "samples" / "statements"
_ASKING = ("SELECT", "WITH")
_WRITING = ("INSERT", "UPDATE", "DELETE")
_ELSEWHERE = (
    "frame_",
    "sqlite_",
    "alembic_version",
)  # the SDK's own tables have steps of their own

Said = tuple[str, list[list[Any]]]


def replay(database: Path, statements: Iterable[str]) -> Iterator[Said]:
    """Run statements on a database; yield each with the rows that it answered."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        for statement in statements:
            rows = connection.execute(statement).fetchall()
            yield statement, [[_plain(value) for value in row] for row in rows]


def read_sample(revision: str) -> list[Said]:
    """Return what the code of *revision* said, and what it was answered."""
    found = json.loads((SAMPLES / f"{revision}.json").read_text(encoding="utf-8"))
    return [(statement, rows) for statement, rows in found]


def record(folder: Path) -> list[str]:
    """Return every statement of a session that uses all of the store, its values in place."""
    from tests.unit.backend.conftest import Bench

    said: list[str] = []
    with _listening(said):
        store = SQLiteStore(folder / "plugin.db")
        bench = Bench(store)
        _session(bench)
        store.close()
    return [statement for statement in said if _of_the_store(statement)]


def _session(bench: Any) -> None:
    """Take in some of everything, count it, read it, and count it all again."""
    acts = [
        story("s1", "l1", "l2", at="2026-11-20T12:00:00Z"),
        story("s2", "l1", at="2026-11-21T12:00:00Z", by="user:ben"),
        response("r1", "l1", at="2026-11-22T12:00:00Z", by="user:ben"),
        media("m1", "l2", at="2026-11-23T12:00:00Z"),
        reaction("s1", "l1", at="2026-11-24T12:00:00Z"),
        envelope("weather.changed", {}),
    ]
    bench.deliver([granted("l1"), *acts, acts[0]])
    bench.deliver([story("s9", "l1", visibility="odd")])
    bench.refresh()
    later = "2026-11-28T12:00:00Z"
    bench.deliver([envelope("story.deleted", {"story_id": "s2"}, at=later)])
    bench.refresh()
    for zone in ("UTC", "Asia/Kolkata"):
        bench.metrics("l1", zone=ZoneInfo(zone))
        bench.metrics("", zone=ZoneInfo(zone))
    bench.store.quarantined("family-test", None, None, 10)
    bench.store.retryable(("", b""), 10)
    bench.store.begin_again("family-test", "UTC", "v1").result()
    bench.refresh()
    bench.metrics("l1")
    bench.store.forget_quarantined(2**60).result()


@contextmanager
def _listening(said: list[str]) -> Iterator[None]:
    """Note what every connection says that is opened meanwhile."""

    def listen(connection: sqlite3.Connection, _record: Any) -> None:
        connection.set_trace_callback(said.append)

    event.listen(Engine, "connect", listen)
    try:
        yield
    finally:
        event.remove(Engine, "connect", listen)


def _of_the_store(statement: str) -> bool:
    word = statement.lstrip().partition(" ")[0].upper()
    return word in (*_ASKING, *_WRITING) and not any(part in statement for part in _ELSEWHERE)


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


def main() -> int:
    """Write the sample of the present revision, unless there is one."""
    from tests.unit.backend.test_sqlite import at_revision

    target = SAMPLES / f"{schema.REVISION}.json"
    if target.exists():
        print(f"{target.name} is there already: a release is frozen once", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        statements = record(folder)
        at_revision(folder / "replayed.db", schema.REVISION)
        lines = [json.dumps(said) for said in replay(folder / "replayed.db", statements)]
    SAMPLES.mkdir(parents=True, exist_ok=True)
    target.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
