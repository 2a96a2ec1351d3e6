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
from plugin_analytics.model.envelopes import Reader, read_parcel, traceparents
from plugin_analytics.model.erasure import Ask
from plugin_analytics.model.events import (
    Event,
    Ignored,
    Judge,
    Judgement,
    Poison,
    Pseudonymise,
)
from plugin_analytics.services.gathering import Gathering
from plugin_analytics.services.grants import GrantBook
from plugin_analytics.services.intake import Intake
from plugin_analytics.services.landing import Arrival, Landing
from plugin_analytics.store.base import Batch, Outcome, Store

RETRY_UNKNOWN_SECONDS = 300
AT_A_STROKE = 50  # events: judged in a millisecond or two


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

    async def __call__(self, delivery: Delivery) -> Recorded:
        """Take in one delivery; return the answer that was stored with its events."""
        leave = self._intake.enter(len(delivery.body))
        try:
            judgements, now = await self._judge(delivery)
            arrival: Arrival[Stored] = self._landing.expect(leave)
            self._keep(delivery, now, judgements, arrival)
        except BaseException:
            leave()
            raise
        try:
            outcomes, answer = await arrival.here
        except _Repeated as repeated:
            return repeated.answer
        self._report(delivery.tenant, judgements, outcomes)
        return answer

    async def _judge(self, delivery: Delivery) -> tuple[Sequence[Judgement], datetime]:
        """Judge every event of a delivery, as of now."""
        parcel, now = read_parcel(delivery.body, delivery.content_type), self._clock()
        self._link(traceparents(parcel.events))
        new_judge = partial(self._new_judge, delivery.tenant, now, parcel.read)
        if len(parcel.events) <= AT_A_STROKE:
            judgements = list(map(await new_judge(), parcel.events))
        else:
            judgements = await self._judge_many(parcel.events, new_judge)
        _refuse_what_a_later_release_reads(judgements)
        return judgements, now

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
        standing, graves = self._book.at_hand(tenant) or await self._book.standing(tenant)
        return Judge(tenant, now, self._pseudonymise, read, standing, self._plugin, graves)

    def _keep(
        self,
        delivery: Delivery,
        now: datetime,
        judgements: Sequence[Judgement],
        arrival: Arrival[Stored],
    ) -> None:
        """Store everything; *arrival* is settled once all of it is durable."""

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
        self._gathering.add(
            partial(self._store.hand_in, batch, answer, self._record, arrival), arrival
        )

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
