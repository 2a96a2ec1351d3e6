"""Read and write W3C trace context, level 2, as strictly as it is written (spec §8.5, §14).

OpenTelemetry's own propagator lets a doubled `traceparent` pass, and drops a vendor's whole state
for keys that level 2 allows. The state travels here as it came, beside the span and not inside
it: `TraceState` refuses those keys too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from opentelemetry.context import Context, create_key, get_current, get_value, set_value
from opentelemetry.propagators.textmap import (
    CarrierT,
    Getter,
    Setter,
    TextMapPropagator,
    default_getter,
    default_setter,
)
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)

TRACEPARENT, TRACESTATE = "traceparent", "tracestate"
MAX_MEMBERS = 32

_KNOWN_FLAGS = TraceFlags.SAMPLED | TraceFlags.RANDOM_TRACE_ID
_FLAGS = tuple(TraceFlags(flags) for flags in range(_KNOWN_FLAGS + 1))
_PARENT = re.compile(
    r"(?P<version>(?!ff)[0-9a-f]{2})-(?P<trace>(?!0{32})[0-9a-f]{32})"
    r"-(?P<span>(?!0{16})[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(?P<more>-.*)?",
    re.DOTALL,
)
_MEMBER = re.compile(
    r"(?P<key>[a-z0-9][a-z0-9_\-*/@]{0,255})"
    r"=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
)
_OWS = " \t"
_SLOT = create_key("w3c-tracestate")


class _State(NamedTuple):
    """The vendors' state, and the only trace that it belongs to."""

    trace_id: int
    members: str


class W3CPropagator(TextMapPropagator):
    """Carries the caller's trace in, and the present span out."""

    def extract(
        self,
        carrier: CarrierT,
        context: Context | None = None,
        getter: Getter[CarrierT] = default_getter,
    ) -> Context:
        """Return *context* with the caller's span in it; a malformed parent is no parent."""
        context = Context() if context is None else context
        parent = parent_of(getter.get(carrier, TRACEPARENT) or [])
        if parent is None:
            return context
        states = getter.get(carrier, TRACESTATE) or []
        context = with_state(context, parent.trace_id, states) if states else context
        return set_span_in_context(NonRecordingSpan(parent), context)

    def inject(
        self,
        carrier: CarrierT,
        context: Context | None = None,
        setter: Setter[CarrierT] = default_setter,
    ) -> None:
        """Write the span of *context*, and the state that came with its trace."""
        span = get_current_span(context).get_span_context()
        if not span.is_valid:
            return
        flags = span.trace_flags & _KNOWN_FLAGS
        parent = f"00-{span.trace_id:032x}-{span.span_id:016x}-{flags:02x}"
        setter.set(carrier, TRACEPARENT, parent)
        state = get_value(_SLOT, get_current() if context is None else context)
        if isinstance(state, _State) and state.trace_id == span.trace_id:
            setter.set(carrier, TRACESTATE, state.members)

    @property
    def fields(self) -> set[str]:
        """Return the names of the headers that are written."""
        return {TRACEPARENT, TRACESTATE}


def parent_of(values: Sequence[str]) -> SpanContext | None:
    """Return the caller's span; of two `traceparent` headers none is believed."""
    return parse_parent(values[0]) if len(values) == 1 else None


def with_state(context: Context, trace_id: int, values: Sequence[str]) -> Context:
    """Put the vendors' state of a trace into *context*, if there is any."""
    state = parse_state(values)
    return set_value(_SLOT, _State(trace_id, state), context) if state else context


def parse_parent(value: str) -> SpanContext | None:
    """Read the value of a `traceparent`."""
    match = match_parent(value)
    if match is None:
        return None
    return SpanContext(int(match["trace"], 16), int(match["span"], 16), True, flags_of(match))


def match_parent(value: str) -> re.Match[str] | None:
    """Take a `traceparent` apart; a version from the future may say more after a dash."""
    match = _PARENT.fullmatch(value.strip(_OWS))
    return None if match is None or (match["more"] and match["version"] == "00") else match


def flags_of(match: re.Match[str]) -> TraceFlags:
    """Return those flags of a parent that level 2 knows."""
    return _FLAGS[int(match["flags"], 16) & _KNOWN_FLAGS]


def parse_state(values: Sequence[str]) -> str:
    """Return the members of all `tracestate` headers as one value, empty when one is malformed.

    Of two members with one key the first counts: it is the newer one.
    """
    parts = (part.strip(_OWS) for value in values for part in value.split(","))
    members = [part for part in parts if part]
    if len(members) > MAX_MEMBERS:
        return ""
    by_key: dict[str, str] = {}
    for member in members:
        match = _MEMBER.fullmatch(member)
        if match is None:
            return ""
        by_key.setdefault(match["key"], member)
    return ",".join(by_key.values())
