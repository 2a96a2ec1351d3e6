"""Answer `GET {basePath}/data/…`: what has gathered, in which rhythm, and what can be asked."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from hashlib import blake2b
from typing import Any, TypeVar

import anyio
import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from mosaiclife_plugin_sdk import UserContext, time_left
from mosaiclife_plugin_sdk.context import limit_time
from mosaiclife_plugin_sdk.frame import ok
from plugin_analytics.http.openapi import (
    BreakdownOperation,
    ItemsOperation,
    OverviewOperation,
    QualityOperation,
    TimeseriesOperation,
)
from plugin_analytics.http.params import (
    Pairs,
    read_breakdown,
    read_items,
    read_overview,
    read_quality,
    read_timeseries,
)
from plugin_analytics.services.access import demand_steward, readable_scope
from plugin_analytics.services.pages import Report
from plugin_analytics.services.provide import Provide

T = TypeVar("T")
AnyRequest = Request[Any, Any, Any]
Tenant = NamedDependency[str]
Viewer = NamedDependency[UserContext]
Read = Callable[[str, UserContext, Pairs], Report]
REPORT_SECONDS = 2.0
_encoder = msgspec.json.Encoder(order="deterministic")


class Readers:
    """A few threads for reading: as many as the store has connections for it."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._limiter: anyio.CapacityLimiter | None = None

    async def __call__(self, read: Callable[[], T]) -> T:
        """Run *read* in a thread. A caller who gives up leaves it; its time limit ends it."""
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(self._count)
        left = time_left()
        with limit_time(REPORT_SECONDS if left is None else min(left, REPORT_SECONDS)):
            return await anyio.to_thread.run_sync(
                read, abandon_on_cancel=True, limiter=self._limiter
            )


def reports(provide: Provide) -> Mapping[str, Read]:
    """Return every report by its path; each reads its query and checks who asks."""

    def overview(tenant: str, viewer: UserContext, pairs: Pairs) -> Report:
        legacy, query = read_overview(pairs)
        return provide.overview(tenant, readable_scope(viewer, legacy), query)

    def timeseries(tenant: str, viewer: UserContext, pairs: Pairs) -> Report:
        legacy, query = read_timeseries(pairs)
        return provide.timeseries(tenant, readable_scope(viewer, legacy), query)

    def breakdown(tenant: str, viewer: UserContext, pairs: Pairs) -> Report:
        legacy, query = read_breakdown(pairs)
        return provide.breakdown(tenant, readable_scope(viewer, legacy), query)

    def quality(tenant: str, viewer: UserContext, pairs: Pairs) -> Report:
        demand_steward(viewer)
        return provide.quality(tenant, read_quality(pairs))

    def items(tenant: str, viewer: UserContext, pairs: Pairs) -> Report:
        del viewer  # whoever is here may know what can be asked
        return provide.items(tenant, read_items(pairs))

    return {
        "/data/overview": overview,
        "/data/timeseries": timeseries,
        "/data/breakdown": breakdown,
        "/data/quality": quality,
        "/data/items": items,
    }


_DESCRIBED = {
    "/data/overview": ("What has gathered in a legacy, or in the tenant", OverviewOperation),
    "/data/timeseries": ("In which rhythm people came to tell", TimeseriesOperation),
    "/data/breakdown": ("Of what kind it was", BreakdownOperation),
    "/data/quality": ("How healthy the data is, for whoever runs the instance", QualityOperation),
    "/data/items": ("The catalogue of metrics, reports and dimensions", ItemsOperation),
}


def data_routes(reads: Mapping[str, Read], readers: Readers) -> Sequence[HTTPRouteHandler]:
    """Return the routes of the data API."""
    return [_route(path, read, readers) for path, read in reads.items()]


def _route(path: str, read: Read, readers: Readers) -> HTTPRouteHandler:
    summary, operation = _DESCRIBED[path]
    name = path.rpartition("/")[2]

    @get(path, name=name, summary=summary, operation_class=operation, operation_id=name)
    async def report(request: AnyRequest, tenant: Tenant, viewer: Viewer) -> Response[Any]:
        pairs = list(request.query_params.multi_items())
        return answer(request, await readers(partial(read, tenant, viewer, pairs)))

    return report


def answer(request: AnyRequest, report: Report) -> Response[Any]:
    """Encode a report under a tag that changes when any of its numbers does."""
    return ok(request, report.data, meta=report.meta, etag=tag_of(report))


def tag_of(report: Report) -> str:
    """Return the tag of a report."""
    return blake2b(_encoder.encode((report.data, report.meta)), digest_size=16).hexdigest()
