"""What was answered is kept as long as nothing has been written, and never longer."""

import threading
from datetime import date
from typing import Any

import pytest

from plugin_analytics.model.calendar import Period
from plugin_analytics.model.cursors import Cursors
from plugin_analytics.model.reports import Bar, Timeseries
from plugin_analytics.services.breakdown import BreakdownQuery
from plugin_analytics.services.pages import Report
from plugin_analytics.services.provide import OverviewQuery, Provide, TimeseriesQuery
from plugin_analytics.services.quality import QualityQuery
from plugin_analytics.services.recent import Recent
from plugin_analytics.services.view import Window
from plugin_analytics.services.zones import Zones
from plugin_analytics.store.moments import Moments
from tests.support.events import TENANT, story
from tests.unit.backend.conftest import ALL, NOW, ZONE, Bench

MONTH = Window(Period("d", 30))


class Maker:
    """Makes a report and counts how often it was asked."""

    def __init__(self, bars: int = 0) -> None:
        self.made = 0
        bar = Bar(date(2026, 1, 1), date(2026, 1, 2), True, [1])
        self._series = Timeseries(None, ["stories"], "day", "calendar", [bar] * bars)

    def __call__(self) -> Report:
        self.made += 1
        return Report(self._series, {"number": self.made})


def test_the_same_question_at_the_same_moment_is_answered_once() -> None:
    """Another question, or another moment, is answered anew."""
    recent, make = Recent(), Maker()

    answers = [recent(*asked, make) for asked in ((2, "a"), (2, "a"), (2, "b"), (4, "a"), (4, "a"))]

    assert [answer.meta["number"] for answer in answers] == [1, 1, 2, 3, 3]


def test_who_reads_an_older_state_neither_finds_nor_leaves_anything() -> None:
    """Nor does one whose moment has no number."""
    recent, make = Recent(), Maker()

    for moment in (4, 2, None, 2, None, 4):
        recent(moment, "a", make)

    assert make.made == 5


def test_what_nobody_asks_for_again_goes_first() -> None:
    """There is room for so many bars, and reports without any weigh something too."""
    recent, make = Recent(room=300), Maker(bars=80)

    for asked in "abcadab":
        recent(2, asked, make)

    assert make.made == 5  # a, b, c, d, and b again: a was asked in between
    large = Maker(bars=400)
    for _ in range(2):
        recent(2, "large", large)
    assert large.made == 2


def test_a_moment_has_no_number_while_it_changes() -> None:
    """Afterwards it has another one, also where the commit has failed."""
    moments = Moments()
    before = moments.now()

    def fail() -> None:
        with moments.change():
            assert moments.now() is None
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        fail()

    assert before is not None
    assert (moments.now() or 0) > before


def test_a_snapshot_keeps_its_moment(bench: Bench) -> None:
    """What is written meanwhile is of a later moment; outside there is none."""
    bench.deliver([story("s1", "l1")])
    assert bench.store.moment() is None
    with bench.store.snapshot():
        first = bench.store.moment()
    with bench.store.snapshot():
        again = bench.store.moment()
        writing = threading.Thread(target=bench.refresh)
        writing.start()
        writing.join()
        assert bench.store.moment() == again
    with bench.store.snapshot():
        later = bench.store.moment()

    assert first == again
    assert (later or 0) > (first or 0)


def test_work_that_finds_nothing_to_do_begins_no_moment(bench: Bench) -> None:
    """The jobs of every minute leave the kept reports alone."""
    bench.deliver([story("s1", "l1")])
    bench.refresh()
    with bench.store.snapshot():
        before = bench.store.moment()

    assert bench.store.recount(TENANT, 100).result() == []

    with bench.store.snapshot():
        assert bench.store.moment() == before


def test_reports_are_kept_until_something_is_written(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asking again reads no count; an event that comes in changes what is told."""
    bench.deliver([story("s1", "l1")])
    bench.refresh()
    days = TimeseriesQuery(MONTH, ZONE, ("stories",), "day")
    questions: list[tuple[Any, Any]] = [
        (bench.provide.overview, OverviewQuery(ALL, ZONE)),
        (bench.provide.timeseries, days),
        (bench.provide.timeseries, days._replace(only={"origin": "manual"})),
        (bench.provide.breakdown, BreakdownQuery(MONTH, ZONE, "stories", "origin", False, 20)),
    ]

    def answers() -> list[Report]:
        reports = [ask(TENANT, "l1", query) for ask, query in questions]
        return [*reports, bench.provide.quality(TENANT, QualityQuery(MONTH))]

    first = answers()
    with monkeypatch.context() as patch:
        patch.setattr(bench.store, "series", None)
        patch.setattr(bench.store, "health", None)
        assert answers() == first

    bench.deliver([story("s2", "l1")])
    behind = answers()
    bench.refresh()

    assert [report.meta["freshness"]["dirtyDays"] for report in first] == [0] * 5
    assert [report.meta["freshness"]["dirtyDays"] for report in behind] == [1] * 5
    assert all(before != after for before, after in zip(behind, answers(), strict=True))


def test_a_changed_zone_is_another_report(bench: Bench) -> None:
    """The zone of the tenant is part of what is stored."""
    bench.deliver([story("s1", "l1")])
    bench.refresh()
    before = bench.provide.overview(TENANT, "l1", OverviewQuery(ALL))

    bench.zones.change(TENANT, None, ZONE.__class__("Asia/Kolkata"), "somebody")

    after = bench.provide.overview(TENANT, "l1", OverviewQuery(ALL))
    assert (before.meta["timezone"], after.meta["timezone"]) == ("UTC", "Asia/Kolkata")


def test_kept_reports_are_those_of_their_snapshot(bench: Bench) -> None:
    """While events come in and are counted, no reader is told of another moment than its own."""
    over, torn = threading.Event(), []
    query = OverviewQuery(ALL, ZONE)

    def read() -> None:
        while not over.is_set():
            with bench.store.snapshot():
                told = bench.provide.overview(TENANT, "", query)
                fresh = Provide(
                    bench.store, lambda: NOW, Cursors(b"c" * 32), Zones(bench.store, ZONE)
                ).overview(TENANT, "", query)
            if told != fresh:
                torn.append((told, fresh))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for number in range(15):
            bench.deliver([story(f"s{number}", "l1")])
            bench.refresh()
    finally:
        over.set()
        for reader in readers:
            reader.join()

    assert torn == []
    assert bench.metrics()["stories"] == 15
