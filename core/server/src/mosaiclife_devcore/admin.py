"""List the plugins, switch one off and on, and look at what it says of itself (spec §16)."""

from __future__ import annotations

from typing import Any

import httpx
from litestar import Request, Response, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath

from mosaiclife_devcore.errors import NotFound
from mosaiclife_devcore.health import HealthGate
from mosaiclife_devcore.outbound import call
from mosaiclife_devcore.proxy import to_browser
from mosaiclife_devcore.registry import Plugin, Registry
from mosaiclife_devcore.requests import answer

AnyRequest = Request[Any, Any, Any]


@get("/plugins")
async def list_plugins(request: AnyRequest, registry: NamedDependency[Registry]) -> Response[bytes]:
    """Return every plugin that this core knows; pages load those with an interface."""
    return answer(request, [plugin.summary() for plugin in registry])


@get("/plugins/{plugin_id:str}")
async def get_plugin(
    request: AnyRequest, plugin_id: FromPath[str], registry: NamedDependency[Registry]
) -> Response[bytes]:
    """Return one plugin with what it was granted."""
    return answer(request, _details(registry.get(plugin_id)))


@delete("/plugins/{plugin_id:str}", status_code=200)
async def forget_plugin(
    request: AnyRequest, plugin_id: FromPath[str], registry: NamedDependency[Registry]
) -> Response[bytes]:
    """Forget a plugin's registration; it may register again."""
    plugin = registry.get(plugin_id)
    registry.forget(plugin)
    return answer(request, plugin.summary())


@put("/plugins/{plugin_id:str}/disable")
async def disable_plugin(
    request: AnyRequest, plugin_id: FromPath[str], registry: NamedDependency[Registry]
) -> Response[bytes]:
    """Throw the kill switch."""
    plugin = registry.get(plugin_id)
    registry.disable(plugin)
    return answer(request, plugin.summary())


@put("/plugins/{plugin_id:str}/enable")
async def enable_plugin(
    request: AnyRequest,
    plugin_id: FromPath[str],
    registry: NamedDependency[Registry],
    gate: NamedDependency[HealthGate],
) -> Response[bytes]:
    """Take the kill switch back; the plugin shows once its gate is green."""
    plugin = registry.get(plugin_id)
    registry.enable(plugin)
    gate.watch(plugin)
    return answer(request, plugin.summary())


@get("/plugins/{plugin_id:str}/manifest")
async def get_manifest(
    request: AnyRequest, plugin_id: FromPath[str], registry: NamedDependency[Registry]
) -> Response[bytes]:
    """Return the manifest with which the plugin registered."""
    return answer(request, _manifest(registry.get(plugin_id)))


@get("/plugins/{plugin_id:str}/{probe:str}")
async def get_probe(
    plugin_id: FromPath[str],
    probe: FromPath[str],
    registry: NamedDependency[Registry],
    http: NamedDependency[httpx.AsyncClient],
) -> Response[bytes]:
    """Return what a probe of the plugin answers now."""
    registration = registry.get(plugin_id).registration()
    paths = {
        "healthz": registration.manifest.health.liveness_path,
        "readyz": registration.manifest.health.readiness_path,
        "metrics": "/metrics",
    }
    if probe not in paths:
        raise NotFound(f"ask for one of {', '.join(paths)}")
    return to_browser(await call(http, "GET", registration.url(paths[probe]), limit=4 << 20))


def _manifest(plugin: Plugin) -> dict[str, Any]:
    if plugin.current is None:
        raise NotFound("the plugin has not registered yet")
    return plugin.current.manifest.normalised()


def _details(plugin: Plugin) -> dict[str, Any]:
    registration = plugin.current
    if registration is None:
        return plugin.summary()
    approval = registration.approval
    return {
        **plugin.summary(),
        "serviceUrl": registration.service_url,
        "remoteUrl": registration.remote_url,
        "capabilities": {"granted": approval.granted, "refused": approval.refused},
        "waiting": plugin.candidate.version if plugin.candidate else None,
    }
