"""Let only core's own pages change something in the name of the signed-in person."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from mosaiclife_devcore.errors import PermissionDenied

SAFE = {"GET", "HEAD", "OPTIONS"}


def same_origin(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Guard a browser-facing route: an unsafe method must come from this origin."""
    if connection.scope.get("method") in SAFE:
        return
    site = connection.headers.get("sec-fetch-site")
    origin = connection.headers.get("origin")
    if site is not None and site != "same-origin":
        raise PermissionDenied(f"a {site} page may not do this")
    if origin is None and site is None:
        raise PermissionDenied("say where the call comes from: Origin or Sec-Fetch-Site is missing")
    if origin is not None and urlsplit(origin).netloc != connection.headers.get("host"):
        raise PermissionDenied("a page of another origin may not do this")
