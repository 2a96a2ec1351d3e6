"""Answer the questions of the data API from what has been counted (spec §8.3)."""

from collections.abc import Callable, Hashable, Mapping
from functools import partial
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from plugin_analytics.clock import Clock
from plugin_analytics.model.catalogue import Item, Kind, items_after
from plugin_analytics.model.cursors import Cursors
from plugin_analytics.model.families import WHOLE_TENANT
from plugin_analytics.services.breakdown import BreakdownQuery, breakdown
from plugin_analytics.services.overview import OverviewQuery, overview
from plugin_analytics.services.pages import Pagination, Report
from plugin_analytics.services.quality import QualityQuery, quality
from plugin_analytics.services.recent import Recent
from plugin_analytics.services.rhythm import TimeseriesQuery, timeseries
from plugin_analytics.services.view import View, Window
from plugin_analytics.services.zones import Zones
from plugin_analytics.store.base import Store

__all__ = ["ItemsQuery", "OverviewQuery", "Provide", "TimeseriesQuery", "Window"]
Q = TypeVar("Q", OverviewQuery, TimeseriesQuery, BreakdownQuery)
UTC = ZoneInfo("UTC")


class ItemsQuery(NamedTuple):
    """Which page of the catalogue."""

    kind: Kind | None
    limit: int
    cursor: str | None


class Provide:
    """Read reports for one scope: a legacy, or a whole tenant."""

    def __init__(self, store: Store, clock: Clock, cursors: Cursors, zones: Zones) -> None:
        """Read from *store*, as of the present moment of *clock*."""
        self._store = store
        self._clock = clock
        self._cursors = cursors
        self._zones = zones
        self._recent = Recent()

    def overview(self, tenant: str, legacy: str, query: OverviewQuery) -> Report:
        """Tell what has gathered, and what changed since other days."""
        return self._report(overview, tenant, legacy, query)

    def timeseries(self, tenant: str, legacy: str, query: TimeseriesQuery) -> Report:
        """Tell when people came to tell."""
        return self._report(timeseries, tenant, legacy, query)

    def breakdown(self, tenant: str, legacy: str, query: BreakdownQuery) -> Report:
        """Tell of what kind it was."""
        return self._report(partial(breakdown, cursors=self._cursors), tenant, legacy, query)

    def quality(self, tenant: str, query: QualityQuery) -> Report:
        """Tell whether the numbers of a tenant can be trusted."""
        with self._store.snapshot():
            view = View(self._store, self._clock, tenant, WHOLE_TENANT, UTC)

            def make() -> Report:
                health = self._store.health(tenant, view.span(query.window))
                return quality(view, health, self._store.verification(tenant), query)

            return self._recent(self._store.moment(), _asked(view, query), make)

    def items(self, tenant: str, query: ItemsQuery) -> Report:
        """List what can be asked, page by page."""
        bound = ("items", tenant, query.kind)
        last = None if query.cursor is None else self._cursors.read(bound, query.cursor)
        page, more = items_after(last, query.limit, query.kind)
        following = self._cursors.make(bound, page[-1].id) if more else None
        data: list[Item] = page
        return Report(data, {"pagination": Pagination(query.limit, more, following)})

    def _report(
        self, make: Callable[[View, Q], Report], tenant: str, legacy: str, query: Q
    ) -> Report:
        """Make a report of one moment."""
        with self._store.snapshot():
            zone = query.zone or self._zones.of(tenant)
            view = View(self._store, self._clock, tenant, legacy, zone)
            asked = _asked(view, query)
            return self._recent(self._store.moment(), asked, lambda: make(view, query))


def _asked(view: View, query: tuple[object, ...]) -> Hashable:
    """Return all that a report depends on beside what is stored."""
    words = (tuple(sorted(word.items())) if isinstance(word, Mapping) else word for word in query)
    return type(query), view.scope, view.zone.key, view.today, *words
