"""A collector of traces: takes spans by OTLP over HTTP, as the real ones do."""

import gzip
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2


@dataclass(frozen=True)
class Told:
    """One span, by the process that told of it."""

    service: str
    kind: str
    name: str
    trace: str
    id: str
    parent: str
    attributes: Mapping[str, str | int]


@dataclass
class Collector:
    """Everything that has arrived, and where to send more."""

    url: str = ""
    spans: list[Told] = field(default_factory=list)

    def below(self, parent: Told) -> list[Told]:
        """Return the spans that name *parent* as theirs."""
        return [one for one in self.spans if one.parent == parent.id and one.trace == parent.trace]


@contextmanager
def collecting() -> Iterator[Collector]:
    """Listen on a free loopback port until the block ends."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Take one batch of spans."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            known = self.path == "/v1/traces"
            if known:
                collector.spans.extend(_read(body))
            self.send_response(200 if known else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever)
    thread.start()
    collector.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield collector
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _read(body: bytes) -> Iterator[Told]:
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        service = str(_plain(resource.resource.attributes)["service.name"])
        for scope in resource.scope_spans:
            yield from (_told(service, span) for span in scope.spans)


def _told(service: str, span: trace_pb2.Span) -> Told:
    return Told(
        service,
        trace_pb2.Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        span.name,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        _plain(span.attributes),
    )


def _plain(attributes: "Iterator[KeyValue] | list[KeyValue]") -> dict[str, str | int]:
    return {one.key: one.value.string_value or one.value.int_value for one in attributes}
