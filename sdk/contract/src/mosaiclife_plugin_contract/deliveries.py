"""Make deliveries as core makes them: a batch of events, signed, for one tenant."""

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from mosaiclife_plugin_contract.calls import Content, Headers, Reply
from mosaiclife_plugin_contract.context import Context
from mosaiclife_plugin_contract.signing import signature
from mosaiclife_plugin_contract.targets.base import Instance

PATH = "/webhooks/ingest"
TENANT = "contract-kit"


def batch(size: int = 1) -> bytes:
    """Return a body of events that every plugin may ignore: nobody knows their type."""
    moment = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    events = [
        {
            "id": uuid.uuid4().hex,
            "type": "contract_kit.probed",
            "version": 1,
            "source": "core",
            "occurred_at": moment,
            "tenant_id": TENANT,
            "actor_id": None,
            "resource": {"kind": "probe", "id": "1"},
            "payload": {},
        }
        for _ in range(size)
    ]
    return json.dumps({"events": events}).encode()


@dataclass
class Delivery:
    """One delivery; headers that are changed to None are left out."""

    secret: str
    body: bytes = field(default_factory=batch)
    id: str = field(default_factory=lambda: f"msg_{uuid.uuid4().hex}")
    timestamp: int = field(default_factory=lambda: int(time.time()))
    changes: Mapping[str, str | bytes | None] = field(default_factory=dict)

    def signed(self, secret: str | None = None) -> str:
        """Return the signature by a secret."""
        return signature(secret or self.secret, self.id, self.timestamp, self.body)

    def headers(self) -> Headers:
        """Return every header but the bearer."""
        usual: dict[str, str | bytes | None] = {
            "content-type": "application/json",
            "x-tenant-id": TENANT,
            "webhook-id": self.id,
            "webhook-timestamp": str(self.timestamp),
            "webhook-signature": self.signed(),
        }
        kept = {**usual, **self.changes}
        return [(name, value) for name, value in kept.items() if value is not None]


def fresh(ctx: Context, body: bytes | None = None, **changes: str | bytes | None) -> Delivery:
    """Return a good delivery, with some headers changed; `_` stands for `-`."""
    named = {name.replace("_", "-"): value for name, value in changes.items()}
    secret = ctx.credentials.webhook_secrets[0]
    return Delivery(secret, batch() if body is None else body, changes=named)


async def deliver(
    ctx: Context,
    delivery: Delivery,
    *,
    instance: Instance | None = None,
    more: Headers = (),
    content: Content | None = None,
) -> Reply:
    """Send a delivery with core's bearer."""
    call = (instance or ctx.plugin).call
    headers = [*ctx.bearer, *delivery.headers(), *more]
    body = delivery.body if content is None else content
    return await call("POST", await ctx.below(PATH), headers, body)
