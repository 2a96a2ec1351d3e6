"""Know what core granted, and the way out that it offered with it (spec §13)."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from mosaiclife_plugin_sdk.client import Registration
from mosaiclife_plugin_sdk.egress import Route
from mosaiclife_plugin_sdk.manifest import Manifest
from mosaiclife_plugin_sdk.settings import FrameSettings

log = structlog.stdlib.get_logger(__name__)


class GrantsHeld:
    """What the last registration said, beside what the manifest asks for."""

    def __init__(self, manifest: Manifest, settings: FrameSettings) -> None:
        self._manifest = manifest
        self._token = settings.reg_token
        self._answered = not settings.self_register
        self._refused: Mapping[str, str] = {}
        self._proxy_url: str | None = None

    def note(self, answer: Registration) -> None:
        """Mind what core has answered."""
        refused = {item.capability: item.reason for item in answer.capabilities.refused}
        if refused and refused != self._refused:
            log.warning("core refuses capabilities", refused=refused)
        self._refused, self._answered = refused, True
        self._proxy_url = answer.egress_proxy_url

    def permits(self, capability: str) -> bool:
        """Tell whether the manifest asks for *capability* and core has not refused it."""
        return self._manifest.allows(capability) and capability not in self._refused

    def permits_outside(self, capability: str) -> bool:
        """Tell the same for what core cannot stop itself: then its answer is waited for."""
        return self._answered and self.permits(capability)

    def route(self) -> Route:
        """Return the way out: through core's proxy whenever core has offered one."""
        if self._proxy_url is None:
            return Route()
        return Route(self._proxy_url, self._token.value or "")
