"""Read bodies, name requests and write success bodies (design: Bodies)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from litestar import Request, Response
from litestar.types import Message, Scope

from mosaiclife_devcore.errors import BadRequest, UnsupportedMediaType, ValidationFailed
from mosaiclife_devcore.ids import ulid
from mosaiclife_plugin_sdk.clock import rfc3339, utc_now

T = TypeVar("T")
encode = msgspec.json.encode
_PLACE = re.compile(r"(?P<what>.*?)(?: - at `(?P<path>[^`]+)`)?", re.DOTALL)


def timestamp() -> str:
    """Return the present instant as bodies show it."""
    return rfc3339(utc_now())


def request_id(scope: Scope) -> str:
    """Return the id of this request, made when somebody first asks."""
    state: dict[str, Any] = scope["state"]
    return str(state.setdefault("request_id", ulid(utc_now())))


async def name_response(message: Message, scope: Scope) -> None:
    """Put on every response its request's id, and forbid guessing its type."""
    if message["type"] == "http.response.start":
        message["headers"] = [
            *message["headers"],
            (b"x-request-id", request_id(scope).encode()),
            (b"x-content-type-options", b"nosniff"),
        ]


def answer(
    request: Request[Any, Any, Any],
    data: object,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response[bytes]:
    """Wrap *data* in the success body."""
    meta = {"requestId": request_id(request.scope), "timestamp": timestamp()}
    return Response(
        encode({"data": data, "meta": meta}),
        status_code=status,
        headers={"cache-control": "no-store", **(headers or {})},
        media_type="application/json",
    )


async def read_json(request: Request[Any, Any, Any], shape: type[T]) -> T:
    """Decode the body, or say which place in it is wrong."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise UnsupportedMediaType("send application/json")
    body = await request.body()
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        raise ValidationFailed("the body breaks its schema", details=[_place(error)]) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest("the body is not JSON") from error


def _place(error: msgspec.ValidationError) -> dict[str, str]:
    match = _PLACE.fullmatch(str(error))
    if match is None:  # the pattern admits every text
        return {"field": "$", "message": str(error)}
    return {"field": match["path"] or "$", "message": match["what"]}
