"""A span is as long as somebody is there to read it; its ids are there in any case."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import TraceFlags, get_current_span, use_span

from mosaiclife_plugin_sdk.frame.tracing import (
    Tracing,
    end_span,
    link_spans,
    names_of,
    trace_alone,
)
from tests.support.tiny_plugin import TinyPlugin, settings

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
COLLECTOR = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}


def tracing(folder: Path, **environ: str) -> Tracing:
    """Return the tracing of a plugin that was started with *environ*."""
    return Tracing("tiny", "1.0.0", settings(TinyPlugin().manifest, folder, **environ))


@pytest.mark.parametrize("flags", ["00", "01", "02", "03"])
@pytest.mark.parametrize("share", ["0", "1"])
def test_span_has_the_same_ids_and_flags_whether_or_not_it_is_sent(
    tmp_path: Path, flags: str, share: str
) -> None:
    """The caller's trace and decision go on; the span's own id is new."""
    carrier = {"traceparent": [f"00-{TRACE}-{PARENT}-{flags}"]}
    unheard, _ = tracing(tmp_path, TRACE_SAMPLE=share).server_span("GET", carrier)
    heard, _ = tracing(tmp_path, TRACE_SAMPLE=share, **COLLECTOR).server_span("GET", carrier)

    ours, theirs = unheard.get_span_context(), heard.get_span_context()
    assert (ours.trace_id, ours.trace_flags) == (theirs.trace_id, theirs.trace_flags)
    assert ours.trace_id == int(TRACE, 16)
    assert ours.is_valid
    assert f"{ours.span_id:016x}" != PARENT


@pytest.mark.parametrize(("share", "sampled"), [("0", False), ("1", True)])
def test_trace_that_begins_here_is_sampled_as_the_setting_says(
    tmp_path: Path, share: str, sampled: bool
) -> None:
    """Without a caller's decision the share decides, with and without a collector."""
    for environ in ({}, COLLECTOR):
        span, _ = tracing(tmp_path, TRACE_SAMPLE=share, **environ).server_span("GET", {})

        context = span.get_span_context()
        assert context.is_valid
        assert context.trace_flags.sampled is sampled
        assert context.trace_flags & TraceFlags.RANDOM_TRACE_ID


def test_only_what_is_sent_is_recorded(tmp_path: Path) -> None:
    """Nobody pays for attributes that nobody will read."""
    unheard, _ = tracing(tmp_path).server_span("GET", {})
    heard, _ = tracing(tmp_path, **COLLECTOR).server_span("GET", {})
    end_span(unheard, "GET", "/notes", 200)

    assert (unheard.is_recording(), heard.is_recording()) == (False, True)


def test_span_is_linked_to_those_that_it_deals_with(tmp_path: Path) -> None:
    """Each well-formed name becomes a link; without a collector nobody even reads them."""
    names = [f"00-{TRACE}-{PARENT}-01", "nonsense", f"00-{TRACE}-{PARENT[::-1]}-00"]
    heard, _ = tracing(tmp_path, **COLLECTOR).server_span("POST", {})
    unheard, _ = tracing(tmp_path).server_span("POST", {})
    read: list[str] = []

    def reading() -> Iterator[str]:
        for name in names:
            read.append(name)
            yield name

    with use_span(unheard):
        link_spans(reading())
    assert read == []
    with use_span(heard, end_on_exit=False):
        link_spans(names)

    assert isinstance(heard, ReadableSpan)
    spans = [f"{link.context.span_id:016x}" for link in heard.links]
    assert spans == [PARENT, PARENT[::-1]]


def test_what_a_request_starts_takes_its_trace_along_and_nothing_else(tmp_path: Path) -> None:
    """Work that outlives the request keeps the span, and not, say, the request's time limit."""
    span, _ = tracing(tmp_path).server_span("POST", {})
    limit = ContextVar("limit", default="none")
    limit.set("the request's")

    with use_span(span):
        alone = trace_alone()

    assert alone.run(get_current_span) is span
    assert alone.run(limit.get) == "none"


def test_threads_that_ask_at_once_are_told_the_same_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job's lines and the line of the request that started it name one span."""
    spans = tracing(tmp_path)
    unheard, _ = spans.server_span("POST", {})
    both, make = threading.Barrier(2), spans.provider.id_generator.generate_span_id

    def make_together() -> int:
        both.wait(timeout=10)
        return make()

    monkeypatch.setattr(spans.provider.id_generator, "generate_span_id", make_together)
    with ThreadPoolExecutor(2) as askers:
        first, second = (
            asked.result() for asked in [askers.submit(names_of, unheard) for _ in "ab"]
        )

    assert first == second == names_of(unheard)
