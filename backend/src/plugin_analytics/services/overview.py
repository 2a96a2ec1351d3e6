"""Tell what has gathered, and what changed since other days."""

from typing import NamedTuple
from zoneinfo import ZoneInfo

from plugin_analytics.model.calendar import Period, buckets
from plugin_analytics.model.catalogue import OVERVIEW_METRICS
from plugin_analytics.model.reports import Overview, Sparkline, bars, compare
from plugin_analytics.services.pages import Report
from plugin_analytics.services.view import Comparing, View, Window, dates

SPARKLINE = Period("mo", 12)


class OverviewQuery(NamedTuple):
    """What has gathered; without a zone, in that of the tenant."""

    window: Window
    zone: ZoneInfo | None = None
    comparing: Comparing = Comparing()


def overview(view: View, query: OverviewQuery) -> Report:
    """Answer the panel's one question."""
    span = view.span(query.window)
    beside = view.beside(span, query.window, query.comparing)
    (now,) = view.table([span], OVERVIEW_METRICS)
    meta = view.meta(span, ("overview",))
    if beside is None:
        then: list[int | None] = [None] * len(OVERVIEW_METRICS)
    else:
        (counted,) = view.table([beside.span], OVERVIEW_METRICS)
        then, meta = [*counted], {**meta, "comparison": dates(beside.span)}
    columns = zip(OVERVIEW_METRICS, now, then, strict=True)
    data = Overview(view.legacy_id, [compare(*column) for column in columns], _sparkline(view))
    return Report(data, meta)


def _sparkline(view: View) -> Sparkline:
    slots = list(buckets(SPARKLINE.range(view.today, view.today), "month", view.today))
    table = view.table([slot.span for slot in slots], ("stories",))
    return Sparkline("stories", "month", bars(slots, table))
