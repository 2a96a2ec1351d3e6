"""Let a plugin register itself, or say precisely why not (spec §5, §10)."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import structlog
from litestar import Request, Response, post
from litestar.di import NamedDependency

from mosaiclife_devcore.capabilities import approve
from mosaiclife_devcore.delivery import Deliveries
from mosaiclife_devcore.egress import EgressProxy
from mosaiclife_devcore.errors import (
    Incompatible,
    PermissionDenied,
    PluginDisabled,
    ValidationFailed,
)
from mosaiclife_devcore.health import HealthGate
from mosaiclife_devcore.identity import needs_token
from mosaiclife_devcore.manifests import ManifestJudge
from mosaiclife_devcore.origins import check_url, origin_of, own_origins
from mosaiclife_devcore.registry import Plugin, Registration, Registry, State
from mosaiclife_devcore.requests import answer, read_json
from mosaiclife_devcore.settings import Settings
from mosaiclife_plugin_sdk import Manifest, RangeError, check_compat
from mosaiclife_plugin_sdk.wire import RegistrationRequest, SDKVersions

log = structlog.get_logger(__name__)


class Registrar:
    """The way from a request to a record; static configuration takes the same way."""

    def __init__(
        self, settings: Settings, registry: Registry, judge: ManifestJudge, gate: HealthGate
    ) -> None:
        self._settings = settings
        self._registry = registry
        self._judge = judge
        self._gate = gate

    def register(
        self, plugin: Plugin, wanted: RegistrationRequest, host: str | None = None
    ) -> bool:
        """Check and store what *plugin* says of itself; tell whether it is its first time."""
        if plugin.state is State.DISABLED:
            raise PluginDisabled(f"the plugin {plugin.id} is disabled")
        manifest = self._judge.judge(wanted.manifest)
        if manifest.name != plugin.id:
            raise PermissionDenied(f"this token is {plugin.id}'s and cannot register another id")
        self._check_urls(plugin, wanted, host)
        self._check_compat(manifest, wanted.sdk)
        registration = Registration(
            manifest=manifest,
            service_url=wanted.service_url,
            remote_url=wanted.ui.remote_url,
            integrity=wanted.ui.integrity,
            approval=approve(manifest.capabilities, plugin.grant.capabilities),
        )
        first = self._registry.accept(plugin, registration)
        self._gate.watch(plugin)
        if first:
            log.info("plugin_registered", plugin=plugin.id, version=manifest.version)
        return first

    def _check_urls(self, plugin: Plugin, wanted: RegistrationRequest, host: str | None) -> None:
        own = own_origins(self._settings.host, self._settings.port)
        own |= {origin_of(f"http://{host}")} if host else set()
        check_url(wanted.service_url, "$.serviceUrl", plugin.grant.urls, own)
        check_url(wanted.ui.remote_url, "$.ui.remoteUrl", plugin.grant.urls, own)

    def _check_compat(self, manifest: Manifest, sdk: SDKVersions) -> None:
        named = {"backend_sdk": sdk.backend, "frontend_sdk": sdk.frontend}
        versions = {name: version for name, version in named.items() if version is not None}
        versions["core"] = self._settings.version
        try:
            misfits = check_compat(_ranges(manifest), versions)
        except RangeError as error:
            fault = {"field": "$.sdk", "message": str(error)}
            raise ValidationFailed("a version cannot be read", details=[fault]) from error
        if misfits:
            raise Incompatible("the plugin does not fit this core", details=misfits)


@post("/plugins/register", guards=[needs_token], status_code=200)
async def register(
    request: Request[Any, Any, Any],
    caller: NamedDependency[Plugin],
    registrar: NamedDependency[Registrar],
    deliveries: NamedDependency[Deliveries],
    settings: NamedDependency[Settings],
    egress: NamedDependency[EgressProxy],
) -> Response[bytes]:
    """Register a plugin, or renew its registration."""
    wanted = await read_json(request, RegistrationRequest)
    first = registrar.register(caller, wanted, host=request.headers.get("host"))
    deliveries.kick(caller)
    data = _accepted(caller, settings)
    if way_out := egress.url_for(caller, request.headers.get("host")):
        data["egressProxyUrl"] = way_out
    return answer(request, data, status=201 if first else 200)


async def fetch_manifest(http: httpx.AsyncClient, service_url: str) -> dict[str, Any]:
    """Ask a plugin for its manifest, as static configuration does (spec §12)."""
    reply = await http.get(service_url.rstrip("/") + "/manifest", timeout=5)
    document = msgspec.json.decode(reply.raise_for_status().content, type=dict[str, Any])
    inner = document.get("data", document)
    return inner if isinstance(inner, dict) else {}


def _accepted(plugin: Plugin, settings: Settings) -> dict[str, Any]:
    registration = plugin.candidate or plugin.registration()
    approval = registration.approval
    return {
        "id": plugin.id,
        "state": plugin.state.value,
        "core": {"version": settings.version},
        "capabilities": {"granted": approval.granted, "refused": approval.refused},
        "scheduler": settings.scheduler and "jobs:schedule" in approval.granted,
    }


def _ranges(manifest: Manifest) -> dict[str, str]:
    ranges: dict[str, str | None] = msgspec.structs.asdict(manifest.compat)
    return {party: wanted for party, wanted in ranges.items() if wanted is not None}
