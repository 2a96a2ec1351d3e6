"""Let in who has core's token, and read on whose behalf the call is made (design: Tenancy).

Every route is closed unless it says `opt={"public": True}`. Under the base path a tenant and a
viewer are demanded too, unless the route says `opt={"tenant": False}` or `opt={"viewer": False}`.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from mosaiclife_plugin_sdk.context import UserContext, decode_user_context, parse_tenant
from mosaiclife_plugin_sdk.errors import (
    AuthInvalid,
    AuthRequired,
    BadRequest,
    PermissionDenied,
    UnsupportedMediaType,
)

Connection = ASGIConnection[Any, Any, Any, Any]


def bearer_guard(tokens: Callable[[], Sequence[str]]) -> Guard:
    """Return a guard that admits only calls with one of the *tokens* that are valid now."""

    # Coroutines: Litestar sends plain guards through a thread, at 300 us each.
    async def demand_bearer(connection: Connection, handler: BaseRouteHandler) -> None:
        if handler.opt.get("public") or connection.scope.get("method") == "OPTIONS":
            return
        offered = connection.headers.getall("authorization", [])
        if len(offered) != 1 or not is_one_of(token_of(offered[0]), tokens()):
            raise AuthInvalid() if offered else AuthRequired()

    return demand_bearer


def is_one_of(offered: str, tokens: Sequence[str]) -> bool:
    """Compare in a time that tells nothing; no tokens admit nobody."""
    raw = offered.encode("utf-8", "surrogateescape")
    matches = [hmac.compare_digest(raw, token.encode()) for token in tokens]
    return any(matches)


async def context_guard(connection: Connection, handler: BaseRouteHandler) -> None:
    """Read tenant and viewer of an authenticated call; demand what the route demands."""
    if connection.scope.get("method") == "OPTIONS":
        return
    tenant = _only(connection, "x-tenant-id")
    viewer = _only(connection, "x-user-context")
    if tenant is None and handler.opt.get("tenant", True):
        raise BadRequest("X-Tenant-ID is missing")
    if viewer is None and handler.opt.get("viewer", True):
        raise PermissionDenied("X-User-Context is missing: nobody is said to be looking")
    connection.state.tenant = None if tenant is None else parse_tenant(tenant)
    connection.state.viewer = None if viewer is None else decode_user_context(viewer)


async def json_guard(connection: Connection, handler: BaseRouteHandler) -> None:
    """Refuse a body that a handler would read as JSON when it says to be something else."""
    if getattr(handler, "parsed_data_field", None) is None:
        return
    declared = connection.headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared != "application/json" and not declared.endswith("+json"):
        raise UnsupportedMediaType("Send the body as application/json.")


def provide_tenant(request: Request[Any, Any, Any]) -> str | None:
    """Return the tenant that the guard read."""
    tenant: str | None = request.state.tenant
    return tenant


def provide_viewer(request: Request[Any, Any, Any]) -> UserContext | None:
    """Return the viewer that the guard read."""
    viewer: UserContext | None = request.state.viewer
    return viewer


def _only(connection: Connection, name: str) -> str | None:
    """Return the one value of a header; two would let two readers see two different callers."""
    values = connection.headers.getall(name, [])
    if len(values) > 1:
        raise BadRequest(f"{name} stands more than once")
    return values[0] if values else None


def token_of(header: str) -> str:
    """Return the token of an `Authorization` header, empty when it is no bearer's."""
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
