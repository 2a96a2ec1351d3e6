"""Answer `GET {basePath}/webhooks/quarantine`: what was set aside, for whoever runs the instance."""

from functools import partial
from typing import Any

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from plugin_analytics.http.data import AnyRequest, Readers, Tenant, Viewer, answer
from plugin_analytics.http.openapi import QuarantineOperation
from plugin_analytics.http.params import read_quarantine
from plugin_analytics.services.access import demand_steward
from plugin_analytics.services.quarantine import Quarantine


def quarantine_route(quarantine: Quarantine, readers: Readers) -> HTTPRouteHandler:
    """Return the route that lists what was set aside."""

    @get(
        "/webhooks/quarantine",
        summary="Events that were set aside, and why; the newest first",
        operation_class=QuarantineOperation,
    )
    async def quarantined(request: AnyRequest, tenant: Tenant, viewer: Viewer) -> Response[Any]:
        demand_steward(viewer)
        query = read_quarantine(request.query_params.multi_items())
        return answer(request, await readers(partial(quarantine, tenant, query)))

    return quarantined
