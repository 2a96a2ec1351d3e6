"""Receive signed deliveries: prove them, answer a repeated one as before, hand on the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
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

from mosaiclife_plugin_sdk.app import Delivery, PluginApp, WebhookHandler
from mosaiclife_plugin_sdk.clock import Clock
from mosaiclife_plugin_sdk.errors import AuthInvalid, ServiceUnavailable, WebhookRejected
from mosaiclife_plugin_sdk.frame.bodies import ok
from mosaiclife_plugin_sdk.frame.headers import request_headers
from mosaiclife_plugin_sdk.frame.lane import Deliver
from mosaiclife_plugin_sdk.settings import Secret
from mosaiclife_plugin_sdk.stores.base import DeliveryLog, Recorded
from mosaiclife_plugin_sdk.webhooks import MAX_EVENTS, verify

PATH = "/webhooks/ingest"

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


class Deliveries:
    """Prove a delivery, and return the answer that stands for it."""

    def __init__(
        self, plugin: PluginApp, secrets: Secret, answers: DeliveryLog, clock: Clock
    ) -> None:
        """Hand to *plugin* what one of the *secrets* has signed."""
        self._plugin = plugin
        self._secrets = secrets
        self._answers = answers
        self._clock = clock

    def __call__(self, tenant: str, headers: Mapping[str, str], body: bytes) -> Awaitable[Recorded]:
        """Begin to take one delivery, whose answer can be awaited once.

        *headers* are those that stand once. A delivery without a proof is refused at once.
        """
        delivery = self._proven(tenant, headers, body)
        handler = self._plugin.webhook
        if handler is None:
            raise ServiceUnavailable("The plugin takes no deliveries.", retry_after=60)
        if not self._plugin.records_deliveries:
            return self._first_answer(delivery, handler)
        coming = handler(delivery)
        # Whoever makes a future itself, and not a coroutine, needs no task around it.
        return coming if asyncio.isfuture(coming) else self._recorded(delivery, coming)

    async def _first_answer(self, delivery: Delivery, handler: WebhookHandler) -> Recorded:
        """Return what was answered before, or what the plugin answers now."""
        answer = await asyncio.to_thread(self._answers.get, delivery.tenant, delivery.id)
        if answer is not None:
            return answer
        return await self._recorded(delivery, handler(delivery))

    def _proven(self, tenant: str, headers: Mapping[str, str], body: bytes) -> Delivery:
        """Return the delivery; whatever is wrong with its proof has one message."""
        try:
            message = verify(self._secrets.values, headers, body, now=self._clock())
        except WebhookRejected as rejection:
            raise AuthInvalid("The delivery's signature is not valid.") from rejection
        return Delivery(
            id=message.id,
            timestamp=message.timestamp,
            tenant=tenant,
            body=body,
            content_type=headers.get("content-type", ""),
            headers=headers,
            traceparent=headers.get("traceparent"),
        )

    async def _recorded(self, delivery: Delivery, coming: Awaitable[Any]) -> Recorded:
        """Await what the plugin makes of *delivery*, and record the answer.

        A handler that returns a `Recorded` has written it itself, inside its own transaction.
        """
        outcome = await coming
        if isinstance(outcome, Recorded):
            return outcome
        answer = Recorded(
            tenant=delivery.tenant,
            webhook_id=delivery.id,
            status=200,
            data=msgspec.json.encode(outcome),
            recorded_at=self._clock(),
        )
        return await asyncio.to_thread(self._answers.put, answer)


def webhook_route(deliver: Deliver) -> HTTPRouteHandler:
    """Return the route below the base path that carries deliveries to the plugin."""

    @post(
        PATH,
        status_code=200,
        opt={"viewer": False},
        operation_class=_SignedBody,
        summary="Receive a delivery signed as Standard Webhooks says",
    )
    async def ingest(request: Request[Any, Any, Any]) -> Response[Any]:
        headers = request_headers(request.scope)
        recorded = await deliver(request.state.tenant, headers, await request.body())
        return ok(request, msgspec.Raw(recorded.data), status=recorded.status)

    return ingest
