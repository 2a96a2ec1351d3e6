"""Answer `GET {basePath}/data/…`: what has gathered, in which rhythm, and what can be asked."""

from collections.abc import Callable, Sequence
from functools import partial
from hashlib import blake2b
from typing import Any, TypeVar

import anyio
import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from mosaiclife_plugin_sdk import UserContext
from mosaiclife_plugin_sdk.frame import ok
from plugin_analytics.http.openapi import ItemsOperation, OverviewOperation, TimeseriesOperation
from plugin_analytics.http.params import read_items, read_overview, read_timeseries
from plugin_analytics.services.access import readable_scope
from plugin_analytics.services.pages import Report
from plugin_analytics.services.provide import Provide

T = TypeVar("T")
AnyRequest = Request[Any, Any, Any]
Tenant = NamedDependency[str]
Viewer = NamedDependency[UserContext]
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
        return await anyio.to_thread.run_sync(read, abandon_on_cancel=True, limiter=self._limiter)


def data_routes(provide: Provide, readers: Readers) -> Sequence[HTTPRouteHandler]:
    """Return the routes of the data API."""

    @get(
        "/data/overview",
        summary="What has gathered in a legacy, or in the tenant",
        operation_class=OverviewOperation,
    )
    async def overview(request: AnyRequest, tenant: Tenant, viewer: Viewer) -> Response[Any]:
        legacy, query = read_overview(request.query_params.multi_items())
        scope = readable_scope(viewer, legacy)
        return answer(request, await readers(partial(provide.overview, tenant, scope, query)))

    @get(
        "/data/timeseries",
        summary="In which rhythm people came to tell",
        operation_class=TimeseriesOperation,
    )
    async def timeseries(request: AnyRequest, tenant: Tenant, viewer: Viewer) -> Response[Any]:
        legacy, query = read_timeseries(request.query_params.multi_items())
        scope = readable_scope(viewer, legacy)
        return answer(request, await readers(partial(provide.timeseries, tenant, scope, query)))

    @get(
        "/data/items",
        summary="The catalogue of metrics, reports and dimensions",
        operation_class=ItemsOperation,
    )
    async def items(request: AnyRequest, tenant: Tenant) -> Response[Any]:
        query = read_items(request.query_params.multi_items())
        return answer(request, provide.items(tenant, query))

    return [overview, timeseries, items]


def answer(request: AnyRequest, report: Report) -> Response[Any]:
    """Encode a report under a tag that changes when any of its numbers does."""
    tag = blake2b(_encoder.encode((report.data, report.meta)), digest_size=16).hexdigest()
    return ok(request, report.data, meta=report.meta, etag=tag)
