"""Follow a request through the plugin and on to core: W3C trace context and spans (spec §14)."""

from __future__ import annotations

import contextvars
import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager

import httpx
from opentelemetry import context as otel
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, TraceIdRatioBased
from opentelemetry.trace import (
    INVALID_SPAN,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    set_span_in_context,
    use_span,
)

from mosaiclife_plugin_sdk.frame.propagation import (
    TRACEPARENT,
    TRACESTATE,
    W3CPropagator,
    flags_of,
    match_parent,
    parse_parent,
    with_state,
)
from mosaiclife_plugin_sdk.settings import FrameSettings

# Headers by lower-case name, with every value of each.
Carrier = Mapping[str, Sequence[str]]

_propagator = W3CPropagator()
# Where a context holds its span: what is set there directly need not be copied into place.
(_SPAN,) = set_span_in_context(INVALID_SPAN, Context())


class Tracing:
    """The spans of one plugin; a provider of its own, so that two plugins share a process."""

    def __init__(self, name: str, version: str, settings: FrameSettings) -> None:
        resource = Resource.create({"service.name": f"plugin-{name}", "service.version": version})
        self.provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(settings.trace_sample)),
            resource=resource,
            shutdown_on_exit=False,
        )
        self._heard = bool(settings.otel_exporter_otlp_endpoint)
        if settings.otel_exporter_otlp_endpoint:
            self._export_to(settings.otel_exporter_otlp_endpoint)
        self.tracer = self.provider.get_tracer("mosaiclife_plugin_sdk")

    def _export_to(self, endpoint: str) -> None:
        # Loads protobuf: a plugin without a collector must not pay for it at its start.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        exporter = OTLPSpanExporter(endpoint=endpoint.rstrip("/") + "/v1/traces")
        self.provider.add_span_processor(BatchSpanProcessor(exporter))

    def server_span(self, method: str, carrier: Carrier) -> tuple[Span, Context]:
        """Begin the span of an incoming request, below the caller's when it named one.

        The context that comes with it holds the span, and the state that its trace brought along.
        """
        if not self._heard:
            return self._unheard_span(carrier)
        context = incoming(carrier)
        span = self.tracer.start_span(method, context=context, kind=SpanKind.SERVER)
        return span, set_span_in_context(span, context)

    def _unheard_span(self, carrier: Carrier) -> tuple[Span, Context]:
        """Begin a span that nobody will be sent: all of it are its names, made for who asks.

        Log lines and calls to core may. Recording the rest would cost more than the request's
        metrics and log line together.
        """
        parents = carrier.get(TRACEPARENT, ())
        parent = match_parent(parents[0]) if len(parents) == 1 else None
        span = UnheardSpan(self.provider, parent)
        context = Context({_SPAN: span})
        if parent is not None and (states := carrier.get(TRACESTATE, ())):
            context = with_state(context, int(parent["trace"], 16), states)
        return span, context

    @contextmanager
    def client_span(self, method: str, url: httpx.URL, headers: httpx.Headers) -> Iterator[Span]:
        """Begin the span of a call, and name it in the *headers* that go out."""
        attributes = {
            "http.request.method": method,
            "server.address": url.host,
            "url.full": str(url.copy_with(query=None, userinfo=b"")),
        }
        span = self.tracer.start_span(method, kind=SpanKind.CLIENT, attributes=attributes)
        with use_span(span, end_on_exit=True):
            outgoing(headers)
            yield span

    def close(self) -> None:
        """Send what is still waiting."""
        self.provider.shutdown()


def incoming(carrier: Carrier) -> Context:
    """Return the context that the caller's headers describe; malformed ones describe none."""
    return _propagator.extract(carrier, context=Context())


def outgoing(headers: MutableMapping[str, str]) -> None:
    """Write the present span into *headers*."""
    _propagator.inject(headers)


def trace_alone() -> contextvars.Context:
    """Return a context that holds the present trace, and nothing else of whoever is calling."""
    context = contextvars.Context()
    context.run(otel.attach, otel.get_current())
    return context


def link_spans(traceparents: Iterable[str]) -> None:
    """Link the present span to those that *traceparents* name; malformed ones name none.

    Nothing is read of them while nobody is sent the span.
    """
    span = otel.get_value(_SPAN)
    # Asked by its type: whether it is a `Span` at all is dear to tell, and most are of this one.
    if type(span) is UnheardSpan or not isinstance(span, Span) or not span.is_recording():
        return
    for value in traceparents:
        if (other := parse_parent(value)) is not None:
            span.add_link(other)


def end_span(span: Span, method: str, route: str, status: int) -> None:
    """Close a server span with what became of its request."""
    if not span.is_recording():
        return
    span.update_name(f"{method} {route}")
    span.set_attribute("http.route", route)
    span.set_attribute("http.response.status_code", status)
    if status >= 500:
        span.set_status(StatusCode.ERROR)
    span.end()


class UnheardSpan(NonRecordingSpan):
    """A span that is nothing but its names, which are not made before somebody asks for them.

    Who asks once gets the same ones ever after. Most are written into a log line as they are;
    what else has to know them is told in numbers.
    """

    def __init__(self, provider: TracerProvider, parent: re.Match[str] | None) -> None:
        self._provider, self._parent = provider, parent
        self._made: dict[str, tuple[str, str]] = {}

    @property
    def names(self) -> tuple[str, str]:
        """Return the ids of trace and span, as log lines write them."""
        # A job's thread may ask while the request's own line is written: the first names stand.
        return self._made.get("names") or self._made.setdefault("names", self._new_names())

    def _new_names(self) -> tuple[str, str]:
        ids, parent = self._provider.id_generator, self._parent
        trace = f"{ids.generate_trace_id():032x}" if parent is None else parent["trace"]
        return trace, f"{ids.generate_span_id():016x}"

    def get_span_context(self) -> SpanContext:
        """Return the names as numbers, and whether the trace is sampled."""
        trace, span = (int(name, 16) for name in self.names)
        # Whoever began the trace has decided.
        flags = self._flags_of_new(trace) if self._parent is None else flags_of(self._parent)
        return SpanContext(trace, span, False, flags)

    def _flags_of_new(self, trace: int) -> TraceFlags:
        """Return the flags of a trace that begins here."""
        decision = self._provider.sampler.should_sample(Context(), trace, "").decision
        sampled = decision is Decision.RECORD_AND_SAMPLE
        random = self._provider.id_generator.is_trace_id_random()
        return TraceFlags(TraceFlags.SAMPLED * sampled | TraceFlags.RANDOM_TRACE_ID * random)

    def __repr__(self) -> str:
        return f"UnheardSpan({'-'.join(self.names)})"


def names_of(span: Span) -> tuple[str, str]:
    """Return the ids of the trace and of the span, as log lines write them."""
    if isinstance(span, UnheardSpan):
        return span.names
    context = span.get_span_context()
    return f"{context.trace_id:032x}", f"{context.span_id:016x}"


class TracedTransport(httpx.BaseTransport):
    """A transport whose every call is a client span."""

    def __init__(self, tracing: Tracing, inner: httpx.BaseTransport) -> None:
        self._tracing, self._inner = tracing, inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request* inside a span."""
        with self._tracing.client_span(request.method, request.url, request.headers) as span:
            response = self._inner.handle_request(request)
            span.set_attribute("http.response.status_code", response.status_code)
            return response

    def close(self) -> None:
        """Close the inner transport."""
        self._inner.close()


class AsyncTracedTransport(httpx.AsyncBaseTransport):
    """The same on the event loop."""

    def __init__(self, tracing: Tracing, inner: httpx.AsyncBaseTransport) -> None:
        self._tracing, self._inner = tracing, inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request* inside a span."""
        with self._tracing.client_span(request.method, request.url, request.headers) as span:
            response = await self._inner.handle_async_request(request)
            span.set_attribute("http.response.status_code", response.status_code)
            return response

    async def aclose(self) -> None:
        """Close the inner transport."""
        await self._inner.aclose()
