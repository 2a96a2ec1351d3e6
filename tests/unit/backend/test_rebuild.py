"""Rebuilding on request: the same counts in the end, whoever does the work and however often."""

import itertools
from threading import Thread
from typing import Any

import pytest

from mosaiclife_devcore.generator import TELLING, Profile
from mosaiclife_plugin_sdk import ValidationFailed
from plugin_analytics.services import rollup
from plugin_analytics.services.rebuild import Rebuild, RebuildParams, Rebuilt
from plugin_analytics.services.rollup import Refresh
from plugin_analytics.services.zones import Zones
from plugin_analytics.store import rebuilding
from tests.support.events import TENANT, story
from tests.support.golden import deliver, reports, stream
from tests.unit.backend.conftest import Bench

SMALL = Profile("tiny", 300, 6, 3, 300, TELLING)


class Job:
    """The job over a bench, and what it has told of its progress."""

    def __init__(self, bench: Bench) -> None:
        self.told: list[tuple[int, int | None, str]] = []
        self.refresh = Refresh(bench.store, Zones(bench.store, bench.zone))
        self.job = Rebuild(bench.store, self.refresh)

    def __call__(self, tenant: str | None = None, *, steps: int = 10**6) -> Rebuilt:
        left = itertools.count(steps, -1)
        return self.job(RebuildParams(tenant), lambda: next(left) <= 0, self._tell)

    def _tell(self, *step: Any) -> None:
        self.told.append(step)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a small world be many pieces."""
    monkeypatch.setattr(rollup, "REBUILD_SUBJECTS", 20)
    monkeypatch.setattr(rebuilding, "FACTS_AT_ONCE", 50)


def test_a_rebuild_changes_no_report_and_tells_how_far_it_is(bench: Bench) -> None:
    """Every subject is done once, the numbers rise to their total, and all is as it was."""
    deliver(bench, stream(31, profile=SMALL))
    before = reports(bench, ["l1"])
    job = Job(bench)

    done = job()

    assert (done.tenants, done.days > 10) == (1, True)
    steps = [step[0] for step in job.told]
    assert steps == sorted(steps)
    assert {step[1] for step in job.told} == {done.subjects}
    assert (steps[0], steps[-1]) == (0, done.subjects)
    assert len(set(steps)) > 3
    assert reports(bench, ["l1"]) == before
    assert bench.store.rebuilt_share(TENANT) is None


def test_one_tenant_or_all(bench: Bench) -> None:
    """A tenant that is named is rebuilt alone; one that is not there is refused."""
    bench.deliver([story("s1", "l1")])
    bench.deliver([story("s1", "l1", tenant="other")], tenant="other")
    bench.refresh()

    assert Job(bench)("other").subjects == 1
    assert Job(bench)().tenants == 2
    with pytest.raises(ValidationFailed):
        Job(bench)("nobody")


def test_a_rebuild_that_is_stopped_goes_on(bench: Bench) -> None:
    """Cancelled halfway, the old counts stand; refresh, or the job again, does the rest."""
    deliver(bench, stream(32, profile=SMALL))
    before = reports(bench, ["l1"])

    stopped = Job(bench)(steps=7)
    assert stopped.tenants == 0
    share = bench.store.rebuilt_share(TENANT)
    assert share is not None
    assert reports(bench, ["l1"])[0][0]["metrics"] == before[0][0]["metrics"]

    again = Job(bench)
    again()
    assert reports(bench, ["l1"]) == before
    Job(bench)(steps=7)
    bench.refresh()
    assert bench.store.rebuilt_share(TENANT) is None
    assert reports(bench, ["l1"]) == before


def test_refresh_and_rebuild_at_once(bench: Bench) -> None:
    """Both work on the same pieces while events come in, and nothing is lost or counted twice."""
    deliver(bench, stream(33, profile=SMALL))
    before = bench.metrics("")
    others = [story(f"more-{number}", "l1") for number in range(200)]

    def refresh() -> None:
        for place in range(0, len(others), 10):
            bench.deliver(others[place : place + 10])
            bench.refresh()

    thread = Thread(target=refresh)
    thread.start()
    while thread.is_alive():
        Job(bench)()
    thread.join()
    bench.refresh()

    after = bench.metrics("")
    assert after["stories"] == before["stories"] + 200
    Job(bench)()
    assert bench.metrics("") == after


def test_nothing_to_rebuild(bench: Bench) -> None:
    """An empty store is done at once."""
    assert Job(bench)() == Rebuilt()
