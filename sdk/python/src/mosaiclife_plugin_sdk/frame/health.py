"""Answer the probes: alive, and ready with each check by its name (spec §8.2, §16)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from mosaiclife_plugin_sdk.app import Check, CheckDegraded, CheckFailed
from mosaiclife_plugin_sdk.errors import ServiceUnavailable
from mosaiclife_plugin_sdk.frame.bodies import ok, problem, request_id
from mosaiclife_plugin_sdk.manifest import Manifest

log = structlog.stdlib.get_logger(__name__)

CHECK_SECONDS = 2.0

Monotonic = Callable[[], float]


class CheckResult(msgspec.Struct, frozen=True):
    """What one check found; a reason beside a yes is a reservation."""

    name: str
    ok: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What all checks found together."""

    results: tuple[CheckResult, ...]

    @property
    def ready(self) -> bool:
        """Tell whether every check passed."""
        return all(result.ok for result in self.results)

    @property
    def degraded(self) -> bool:
        """Tell whether calls may come, but somebody should look at something."""
        return self.ready and any(result.reason for result in self.results)

    @property
    def status(self) -> str:
        """Return the verdict in a word."""
        if not self.ready:
            return "not ready"
        return "degraded" if self.degraded else "ready"

    @property
    def failed(self) -> list[CheckResult]:
        """Return the checks that did not pass."""
        return [result for result in self.results if not result.ok]


class Tolerant:
    """A check that may fail for a while before it counts.

    A store that is away for a moment answers 503 by itself; taking the whole plugin out of
    service would be the larger fault. Until its first success it has no such credit.
    """

    def __init__(
        self, check: Check, grace_seconds: float = 10.0, *, monotonic: Monotonic = time.monotonic
    ) -> None:
        self._check = check
        self._grace = grace_seconds
        self._now = monotonic
        self._good_at: float | None = None

    async def __call__(self) -> None:
        """Run the check; raise only when it has not passed for the whole grace."""
        try:
            await self._check()
        except CheckFailed:
            if self._good_at is None or self._now() - self._good_at >= self._grace:
                raise
        else:
            self._good_at = self._now()


class Readiness:
    """Every check of the plugin, and the wish to stop, in one verdict."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = dict(checks)
        self.draining = False

    async def verdict(self) -> Verdict:
        """Run all checks at once; one that hangs has failed."""
        if self.draining:
            return Verdict((CheckResult("draining", False, "the process is stopping"),))
        found = await asyncio.gather(*(_run(name, run) for name, run in self._checks.items()))
        return Verdict(tuple(found))


async def _run(name: str, check: Check) -> CheckResult:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await check()
    except CheckFailed as failure:
        return CheckResult(name, False, str(failure))
    except CheckDegraded as reservation:
        return CheckResult(name, True, str(reservation))
    except TimeoutError:
        return CheckResult(name, False, f"no answer within {CHECK_SECONDS:g} s")
    except Exception:  # a check of the plugin's own: its bug is a red check, not a dead probe
        log.exception("readiness check crashed", check=name)
        return CheckResult(name, False, "the check itself failed; the log has the reason")
    return CheckResult(name, True)


def health_routes(
    manifest: Manifest, readiness: Readiness, outlook: Callable[[], Mapping[str, Any]]
) -> list[HTTPRouteHandler]:
    """Return the two probes at the paths that *manifest* names.

    *outlook* is information about the plugin and core, and never turns a probe red.
    """

    @get(
        manifest.health.liveness_path,
        opt={"public": True},
        sync_to_thread=False,
        summary="Whether the process lives",
    )
    def alive(request: Request[Any, Any, Any]) -> Response[Any]:
        return ok(request, {"status": "alive"})

    @get(
        manifest.health.readiness_path,
        opt={"public": True, "errors": (503,)},
        summary="Whether calls may come, and each check by name",
    )
    async def ready(request: Request[Any, Any, Any]) -> Response[Any]:
        verdict = await readiness.verdict()
        data = {"status": verdict.status, "checks": verdict.results, **outlook()}
        if verdict.ready:
            return ok(request, data)
        details = [{"field": red.name, "message": red.reason} for red in verdict.failed]
        error = ServiceUnavailable("The plugin is not ready.", details=details)
        body = problem(error, request_id(request.scope))
        return Response({**body, "data": data}, status_code=error.status)

    return [alive, ready]
