"""A store on a fresh file for whoever asks, and the way from envelopes to reports."""

import asyncio
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from mosaiclife_plugin_sdk import Delivery
from mosaiclife_plugin_sdk.stores import sql_stores
from plugin_analytics.model.calendar import Period
from plugin_analytics.model.cursors import Cursors
from plugin_analytics.model.erasure import Hashes
from plugin_analytics.model.pseudonyms import Pseudonyms
from plugin_analytics.services.erasure import Erase
from plugin_analytics.services.grants import GrantBook
from plugin_analytics.services.ingest import Ingest
from plugin_analytics.services.intake import Intake
from plugin_analytics.services.me import DataSubject
from plugin_analytics.services.provide import OverviewQuery, Provide, Window
from plugin_analytics.services.rollup import Refresh, Refreshed
from plugin_analytics.services.zones import Zones
from plugin_analytics.store.base import Store
from plugin_analytics.store.sqlite import SQLiteStore
from tests.support.events import TENANT, body_of

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
ZONE = ZoneInfo("UTC")
PLUGIN = "this-plugin"
ALL = Window(Period("all"))
_deliveries = itertools.count(1)


class Bench:
    """Everything between a delivery and a report, without HTTP."""

    def __init__(self, store: SQLiteStore, zone: ZoneInfo = ZONE) -> None:
        self.store = store
        self.zone = zone
        self.counted: list[tuple[str, str, int]] = []
        self.commits = 0
        self.intake = Intake()
        self.pseudonyms = Pseudonyms(b"k" * 32)
        self.hashes = Hashes(self.pseudonyms.subkey("tombstones"))
        self.book = GrantBook(store, self.hashes)
        self.asked = 0
        self.linked: list[str] = []
        self.ingest = Ingest(
            store,
            sql_stores(store.frame_engine).deliveries,
            self.pseudonyms,
            lambda: NOW,
            plugin=PLUGIN,
            intake=self.intake,
            count=lambda *counted: self.counted.append(counted),
            committed=self._committed,
            link=self.linked.extend,
            asked=self._asked,
            book=self.book,
        )
        self.zones = Zones(store, zone)
        self.provide = Provide(store, lambda: NOW, Cursors(b"c" * 32), self.zones)

    def deliver(
        self,
        events: Sequence[Mapping[str, Any]],
        *,
        tenant: str = TENANT,
        delivery_id: str | None = None,
        content_type: str = "application/json",
        body: bytes | None = None,
    ) -> dict[str, Any]:
        """Take in one delivery and return the answer's data."""
        delivery = Delivery(
            id=delivery_id or f"d{next(_deliveries)}",
            timestamp=0,
            tenant=tenant,
            body=body_of(events) if body is None else body,
            content_type=content_type,
            headers={},
            traceparent=None,
        )
        answer: dict[str, Any] = msgspec.json.decode(asyncio.run(self.taken(delivery)).data)
        return answer

    async def taken(self, delivery: Delivery) -> Any:
        """Return what a delivery is answered with."""
        return await self.ingest(delivery)

    def refresh(self, *, zone: ZoneInfo | None = None) -> list[Refreshed]:
        """Run the job to its end and return what it told."""
        told: list[Refreshed] = []
        zones = Zones(self.store, zone) if zone else self.zones
        Refresh(self.store, zones)(lambda: False, told.append)
        return told

    def metrics(
        self,
        legacy: str = "",
        *,
        tenant: str = TENANT,
        window: Window | None = None,
        zone: ZoneInfo | None = None,
    ) -> dict[str, int]:
        """Return each metric's value that is not zero."""
        query = OverviewQuery(window or ALL, zone or self.zone)
        report = self.provide.overview(tenant, legacy, query)
        return {found.metric: found.value for found in report.data.metrics if found.value}

    def eraser(self, *, now: datetime = NOW) -> Erase:
        """Return the job that forgets."""
        refresh = Refresh(self.store, self.zones)
        return Erase(self.store, lambda: now, self.hashes, refresh, self.book)

    def erase_tenant(self, tenant: str = TENANT) -> str:
        """Ask that a whole tenant be forgotten, and return the receipt's id."""
        return asyncio.run(self.subject().erase_tenant(tenant)).receipt_id

    def subject(self, *, now: datetime = NOW) -> DataSubject:
        """Return what people may ask about their own."""
        cursors = Cursors(b"c" * 32)
        parts = self.pseudonyms, self.hashes, self.book, cursors
        return DataSubject(self.store, lambda: now, *parts)

    def erase(self, *, now: datetime = NOW) -> dict[str, int]:
        """Run the job that forgets to its end and return its result."""
        return self.eraser(now=now)(lambda: False)

    def _committed(self) -> None:
        self.commits += 1

    def _asked(self) -> None:
        self.asked += 1


@pytest.fixture(params=["sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Return each adapter of the port in turn, empty."""
    opened = SQLiteStore(tmp_path / "plugin.db")
    yield opened
    opened.close()


@pytest.fixture
def bench(store: SQLiteStore) -> Bench:
    """Return the services over an empty store."""
    return Bench(store)


@pytest.fixture(scope="module")
def shared_bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Return services over a store that many examples share, each as tenants of its own."""
    opened = SQLiteStore(tmp_path_factory.mktemp("shared") / "plugin.db")
    yield Bench(opened)
    opened.close()


@pytest.fixture
def new_bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Bench]]:
    """Return a maker of benches, each over a store of its own."""
    opened: list[SQLiteStore] = []

    def make(zone: ZoneInfo = ZONE) -> Bench:
        opened.append(SQLiteStore(tmp_path_factory.mktemp("store") / "plugin.db"))
        return Bench(opened[-1], zone)

    yield make
    for each in opened:
        each.close()
