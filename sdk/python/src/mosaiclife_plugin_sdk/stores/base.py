"""Name the ports through which the frame remembers (design §2).

One behaviour suite runs over every implementation. Methods are synchronous; the frame
calls them from worker threads. Each takes an optional `connection`: the SQL stores then
join that transaction instead of opening one of their own, so that a plugin can make its
own write and the frame's one thing. Stores in memory ignore it.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

import msgspec

State = Literal["queued", "running", "succeeded", "failed", "cancelled", "interrupted"]
Trigger = Literal["request", "schedule", "poke"]
_BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ACTIVE: frozenset[State] = frozenset({"queued", "running"})


class Progress(msgspec.Struct, frozen=True):
    """How far a run has come."""

    done: int = 0
    total: int | None = None
    message: str = ""


class Run(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One execution of one job; times are UTC."""

    id: str = msgspec.field(name="runId")
    job: str
    tenant: str | None = msgspec.field(default=None, name="tenantId")
    key: str | None = None
    trigger: Trigger = "request"
    state: State = "queued"
    progress: Progress = Progress()
    result: Any = None
    error: str | None = None
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def active(self) -> bool:
        """Tell whether the run still occupies its job."""
        return self.state in ACTIVE

    @property
    def slot(self) -> str:
        """Return what only one run may occupy at a time: the job, for its tenant."""
        return slot_of(self.job, self.tenant)


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """The answer that a delivery got the first time."""

    tenant: str
    webhook_id: str
    status: int
    data: bytes
    recorded_at: datetime


class RunStore(Protocol):
    """Remember runs. Ids ascend with time, so that the newest come first in a listing."""

    def unit(self) -> AbstractContextManager[Any]:
        """Open a unit of work; pass what it yields as `connection` to any port."""

    def add(self, run: Run, *, connection: Any = None) -> Run:
        """Keep *run*, or return the run that already has its job, tenant and key."""

    def save(self, run: Run, *, connection: Any = None) -> bool:
        """Replace a run that is still active; return False when it has ended or is gone."""

    def get(self, run_id: str, *, connection: Any = None) -> Run | None:
        """Return one run."""

    def by_key(
        self, job: str, tenant: str | None, key: str, *, connection: Any = None
    ) -> Run | None:
        """Return the run that was started under *key*."""

    def active(
        self, job: str | None = None, tenant: str | None = None, *, connection: Any = None
    ) -> Sequence[Run]:
        """Return the runs that have not ended: all, or those of one job and tenant."""

    def page(
        self,
        *,
        tenant: str | None,
        before: str | None = None,
        limit: int = 20,
        job: str | None = None,
        connection: Any = None,
    ) -> Sequence[Run]:
        """Return runs of one tenant (None: of the instance), newest first, older than *before*."""

    def last_scheduled(self, job: str, tenant: str | None, *, connection: Any = None) -> Run | None:
        """Return the newest run that a schedule started."""

    def purge(
        self, before: datetime, *, trigger: Trigger | None = None, connection: Any = None
    ) -> int:
        """Forget ended runs created earlier than *before* (of one trigger); return how many."""


class Leases(Protocol):
    """Let one holder at a time own a name, for as long as it keeps saying so."""

    def acquire(
        self, name: str, holder: str, *, now: datetime, until: datetime, connection: Any = None
    ) -> bool:
        """Take a name that is free, expired or already one's own."""

    def renew(
        self, name: str, holder: str, *, now: datetime, until: datetime, connection: Any = None
    ) -> bool:
        """Keep a name; return False when it expired or went to another."""

    def release(self, name: str, holder: str, *, connection: Any = None) -> None:
        """Give a name back; one that is not one's own is left alone."""

    def holder(self, name: str, *, now: datetime, connection: Any = None) -> str | None:
        """Return who owns a name at this moment."""


class DeliveryLog(Protocol):
    """Remember the answer to each delivery, so that a repeated one gets the same."""

    def get(self, tenant: str, webhook_id: str, *, connection: Any = None) -> Recorded | None:
        """Return the recorded answer."""

    def put(self, answer: Recorded, *, connection: Any = None) -> Recorded:
        """Record an answer and return the one that stands: the first."""

    def put_all(self, answers: Sequence[Recorded], *, connection: Any = None) -> Sequence[Recorded]:
        """Record several answers, and return for each the one that stands."""

    def purge(self, before: datetime, *, connection: Any = None) -> int:
        """Forget answers recorded earlier than *before*; return how many."""


@dataclass(frozen=True, slots=True)
class Stores:
    """The three ports of one place."""

    runs: RunStore
    leases: Leases
    deliveries: DeliveryLog


def new_run_id(now: datetime) -> str:
    """Make an id that sorts by time: 48 bits of milliseconds and 80 random ones, base 32."""
    value = (int(now.timestamp() * 1000) << 80) | secrets.randbits(80)
    return "".join(_BASE32[(value >> shift) & 31] for shift in range(125, -1, -5))


def slot_of(job: str, tenant: str | None) -> str:
    """Name the place that one job takes for one tenant; `-` is the instance."""
    return f"{job}@{tenant or '-'}"
