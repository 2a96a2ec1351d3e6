"""Describe background work: what a plugin declares and what its functions receive (spec §4).

Nothing here knows a framework, a store or a clock. The frame's runner gives these
descriptions life.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import msgspec

from mosaiclife_plugin_sdk.cron import Cron

Scope = Literal["instance", "tenant"]


@dataclass(frozen=True, slots=True)
class JobContext:
    """What a running job may ask of the frame; every call is safe from any thread."""

    run_id: str
    params: Any
    tenant: str | None
    report: Callable[[int, int | None, str], None]
    is_cancelled: Callable[[], bool]
    send: Callable[[str, dict[str, Any]], None]

    def progress(self, done: int, total: int | None = None, message: str = "") -> None:
        """Say how far the work has come; shown while it runs and kept afterwards."""
        self.report(done, total, message)

    def cancelled(self) -> bool:
        """Tell whether somebody asked this run to stop; a long job asks now and then."""
        return self.is_cancelled()

    def publish(self, topic: str, payload: dict[str, Any]) -> None:
        """Hand an event to core without waiting for it; a failure is logged, not raised.

        A job's own work must not fail because core is away for a moment.
        """
        self.send(topic, payload)


@dataclass(frozen=True, slots=True)
class Job:
    """One kind of background work, declared once for the API, the scheduler and core.

    `run` is a coroutine function, or a plain function that the frame runs in a worker
    thread. What it returns becomes the run's result and must be JSON.
    """

    name: str
    description: str
    run: Callable[[JobContext], Any]
    schedule: str | None = None
    timezone: str = "UTC"
    scope: Scope = "instance"
    params: type[msgspec.Struct] | None = None
    debounce: float = 0.5

    def __post_init__(self) -> None:
        """Refuse a schedule that could never fire where it is written, not at night."""
        if self.schedule is not None:
            Cron.parse(self.schedule, self.timezone)

    def cron(self) -> Cron | None:
        """Return the parsed schedule, or nothing for a job that only starts when asked."""
        return None if self.schedule is None else Cron.parse(self.schedule, self.timezone)

    def spec(self) -> dict[str, Any]:
        """Return the job as core's scheduler wants it (`PUT /api/plugins/-/jobs/{name}`)."""
        return {
            "name": self.name,
            "description": self.description,
            "schedule": self.schedule,
            "timezone": self.timezone,
            "scope": self.scope,
            "params": None if self.params is None else _schema(self.params),
        }


@cache
def _schema(params: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the JSON Schema of a job's parameters, found out once: whoever lists jobs waits."""
    return msgspec.json.schema(params)
