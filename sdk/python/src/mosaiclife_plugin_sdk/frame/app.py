"""Put the parts of the frame together: the only module that knows all of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from functools import partial
from typing import Any

import httpx
import structlog
from litestar import Litestar, Router
from litestar.datastructures import State as AppState
from litestar.di import Provide
from litestar.enums import OpenAPIMediaType, ScopeType
from litestar.openapi import OpenAPIConfig
from litestar.types import (
    LifeSpanReceive,
    LifeSpanScope,
    LifeSpanSend,
    Receive,
    Scope,
    Send,
)

from mosaiclife_plugin_sdk.allowlist import AllowList
from mosaiclife_plugin_sdk.app import Check, CheckFailed, PluginApp
from mosaiclife_plugin_sdk.client import AsyncCoreClient, CoreClient, Registration, tls
from mosaiclife_plugin_sdk.clock import Clock, utc_now
from mosaiclife_plugin_sdk.egress import AsyncEgressClient, Egress, EgressClient, EgressRules
from mosaiclife_plugin_sdk.frame.auth import (
    bearer_guard,
    context_guard,
    json_guard,
    provide_tenant,
    provide_viewer,
)
from mosaiclife_plugin_sdk.frame.dependencies import resolve_in_turn
from mosaiclife_plugin_sdk.frame.edge import Edge
from mosaiclife_plugin_sdk.frame.grants import GrantsHeld
from mosaiclife_plugin_sdk.frame.health import Readiness, health_routes
from mosaiclife_plugin_sdk.frame.housekeeping import DeliveryPurge
from mosaiclife_plugin_sdk.frame.jobs import JobRunner
from mosaiclife_plugin_sdk.frame.jobs_http import job_routes
from mosaiclife_plugin_sdk.frame.lane import Lane
from mosaiclife_plugin_sdk.frame.lifecycle import Lifecycle
from mosaiclife_plugin_sdk.frame.logs import AccessLog, configure_logs
from mosaiclife_plugin_sdk.frame.loop_lag import LoopLag
from mosaiclife_plugin_sdk.frame.manifest import manifest_route
from mosaiclife_plugin_sdk.frame.metrics import Metrics, metrics_route
from mosaiclife_plugin_sdk.frame.openapi import ContractDocument
from mosaiclife_plugin_sdk.frame.options import AllowLists
from mosaiclife_plugin_sdk.frame.problems import exception_handlers
from mosaiclife_plugin_sdk.frame.registration import JobHandover, Registrar, register_route
from mosaiclife_plugin_sdk.frame.remote import Bundle, remote_routes
from mosaiclife_plugin_sdk.frame.scheduler import Scheduler
from mosaiclife_plugin_sdk.frame.tracing import AsyncTracedTransport, TracedTransport, Tracing
from mosaiclife_plugin_sdk.frame.webhooks import PATH as DELIVERIES
from mosaiclife_plugin_sdk.frame.webhooks import Deliveries, webhook_route
from mosaiclife_plugin_sdk.settings import FrameSettings
from mosaiclife_plugin_sdk.stores import memory_stores
from mosaiclife_plugin_sdk.versions import FRONTEND_SDK_VERSION, SDK_VERSION

log = structlog.stdlib.get_logger(__name__)

MAX_BODY = 1024 * 1024
WATCH_SECONDS = 5.0
RESTART_SECONDS = 1.0


class FrameApp(Litestar):
    """A Litestar app that meets every HTTP request at the edge, also those no route answers."""

    edge: Edge

    async def __call__(
        self,
        scope: Scope | LifeSpanScope,
        receive: Receive | LifeSpanReceive,
        send: Send | LifeSpanSend,
    ) -> None:
        """Serve one connection of any kind."""
        if scope["type"] == ScopeType.HTTP:
            await self.edge(scope, receive, send)  # type: ignore[arg-type]
        else:
            await super().__call__(scope, receive, send)


def create_app(
    plugin: PluginApp, settings: FrameSettings, *, clock: Clock | None = None
) -> Litestar:
    """Return the whole plugin as an ASGI app: the contract's endpoints and the plugin's own."""
    configure_logs(plugin.name, plugin.version, settings)
    return _Frame(plugin, settings, clock or utc_now).app()


class _Frame:
    """The parts of one running plugin."""

    def __init__(self, plugin: PluginApp, settings: FrameSettings, clock: Clock) -> None:
        self.plugin = plugin
        self.settings = settings
        self.clock = clock
        self.stores = plugin.stores or memory_stores()
        self.metrics = Metrics(plugin.name, plugin.version)
        self.tracing = Tracing(plugin.name, plugin.version, settings)
        self.lifecycle = Lifecycle(self_register=settings.self_register)
        self.bundle = Bundle(settings.ui_bundle_dir)
        self.grants = GrantsHeld(plugin.manifest, settings)
        self.core = self._async_core()
        self.egress = self._egress()
        self.runner = JobRunner(
            plugin.jobs,
            runs=self.stores.runs,
            leases=self.stores.leases,
            clock=clock,
            publish=self.core.publish_event,
            observe=self.metrics,
        )
        self.scheduler = Scheduler(plugin.jobs, self.runner, clock)
        self.core_fires = False
        self.deliver = Deliveries(plugin, settings.webhook_secrets, self.stores.deliveries, clock)
        self.readiness = Readiness(self._checks())
        self.registrar = self._registrar() if settings.self_register else None
        self._watch_metrics()
        plugin.metrics, plugin.runner = self.metrics, self.runner
        plugin.core, plugin.egress = self.core, self.egress

    def app(self) -> Litestar:
        """Return the app, with every route of the contract."""
        app = FrameApp(
            route_handlers=[*self._open_routes(), *self._plugin_routes()],
            guards=[bearer_guard(self._tokens)],
            dependencies={
                "core": Provide(lambda: self.core, sync_to_thread=False),
                "egress": Provide(lambda: self.egress.async_client, sync_to_thread=False),
                "jobs": Provide(lambda: self.runner, sync_to_thread=False),
            },
            exception_handlers=exception_handlers(self.metrics),
            lifespan=[self._lifespan],
            logging_config=None,
            openapi_config=self._openapi(),
            request_max_body_size=MAX_BODY,
            state=AppState(
                {"readiness": self.readiness, "lifecycle": self.lifecycle, "plugin": self.plugin}
            ),
        )
        resolve_in_turn(app)
        app.edge = Edge(
            super(FrameApp, app).__call__,
            self.metrics,
            self.tracing,
            self.settings,
            access=AccessLog(self.plugin.name, self.plugin.version, self.settings),
            allowed=AllowLists(app).of,
        )
        app.state.lane = self._lane(app.edge)
        return app

    def _lane(self, edge: Edge) -> Lane:
        path = self.plugin.manifest.base_path.rstrip("/") + DELIVERIES
        return Lane(path, self.deliver, self._tokens, edge, self.metrics, max_body=MAX_BODY)

    def _tokens(self) -> tuple[str, ...]:
        return self.settings.call_tokens

    def _open_routes(self) -> list[Any]:
        manifest = self.plugin.manifest
        return [
            *health_routes(manifest, self.readiness, self.lifecycle.outlook),
            metrics_route(self.metrics),
            manifest_route(manifest),
            register_route(self.registrar, self.lifecycle),
            *remote_routes(self.bundle, self.settings.ui_remote_path),
        ]

    def _plugin_routes(self) -> list[Router]:
        base = self.plugin.manifest.base_path
        below = Router(
            base,
            route_handlers=[*self.plugin.routes, webhook_route(self.deliver), job_routes("/")],
            guards=[context_guard, json_guard],
            dependencies={
                "tenant": Provide(provide_tenant, sync_to_thread=False),
                "viewer": Provide(provide_viewer, sync_to_thread=False),
            },
        )
        return [below]

    def _openapi(self) -> OpenAPIConfig:
        names = [job.name for job in self.plugin.jobs]
        kind = {OpenAPIMediaType.OPENAPI_JSON.value: {"schema": {"type": "object"}}}
        public = Router("/schema", route_handlers=[], opt={"public": True, "content": kind})
        return OpenAPIConfig(
            title=self.plugin.manifest.title or self.plugin.name,
            version=self.plugin.version,
            openapi_router=public,
            render_plugins=[ContractDocument(self.plugin.manifest.base_path, names)],
        )

    # Core.

    def _async_core(self) -> AsyncCoreClient:
        transport = AsyncTracedTransport(self.tracing, httpx.AsyncHTTPTransport(verify=tls()))
        core = AsyncCoreClient(
            self.settings.core_base_url or "",
            lambda: self.settings.reg_token.value,
            api_prefix=self.settings.core_api_prefix,
            transport=transport,
        )
        core.protocol.permit = self.grants.permits
        return core

    async def _accepted(self, answer: Registration) -> None:
        """Act on a registration: mind what was refused, and settle who fires the schedules."""
        self.grants.note(answer)
        await JobHandover(self.core, self.runner.scheduled(), self._fire_here)(answer)

    def _sync_core(self, on_unknown: Callable[[], None]) -> CoreClient:
        core = CoreClient(
            self.settings.core_base_url or "",
            lambda: self.settings.reg_token.value,
            api_prefix=self.settings.core_api_prefix,
            transport=TracedTransport(self.tracing, httpx.HTTPTransport(verify=tls())),
        )
        core.protocol.permit = self.grants.permits
        core.protocol.on_unknown = on_unknown
        return core

    def _egress(self) -> Egress:
        allowed = AllowList(self.plugin.manifest.permissions.network.egress_allow)
        rules = EgressRules(allowed, self.grants.permits_outside, self.grants.route)
        return Egress(
            EgressClient(rules, wrap=partial(TracedTransport, self.tracing)),
            AsyncEgressClient(rules, wrap=partial(AsyncTracedTransport, self.tracing)),
        )

    def _registrar(self) -> Registrar:
        return Registrar(
            self.core,
            self.lifecycle,
            self._registration_body,
            lambda: self.settings.reg_token.value,
            interval=self.settings.register_interval_seconds,
            on_accepted=self._accepted,
        )

    def _registration_body(self) -> dict[str, Any]:
        """Return what core is told: the manifest, and where service and remote are (spec §10)."""
        return {
            "manifest": self.plugin.manifest.normalised(),
            "serviceUrl": self.settings.public_url,
            "ui": self._remote(),
            "sdk": {"backend": SDK_VERSION, "frontend": FRONTEND_SDK_VERSION},
        }

    def _remote(self) -> dict[str, str]:
        if self.settings.ui_remote_url:
            return {"remoteUrl": self.settings.ui_remote_url}
        plain = self.settings.public_url + self.settings.ui_remote_path
        if (snapshot := self.bundle.current) is None:
            return {"remoteUrl": plain}
        folder, _, entry = plain.rpartition("/")
        return {
            "remoteUrl": f"{folder}/{snapshot.hash}/{entry}",
            "integrity": snapshot.integrity,
        }

    # Readiness and schedules.

    def _checks(self) -> Mapping[str, Check]:
        bundle = self._check_remote_url if self.settings.ui_remote_url else self.bundle.check
        return {"ui": bundle, "scheduler": self._check_scheduler, **self.plugin.checks}

    async def _check_scheduler(self) -> None:
        if not (self.scheduler.running or self.core_fires):
            raise CheckFailed("nobody fires the schedules")

    async def _check_remote_url(self) -> None:
        try:
            async with httpx.AsyncClient(timeout=2.0, verify=tls()) as client:
                answer = await client.head(str(self.settings.ui_remote_url))
        except httpx.HTTPError as error:
            raise CheckFailed(f"UI_REMOTE_URL cannot be reached: {error}") from error
        if not answer.is_success:
            raise CheckFailed(f"UI_REMOTE_URL answers {answer.status_code}")

    def _fire_here(self, here: bool) -> None:
        """Fire the schedules in this process, or leave them to core."""
        self.core_fires = not here
        if here:
            self.scheduler.start()
        else:
            self.scheduler.stop()

    def _watch_metrics(self) -> None:
        self.metrics.watch_queues(self.plugin.queues)
        self.metrics.watch_state(lambda: str(self.lifecycle.state))

    async def _watch_readiness(self) -> None:
        """Keep the state true also when nobody probes."""
        while True:
            verdict = await self.readiness.verdict()
            self.lifecycle.readiness(verdict.ready and not verdict.degraded)
            await asyncio.sleep(WATCH_SECONDS)

    # Life.

    @contextlib.asynccontextmanager
    async def _lifespan(self, _app: Litestar) -> AsyncIterator[None]:
        wake = self._waker(asyncio.get_running_loop())
        self.core.protocol.on_unknown = self.bundle.on_change = wake
        with self._sync_core(wake) as core:
            await asyncio.to_thread(self.bundle.refresh)
            await asyncio.to_thread(self.plugin.on_start, core)
            await self.runner.begin()
            # Until core has said that it fires, the schedules are fired here: the same fire has
            # the same key in both places.
            self._fire_here(True)
            tasks = [asyncio.create_task(_kept_alive(work)) for work in self._background()]
            try:
                yield
            finally:
                await _cancel(tasks)
                self.scheduler.stop()
                await self.runner.stop(self.settings.stop_grace_seconds)
                await asyncio.to_thread(self.plugin.on_stop)
                await self.core.aclose()
                await self.egress.aclose()
                await asyncio.to_thread(self.tracing.close)

    def _background(self) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        purge = DeliveryPurge(self.stores.deliveries, self.clock)
        lag = LoopLag(self.metrics.loop_lag.observe)
        watching = [self.bundle.watch, self._watch_readiness, purge.run, lag.run]
        return watching if self.registrar is None else [*watching, self.registrar.run]

    def _waker(self, loop: asyncio.AbstractEventLoop) -> Callable[[], None]:
        """Return what registers anew, and may be called from any thread."""

        def wake() -> None:
            if self.registrar is not None:
                loop.call_soon_threadsafe(self.registrar.wake)

        return wake


async def _kept_alive(work: Callable[[], Awaitable[None]]) -> None:
    """Run *work* for ever: a bug in it is logged, and costs a second."""
    while True:
        try:
            await work()
        except Exception:  # the loops of the frame outlive their own faults
            log.exception("background work crashed", work=getattr(work, "__qualname__", "?"))
        await asyncio.sleep(RESTART_SECONDS)


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
