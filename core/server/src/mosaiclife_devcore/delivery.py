"""Deliver domain events as Standard Webhooks, in order, until the plugin has them.

One courier per plugin walks the journal. A delivery is frozen when it is first sent: the
same id and the same bytes go out again until a 2xx answer, on the schedule of Standard
Webhooks with jitter. `Retry-After` stretches a pause; a new registration ends it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import takewhile

import httpx
import msgspec
import structlog

from mosaiclife_devcore.errors import CoreError
from mosaiclife_devcore.ids import ulid
from mosaiclife_devcore.journal import Event, Journal
from mosaiclife_devcore.outbound import call, credentials, new_traceparent, on_behalf
from mosaiclife_devcore.registry import Plugin, Registration, Registry, State
from mosaiclife_plugin_sdk import Clock, sign, utc_now

log = structlog.get_logger(__name__)

MINUTE, HOUR = 60.0, 3600.0
SCHEDULE = (
    *(5.0, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR),
    *(10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR),
)
LONGEST_PAUSE = 24 * HOUR
BATCH = 500
BATCH_BYTES = 1 << 20
SECONDS = 15.0
GONE = 410


@dataclass(slots=True)
class Delivery:
    """A batch on its way."""

    id: str
    tenant: str
    body: bytes
    first: int
    count: int
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an attempt failed, and how long the plugin asked us to wait."""

    reason: str
    firm_pause: float = 0.0
    gone: bool = False


class Courier:
    """Carries the journal to one plugin."""

    def __init__(
        self,
        plugin: Plugin,
        journal: Journal,
        http: httpx.AsyncClient,
        clock: Clock,
        schedule: Sequence[float],
    ) -> None:
        self._plugin = plugin
        self._journal = journal
        self._http = http
        self._clock = clock
        self._schedule = schedule
        self._wake = asyncio.Event()
        self._position = 0
        self._pending: Delivery | None = None
        self._retry_now = False
        self._gone = False

    def nudge(self) -> None:
        """Look whether there is something to do; a pause goes on."""
        self._wake.set()

    def kick(self) -> None:
        """Try again at once: the plugin has just said that it is there."""
        self._retry_now, self._gone = True, False
        self._wake.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        while True:
            registration = self._open_to()
            delivery = self._pending
            if registration is not None and delivery is None:
                delivery = self._pack()
            if registration is None or delivery is None:
                await self._idle()
                continue
            self._pending = delivery
            refusal = await self._attempt(delivery, registration)
            if refusal is None:
                self._done(delivery)
            else:
                await self._put_off(delivery, refusal)

    def _open_to(self) -> Registration | None:
        """Return the registration when the plugin is up and may be sent events."""
        plugin, registration = self._plugin, self._plugin.current
        if registration is None or self._gone:
            return None
        up = plugin.state in {State.READY, State.DEGRADED}
        allowed = "events:subscribe" in registration.approval.granted
        return registration if up and allowed and plugin.grant.webhook_secrets else None

    async def _idle(self) -> None:
        await self._wake.wait()
        self._wake.clear()

    def _pack(self) -> Delivery | None:
        """Freeze the next events of one tenant, as many as one delivery may hold."""
        first, waiting = self._journal.since(self._position, BATCH)
        if first > self._position:
            log.warning("events_lost", plugin=self._plugin.id, count=first - self._position)
        if not waiting:
            return None
        tenant = waiting[0].tenant_id
        events = list(takewhile(lambda event: event.tenant_id == tenant, waiting))
        body = _body(events)
        while len(body) > BATCH_BYTES and len(events) > 1:
            events = events[: len(events) // 2]
            body = _body(events)
        return Delivery(f"msg_{ulid(self._clock())}", tenant, body, first, len(events))

    async def _attempt(self, delivery: Delivery, registration: Registration) -> Refusal | None:
        url = registration.url(registration.manifest.base_path + "/webhooks/ingest")
        try:
            reply = await call(
                self._http,
                "POST",
                url,
                headers=self._headers(delivery),
                body=delivery.body,
                seconds=SECONDS,
                limit=1 << 20,
            )
        except CoreError as error:
            return Refusal(error.message)
        if 200 <= reply.status < 300:
            return None
        asked = asked_pause(reply.headers.get("retry-after", ""), self._clock())
        return Refusal(f"answer {reply.status}", asked, reply.status == GONE)

    def _headers(self, delivery: Delivery) -> dict[str, str]:
        # Each attempt is signed anew: its moment is part of what is signed.
        moment = int(self._clock().timestamp())
        secrets = self._plugin.grant.webhook_secrets
        return {
            **credentials(self._plugin),
            **on_behalf(delivery.tenant),
            "content-type": "application/json",
            "traceparent": new_traceparent(),
            "x-request-id": ulid(self._clock()),
            "webhook-id": delivery.id,
            "webhook-timestamp": str(moment),
            "webhook-signature": " ".join(
                sign(secret, delivery.id, moment, delivery.body) for secret in secrets
            ),
        }

    def _done(self, delivery: Delivery) -> None:
        log.info("delivered", plugin=self._plugin.id, id=delivery.id, events=delivery.count)
        self._position = delivery.first + delivery.count
        self._pending = None

    async def _put_off(self, delivery: Delivery, refusal: Refusal) -> None:
        """Wait for the next attempt; give the delivery up after the last."""
        plugin, reason = self._plugin.id, refusal.reason
        if delivery.failures >= len(self._schedule):
            log.error("delivery_given_up", plugin=plugin, id=delivery.id, reason=reason)
            self._done(delivery)
            return
        pause = self._schedule[delivery.failures] * random.uniform(1.0, 1.2)
        log.warning("delivery_failed", plugin=plugin, id=delivery.id, reason=reason, pause=pause)
        self._gone = refusal.gone
        if not await self._pause(max(pause, refusal.firm_pause), refusal.firm_pause):
            delivery.failures += 1

    async def _pause(self, whole: float, firm: float) -> bool:
        """Wait; a kick ends all but the *firm* part of it. Tell whether one did."""
        self._retry_now = False
        await asyncio.sleep(firm)
        try:
            async with asyncio.timeout(whole - firm):
                while not self._retry_now:
                    await self._idle()
        except TimeoutError:
            return False
        return True


class Deliveries:
    """One courier for each plugin that has registered."""

    def __init__(
        self,
        registry: Registry,
        journal: Journal,
        http: httpx.AsyncClient,
        *,
        clock: Clock = utc_now,
        schedule: Sequence[float] = SCHEDULE,
    ) -> None:
        self._make: Callable[[Plugin], Courier] = lambda plugin: Courier(
            plugin, journal, http, clock, schedule
        )
        self._couriers: dict[str, Courier] = {}
        self._tasks: list[asyncio.Task[None]] = []
        registry.listen(lambda plugin: self._nudge(plugin.id))
        journal.listen(self._nudge_all)

    def kick(self, plugin: Plugin) -> None:
        """Start the courier of a plugin that registers, or end its pause."""
        if plugin.id not in self._couriers:
            courier = self._couriers[plugin.id] = self._make(plugin)
            self._tasks.append(asyncio.create_task(courier.run()))
        self._couriers[plugin.id].kick()

    async def stop(self) -> None:
        """End all couriers; what they carry waits for the plugin's next registration."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _nudge(self, plugin_id: str) -> None:
        if courier := self._couriers.get(plugin_id):
            courier.nudge()

    def _nudge_all(self) -> None:
        for courier in self._couriers.values():
            courier.nudge()


def _body(events: Sequence[Event]) -> bytes:
    return msgspec.json.encode({"events": events})


def asked_pause(retry_after: str, now: datetime) -> float:
    """Return the seconds that a `Retry-After` header asks for: a number or a date."""
    if retry_after.isascii() and retry_after.isdigit():
        return min(float(retry_after), LONGEST_PAUSE)
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    moment = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max(0.0, (moment - now).total_seconds()), LONGEST_PAUSE)
