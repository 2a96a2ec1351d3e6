"""Register plugins that do not register themselves, from core's own settings (spec §10, §12)."""

from __future__ import annotations

import asyncio

import httpx
import msgspec
import structlog

from mosaiclife_devcore.delivery import Deliveries
from mosaiclife_devcore.errors import CoreError
from mosaiclife_devcore.registration import Registrar, fetch_manifest
from mosaiclife_devcore.registry import Registry, State
from mosaiclife_devcore.settings import Settings
from mosaiclife_plugin_sdk.wire import RegistrationRequest, Remote

log = structlog.get_logger(__name__)

RETRY_SECONDS = 2.0
REFRESH_SECONDS = 15.0


class FixedPlugin:
    """The plugin that PLUGIN_BACKEND_URL names; its manifest is asked for, not waited for."""

    def __init__(
        self,
        settings: Settings,
        registry: Registry,
        registrar: Registrar,
        deliveries: Deliveries,
        http: httpx.AsyncClient,
    ) -> None:
        self._settings = settings
        self._registry = registry
        self._registrar = registrar
        self._deliveries = deliveries
        self._http = http

    async def keep(self, backend_url: str) -> None:
        """Register it as soon as it answers, and look for a new version from time to time."""
        while True:
            known = await self._register(backend_url)
            await asyncio.sleep(REFRESH_SECONDS if known else RETRY_SECONDS)

    async def _register(self, backend_url: str) -> bool:
        try:
            manifest = await fetch_manifest(self._http, backend_url)
            plugin = self._registry.get(str(manifest.get("name")))
            if plugin.state is State.DISABLED:
                return True
            default = backend_url.rstrip("/") + manifest["ui"]["remotePath"]
            remote = Remote(self._settings.plugin_remote_url or default)
            wanted = RegistrationRequest(manifest, backend_url, remote)
            self._registrar.register(plugin, wanted)
            self._deliveries.kick(plugin)
        except (httpx.HTTPError, msgspec.MsgspecError, KeyError, TypeError) as error:
            log.info("fixed_plugin_waits", url=backend_url, reason=type(error).__name__)
            return False
        except CoreError as error:
            log.warning("fixed_plugin_refused", reason=error.message, details=error.details)
            return False
        return True
