"""Answer `{basePath}/settings`: in whose days a tenant's reports count."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from litestar import Request, Response, get, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import HeaderParameter, JSONBody
from msgspec import Meta, Struct

from mosaiclife_plugin_sdk import UserContext, ValidationFailed
from mosaiclife_plugin_sdk.frame.bodies import matches
from plugin_analytics.errors import SettingsMoved
from plugin_analytics.http.data import AnyRequest, Readers, Tenant, Viewer, answer, tag_of
from plugin_analytics.model.calendar import find_zone
from plugin_analytics.services.access import demand_steward
from plugin_analytics.services.pages import Report
from plugin_analytics.services.zones import Zones, preferences

IfMatch = Annotated[
    str | None,
    HeaderParameter(name="If-Match", description="The ETag of the settings that are to change."),
]


class Wanted(Struct, forbid_unknown_fields=True):
    """The settings as they shall be; null is what the instance uses."""

    timezone: Annotated[str, Meta(max_length=64)] | None


def settings_routes(
    zones: Zones, readers: Readers, changed: Callable[[], None]
) -> list[HTTPRouteHandler]:
    """Return the routes; *changed* is called when reports have to be counted in other days."""

    @get("/settings", summary="In whose days the reports count", operation_id="settings")
    async def show(request: AnyRequest, tenant: Tenant, viewer: Viewer) -> Response[Any]:
        del viewer  # every member may know in whose days a report counts
        return answer(
            request, Report(preferences(zones, await readers(partial(zones.own, tenant))), {})
        )

    @put(
        "/settings",
        summary="Change in whose days the reports count",
        operation_id="change_settings",
        opt={"errors": (412,)},
    )
    async def change(
        request: Request[Any, Any, Any],
        data: JSONBody[Wanted],
        tenant: Tenant,
        viewer: Viewer,
        if_match: IfMatch = None,
    ) -> Response[Any]:
        demand_steward(viewer)
        zone = _zone(data.timezone)
        before = await readers(partial(zones.own, tenant))
        if if_match is not None and not matches(if_match, _tag(zones, before)):
            raise SettingsMoved
        if before != zone:
            if not await readers(partial(zones.change, tenant, before, zone, _office(viewer))):
                raise SettingsMoved
            changed()
        return answer(request, Report(preferences(zones, zone), {}))

    return [show, change]


def _zone(name: str | None) -> ZoneInfo | None:
    zone = None if name is None else find_zone(name)
    if name is not None and zone is None:
        message = "is not the name of an IANA time zone"
        raise ValidationFailed(details=[{"field": "$.timezone", "message": message}])
    return zone


def _tag(zones: Zones, own: ZoneInfo | None) -> str:
    return tag_of(Report(preferences(zones, own), {}))


def _office(viewer: UserContext) -> str:
    return "service" if viewer.is_service else "operator"
