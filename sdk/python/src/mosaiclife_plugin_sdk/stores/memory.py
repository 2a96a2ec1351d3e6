"""Keep the frame's memory in this process: for tests, and for plugins without a database."""

# ruff: noqa: ARG002 - there is no transaction to join: `connection` is the port's, not used here

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from .base import Recorded, Run, Stores, Trigger


def memory_stores() -> Stores:
    """Return stores that forget everything when the process ends."""
    return Stores(MemoryRunStore(), MemoryLeases(), MemoryDeliveryLog())


class MemoryRunStore:
    """Runs in a dictionary."""

    def __init__(self) -> None:
        """Begin empty."""
        self._lock = threading.RLock()
        self._runs: dict[str, Run] = {}
        self._keys: dict[tuple[str, str | None, str], str] = {}

    @contextmanager
    def unit(self) -> Iterator[None]:
        """Keep other threads out; there is nothing to roll back to."""
        with self._lock:
            yield

    def add(self, run: Run, *, connection: Any = None) -> Run:
        """Keep *run*, or return the run that already has its job, tenant and key."""
        with self._lock:
            if run.key is not None:
                key = (run.job, run.tenant, run.key)
                if known := self._keys.get(key):
                    return self._runs[known]
                self._keys[key] = run.id
            self._runs[run.id] = run
            return run

    def save(self, run: Run, *, connection: Any = None) -> bool:
        """Replace a run that is still active; return False when it has ended or is gone."""
        with self._lock:
            known = self._runs.get(run.id)
            if known is None or not known.active:
                return False
            self._runs[run.id] = run
            return True

    def get(self, run_id: str, *, connection: Any = None) -> Run | None:
        """Return one run."""
        with self._lock:
            return self._runs.get(run_id)

    def by_key(
        self, job: str, tenant: str | None, key: str, *, connection: Any = None
    ) -> Run | None:
        """Return the run that was started under *key*."""
        with self._lock:
            known = self._keys.get((job, tenant, key))
            return None if known is None else self._runs[known]

    def active(
        self, job: str | None = None, tenant: str | None = None, *, connection: Any = None
    ) -> Sequence[Run]:
        """Return the runs that have not ended: all, or those of one job and tenant."""
        return [
            run
            for run in self._newest_first()
            if run.active and (job is None or (run.job, run.tenant) == (job, tenant))
        ]

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
        return [
            run
            for run in self._newest_first()
            if run.tenant == tenant
            and (job is None or run.job == job)
            and (before is None or run.id < before)
        ][:limit]

    def last_scheduled(self, job: str, tenant: str | None, *, connection: Any = None) -> Run | None:
        """Return the newest run that a schedule started."""
        scheduled = (
            run
            for run in self._newest_first()
            if (run.job, run.tenant, run.trigger) == (job, tenant, "schedule")
        )
        return next(scheduled, None)

    def purge(
        self, before: datetime, *, trigger: Trigger | None = None, connection: Any = None
    ) -> int:
        """Forget ended runs created earlier than *before* (of one trigger); return how many."""
        with self._lock:
            old = [
                run
                for run in self._runs.values()
                if not run.active and run.created_at < before and trigger in (None, run.trigger)
            ]
            for run in old:
                del self._runs[run.id]
                if run.key is not None:
                    del self._keys[(run.job, run.tenant, run.key)]
            return len(old)

    def _newest_first(self) -> list[Run]:
        with self._lock:
            return sorted(self._runs.values(), key=lambda run: run.id, reverse=True)


class MemoryLeases:
    """Leases in a dictionary: enough for one process."""

    def __init__(self) -> None:
        """Begin with every name free."""
        self._lock = threading.Lock()
        self._held: dict[str, tuple[str, datetime]] = {}

    def acquire(
        self, name: str, holder: str, *, now: datetime, until: datetime, connection: Any = None
    ) -> bool:
        """Take a name that is free, expired or already one's own."""
        with self._lock:
            if self._owner(name, now) not in (None, holder):
                return False
            self._held[name] = (holder, until)
            return True

    def renew(
        self, name: str, holder: str, *, now: datetime, until: datetime, connection: Any = None
    ) -> bool:
        """Keep a name; return False when it expired or went to another."""
        with self._lock:
            if self._owner(name, now) != holder:
                return False
            self._held[name] = (holder, until)
            return True

    def release(self, name: str, holder: str, *, connection: Any = None) -> None:
        """Give a name back; one that is not one's own is left alone."""
        with self._lock:
            if name in self._held and self._held[name][0] == holder:
                del self._held[name]

    def holder(self, name: str, *, now: datetime, connection: Any = None) -> str | None:
        """Return who owns a name at this moment."""
        with self._lock:
            return self._owner(name, now)

    def _owner(self, name: str, now: datetime) -> str | None:
        holder, until = self._held.get(name, (None, now))
        return holder if until > now else None


class MemoryDeliveryLog:
    """Recorded answers in a dictionary."""

    def __init__(self) -> None:
        """Begin empty."""
        self._lock = threading.Lock()
        self._answers: dict[tuple[str, str], Recorded] = {}

    def get(self, tenant: str, webhook_id: str, *, connection: Any = None) -> Recorded | None:
        """Return the recorded answer."""
        with self._lock:
            return self._answers.get((tenant, webhook_id))

    def put(self, answer: Recorded, *, connection: Any = None) -> Recorded:
        """Record an answer and return the one that stands: the first."""
        with self._lock:
            return self._answers.setdefault((answer.tenant, answer.webhook_id), answer)

    def put_all(self, answers: Sequence[Recorded], *, connection: Any = None) -> Sequence[Recorded]:
        """Record several answers, and return for each the one that stands."""
        return [self.put(answer, connection=connection) for answer in answers]

    def purge(self, before: datetime, *, connection: Any = None) -> int:
        """Forget answers recorded earlier than *before*; return how many."""
        with self._lock:
            old = [key for key, kept in self._answers.items() if kept.recorded_at < before]
            for key in old:
                del self._answers[key]
            return len(old)
