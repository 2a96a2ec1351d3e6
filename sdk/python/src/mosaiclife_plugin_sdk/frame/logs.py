"""Write JSON lines with the fields of spec §8.5, and no secret in any of them."""

from __future__ import annotations

import functools
import logging
import sys
from collections.abc import Callable, Iterable, MutableMapping
from typing import Any

import msgspec
import structlog
from opentelemetry import trace

from mosaiclife_plugin_sdk.clock import rfc3339_now
from mosaiclife_plugin_sdk.settings import FrameSettings, Secret

Event = MutableMapping[str, Any]
Words = Callable[[], Iterable[str]]

_LEVELS = {"debug": 10, "info": 20, "warn": 30, "error": 40}
_MASK = "***"
_SECRET_KEYS = ("authorization", "token", "secret", "password", "cookie", "api_key", "signature")
_SHORTEST_SECRET = 6

_encoder = msgspec.json.Encoder(enc_hook=str)


def configure_logs(name: str, version: str, settings: FrameSettings) -> None:
    """Send every line of this process, also those of libraries, to standard output as JSON."""
    level = _LEVELS[settings.log_level]
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.format_exc_info,
        _contract_fields(name, version),
        redact(secret_words(settings)),
    ]
    structlog.configure(
        processors=[*shared, _as_json],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_StandardOutput,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(_StandardOutput())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _as_json],
            foreign_pre_chain=[structlog.stdlib.add_log_level, *shared],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # These say at INFO what our own access lines and spans say already.
    for noisy in ("httpx", "httpcore", "apscheduler", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(max(level, logging.WARNING))


class AccessLog:
    """Write one line for each request.

    Its fields are known, so that it needs none of what makes other lines flexible: sent through
    structlog, it would cost as much as a quarter of a small request.
    """

    def __init__(self, name: str, version: str, settings: FrameSettings) -> None:
        """Write as the plugin *name*, unless LOG_LEVEL wants less to be said."""
        self._name, self._version = name, version
        self._wanted = _LEVELS[settings.log_level] <= _LEVELS["info"]
        self._words = secret_words(settings)
        self._output = _StandardOutput()

    def write(
        self,
        span: trace.SpanContext,
        *,
        method: str,
        route: str,
        path: str,
        status: int,
        seconds: float,
        request_id: str,
    ) -> None:
        """Write what became of one request, whose *path* and id may be anything."""
        if not self._wanted:
            return
        for word in self._words():
            path, request_id = path.replace(word, _MASK), request_id.replace(word, _MASK)
        line = _AccessLine(
            timestamp=rfc3339_now(),
            plugin=self._name,
            version=self._version,
            trace_id=f"{span.trace_id:032x}",
            span_id=f"{span.span_id:016x}",
            method=method,
            route=route,
            path=path,
            status=status,
            ms=round(seconds * 1000, 3),
            request_id=request_id,
        )
        self._output.msg(_encoder.encode(line).decode())


class _AccessLine(
    msgspec.Struct, kw_only=True, rename={"plugin": "plugin.name", "version": "plugin.version"}
):
    """The seven fields of the specification, and what is told of a request."""

    timestamp: str
    level: str = "info"
    plugin: str
    version: str
    trace_id: str
    span_id: str
    msg: str = "request"
    method: str
    route: str
    path: str
    status: int
    ms: float
    request_id: str


def secret_words(settings: FrameSettings) -> Words:
    """Return a function that lists every secret word of *settings* as it is now."""
    fields = [getattr(settings, field) for field in settings.__struct_fields__]
    secrets = [value for value in fields if isinstance(value, Secret)]
    return lambda: (
        word for secret in secrets for word in secret.last if len(word) >= _SHORTEST_SECRET
    )


def redact(words: Words) -> Callable[[Any, str, Event], Event]:
    """Return a processor that masks secret words, and whatever stands under a telling key."""

    def processor(_logger: Any, _method: str, event: Event) -> Event:
        present = tuple(words())
        for key, value in event.items():
            event[key] = _masked(key, value, present)
        return event

    return processor


def _masked(key: str, value: Any, words: tuple[str, ...]) -> Any:
    if _is_telling(key):
        return _MASK
    if isinstance(value, str):
        for word in words:
            value = value.replace(word, _MASK)
        return value
    if isinstance(value, dict):
        return {name: _masked(str(name), item, words) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_masked("", item, words) for item in value]
    if isinstance(value, int | float | bool | None):
        return value
    return _masked("", str(value), words)


@functools.lru_cache(maxsize=1024)
def _is_telling(key: str) -> bool:
    return any(telling in key.lower() for telling in _SECRET_KEYS)


def _contract_fields(name: str, version: str) -> Callable[[Any, str, Event], Event]:
    """Return a processor that puts the seven fields of the specification first."""

    def processor(_logger: Any, method: str, event: Event) -> Event:
        span = trace.get_current_span().get_span_context()
        level = event.pop("level", method)
        return {
            "timestamp": rfc3339_now(),
            "level": "warn" if level == "warning" else level,
            "plugin.name": name,
            "plugin.version": version,
            "trace_id": f"{span.trace_id:032x}" if span.is_valid else "",
            "span_id": f"{span.span_id:016x}" if span.is_valid else "",
            "msg": event.pop("event", ""),
            **event,
        }

    return processor


def _as_json(_logger: Any, _method: str, event: Event) -> str:
    return _encoder.encode(event).decode("utf-8")


class _StandardOutput:
    """A sink for both structlog and logging that looks standard output up at each line."""

    def __init__(self, *_names: Any) -> None:
        self.debug = self.info = self.warning = self.error = self.critical = self.msg

    def msg(self, line: str) -> None:
        """Write one line."""
        self.write(line + "\n")

    def write(self, text: str) -> None:
        """Write *text* in one piece, so that lines of two threads do not mix."""
        sys.stdout.write(text)

    def flush(self) -> None:
        """Hand what was written to the operating system."""
        sys.stdout.flush()
