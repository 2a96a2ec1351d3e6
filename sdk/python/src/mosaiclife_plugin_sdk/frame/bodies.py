"""Write the two bodies of the contract: `{data, meta}` and `{error}` (design: Bodies)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request, Response

from mosaiclife_plugin_sdk.clock import rfc3339_now
from mosaiclife_plugin_sdk.errors import PluginError

_encode = msgspec.json.Encoder().encode


def ok(
    request: Request[Any, Any, Any],
    data: Any,
    *,
    meta: Mapping[str, Any] | None = None,
    status: int = 200,
    etag: str | None = None,
) -> Response[Any]:
    """Answer with *data*; with an *etag* the caller's own copy may do (304)."""
    headers: dict[str, str] = {}
    if etag is not None:
        headers = {"ETag": f'"{etag}"', "Cache-Control": "private, no-cache"}
        if matches(request.headers.get("if-none-match", ""), etag):
            return Response(None, status_code=304, headers=headers)
    body = success(data, request_id(request.scope), meta)
    return Response(body, status_code=status, headers=headers)


def success(data: Any, request_id: str, meta: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the one shape that every good answer has."""
    full = {"requestId": request_id, "timestamp": rfc3339_now(), **(meta or {})}
    return {"data": data, "meta": full}


def encoded_success(data: bytes, request_id: str) -> bytes:
    """Return the same as bytes, for *data* that is JSON already."""
    name, moment = _encode(request_id), rfc3339_now().encode()
    return b'{"data":%b,"meta":{"requestId":%b,"timestamp":"%b"}}' % (data, name, moment)


def problem(error: PluginError, request_id: str) -> dict[str, Any]:
    """Return the one shape that every error has, on every route and with every status."""
    return {
        "error": {
            "code": error.code,
            "message": error.message,
            "details": error.details,
            "requestId": request_id,
            "timestamp": rfc3339_now(),
        }
    }


def request_id(scope: Mapping[str, Any]) -> str:
    """Return the id under which the edge filed this request."""
    return str(scope.get("request_id", ""))


def matches(if_none_match: str, etag: str) -> bool:
    """Compare as RFC 9110 §13.1.2 says: weakly, any of a list, `*` for all."""
    offered = (tag.strip().removeprefix("W/") for tag in if_none_match.split(","))
    return any(tag in ("*", f'"{etag}"') for tag in offered)
