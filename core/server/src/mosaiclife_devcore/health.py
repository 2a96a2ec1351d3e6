"""Gate a plugin on its own word: `/readyz` green and a remote that answers (spec §10, §16)."""

from __future__ import annotations

import asyncio
from collections import Counter

import httpx
import msgspec
import structlog

from mosaiclife_devcore.errors import CoreError
from mosaiclife_devcore.outbound import Reply, call
from mosaiclife_devcore.registry import ActiveUI, Plugin, Registration, Registry, State
from mosaiclife_devcore.remotes import RemoteFault, Remotes

log = structlog.get_logger(__name__)

PROBE_SECONDS = 2.0
STRIKES = 3
SIGHTINGS = 3


class NotReady(Exception):
    """The plugin may not be shown now, and why."""


class HealthGate:
    """One watcher per plugin: each second until it is green, then slower."""

    def __init__(
        self,
        registry: Registry,
        remotes: Remotes,
        http: httpx.AsyncClient,
        *,
        poll: float = 1.0,
        steady: float = 5.0,
    ) -> None:
        self._registry = registry
        self._remotes = remotes
        self._http = http
        self._poll, self._steady = poll, steady
        self._watchers: dict[str, asyncio.Task[None]] = {}
        self._wakes: dict[str, asyncio.Event] = {}
        self._strikes: Counter[str] = Counter()
        self._sightings: Counter[str] = Counter()

    def watch(self, plugin: Plugin) -> None:
        """Check *plugin* now and from now on."""
        self._wakes.setdefault(plugin.id, asyncio.Event()).set()
        if plugin.id not in self._watchers:
            self._watchers[plugin.id] = asyncio.create_task(self._keep_watching(plugin))

    async def stop(self) -> None:
        """End all watchers."""
        for watcher in self._watchers.values():
            watcher.cancel()
        await asyncio.gather(*self._watchers.values(), return_exceptions=True)

    async def check(self, plugin: Plugin) -> None:
        """Look at the plugin once and move it to the state that it shows."""
        registration = plugin.current
        if registration is None or plugin.state is State.DISABLED:
            return
        try:
            await self._probe_ready(registration)
            registration = await self._consider(plugin, registration)
            ui = await self._remotes.look(plugin.id, registration)
        except (NotReady, RemoteFault, CoreError) as fault:
            self._failed(plugin, str(fault))
        else:
            self._passed(plugin, registration, ui)

    async def _keep_watching(self, plugin: Plugin) -> None:
        wake = self._wakes[plugin.id]
        while True:
            wake.clear()
            await self.check(plugin)
            calm = plugin.state is State.READY and plugin.candidate is None
            try:
                async with asyncio.timeout(self._steady if calm else self._poll):
                    await wake.wait()
            except TimeoutError:
                continue

    async def _probe_ready(self, registration: Registration) -> None:
        path = registration.manifest.health.readiness_path
        reply = await self._get(registration, path)
        if reply.status != 200:
            raise NotReady(f"{path} answers {reply.status}{_failing(reply.body)}")

    async def _consider(self, plugin: Plugin, current: Registration) -> Registration:
        """Promote a waiting version that `/manifest` has named three times running."""
        candidate = plugin.candidate
        if candidate is None:
            self._sightings.pop(plugin.id, None)
            return current
        reply = await self._get(candidate, "/manifest")
        if _version(reply.body) != candidate.version:
            self._sightings[plugin.id] = 0
            return current
        self._sightings[plugin.id] += 1
        if self._sightings[plugin.id] < SIGHTINGS:
            return current
        # Its remote must answer before the old one goes.
        await self._remotes.look(plugin.id, candidate)
        self._registry.promote(plugin, candidate)
        return candidate

    async def _get(self, registration: Registration, path: str) -> Reply:
        url = registration.url(path)
        return await call(self._http, "GET", url, seconds=PROBE_SECONDS, limit=1 << 20)

    def _passed(self, plugin: Plugin, registration: Registration, ui: ActiveUI) -> None:
        # Somebody may have switched it off, or it may have registered anew, in the meantime.
        if plugin.state is State.DISABLED or plugin.current != registration:
            return
        self._strikes[plugin.id] = 0
        if plugin.state is not State.READY:
            log.info("plugin_ready", plugin=plugin.id, version=registration.version)
        self._registry.show(plugin, ui)
        self._registry.move(plugin, State.READY)

    def _failed(self, plugin: Plugin, reason: str) -> None:
        if plugin.state is State.DISABLED:
            return
        self._strikes[plugin.id] += 1
        if plugin.state is State.REGISTERING:
            self._registry.move(plugin, State.REGISTERING, reason)
        elif self._strikes[plugin.id] >= STRIKES:
            if plugin.state is not State.DEGRADED:
                log.warning("plugin_degraded", plugin=plugin.id, reason=reason)
            self._registry.move(plugin, State.DEGRADED, reason)


def _failing(body: bytes) -> str:
    """Return the names of the failing checks, where the body tells them."""
    try:
        document = msgspec.json.decode(body)
        checks = document["data"]["checks"] if "data" in document else document["checks"]
        names = sorted(name for name, check in checks.items() if not _is_ok(check))
    except (msgspec.MsgspecError, KeyError, TypeError, AttributeError):
        return ""
    return f": {', '.join(names)}" if names else ""


def _is_ok(check: object) -> bool:
    status = check.get("status", check.get("ok")) if isinstance(check, dict) else check
    return status in (True, "ok", "pass", "up")


def _version(body: bytes) -> object:
    try:
        document = msgspec.json.decode(body)
    except msgspec.MsgspecError:
        return None
    if isinstance(document, dict):
        inner = document.get("data", document)
        return inner.get("version") if isinstance(inner, dict) else None
    return None
