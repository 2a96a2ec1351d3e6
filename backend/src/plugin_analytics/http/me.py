"""Answer `{basePath}/data/me`, `/data/erasures` and `DELETE /data`: what is held, and forgetting."""

from collections.abc import Callable
from functools import partial
from typing import Any

from litestar import Response, delete, get
from litestar.handlers import HTTPRouteHandler

from mosaiclife_plugin_sdk import PermissionDenied, UserContext
from mosaiclife_plugin_sdk.frame import ok
from plugin_analytics.http.data import AnyRequest, Readers, Tenant, Viewer, answer
from plugin_analytics.http.openapi import EraseTenantOperation, ErasuresOperation
from plugin_analytics.http.params import NOTHING, Parameters, read_confirmation, read_erasures
from plugin_analytics.services.access import demand_steward
from plugin_analytics.services.me import DataSubject


def me_routes(
    subject: DataSubject, readers: Readers, asked: Callable[[], None]
) -> list[HTTPRouteHandler]:
    """Return the routes; *asked* is called when something is to be forgotten."""

    @get("/data/me", summary="What is held about the viewer", operation_id="me")
    async def held(request: AnyRequest, tenant: Tenant, viewer: Viewer) -> Response[Any]:
        Parameters(request.query_params.multi_items(), NOTHING).check()
        return answer(request, await readers(partial(subject.held, tenant, _person(viewer))))

    @delete(
        "/data/me",
        status_code=202,
        summary="Forget the viewer up to now",
        operation_id="forget_me",
    )
    async def forget(request: AnyRequest, tenant: Tenant, viewer: Viewer) -> Response[Any]:
        Parameters(request.query_params.multi_items(), NOTHING).check()
        accepted = await subject.forget(tenant, _person(viewer))
        asked()
        return ok(request, accepted, status=202)

    @delete(
        "/data",
        status_code=202,
        summary="Forget everything of the tenant up to now",
        operation_class=EraseTenantOperation,
        operation_id="erase_tenant",
    )
    async def erase(request: AnyRequest, tenant: Tenant, viewer: Viewer) -> Response[Any]:
        demand_steward(viewer)
        read_confirmation(request.query_params.multi_items(), tenant)
        accepted = await subject.erase_tenant(tenant)
        asked()
        return ok(request, accepted, status=202)

    @get(
        "/data/erasures",
        summary="The receipts of what was forgotten; the newest first",
        operation_class=ErasuresOperation,
        operation_id="erasures",
    )
    async def erasures(request: AnyRequest, tenant: Tenant, viewer: Viewer) -> Response[Any]:
        demand_steward(viewer)
        query = read_erasures(request.query_params.multi_items())
        return answer(request, await readers(partial(subject.receipts, tenant, query)))

    return [held, forget, erase, erasures]


def _person(viewer: UserContext) -> str:
    """Return who asks; core on nobody's behalf has nothing of its own here."""
    if viewer.is_service or not viewer.sub:
        raise PermissionDenied("Only a person may ask about their own data.")
    return viewer.sub
