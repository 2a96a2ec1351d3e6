"""Write JSON lines with the fields of spec §8.5, and no secret in any of them."""

from __future__ import annotations

import asyncio
import functools
import logging
import sys
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from contextlib import contextmanager
from threading import RLock
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
        logger_factory=lambda *_names: _OUTPUT,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(_OUTPUT)
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
        self._plugin = f'"plugin.name":{_text(name)},"plugin.version":{_text(version)}'
        self._wanted = _LEVELS[settings.log_level] <= _LEVELS["info"]
        self._words = secret_words(settings)

    def write(
        self,
        names: tuple[str, str],
        *,
        method: str,
        route: str,
        path: str,
        status: int,
        seconds: float,
        request_id: str,
    ) -> None:
        """Write what became of one request, whose *path* and id may be anything.

        *names* are the ids of its trace and its span.
        """
        if not self._wanted:
            return
        for word in self._words():
            if word in path or word in request_id:
                path, request_id = path.replace(word, _MASK), request_id.replace(word, _MASK)
        trace, span = names
        # The seven fields of the specification, and what is told of a request.
        _OUTPUT.soon(
            f'{{"timestamp":"{rfc3339_now()}","level":"info",{self._plugin},"trace_id":"{trace}",'
            f'"span_id":"{span}","msg":"request","method":"{method}","route":{_text(route)},'
            f'"path":{_text(path)},"status":{status},"ms":{seconds * 1000:.3f},'
            f'"request_id":{_encoder.encode(request_id).decode()}}}\n'
        )


@functools.lru_cache(maxsize=256)
def _text(value: str) -> str:
    """Write *value* as JSON."""
    return _encoder.encode(value).decode()


def secret_words(settings: FrameSettings) -> Words:
    """Return a function that lists every secret word of *settings* as it is now."""
    fields = [getattr(settings, field) for field in settings.__struct_fields__]
    secrets = [value for value in fields if isinstance(value, Secret)]
    # A rotation brings other words, but each line asks.
    return lambda: _long_enough(tuple([secret.last for secret in secrets]))


@functools.lru_cache(maxsize=4)
def _long_enough(held: tuple[tuple[str, ...], ...]) -> list[str]:
    return [word for words in held for word in words if len(word) >= _SHORTEST_SECRET]


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
    """Standard output, looked up at each writing; a sink for both structlog and logging.

    To write is dear, and lets other threads take the interpreter: where an event loop is served,
    what can wait goes out once in each of its turns.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: list[str] = []
        self._lock = RLock()
        self.debug = self.info = self.warning = self.error = self.critical = self.msg

    def msg(self, line: str) -> None:
        """Write one line."""
        self.write(line + "\n")

    def write(self, text: str) -> None:
        """Write *text* after all that waits, in one piece: lines of two threads do not mix."""
        with self._lock:
            before = self._waiting[:]
            del self._waiting[: len(before)]
            sys.stdout.write("".join([*before, text]))

    def soon(self, text: str) -> None:
        """Write *text* before the loop comes round, if there is one, and else at once."""
        if self._loop is None:
            self.write(text)
            return
        self._waiting.append(text)
        if len(self._waiting) == 1:
            self._loop.call_soon(self.finish)

    def follow(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Let lines that can wait go out with the turns of *loop*."""
        self._loop = loop
        self.finish()

    def finish(self) -> None:
        """Write what waits."""
        if self._waiting:
            self.write("")

    def flush(self) -> None:
        """Hand what was written to the operating system."""
        sys.stdout.flush()


_OUTPUT = _StandardOutput()


@contextmanager
def lines_in_turns(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Write access lines once in each turn of *loop*, whose thread alone writes them."""
    _OUTPUT.follow(loop)
    try:
        yield
    finally:
        _OUTPUT.follow(None)


def finish_lines() -> None:
    """Write the lines that wait for the end of a turn which will not come."""
    _OUTPUT.finish()
