"""Several questions: of one moment, and each for itself."""

import threading

from mosaiclife_plugin_sdk import PluginError, Timeout
from plugin_analytics.http.params import read_overview
from plugin_analytics.services.pages import Report
from plugin_analytics.services.query import Query
from tests.support.events import TENANT, story
from tests.unit.backend.conftest import Bench


def stories(bench: Bench) -> Report:
    return bench.provide.overview(TENANT, "l1", read_overview([])[1])


def test_what_arrives_between_two_questions_shows_in_neither(bench: Bench) -> None:
    """All see what the first saw, though counting went on in between."""

    def arrive() -> Report:
        bench.deliver([story("s1", "l1")])
        bench.refresh()
        return Report(None, {})

    def meanwhile() -> Report:
        thread = threading.Thread(target=arrive)
        thread.start()
        thread.join()
        return Report(None, {})

    asks = [lambda: stories(bench), meanwhile, lambda: stories(bench)]
    first, _, last = Query(bench.store)(asks)

    assert isinstance(first, Report)
    assert isinstance(last, Report)
    assert first.data == last.data
    assert stories(bench).data != first.data


def test_a_fault_stays_with_its_question(bench: Bench) -> None:
    """What one raises is its own outcome, and those behind it are answered."""

    def late() -> Report:
        raise Timeout

    outcomes = Query(bench.store)([late, lambda: stories(bench)])

    assert isinstance(outcomes[0], PluginError)
    assert isinstance(outcomes[1], Report)
