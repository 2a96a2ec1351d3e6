"""Tell of what kind it was: one metric apart by one dimension, page by page.

The pages of one walk are of one moment. A dimension has a handful of values, so what is left of the
list travels in the cursor itself, signed: what arrives meanwhile can neither repeat a value nor
hide one, and nothing has to be kept for a reader who may never return.
"""

from datetime import date
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from plugin_analytics.model.calendar import Range
from plugin_analytics.model.cursors import Cursors
from plugin_analytics.model.reports import Share, by_value, shares
from plugin_analytics.services.pages import Pagination, Report
from plugin_analytics.services.view import Filter, View, Window
from plugin_analytics.store.base import Freshness


class BreakdownQuery(NamedTuple):
    """Of what kind it was; without a zone, in that of the tenant."""

    window: Window
    zone: ZoneInfo | None
    metric: str
    dimension: str
    ascending: bool
    limit: int
    cursor: str | None = None
    only: Filter | None = None


class _Walk(msgspec.Struct, frozen=True, array_like=True):
    """What is left of a list, and of which moment it is."""

    seq: int
    fresh: Freshness
    start: date
    end: date
    total: int
    left: list[tuple[str, int]]


_walks = msgspec.json.Decoder(_Walk)


def breakdown(view: View, query: BreakdownQuery, cursors: Cursors) -> Report:
    """Return a page; with a cursor, the next of the walk that it was made in."""
    bound = _bound(view, query)
    if query.cursor is None:
        walk = _begin(view, query)
    else:
        walk = _walks.decode(cursors.read(bound, query.cursor))
    page, left = walk.left[: query.limit], walk.left[query.limit :]
    following = None
    if left:
        rest = msgspec.structs.replace(walk, left=left)
        following = cursors.make(bound, msgspec.json.encode(rest).decode())
    span = Range(walk.start, walk.end)
    meta = {
        **view.meta(span, (query.metric,), fresh=walk.fresh),
        "dimension": query.dimension,
        "total": walk.total,
        "snapshot": walk.seq,
        "pagination": Pagination(query.limit, bool(left), following),
    }
    return Report([Share(*each) for each in page], meta)


def _begin(view: View, query: BreakdownQuery) -> _Walk:
    span = view.span(query.window)
    cells = view.cells([span], query.metric, query.only)
    found = shares(by_value(query.metric, query.dimension, 1, cells), ascending=query.ascending)
    counts = [(share.value, share.count) for share in found]
    total = sum(count for _, count in counts)
    return _Walk(view.seq(), view.freshness(), span.start, span.end, total, counts)


def _bound(view: View, query: BreakdownQuery) -> tuple[str | None, ...]:
    """Return what a cursor belongs to: everything but the size of its pages."""
    asked = (query.window, query.metric, query.dimension, query.ascending, query.only)
    return ("breakdown", *view.scope, view.zone.key, msgspec.json.encode(asked).decode())
