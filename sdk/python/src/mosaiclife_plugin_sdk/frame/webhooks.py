"""Receive signed deliveries: prove them, answer a repeated one as before, hand on the rest."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Request, Response, post
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import (
    OpenAPIMediaType,
    OpenAPIType,
    Operation,
    Parameter,
    RequestBody,
    Schema,
)

from mosaiclife_plugin_sdk.app import Delivery, PluginApp
from mosaiclife_plugin_sdk.clock import Clock
from mosaiclife_plugin_sdk.errors import AuthInvalid, ServiceUnavailable, WebhookRejected
from mosaiclife_plugin_sdk.frame.bodies import ok
from mosaiclife_plugin_sdk.settings import Secret
from mosaiclife_plugin_sdk.stores.base import DeliveryLog, Recorded
from mosaiclife_plugin_sdk.webhooks import verify

PATH = "/webhooks/ingest"
MAX_EVENTS = 500

_TEXT = OpenAPIType.STRING
_PROOF = {
    "webhook-id": (
        "The delivery; the same id gets the same answer.",
        Schema(type=_TEXT, pattern=r"^[\x21-\x2d\x2f-\x7e]{1,256}$"),
    ),
    "webhook-timestamp": (
        "Seconds since 1970, at most five minutes off.",
        Schema(type=_TEXT, pattern=r"^[0-9]{1,12}$"),
    ),
    "webhook-signature": (
        "`v1,` and base64 of HMAC-SHA256 over id, timestamp and body, joined by dots.",
        Schema(type=_TEXT),
    ),
}


@dataclass
class _SignedBody(Operation):
    """The operation of a route that reads raw bytes, which Litestar cannot see by itself."""

    def __post_init__(self) -> None:
        """Describe the body and the three headers of its proof."""
        # A single event that breaks its envelope is set aside, and refuses nothing else.
        events = Schema(type=OpenAPIType.ARRAY, items=Schema(), max_items=MAX_EVENTS)
        batch = Schema(type=OpenAPIType.OBJECT, properties={"events": events})
        body = OpenAPIMediaType(schema=batch)
        self.request_body = RequestBody(
            content={"application/json": body},
            required=True,
            description="A batch of events in their envelopes; the raw bytes are what is signed.",
        )
        self.parameters = [
            Parameter(name=name, param_in="header", required=True, description=text, schema=schema)
            for name, (text, schema) in _PROOF.items()
        ]


def webhook_route(
    plugin: PluginApp, secrets: Secret, deliveries: DeliveryLog, clock: Clock
) -> HTTPRouteHandler:
    """Return the route below the base path that carries deliveries to `plugin.webhook`."""

    @post(
        PATH,
        status_code=200,
        opt={"viewer": False},
        operation_class=_SignedBody,
        summary="Receive a delivery signed as Standard Webhooks says",
    )
    async def ingest(request: Request[Any, Any, Any]) -> Response[Any]:
        body = await request.body()
        delivery = _proven(request, body, secrets.values, clock)
        recorded = None
        if not plugin.records_deliveries:
            recorded = await asyncio.to_thread(deliveries.get, delivery.tenant, delivery.id)
        if recorded is None:
            recorded = await _handled(plugin, delivery, deliveries, clock)
        return ok(request, msgspec.Raw(recorded.data), status=recorded.status)

    return ingest


def _proven(
    request: Request[Any, Any, Any], body: bytes, secrets: tuple[str, ...], clock: Clock
) -> Delivery:
    """Return the delivery in *request*; whatever is wrong with its proof has one message."""
    headers = _single(request)
    try:
        message = verify(secrets, headers, body, now=clock())
    except WebhookRejected as rejection:
        raise AuthInvalid("The delivery's signature is not valid.") from rejection
    return Delivery(
        id=message.id,
        timestamp=message.timestamp,
        tenant=request.state.tenant,
        body=body,
        content_type=headers.get("content-type", ""),
        headers=headers,
        traceparent=headers.get("traceparent"),
    )


def _single(request: Request[Any, Any, Any]) -> dict[str, str]:
    """Return the headers by name, without those that stand more than once."""
    pairs = [(name.lower(), value) for name, value in request.headers.multi_items()]
    names = [name for name, _ in pairs]
    return {name: value for name, value in pairs if names.count(name) == 1}


async def _handled(
    plugin: PluginApp, delivery: Delivery, deliveries: DeliveryLog, clock: Clock
) -> Recorded:
    """Let the plugin handle *delivery*, and return the answer that stands for it.

    A handler that returns a `Recorded` has written it itself, inside its own transaction.
    """
    if plugin.webhook is None:
        raise ServiceUnavailable("The plugin takes no deliveries.", retry_after=60)
    outcome = await plugin.webhook(delivery)
    if isinstance(outcome, Recorded):
        return outcome
    answer = Recorded(
        tenant=delivery.tenant,
        webhook_id=delivery.id,
        status=200,
        data=msgspec.json.encode(outcome),
        recorded_at=clock(),
    )
    return await asyncio.to_thread(deliveries.put, answer)
