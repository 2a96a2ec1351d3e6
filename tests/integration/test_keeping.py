"""The jobs that keep the data in order, over the real ASGI app: asked for, run, and told."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from mosaiclife_plugin_sdk import SERVICE
from plugin_analytics.app import build
from tests.integration.test_backend_app import TOKEN, House, environment
from tests.support.bundles import write_bundle
from tests.support.events import reaction, reader_headers, story
from tests.support.processes import eventually

KEEPING = ("retention.purge", "rollup.verify", "rollup.rebuild", "store.optimize")


class Keeper(House):
    """A running plugin, its jobs, and its database seen from behind."""

    def __init__(self, client: TestClient[Any], folder: Path) -> None:
        super().__init__(client)
        self.database = folder / "data" / "plugin.db"
        self.headers = reader_headers(TOKEN, SERVICE)
        del self.headers["X-Tenant-ID"]

    def start(self, name: str, params: dict[str, Any] | None = None) -> Any:
        """Ask for a run, and return the answer."""
        body = {"name": name, "params": params or {}}
        return self.client.post("/v1/jobs/run", json=body, headers=self.headers)

    def run(self, name: str, params: dict[str, Any] | None = None) -> Any:
        """Ask for a run, and return it once it has ended."""
        started = self.start(name, params)
        assert started.status_code == 202, started.text
        path = f"/v1/jobs/runs/{started.json()['data']['runId']}"

        def ended() -> Any:
            run = self.client.get(path, headers=self.headers).json()["data"]
            return run if run["state"] not in {"queued", "running"} else None

        return eventually(ended, what=name)

    def refresh(self) -> None:
        """Have all that is marked counted again; a run that is under way may not have seen it."""

        def counted() -> bool:
            self.start("rollup.refresh")
            with closing(sqlite3.connect(self.database, timeout=10)) as connection:
                left = connection.execute("SELECT COUNT(*) FROM dirty_day").fetchone()
            return bool(left == (0,))

        eventually(counted, what="rollup.refresh")

    def spoil(self, statement: str) -> None:
        """Change the database behind the plugin's back."""
        with closing(sqlite3.connect(self.database, timeout=10)) as connection:
            assert connection.execute(statement).rowcount > 0
            connection.commit()

    def readiness(self) -> Any:
        """Return what the probe says."""
        answer = self.client.get("/readyz")
        assert answer.status_code == 200
        return answer.json()["data"]


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    """Return a plugin that has counted a few events."""
    write_bundle(tmp_path, "entry")
    app, _ = build(environment(tmp_path))
    with TestClient(app, base_url="http://plugin.test") as client:
        keeper = Keeper(client, tmp_path)
        ago = (datetime.now(UTC) - timedelta(days=100)).isoformat()
        keeper.deliver([story("s1", "l1", at=ago), reaction("s1", "l1", at=ago)])
        assert keeper.metrics("?legacyId=l1&period=all")["hearts"] == 1
        yield keeper


def test_core_learns_of_every_job_and_its_schedule(keeper: Keeper) -> None:
    """Each is listed with when it runs and what it takes."""
    jobs = keeper.client.get("/v1/jobs", headers=keeper.headers).json()["data"]

    schedules = {job["name"]: job["schedule"] for job in jobs if job["name"] in KEEPING}
    assert schedules == {
        "retention.purge": "30 3 * * *",
        "rollup.verify": "10 4 * * *",
        "rollup.rebuild": None,
        "store.optimize": "40 4 * * 0",
    }
    (rebuild,) = [job for job in jobs if job["name"] == "rollup.rebuild"]
    assert "tenant" in str(rebuild["params"])


def test_purge_is_run_and_told(keeper: Keeper) -> None:
    """What went is in the result and in the history, and the report is as before."""
    run = keeper.run("retention.purge")

    assert (run["state"], run["result"]["subjects"], run["result"]["events"]) == ("succeeded", 1, 1)
    assert run["progress"]["done"] == run["progress"]["total"] == 1
    assert keeper.metrics("?legacyId=l1&period=all")["hearts"] == 1
    runs = keeper.client.get("/v1/jobs/runs", headers=keeper.headers).json()["data"]
    assert run["runId"] in {one["runId"] for one in runs}


def test_drift_degrades_the_plugin_until_it_is_gone(keeper: Keeper) -> None:
    """200 and `degraded`, the check and a metric that name it; a refresh mends, a run clears."""
    assert keeper.run("rollup.verify")["result"]["drift"] == 0
    assert keeper.readiness()["status"] == "ready"
    keeper.spoil("UPDATE rollup SET value = value + 5 WHERE grain = 0 AND legacy = 1")

    found = keeper.run("rollup.verify")["result"]

    assert found["drift"] >= 1
    assert "l1" not in str(found)
    seen = keeper.readiness()
    (check,) = [check for check in seen["checks"] if check["name"] == "counts"]
    assert (seen["status"], check["ok"], check["reason"] != "") == ("degraded", True, True)
    drift = float(found["drift"])
    assert f"plugin_rollup_drift {drift}" in keeper.client.get("/metrics").text

    keeper.refresh()
    assert keeper.run("rollup.verify")["result"]["drift"] == 0
    assert keeper.readiness()["status"] == "ready"
    assert "plugin_rollup_drift 0.0" in keeper.client.get("/metrics").text


def test_rebuild_takes_a_tenant(keeper: Keeper) -> None:
    """It does what it says, and refuses what it cannot do."""
    run = keeper.run("rollup.rebuild", {"tenant": "family-test"})
    assert (run["state"], run["result"]["tenants"], run["result"]["subjects"]) == (
        "succeeded",
        1,
        2,
    )
    assert keeper.run("rollup.rebuild")["result"]["tenants"] == 1
    assert keeper.metrics("?legacyId=l1&period=all")["stories"] == 1

    unknown = keeper.run("rollup.rebuild", {"tenant": "nobody"})
    assert (unknown["state"], "no such tenant" in unknown["error"]) == ("failed", True)
    assert keeper.start("rollup.rebuild", {"tenant": 7}).status_code == 422
    assert keeper.start("rollup.rebuild", {"other": "x"}).status_code == 422


def test_optimize_leaves_a_copy(keeper: Keeper) -> None:
    """The copy holds what is there, and not the key."""
    run = keeper.run("store.optimize")

    assert run["state"] == "succeeded"
    copy = keeper.database.parent / "backups" / run["result"]["backup"]
    assert copy.stat().st_size == run["result"]["backupBytes"]
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT COUNT(*) FROM event").fetchone() == (2,)
    assert b"k" * 32 not in copy.read_bytes()


@pytest.mark.parametrize("name", KEEPING)
def test_a_run_may_be_cancelled(keeper: Keeper, name: str) -> None:
    """Whatever it had begun, counting ends it, the reports stand, and the next run works."""
    before = keeper.metrics("?legacyId=l1&period=all")
    run = keeper.start(name).json()["data"]["runId"]
    keeper.client.delete(f"/v1/jobs/runs/{run}", headers=keeper.headers)

    def ended() -> bool:
        state = keeper.client.get(f"/v1/jobs/runs/{run}", headers=keeper.headers).json()["data"]
        return state["state"] in {"cancelled", "succeeded"}

    eventually(ended, what="the end")
    # A rebuild that was stopped is ended by the refresh of the next minute; here it comes at once.
    keeper.refresh()
    assert keeper.metrics("?legacyId=l1&period=all") == before
    assert keeper.run(name)["state"] == "succeeded"
