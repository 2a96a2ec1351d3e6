"""Trace context, level 2: what is continued, what is dropped, and what is never mixed."""

import pytest
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import get_current_span, set_span_in_context

from mosaiclife_plugin_sdk.frame.propagation import W3CPropagator, parse_parent, parse_state

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"
propagator = W3CPropagator()


@pytest.mark.parametrize(
    "value",
    [
        PARENT,
        f" \t{PARENT}\t ",
        f"00-{TRACE}-{SPAN}-00",
        f"00-{TRACE}-{SPAN}-ff",
        f"01-{TRACE}-{SPAN}-01",
        f"cc-{TRACE}-{SPAN}-01-what-will-be",
        f"cc-{TRACE}-{SPAN}-01-",
    ],
)
def test_good_parent_is_read(value: str) -> None:
    """White space around it, unknown flags and versions from the future do not hide a parent."""
    parent = parse_parent(value)

    assert parent is not None
    assert (f"{parent.trace_id:032x}", f"{parent.span_id:016x}") == (TRACE, SPAN)
    assert parent.is_remote


@pytest.mark.parametrize(
    "value",
    [
        "",
        "00",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-0x",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01.",
        f"cc-{TRACE}-{SPAN}-01.more",
        f"cc-{TRACE}-{SPAN}-011",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}0-01",
        f"00_{TRACE}_{SPAN}_01",
        f"{PARENT}\n",
        f"{PARENT},{PARENT}",
        "00-" + "\u0664" * 32 + f"-{SPAN}-01",
    ],
)
def test_bad_parent_is_none(value: str) -> None:
    """Whatever deviates from the grammar begins no trace of ours."""
    assert parse_parent(value) is None


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        (["a=1,b=2"], "a=1,b=2"),
        (["a=1", "b=2"], "a=1,b=2"),
        (["a=1 \t,\t b=2 "], "a=1,b=2"),
        (["a=1,,", "", "b=2"], "a=1,b=2"),
        (["a=1,b=2,a=3"], "a=1,b=2"),
        (["0t@v=1,a_-*/@=2"], "0t@v=1,a_-*/@=2"),
        (["a= x y"], "a= x y"),
        ([f"{'k' * 256}={'v' * 256}"], f"{'k' * 256}={'v' * 256}"),
        ([",".join(f"k{n}=1" for n in range(32))], ",".join(f"k{n}=1" for n in range(32))),
        ([",".join(f"k{n}=1" for n in range(33))], ""),
        (["a=1,B=2"], ""),
        (["a=1,@b=2"], ""),
        (["a=1,b"], ""),
        (["a=1,b="], ""),
        (["a=1,b=1=2"], ""),
        (["a=1,b\x00=2"], ""),
        (["a=1,b=\u00e9"], ""),
        (["a =1"], ""),
        ([f"{'k' * 257}=1"], ""),
        ([f"k={'v' * 257}"], ""),
        ([], ""),
    ],
)
def test_state_is_kept_whole_or_dropped_whole(values: list[str], kept: str) -> None:
    """Headers join, the first of a doubled key counts, and one bad member spoils the rest."""
    assert parse_state(values) == kept


def sent(context: Context) -> dict[str, str]:
    """Return what goes out from *context*."""
    carrier: dict[str, str] = {}
    propagator.inject(carrier, context)
    return carrier


def test_state_of_a_bad_parent_is_dropped() -> None:
    """The state belongs to its parent: without it there is nothing to continue."""
    for parents in ([], [PARENT, PARENT], ["odd"]):
        context = propagator.extract({"traceparent": parents, "tracestate": ["a=1"]})
        assert not get_current_span(context).get_span_context().is_valid
        assert sent(context) == {}


def test_a_span_below_carries_the_state_on() -> None:
    """The trace, its flags and its state go out, with the id of the span that calls."""
    context = propagator.extract({"traceparent": [PARENT[:-1] + "3"], "tracestate": ["a@b@c=1"]})
    span = TracerProvider().get_tracer("test").start_span("call", context=context)
    carrier = sent(set_span_in_context(span, context))

    assert carrier["traceparent"] == f"00-{TRACE}-{span.get_span_context().span_id:016x}-03"
    assert carrier["tracestate"] == "a@b@c=1"


def test_another_trace_does_not_inherit_the_state() -> None:
    """A span that begins its own trace inside a request says nothing of the request's vendors."""
    context = propagator.extract({"traceparent": [PARENT], "tracestate": ["a=1"]})
    own = TracerProvider().get_tracer("test").start_span("own", context=Context())

    assert set(sent(set_span_in_context(own, context))) == {"traceparent"}


def test_nothing_goes_out_without_a_span() -> None:
    """No span, no header; and the fields are the two of the recommendation."""
    assert sent(Context()) == {}
    assert propagator.fields == {"traceparent", "tracestate"}
