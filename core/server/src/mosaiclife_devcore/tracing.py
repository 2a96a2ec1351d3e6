"""Show core's side of a trace: a span for each call to a plugin, and for each call of one (spec §14).

Only loaded where a collector is named. Without it core begins a trace with each call all the same,
and nobody is told of it.
"""

from __future__ import annotations

import httpx
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

OF_PLUGINS = ("/plugins/-/", "/plugins/register")  # what plugins call, below the API's prefix
_propagator = TraceContextTextMapPropagator()


class Tracing:
    """The spans of one core, and where they go."""

    def __init__(self, endpoint: str, version: str) -> None:
        """Send spans to the collector at *endpoint*."""
        about = Resource.create({"service.name": "mosaiclife-core", "service.version": version})
        self._provider = TracerProvider(resource=about, shutdown_on_exit=False)
        exporter = OTLPSpanExporter(endpoint=endpoint.rstrip("/") + "/v1/traces")
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer(__name__)

    def outward(self, inner: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        """Return a transport whose every call is a span, and names it to the plugin."""
        return _Outward(self._tracer, inner)

    def inward(self, app: ASGIApp) -> ASGIApp:
        """Return *app* with a span, below the plugin's own, around each call of a plugin."""

        async def traced(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != ScopeType.HTTP or not any(
                part in scope["path"] for part in OF_PLUGINS
            ):
                await app(scope, receive, send)
                return
            headers = {name.decode("latin-1"): value.decode() for name, value in scope["headers"]}
            parent = _propagator.extract(headers)
            name = f"{scope['method']} {scope['path']}"
            with self._tracer.start_as_current_span(name, parent, SpanKind.SERVER) as span:

                async def note(message: Message) -> None:
                    if message["type"] == "http.response.start":
                        span.set_attribute("http.response.status_code", message["status"])
                    await send(message)

                await app(scope, receive, note)

        return traced

    def close(self) -> None:
        """Send what is still waiting."""
        self._provider.shutdown()


class _Outward(httpx.AsyncBaseTransport):
    def __init__(self, tracer: Tracer, inner: httpx.AsyncBaseTransport) -> None:
        self._tracer, self._inner = tracer, inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request* inside a span, in a trace of its own.

        Whoever calls may have been started by a plugin's call long ago, as the health gate is.
        """
        attributes = {"http.request.method": request.method, "url.path": request.url.path}
        with self._tracer.start_as_current_span(
            request.method, Context(), kind=SpanKind.CLIENT, attributes=attributes
        ) as span:
            _propagator.inject(request.headers)
            response = await self._inner.handle_async_request(request)
            span.set_attribute("http.response.status_code", response.status_code)
            return response

    async def aclose(self) -> None:
        """Close the inner transport."""
        await self._inner.aclose()
