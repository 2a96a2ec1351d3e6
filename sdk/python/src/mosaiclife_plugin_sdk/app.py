"""Declare a plugin: the one class that a plugin's author fills in (spec §15.1)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from mosaiclife_plugin_sdk.errors import SDKError

if TYPE_CHECKING:
    from mosaiclife_plugin_sdk.client import AsyncCoreClient, CoreClient
    from mosaiclife_plugin_sdk.egress import Egress
    from mosaiclife_plugin_sdk.frame.jobs import JobRunner
    from mosaiclife_plugin_sdk.frame.metrics import Metrics
    from mosaiclife_plugin_sdk.jobs import Job
    from mosaiclife_plugin_sdk.manifest import Manifest
    from mosaiclife_plugin_sdk.stores import Stores


class CheckFailed(SDKError):
    """A readiness check has a reason to say no."""


class CheckDegraded(SDKError):
    """A readiness check says yes, with something that somebody should look at."""


class Delivery(msgspec.Struct, frozen=True):
    """One delivery whose bearer, signature and time window are already proven good."""

    id: str
    timestamp: int
    tenant: str
    body: bytes
    content_type: str
    headers: Mapping[str, str]
    traceparent: str | None


Check = Callable[[], Awaitable[None]]
WebhookHandler = Callable[[Delivery], Awaitable[Any]]


class PluginApp:
    """A plugin: what it is called, what it answers, what it does, what it needs.

    Set the attributes on a subclass, or on the instance before `create_app` sees it. The last
    four are the frame's side: `create_app` sets them, so that a webhook can count events, start
    work soon (`self.runner.poke(name)`), call core, and call whom the manifest allows.
    """

    name: str
    version: str
    manifest: Manifest
    routes: Sequence[Any] = ()
    jobs: Sequence[Job] = ()
    webhook: WebhookHandler | None = None
    # True when `webhook` brings a `Recorded` for every delivery, a repeated one too: then the
    # frame need not look for a recorded answer first, which would cost each delivery a read. It
    # may then also be a plain function that returns a future, which needs no task.
    records_deliveries: bool = False
    checks: Mapping[str, Check] = {}
    queues: Mapping[str, Callable[[], float]] = {}
    stores: Stores | None = None
    start_again: bool = False  # set it to be taken down in good order, and built anew

    metrics: Metrics
    runner: JobRunner
    core: AsyncCoreClient
    egress: Egress

    def __init__(self, manifest: Manifest | None = None) -> None:
        """Take identity from *manifest*, unless the subclass spells its own."""
        if manifest is not None:
            self.manifest = manifest
            self.name = getattr(self, "name", manifest.name)
            self.version = getattr(self, "version", manifest.version)

    def on_start(self, core: CoreClient) -> None:
        """Run once before the first request is served; an exception stops the start."""

    def on_stop(self) -> None:
        """Run once after the last request and job have ended."""
