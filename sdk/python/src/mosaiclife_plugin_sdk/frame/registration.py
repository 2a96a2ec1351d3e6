"""Register with core, and keep being registered (spec §10; design: Registration)."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog
from litestar import Request, Response, post
from litestar.handlers import HTTPRouteHandler

from mosaiclife_plugin_sdk.client import AsyncCoreClient, Registration
from mosaiclife_plugin_sdk.errors import CoreRefused, CoreUnreachable, SDKError
from mosaiclife_plugin_sdk.frame.bodies import ok
from mosaiclife_plugin_sdk.frame.lifecycle import Lifecycle
from mosaiclife_plugin_sdk.jobs import Job

log = structlog.stdlib.get_logger(__name__)

FIRST_RETRY, LONGEST_RETRY = 0.25, 30.0
LONGEST_RETRY_AFTER = 300.0
DISABLED_POLL = 30.0
LOOK_SECONDS = 0.5
# With these core has understood us and says no: asking again unchanged would only be noise.
FINAL = frozenset({401, 403, 409, 422})

Body = Callable[[], dict[str, Any]]
Accepted = Callable[[Registration], Awaitable[None]]


class Backoff:
    """Ever longer waits with full jitter, so that a hundred plugins do not knock at once."""

    def __init__(self, random_share: Callable[[], float] = random.random) -> None:
        self._share = random_share
        self._next = FIRST_RETRY

    def wait(self, at_least: float | None = None) -> float:
        """Return how long to wait now; *at_least* is what the other side asked for."""
        ceiling, self._next = self._next, min(self._next * 2, LONGEST_RETRY)
        jittered = ceiling * (0.5 + self._share() / 2)
        return max(jittered, min(at_least or 0.0, LONGEST_RETRY_AFTER))

    def reset(self) -> None:
        """Begin again with the shortest wait."""
        self._next = FIRST_RETRY


class Registrar:
    """The one task that speaks with core about the plugin itself."""

    def __init__(
        self,
        core: AsyncCoreClient,
        lifecycle: Lifecycle,
        body: Body,
        token: Callable[[], str | None],
        *,
        interval: float,
        on_accepted: Accepted,
        backoff: Backoff | None = None,
    ) -> None:
        self._core = core
        self._lifecycle = lifecycle
        self._body = body
        self._token = token
        self._interval = interval
        self._on_accepted = on_accepted
        self._backoff = backoff or Backoff()
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Register now; call it on the event loop."""
        self._wake.set()

    async def run(self) -> None:
        """Register, wait for what the outcome asks for, and again, for ever."""
        while True:
            self._wake.clear()
            tried_with = self._token()
            wait = await self._attempt(tried_with)
            await self._sleep(wait, tried_with)

    async def _attempt(self, token: str | None) -> float | None:
        """Try once; return the seconds until the next try, None for only when woken."""
        if not token:
            self._lifecycle.trying("REG_TOKEN is missing")
            return None
        self._lifecycle.first_try()
        try:
            answer = await self._core.register(self._body())
            if answer.state == "Disabled":
                return self._stand_by("core has disabled the plugin")
            self._lifecycle.accepted(answer.core.version)
            self._backoff.reset()
            await self._on_accepted(answer)
        except CoreRefused as refusal:
            return self._refused(refusal)
        except CoreUnreachable as error:
            self._lifecycle.core_failed(f"core cannot be reached: {error}")
            return self._backoff.wait()
        return self._interval

    def _refused(self, refusal: CoreRefused) -> float | None:
        reason = "; ".join([str(refusal), *(item.get("message", "") for item in refusal.details)])
        if refusal.code == "PLUGIN_DISABLED":
            return self._stand_by(reason)
        if refusal.status in FINAL:
            log.error("core refuses the registration", reason=reason)
            self._lifecycle.trying(reason)
            return None
        self._lifecycle.core_failed(reason)
        return self._backoff.wait(refusal.retry_after)

    def _stand_by(self, reason: str) -> float:
        self._lifecycle.disabled(reason)
        return DISABLED_POLL

    async def _sleep(self, seconds: float | None, tried_with: str | None) -> None:
        """Wait until time is up, somebody wakes us, or another token lies in the file."""
        loop = asyncio.get_running_loop()
        until = None if seconds is None else loop.time() + seconds
        while not self._wake.is_set() and self._token() == tried_with:
            left = LOOK_SECONDS if until is None else min(LOOK_SECONDS, until - loop.time())
            if left <= 0:
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), left)


class JobHandover:
    """Give the schedules to core when it fires them, and keep them when it does not."""

    def __init__(
        self, core: AsyncCoreClient, jobs: Sequence[Job], fire_here: Callable[[bool], None]
    ) -> None:
        self._core = core
        self._jobs = jobs
        self._fire_here = fire_here

    async def __call__(self, answer: Registration) -> None:
        """Act on what *answer* says of the scheduler; a job that core refuses is fired here."""
        if not answer.scheduler:
            self._fire_here(True)
            return
        try:
            for job in self._jobs:
                await self._core.register_job(job.spec())
        except SDKError as error:
            log.warning("core did not take a schedule", reason=str(error))
            self._fire_here(True)
        else:
            self._fire_here(False)


def register_route(registrar: Registrar | None, lifecycle: Lifecycle) -> HTTPRouteHandler:
    """Return `POST /register`: begin a registration now, also after a refusal (spec §8.2)."""

    @post("/register", status_code=202, sync_to_thread=False, summary="Register with core now")
    def register(request: Request[Any, Any, Any]) -> Response[Any]:
        if registrar is not None:
            registrar.wake()
        data = {"state": lifecycle.state, "reason": lifecycle.reason}
        return ok(request, data, status=202)

    return register
