"""Put the core together: the only place that knows every part."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException

from mosaiclife_devcore import admin, bus, events, scheduler, stories, web
from mosaiclife_devcore.bus import Bus
from mosaiclife_devcore.delivery import Deliveries
from mosaiclife_devcore.egress import EgressProxy
from mosaiclife_devcore.errors import CoreError
from mosaiclife_devcore.feed import Feed
from mosaiclife_devcore.fixed import FixedPlugin
from mosaiclife_devcore.health import HealthGate
from mosaiclife_devcore.identity import Tokens, needs_token, provide_caller
from mosaiclife_devcore.journal import Journal
from mosaiclife_devcore.manifests import ManifestJudge
from mosaiclife_devcore.names import resolve_names
from mosaiclife_devcore.outbound import new_http
from mosaiclife_devcore.problems import crash, refuse, refuse_http
from mosaiclife_devcore.proxy import proxy
from mosaiclife_devcore.rates import Rates
from mosaiclife_devcore.registration import Registrar, register
from mosaiclife_devcore.registry import Registry
from mosaiclife_devcore.remotes import Remotes, serve_remote
from mosaiclife_devcore.requests import name_response
from mosaiclife_devcore.same_origin import same_origin
from mosaiclife_devcore.scheduler import JobScheduler
from mosaiclife_devcore.secrets import fetch_secret
from mosaiclife_devcore.session import get_session
from mosaiclife_devcore.settings import Settings
from mosaiclife_devcore.web import Shell, guide
from mosaiclife_devcore.world import build_world
from mosaiclife_plugin_sdk import Clock, utc_now
from mosaiclife_plugin_sdk.wire import LARGEST_BODY

if TYPE_CHECKING:
    from mosaiclife_devcore.tracing import Tracing

PREFIXES = ("/api", "/api/v1")


class Core:
    """The parts of one core, wired to each other."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self.tracing = _tracing(settings)
        self.http = new_http(self.tracing.outward) if self.tracing else new_http()
        self.registry = Registry(settings.plugins)
        self.tokens = Tokens(self.registry)
        self.rates = Rates(enabled=settings.rate_limits)
        self.egress = EgressProxy(settings, self.tokens, self.rates, clock)
        self.bus = Bus()
        self.journal = Journal(clock)
        self.world = build_world(settings.seed, clock().date())
        self.remotes = Remotes(self.http, self.registry, settings.plugin_remote_url)
        self.gate = HealthGate(
            self.registry,
            self.remotes,
            self.http,
            poll=settings.poll_seconds,
            steady=settings.steady_poll_seconds,
        )
        self.deliveries = Deliveries(self.registry, self.journal, self.http, clock=clock)
        self.scheduler = JobScheduler(
            self.registry, self.world, self.http, enabled=settings.scheduler
        )
        self.registrar = Registrar(
            settings, self.registry, ManifestJudge(settings.schema_file), self.gate
        )
        self.shell = Shell(settings.web_dir)
        self.feed = Feed(self.world, self.journal, self.bus, seed=settings.seed, clock=clock)
        self.registry.listen(self.bus.plugin_changed)

    def provided(self) -> dict[str, Provide]:
        """Return the parts that routes ask for, by the names they use."""
        names = (
            *("settings", "http", "registry", "rates", "bus", "journal", "world", "remotes"),
            *("gate", "deliveries", "scheduler", "registrar", "shell", "egress"),
        )
        return {name: _constant(getattr(self, name)) for name in names}

    def shared(self) -> dict[str, object]:
        """Return the parts that guards, the server and tests reach through the application."""
        names = ("tokens", "rates", "bus", "scheduler", "egress", "shell", "registry")
        return {name: getattr(self, name) for name in names}

    @asynccontextmanager
    async def running(self, _: Litestar) -> AsyncIterator[None]:
        """Run what works in the background for as long as the application is up."""
        await self.egress.start()
        self.scheduler.start()
        tasks = [asyncio.create_task(work) for work in self._background()]
        try:
            yield
        finally:
            self.bus.close()
            self.scheduler.stop()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.egress.stop()
            await self.deliveries.stop()
            await self.gate.stop()
            await self.http.aclose()
            if self.tracing:
                await asyncio.to_thread(self.tracing.close)

    def _background(self) -> list[Any]:
        work: list[Any] = []
        if self.settings.feed:
            self.feed.write_history()
            work.append(self.feed.live(self.settings.feed_seconds))
        if self.settings.plugin_backend_url:
            fixed = FixedPlugin(
                self.settings, self.registry, self.registrar, self.deliveries, self.http
            )
            work.append(fixed.keep(self.settings.plugin_backend_url))
        return work


def create_core(settings: Settings, *, clock: Clock | None = None) -> Litestar:
    """Return the core as an ASGI application."""
    core = Core(settings, clock or utc_now)
    return Litestar(
        route_handlers=[*map(_api, PREFIXES), serve_remote, web.serve_page, web.serve_asset],
        dependencies=core.provided(),
        exception_handlers=_refusals(),
        before_send=[name_response],
        middleware=[core.tracing.inward] if core.tracing else [],
        lifespan=[core.running],
        state=State(core.shared()),
        request_max_body_size=LARGEST_BODY,
        openapi_config=None,
        logging_config=None,
    )


def _tracing(settings: Settings) -> Tracing | None:
    if settings.otel_endpoint is None:
        return None
    # Loads protobuf: a core without a collector must not pay for it at its start.
    from mosaiclife_devcore.tracing import Tracing

    return Tracing(settings.otel_endpoint, settings.version)


def _api(prefix: str) -> Router:
    """Return everything under one prefix: for pages, for plugins and for third parties."""
    browser = Router(
        path="",
        guards=[same_origin],
        route_handlers=[
            *(admin.list_plugins, admin.get_plugin, admin.forget_plugin, admin.get_manifest),
            *(admin.enable_plugin, admin.disable_plugin, admin.get_probe),
            *(get_session, stories.get_legacy, stories.add_story, resolve_names),
            *(bus.stream_to_page, proxy),
        ],
    )
    plugins = Router(
        path="/plugins/-",
        guards=[needs_token],
        dependencies=_caller(),
        route_handlers=[
            *(events.publish, bus.stream_to_plugin, fetch_secret),
            *(scheduler.put_job, scheduler.delete_job),
        ],
    )
    registering = Router(path="", dependencies=_caller(), route_handlers=[register])
    return Router(
        path=prefix, route_handlers=[browser, plugins, registering, events.forward_webhook]
    )


def _caller() -> Mapping[str, Provide]:
    return {"caller": Provide(provide_caller, sync_to_thread=False)}


def _refusals() -> dict[Any, Callable[..., Any]]:
    return {CoreError: guide(refuse), HTTPException: guide(refuse_http), Exception: crash}


def _constant(value: object) -> Provide:
    return Provide(lambda: value, sync_to_thread=False)
