"""Take a delivery in: read, judge, store, and answer for each event (design §3 and §4).

An answer is given only once everything accepted is on the disk. Poison is set aside with a reason
and never stops its neighbours.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime
from functools import cache, partial
from typing import Any

import msgspec

from mosaiclife_plugin_sdk import Delivery
from mosaiclife_plugin_sdk.stores import DeliveryLog, Recorded
from plugin_analytics.clock import Clock, micros
from plugin_analytics.errors import VersionsUnknown, spread
from plugin_analytics.model.envelopes import Parcel, Reader, read_parcel, traceparents
from plugin_analytics.model.erasure import Ask, Graves
from plugin_analytics.model.events import (
    Event,
    Ignored,
    Judge,
    Judgement,
    Poison,
    Pseudonymise,
)
from plugin_analytics.model.grants import Standing
from plugin_analytics.services.gathering import Gathering
from plugin_analytics.services.grants import GrantBook
from plugin_analytics.services.intake import Intake
from plugin_analytics.services.landing import Arrival, Landing
from plugin_analytics.store.base import Batch, Outcome, Store

RETRY_UNKNOWN_SECONDS = 300
AT_A_STROKE = 50  # events: judged in a millisecond or two
AT_A_STROKE_BYTES = 16 * 1024  # that hold about so many


class Result(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one event that was not accepted."""

    index: int
    id: str | None
    status: str
    code: str | None = None
    field: str | None = None
    message: str | None = None


class Receipt(msgspec.Struct, frozen=True):
    """What became of a delivery."""

    accepted: int
    duplicate: int
    conflict: int
    ignored: int
    quarantined: int
    results: list[Result]


class _Repeated(Exception):
    """A delivery was answered before: what it would have stored again is undone."""

    def __init__(self, answer: Recorded) -> None:
        super().__init__(answer.webhook_id)
        self.answer = answer


Count = Callable[[str, str, int], None]
Stored = tuple[Sequence[Outcome], Recorded]
_encoder = msgspec.json.Encoder()


class Ingest:
    """The one way in for domain events."""

    def __init__(
        self,
        store: Store,
        deliveries: DeliveryLog,
        pseudonymise: Pseudonymise,
        clock: Clock,
        *,
        plugin: str,
        intake: Intake,
        count: Count,
        committed: Callable[[], None],
        asked: Callable[[], None] = lambda: None,
        book: GrantBook | None = None,
        link: Callable[[Iterator[str]], None] = lambda _: None,
    ) -> None:
        """Store into *store* and answer into *deliveries*, in one transaction.

        *plugin* is whom permissions may name, *intake* bounds what may wait. *count* is told of
        every outcome (type, outcome, number), *committed* of new events, *asked* of wishes that
        something be forgotten. *book* knows what a tenant allows. *link* ties the delivery's span to
        those of its events.
        """
        self._store = store
        self._deliveries = deliveries
        self._pseudonymise = pseudonymise
        self._clock = clock
        self._plugin = plugin
        self._asked = asked
        self._book = book or GrantBook(store)
        self._intake = intake
        self._count = count
        self._committed = committed
        self._link = link
        self._landing = Landing()
        self._gathering = Gathering()
        self._judging = asyncio.Lock()

    def __call__(self, delivery: Delivery) -> Awaitable[Recorded]:
        """Take in one delivery; await the answer that was stored with its events."""
        known = self._book.at_hand(delivery.tenant)
        if known is None or len(delivery.body) > AT_A_STROKE_BYTES:
            return self._in_pieces(delivery)
        leave = self._intake.enter(len(delivery.body))
        try:
            parcel, now = self._open(delivery)
            judge = self._judge(delivery.tenant, now, parcel.read, *known)
            judgements = list(map(judge, parcel.events))
            return self._keep(delivery, now, judgements, leave)
        except BaseException:
            leave()
            raise

    async def _in_pieces(self, delivery: Delivery) -> Recorded:
        """Take in a delivery that is large, or the first one of its tenant."""
        leave = self._intake.enter(len(delivery.body))
        try:
            parcel, now = self._open(delivery)
            new_judge = partial(self._new_judge, delivery.tenant, now, parcel.read)
            judgements = await self._judge_many(parcel.events, new_judge)
            coming = self._keep(delivery, now, judgements, leave)
        except BaseException:
            leave()
            raise
        return await coming

    def _open(self, delivery: Delivery) -> tuple[Parcel, datetime]:
        """Return what a delivery holds, and the moment as of which it is judged."""
        parcel = read_parcel(delivery.body, delivery.content_type)
        self._link(traceparents(parcel.events))
        return parcel, self._clock()

    async def _judge_many(
        self, events: Sequence[msgspec.Raw], new_judge: Callable[[], Awaitable[Judge]]
    ) -> list[Judgement]:
        """Judge a large batch in pieces, and let others be served between them.

        Batches take their turns, or between two pieces of one there would be a piece of each.
        """
        async with self._judging:
            heard, judge = self._book.heard, await new_judge()
            judgements: list[Judgement] = []
            for start in range(0, len(events), AT_A_STROKE):
                judgements += map(judge, events[start : start + AT_A_STROKE])
                await asyncio.sleep(0)
            if self._book.heard == heard:
                return judgements
        # What has been forbidden or forgotten in between holds for all: none may slip in after it.
        return list(map(await new_judge(), events))

    async def _new_judge(self, tenant: str, now: datetime, read: Reader) -> Judge:
        """Return who knows what a tenant allows at this moment."""
        return self._judge(tenant, now, read, *await self._book.standing(tenant))

    def _judge(
        self, tenant: str, now: datetime, read: Reader, standing: Standing, graves: Graves
    ) -> Judge:
        return Judge(tenant, now, self._pseudonymise, read, standing, self._plugin, graves)

    def _keep(
        self,
        delivery: Delivery,
        now: datetime,
        judgements: Sequence[Judgement],
        leave: Callable[[], None],
    ) -> asyncio.Future[Recorded]:
        """Store everything; the answer comes once all of it is durable."""
        _refuse_what_a_later_release_reads(judgements)

        def answer(outcomes: Sequence[Outcome], _: Any) -> Stored:
            recorded = Recorded(
                tenant=delivery.tenant,
                webhook_id=delivery.id,
                status=200,
                data=_receipt(judgements, outcomes),
                recorded_at=now,
            )
            return outcomes, recorded

        events = [judged for judged in judgements if isinstance(judged, Event)]
        batch = Batch(delivery.tenant, micros(now), events)
        if len(events) < len(judgements):
            batch = batch._replace(
                poison=[judged for judged in judgements if isinstance(judged, Poison)],
                ignored=[judged for judged in judgements if isinstance(judged, Ignored)],
            )
        arrival = self._landing.expect(partial(self._landed, delivery.tenant, judgements, leave))
        self._gathering.add(
            partial(self._store.hand_in, batch, answer, self._record, arrival), arrival
        )
        return arrival.here

    def _landed(
        self,
        tenant: str,
        judgements: Sequence[Judgement],
        leave: Callable[[], None],
        arrival: Arrival[Stored, Recorded],
    ) -> Recorded:
        """Tell what became of a delivery, to those who count and to its sender."""
        leave()
        try:
            outcomes, answer = arrival.result()
        except _Repeated as repeated:
            return repeated.answer
        self._report(tenant, judgements, outcomes)
        return answer

    def _record(self, stored: Sequence[Stored], connection: Any) -> None:
        """Record the answers; one that was given before undoes what it would store again."""
        mine = [recorded for _, recorded in stored]
        standing = self._deliveries.put_all(mine, connection=connection)
        for recorded, answer in zip(mine, standing, strict=True):
            if answer is not recorded:
                raise _Repeated(answer)

    def _report(
        self, tenant: str, judgements: Sequence[Judgement], outcomes: Sequence[Outcome]
    ) -> None:
        remaining = iter(outcomes)
        new: list[Event] = []
        asks: list[Ask] = []
        marked = False
        counts: dict[tuple[str, str], int] = {}
        for judged in judgements:
            if isinstance(judged, Event):
                outcome: str = next(remaining)
                if outcome == "accepted":
                    new.append(judged)
            else:
                outcome = _status(judged)
                if isinstance(judged, Poison):
                    marked = marked or judged.mark is not None
                    if judged.ask is not None:
                        asks.append(judged.ask)
            ending = judged.type or "", outcome
            counts[ending] = counts.get(ending, 0) + 1
        said = [event for event in new if event.ask is not None or event.grant is not None]
        if (said or asks) and self._book.learn(tenant, said, asks):
            self._asked()
        for (name, outcome), number in counts.items():
            self._count(name, outcome, number)
        if new or marked:
            self._committed()


def _refuse_what_a_later_release_reads(judgements: Sequence[Judgement]) -> None:
    """Leave a whole batch of unknown versions with the sender, who can deliver it again."""
    if judgements and all(
        isinstance(judged, Poison) and judged.reason == "UNSUPPORTED_VERSION"
        for judged in judgements
    ):
        raise VersionsUnknown(retry_after=spread(RETRY_UNKNOWN_SECONDS))


def _status(judged: Ignored | Poison) -> str:
    """Return the outcome of what never reaches the store's judgement."""
    return "ignored" if isinstance(judged, Ignored) else "quarantined"


def _receipt(judgements: Sequence[Judgement], outcomes: Sequence[Outcome]) -> bytes:
    """Write down what became of a delivery; it is the writer's time that this takes."""
    if outcomes.count("accepted") == len(judgements):
        return _all_accepted(len(judgements))
    remaining = iter(outcomes)
    results = [
        _result(index, judged, next(remaining) if isinstance(judged, Event) else _status(judged))
        for index, judged in enumerate(judgements)
    ]
    totals = Counter(result.status for result in results)
    receipt = Receipt(
        accepted=totals["accepted"],
        duplicate=totals["duplicate"],
        conflict=totals["conflict"],
        ignored=totals["ignored"],
        quarantined=totals["quarantined"],
        results=[result for result in results if result.status != "accepted"],
    )
    return _encoder.encode(receipt)


@cache
def _all_accepted(number: int) -> bytes:
    """Write down the usual case, of which there are as many as a delivery may hold events."""
    return _encoder.encode(Receipt(number, 0, 0, 0, 0, []))


def _result(index: int, judged: Judgement, status: str) -> Result:
    if isinstance(judged, Poison):
        return Result(index, judged.id, status, judged.reason, judged.field, judged.message)
    code = judged.code if isinstance(judged, Ignored) else None
    return Result(index, judged.id, status, code)
