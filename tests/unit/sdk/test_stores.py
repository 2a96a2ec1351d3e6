"""One behaviour suite for what the frame remembers, over every store that remembers it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, create_engine, event, inspect, text

from mosaiclife_plugin_sdk.stores import Recorded, Run, Stores, memory_stores, sql_stores
from mosaiclife_plugin_sdk.stores.base import Progress, new_run_id
from mosaiclife_plugin_sdk.stores.migrations import STEPS, migrate
from mosaiclife_plugin_sdk.stores.sql import metadata

NOW = datetime(2026, 6, 3, 12, 0, 0, 123456, tzinfo=UTC)
LATER = NOW + timedelta(seconds=30)


def sqlite_engine(path: Path) -> Engine:
    """Open a database file the way a plugin does: WAL, and patience with the one writer."""
    engine = create_engine(f"sqlite:///{path}")

    @event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA busy_timeout=10000")

    return engine


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A new database file."""
    engine = sqlite_engine(tmp_path / "plugin.db")
    yield engine
    engine.dispose()


@pytest.fixture(params=["memory", "sqlite"])
def stores(request: pytest.FixtureRequest) -> Stores:
    """Each implementation in turn, empty."""
    if request.param == "memory":
        return memory_stores()
    return sql_stores(request.getfixturevalue("engine"))


def a_run(job: str = "rollup", *, at: datetime = NOW, **fields: Any) -> Run:
    """A new run of *job*."""
    return Run(id=new_run_id(at), job=job, created_at=at, **fields)


def an_answer(webhook_id: str = "msg_1", **fields: Any) -> Recorded:
    """A recorded answer."""
    first = Recorded(
        tenant="family-a", webhook_id=webhook_id, status=200, data=b"{}", recorded_at=NOW
    )
    return msgspec.structs.replace(first, **fields)


def ended(run: Run, **fields: Any) -> Run:
    """The same run, after it went well."""
    return msgspec.structs.replace(run, state="succeeded", finished_at=LATER, **fields)


def at_once(work: Callable[[int], Any], threads: int = 8) -> list[Any]:
    """Do *work* in several threads that start together; return what they returned."""
    start, results = threading.Barrier(threads), [None] * threads

    def one(number: int) -> None:
        start.wait()
        results[number] = work(number)

    workers = [threading.Thread(target=one, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return results


def winners(stores: Stores, moment: datetime) -> int:
    """Let several holders ask for one name at once; return how many got it."""
    until = moment + (LATER - NOW)
    return at_once(
        lambda n: stores.leases.acquire("a", f"{moment} {n}", now=moment, until=until)
    ).count(True)


# Runs


def test_a_run_comes_back_as_it_was_saved(stores: Stores) -> None:
    """Nothing of a run is lost on its way: times to the microsecond, results as JSON."""
    run = a_run(tenant="family-a", key="k", trigger="schedule")
    assert stores.runs.add(run) == run
    assert stores.runs.get(run.id) == run
    full = msgspec.structs.replace(
        run,
        state="failed",
        progress=Progress(3, 7, "half way"),
        result={"rows": [1, None, "ä"]},
        error="ValueError: no",
        started_at=NOW,
        finished_at=LATER,
    )
    assert stores.runs.save(full)
    assert stores.runs.get(run.id) == full
    assert stores.runs.get("nobody") is None


def test_the_same_key_is_the_same_run(stores: Stores) -> None:
    """A key names one run of its job and tenant, and no run of another."""
    first = stores.runs.add(a_run(key="k", tenant="family-a"))
    assert stores.runs.add(a_run(key="k", tenant="family-a")) == first
    assert stores.runs.by_key("rollup", "family-a", "k") == first
    for other in (a_run(key="k"), a_run("export", key="k", tenant="family-a"), a_run()):
        assert stores.runs.add(other) == other
    assert stores.runs.by_key("rollup", None, "unknown") is None


def test_one_key_from_many_threads_is_one_run(stores: Stores) -> None:
    """When several ask at the same moment, all get the one run that was written."""
    found = at_once(lambda _: stores.runs.add(a_run(key="fire")).id)
    assert len(set(found)) == 1
    assert len(stores.runs.page(tenant=None)) == 1


def test_an_ended_run_is_not_changed(stores: Stores) -> None:
    """The first end of a run stands; a late writer is told that it came too late."""
    run = stores.runs.add(a_run())
    assert stores.runs.save(ended(run, result=1))
    assert not stores.runs.save(ended(run, result=2))
    kept = stores.runs.get(run.id)
    assert kept is not None
    assert kept.result == 1
    assert not stores.runs.save(a_run())


def test_active_runs_are_found_until_they_end(stores: Stores) -> None:
    """Active means not ended; job and tenant narrow it together."""
    mine = stores.runs.add(a_run(tenant="family-a"))
    shared = stores.runs.add(a_run())
    stores.runs.add(a_run("export"))
    assert len(stores.runs.active()) == 3
    assert stores.runs.active("rollup", "family-a") == [mine]
    assert stores.runs.active("rollup") == [shared]
    stores.runs.save(ended(shared))
    assert stores.runs.active("rollup") == []


def test_pages_hold_each_run_of_one_tenant_once(stores: Stores) -> None:
    """Walking the pages meets every run of the tenant once, newest first, and no other's."""
    mine = [
        stores.runs.add(a_run(at=NOW + timedelta(seconds=n), tenant="family-a")) for n in range(5)
    ]
    stores.runs.add(a_run(tenant="family-b"))
    stores.runs.add(a_run())
    walked: list[Run] = []
    while page := stores.runs.page(
        tenant="family-a", limit=2, before=walked[-1].id if walked else None
    ):
        walked += page
    assert walked == mine[::-1]
    assert stores.runs.page(tenant="family-a", job="export") == []


def test_last_scheduled_ignores_other_triggers(stores: Stores) -> None:
    """What somebody started by hand does not count as a fire of the schedule."""
    fired = stores.runs.add(a_run(trigger="schedule"))
    stores.runs.add(a_run(at=LATER))
    stores.runs.add(a_run(at=LATER, trigger="schedule", tenant="family-a"))
    assert stores.runs.last_scheduled("rollup", None) == fired
    assert stores.runs.last_scheduled("export", None) is None


def test_purge_forgets_old_ended_runs_and_their_keys(stores: Stores) -> None:
    """What runs, and what is young, stays; a forgotten key may be used again."""
    old, poked = a_run(key="k"), a_run(trigger="poke")
    for run in (old, poked):
        stores.runs.add(run)
        stores.runs.save(ended(run))
    running, young = stores.runs.add(a_run()), stores.runs.add(a_run(at=LATER))
    assert stores.runs.purge(LATER, trigger="poke") == 1
    assert stores.runs.purge(LATER) == 1
    assert [run.id for run in stores.runs.page(tenant=None)] == [young.id, running.id]
    again = a_run(key="k")
    assert stores.runs.add(again) == again


def test_run_ids_sort_by_time() -> None:
    """A later run has a greater id, so a listing by id is a listing by time."""
    ids = [new_run_id(NOW + timedelta(milliseconds=n)) for n in range(50)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 50
    assert {len(one) for one in ids} == {26}


# Leases


def test_a_lease_has_one_holder(stores: Stores) -> None:
    """Who comes second waits until the first gives the name back."""
    leases = stores.leases
    assert leases.acquire("a", "one", now=NOW, until=LATER)
    assert leases.acquire("a", "one", now=NOW, until=LATER)
    assert not leases.acquire("a", "two", now=NOW, until=LATER)
    assert leases.holder("a", now=NOW) == "one"
    leases.release("a", "two")
    assert leases.holder("a", now=NOW) == "one"
    leases.release("a", "one")
    assert leases.holder("a", now=NOW) is None
    assert leases.acquire("a", "two", now=NOW, until=LATER)


def test_an_expired_lease_is_taken_over(stores: Stores) -> None:
    """After its time a name is free, and its former holder cannot renew it."""
    leases = stores.leases
    leases.acquire("a", "one", now=NOW, until=LATER)
    much_later = LATER + timedelta(seconds=30)
    assert leases.holder("a", now=LATER) is None
    assert not leases.renew("a", "one", now=LATER, until=much_later)
    assert leases.acquire("a", "two", now=LATER, until=much_later)
    assert not leases.renew("a", "one", now=LATER, until=much_later)
    assert leases.holder("a", now=LATER) == "two"


def test_a_renewed_lease_lasts(stores: Stores) -> None:
    """Renewing moves the end; a name that nobody holds cannot be renewed."""
    much_later = LATER + timedelta(seconds=30)
    stores.leases.acquire("a", "one", now=NOW, until=LATER)
    assert stores.leases.renew("a", "one", now=NOW, until=much_later)
    assert not stores.leases.acquire("a", "two", now=LATER, until=much_later)
    assert not stores.leases.renew("b", "one", now=NOW, until=LATER)


def test_many_threads_want_one_lease(stores: Stores) -> None:
    """Exactly one of several that ask at the same moment gets the name: free, or expired."""
    assert winners(stores, NOW) == 1
    assert winners(stores, LATER) == 1


# Deliveries


def test_the_first_answer_to_a_delivery_stands(stores: Stores) -> None:
    """A second answer is not recorded, and its author gets the first one back."""
    first = an_answer(data=b'{"accepted":1}')
    assert stores.deliveries.put(first) == first
    assert stores.deliveries.put(an_answer(data=b"{}", status=202)) == first
    assert stores.deliveries.get("family-a", "msg_1") == first


def test_answers_are_recorded_together(stores: Stores) -> None:
    """Many answers go in at once; where one stood before, it is the one that comes back."""
    stood = stores.deliveries.put(an_answer("msg_7", data=b"first"))
    many = [an_answer(f"msg_{number}") for number in range(250)]

    standing = stores.deliveries.put_all(many)

    assert standing[7] == stood
    assert [*standing[:7], *standing[8:]] == [*many[:7], *many[8:]]
    assert stores.deliveries.get("family-a", "msg_249") == many[249]


def test_answers_that_are_all_new_come_back_as_they_are(stores: Stores) -> None:
    """Who records an answer can tell by identity that it was not given before."""
    new = [an_answer("a"), an_answer("b")]
    assert all(
        mine is theirs for mine, theirs in zip(new, stores.deliveries.put_all(new), strict=True)
    )
    again = [an_answer("a"), an_answer("c")]
    assert stores.deliveries.put_all(again)[0] is not again[0]


def test_a_delivery_is_known_to_its_tenant_only(stores: Stores) -> None:
    """The same id of another tenant is another delivery."""
    stores.deliveries.put(an_answer())
    assert stores.deliveries.get("family-b", "msg_1") is None
    theirs = an_answer(tenant="family-b", data=b"1")
    assert stores.deliveries.put(theirs) == theirs


def test_purge_forgets_old_answers(stores: Stores) -> None:
    """Answers leave by age."""
    stores.deliveries.put(an_answer("old"))
    stores.deliveries.put(an_answer("young", recorded_at=LATER))
    assert stores.deliveries.purge(LATER) == 1
    assert stores.deliveries.get("family-a", "old") is None
    assert stores.deliveries.get("family-a", "young") is not None


# What only a database can promise


def test_writes_join_the_plugins_transaction(engine: Engine) -> None:
    """What the frame wrote through the plugin's connection goes when that rolls back."""
    stores = sql_stores(engine)
    with engine.connect() as connection:
        stores.deliveries.put(an_answer(), connection=connection)
        stores.runs.add(a_run(key="k"), connection=connection)
        stores.leases.acquire("a", "one", now=NOW, until=LATER, connection=connection)
        assert stores.deliveries.get("family-a", "msg_1", connection=connection) is not None
        connection.rollback()
    assert stores.deliveries.get("family-a", "msg_1") is None
    assert stores.runs.page(tenant=None) == []
    assert stores.leases.holder("a", now=NOW) is None


def test_a_unit_is_one_transaction(engine: Engine) -> None:
    """A failure inside a unit takes back what was written in it."""
    stores = sql_stores(engine)
    with pytest.raises(RuntimeError, match="in the middle"), stores.runs.unit() as unit:  # noqa: PT012 - the block is the unit
        stores.leases.acquire("a", "one", now=NOW, until=LATER, connection=unit)
        stores.runs.add(a_run(), connection=unit)
        raise RuntimeError("in the middle")
    assert stores.leases.holder("a", now=NOW) is None
    assert stores.runs.active() == []


def test_memory_survives_the_process(engine: Engine, tmp_path: Path) -> None:
    """A second engine on the same file knows what the first one wrote."""
    run = sql_stores(engine).runs.add(a_run())
    engine.dispose()
    other = sqlite_engine(tmp_path / "plugin.db")
    assert sql_stores(other).runs.get(run.id) == run
    other.dispose()


def test_migrations_make_the_tables_that_the_code_uses(engine: Engine) -> None:
    """Columns and primary keys of the steps are those of the statements."""
    assert migrate(engine) == len(STEPS)
    found = inspect(engine)
    for table in metadata.tables.values():
        assert [column["name"] for column in found.get_columns(table.name)] == list(
            table.columns.keys()
        )
        assert found.get_pk_constraint(table.name)["constrained_columns"] == [
            column.name for column in table.primary_key
        ]


def test_migrating_again_changes_nothing(engine: Engine) -> None:
    """The steps that are done are not done twice, and what is stored stays."""
    run = sql_stores(engine).runs.add(a_run())
    assert migrate(engine) == len(STEPS)
    assert sql_stores(engine).runs.get(run.id) == run


def test_a_newer_schema_is_left_alone(engine: Engine) -> None:
    """After a rollback of the plugin, the older code works on the newer tables."""
    stores = sql_stores(engine)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE frame_runs ADD COLUMN added_later TEXT"))
        connection.execute(text("UPDATE frame_schema SET version = 99"))
    assert migrate(engine) == 99
    run = a_run()
    assert stores.runs.add(run) == stores.runs.get(run.id) == run


def test_many_processes_migrate_at_once(tmp_path: Path) -> None:
    """Replicas that start together all find the tables, and none fails."""
    engines = [sqlite_engine(tmp_path / "plugin.db") for _ in range(4)]
    with engines[0].connect():
        pass  # WAL is switched on by the first to connect; that needs the file for itself
    assert at_once(lambda number: migrate(engines[number]), 4) == [len(STEPS)] * 4
    for engine in engines:
        engine.dispose()
