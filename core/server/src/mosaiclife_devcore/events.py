"""Take events in: what plugins publish, and what third parties send to a plugin through core."""

from __future__ import annotations

from typing import Any

import httpx
from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from mosaiclife_devcore.bus import Bus
from mosaiclife_devcore.errors import PermissionDenied, TooLarge
from mosaiclife_devcore.ids import ulid
from mosaiclife_devcore.outbound import call, credentials, new_traceparent, on_behalf
from mosaiclife_devcore.proxy import to_browser
from mosaiclife_devcore.registry import Plugin, Registry
from mosaiclife_devcore.requests import answer, read_json, request_id
from mosaiclife_devcore.world import World
from mosaiclife_plugin_sdk import utc_now
from mosaiclife_plugin_sdk.wire import LARGEST_PAYLOAD, Publication

WEBHOOK_HEADERS = {"webhook-id", "webhook-timestamp", "webhook-signature", "content-type"}


@post("/events", status_code=202)
async def publish(
    request: Request[Any, Any, Any], caller: NamedDependency[Plugin], bus: NamedDependency[Bus]
) -> Response[bytes]:
    """Send a plugin's event to pages and to whoever subscribed."""
    caller.registration().approval.require("events:publish")
    published = await read_json(request, Publication)
    if published.is_cores_own:
        raise PermissionDenied(f"{published.topic} is a topic of core's own")
    if published.is_too_large:
        raise TooLarge(f"a payload has at most {LARGEST_PAYLOAD} bytes")
    bus.publish(published.topic, published.payload)
    return answer(request, {"id": ulid(utc_now())}, status=202)


@post("/events/webhook/{plugin_id:str}", status_code=200)
async def forward_webhook(
    request: Request[Any, Any, Any],
    plugin_id: FromPath[str],
    registry: NamedDependency[Registry],
    world: NamedDependency[World],
    http: NamedDependency[httpx.AsyncClient],
) -> Response[bytes]:
    """Hand a third party's signed delivery to the plugin, byte for byte; the plugin verifies it."""
    plugin = registry.get(plugin_id)
    registration = plugin.routable()
    headers = {name: value for name, value in request.headers.items() if name in WEBHOOK_HEADERS}
    reply = await call(
        http,
        "POST",
        registration.url(registration.manifest.base_path + "/webhooks/ingest"),
        headers={
            **headers,
            **credentials(plugin),
            **on_behalf(world.tenant_id),
            "x-request-id": request_id(request.scope),
            "traceparent": new_traceparent(),
        },
        body=await request.body(),
    )
    return to_browser(reply)
