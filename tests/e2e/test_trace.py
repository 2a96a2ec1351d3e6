"""One trace from core through the plugin and back, as a collector sees it (design: Tracing)."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.collector import Collector, Told, collecting
from tests.support.processes import eventually
from tests.support.stack import Stack

CORE = "mosaiclife-core"
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
# By themselves, processes tell of their spans every five seconds.
OFTEN = {"OTEL_BSP_SCHEDULE_DELAY": "200"}


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Listen for spans."""
    with collecting() as collector:
        yield collector


@pytest.fixture
def watched(collector: Collector, tmp_path: Path) -> Iterator[Stack]:
    """Start a core and the plugin, both of which tell the collector."""
    stack = Stack(tmp_path)
    for process in (stack.core, stack.plugin):
        process.environment = {**process.environment, **OFTEN, ENDPOINT: collector.url}
    try:
        yield stack.start()
    finally:
        stack.stop()


def tell_a_memory(stack: Stack) -> None:
    legacy = stack.legacies()[0]["id"]
    url = f"{stack.core_url}/api/legacies/{legacy}/stories"
    origin = {"Origin": stack.core_url}
    httpx.post(url, json={"title": "The blue bicycle"}, headers=origin).raise_for_status()


def ways(collector: Collector) -> Iterator[tuple[Told, ...]]:
    """Yield each chain of spans from a call of core, down to a call of the plugin's to core."""
    for call in list(collector.spans):
        if call.service != CORE or call.kind != "CLIENT":
            continue
        for handled in collector.below(call):
            for back in collector.below(handled):
                for taken in collector.below(back):
                    yield call, handled, back, taken


def test_a_delivery_and_what_it_brings_about_are_one_trace(
    watched: Stack, collector: Collector
) -> None:
    """Core's call, the plugin's answer, its call back and core's answer name each other."""

    def told() -> list[tuple[Told, ...]]:
        # The first may be counted along with what the plugin's own start has asked for.
        tell_a_memory(watched)
        return list(ways(collector))

    found = eventually(told, within=50, every=1.0, what="the whole trace")

    call, handled, back, taken = found[0]
    plugin = f"plugin-{watched.id}"
    assert [one.service for one in (call, handled, back, taken)] == [CORE, plugin, plugin, CORE]
    assert [one.kind for one in (handled, back, taken)] == ["SERVER", "CLIENT", "SERVER"]
    assert call.parent == ""
    assert call.attributes["url.path"] == "/v1/webhooks/ingest"
    assert handled.name == "POST /v1/webhooks/ingest"
    assert handled.attributes["http.response.status_code"] == 200
    assert back.attributes["url.full"] == f"{watched.core_url}/api/plugins/-/events"
    assert taken.name == "POST /api/plugins/-/events"
    assert taken.attributes["http.response.status_code"] == 202
    assert len({one.trace for one in (call, handled, back, taken)}) == 1


def test_a_report_through_core_is_one_trace(watched: Stack, collector: Collector) -> None:
    """What a page asks for is a span of core's and one of the plugin's below it."""
    watched.proxied("/v1/data/overview", legacyId=watched.legacies()[0]["id"])

    def handled() -> Told | None:
        calls = [
            one for one in collector.spans if one.attributes.get("url.path") == "/v1/data/overview"
        ]
        return next((below for call in calls for below in collector.below(call)), None)

    span = eventually(handled, within=90, what="the plugin's span")

    assert span is not None
    assert (span.kind, span.name) == ("SERVER", "GET /v1/data/overview")


def test_without_a_collector_nothing_is_sent(collector: Collector, tmp_path: Path) -> None:
    """Nobody is told of anything unless somebody asked for it."""
    stack = Stack(tmp_path)
    stack.core.environment = {**stack.core.environment, **OFTEN, ENDPOINT: collector.url}
    try:
        stack.start()
        tell_a_memory(stack)
        eventually(lambda: collector.spans, within=90, what="a span of core's")
    finally:
        stack.stop()

    assert {one.service for one in collector.spans} == {CORE}
