"""The writer: one commit for many, an answer only after it, and one caller's fault is his own."""

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from mosaiclife_plugin_sdk import ServiceUnavailable
from plugin_analytics.errors import IngestBusy, StoreUnavailable
from plugin_analytics.store import writer
from plugin_analytics.store.engine import reader_engine, writer_engine
from plugin_analytics.store.turns import Turns
from plugin_analytics.store.writer import Session, Writer


class Table:
    """A table of numbers behind a writer."""

    def __init__(self, database: Path) -> None:
        engine = writer_engine(database)
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE number (value INTEGER PRIMARY KEY)")
        self.turns = Turns()
        self.writer = Writer(engine, self.turns)
        self.reads = reader_engine(database, size=1)
        self.engines = engine, self.reads

    def values(self) -> list[int]:
        with self.reads.connect() as connection:
            return [row[0] for row in connection.exec_driver_sql("SELECT value FROM number")]


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Table]:
    """Return an empty table."""
    made = Table(tmp_path / "numbers.db")
    yield made
    made.writer.close()
    for engine in made.engines:
        engine.dispose()


def insert(value: int) -> Callable[[Session], int]:
    def work(session: Session) -> int:
        session.driver.execute("INSERT INTO number VALUES (?)", (value,))
        return value

    return work


def test_answer_comes_after_the_commit(table: Table) -> None:
    """What a future has returned, another connection can read."""
    assert table.writer.submit(insert(7)).result() == 7
    assert table.values() == [7]


def test_many_callers_share_a_commit(table: Table) -> None:
    """All that waits while the writer is held up goes into one commit, or one and the first."""
    seen: list[int] = []
    table.turns.take()
    futures = [table.writer.submit(insert(value)) for value in range(50)]
    for future in futures:
        future.add_done_callback(lambda _: seen.append(len(table.values())))
    table.turns.leave()
    table.writer.submit(insert(100)).result()

    assert set(seen) <= {1, 50, 51}


def test_work_of_one_kind_is_done_in_one_stroke(table: Table) -> None:
    """Neighbours that want the same thing are handed over together, each with its own result."""
    calls: list[int] = []

    def insert_all(session: Session, values: Sequence[int]) -> list[int]:
        calls.append(len(values))
        session.driver.executemany("INSERT INTO number VALUES (?)", [(each,) for each in values])
        return [-each for each in values]

    table.turns.take()
    first = table.writer.submit(insert(100))
    futures = [table.writer.submit_joint(insert_all, value) for value in range(20)]
    table.turns.leave()

    assert [future.result() for future in futures] == [-value for value in range(20)]
    assert first.result() == 100
    assert sum(calls) == 20
    assert len(calls) <= 2  # the first few may have come along with the unit before


def test_what_fails_together_is_done_one_by_one(table: Table) -> None:
    """The one at fault gets the error; what its neighbours wanted is done all the same, once."""

    def insert_all(session: Session, values: Sequence[int]) -> list[int]:
        for value in values:
            insert(value)(session)
            if value == 3:
                raise ZeroDivisionError
        return list(values)

    table.turns.take()
    table.writer.submit(insert(100))
    futures = [table.writer.submit_joint(insert_all, value) for value in range(6)]
    table.turns.leave()

    with pytest.raises(ZeroDivisionError):
        futures[3].result()
    assert [future.result() for future in futures if future is not futures[3]] == [0, 1, 2, 4, 5]
    assert table.values() == [0, 1, 2, 4, 5, 100]


def test_failing_unit_leaves_its_neighbours_alone(table: Table) -> None:
    """A unit that raises is undone; those before and after it in the same commit stand."""

    def fail(session: Session) -> None:
        insert(2)(session)
        raise ZeroDivisionError

    table.turns.take()
    before, wrong, after = (table.writer.submit(work) for work in (insert(1), fail, insert(3)))
    table.turns.leave()

    assert (before.result(), after.result()) == (1, 3)
    with pytest.raises(ZeroDivisionError):
        wrong.result()
    assert table.values() == [1, 3]


def test_full_disk_is_told_and_forgotten_once_there_is_room(table: Table) -> None:
    """A disk that is full is a 503, and the next write that works ends it."""

    def pages(count: int) -> Callable[[Session], None]:
        def work(session: Session) -> None:
            session.driver.execute(f"PRAGMA max_page_count = {count}")

        return work

    def flood(session: Session) -> None:
        session.driver.execute("CREATE TABLE flood AS SELECT zeroblob(1000000) AS water")

    table.writer.submit(pages(10)).result()
    with pytest.raises(StoreUnavailable) as refused:
        table.writer.submit(flood).result()
    assert refused.value.headers["Retry-After"]
    assert table.writer.failing_seconds() > 0

    table.writer.submit(pages(1_000_000)).result()
    assert table.writer.failing_seconds() == 0
    assert table.writer.submit(insert(2)).result() == 2


def test_more_than_may_wait_is_refused(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit the sender keeps its events; one large unit alone is always taken."""
    monkeypatch.setattr(writer, "WAITING_ROWS", 10)
    table.turns.take()
    large = table.writer.submit(insert(1), rows=100)
    try:
        with pytest.raises(IngestBusy) as refused:
            table.writer.submit(insert(2))
        assert table.writer.waiting() == 100
    finally:
        table.turns.leave()

    assert refused.value.headers["Retry-After"]
    assert large.result() == 1


def test_closing_writes_what_is_queued(table: Table) -> None:
    """Nothing that was handed in before the end is lost, and nothing is taken after it."""
    futures = [table.writer.submit(insert(value)) for value in range(100)]

    table.writer.close()
    table.writer.close()

    assert [future.result() for future in futures] == list(range(100))
    with pytest.raises(ServiceUnavailable):
        table.writer.submit(insert(100))


def test_turns_go_round(table: Table) -> None:
    """Somebody who waits for a turn gets it although the writer never rests."""
    busy = threading.Event()

    def keep_busy() -> None:
        value = 0
        while not busy.is_set():
            table.writer.submit(insert(value)).result()
            value += 1

    worker = threading.Thread(target=keep_busy)
    worker.start()
    try:
        for _ in range(20):
            with table.turns:
                pass
    finally:
        busy.set()
        worker.join()
    assert table.values()
