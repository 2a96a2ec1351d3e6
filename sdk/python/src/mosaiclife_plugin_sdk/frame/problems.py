"""Turn whatever a handler raises into the one error body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from litestar import Request, Response
from litestar.enums import ParamType
from litestar.exceptions import (
    HTTPException,
    InternalServerException,
    MethodNotAllowedException,
    ValidationException,
)
from litestar.types import ExceptionHandlersMap

from mosaiclife_plugin_sdk import errors
from mosaiclife_plugin_sdk.frame.bodies import problem, request_id
from mosaiclife_plugin_sdk.frame.metrics import Metrics
from mosaiclife_plugin_sdk.frame.options import with_head

log = structlog.stdlib.get_logger(__name__)

CUT_SHORT = "The body ended before its end."
TOO_DEEP = "The body is nested too deeply."

_BY_STATUS: Mapping[int, type[errors.PluginError]] = {
    400: errors.BadRequest,
    401: errors.AuthRequired,
    403: errors.PermissionDenied,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    409: errors.Conflict,
    413: errors.PayloadTooLarge,
    415: errors.UnsupportedMediaType,
    422: errors.ValidationFailed,
    429: errors.RateLimited,
    503: errors.ServiceUnavailable,
    504: errors.Timeout,
}


def exception_handlers(metrics: Metrics) -> ExceptionHandlersMap:
    """Return the app's one handler, which knows every exception."""

    def handle(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        answer = settled(error, metrics, request.scope.get("path_template"))
        body = problem(answer, request_id(request.scope))
        return Response(body, status_code=answer.status, headers=headers_of(answer))

    return {Exception: handle}


def settled(error: Exception, metrics: Metrics, route: str | None) -> errors.PluginError:
    """Return the answer that *error* deserves, counted and logged where it is the plugin's."""
    answer = translate(error)
    if answer.status >= 500:
        metrics.error(answer.code.lower())
    if type(answer) is errors.PluginError:
        log.error("request failed", route=route, exc_info=error)
    return answer


def translate(error: Exception) -> errors.PluginError:
    """Return the answer that *error* deserves; what nobody foresaw is a plain 500."""
    match error:
        case errors.PluginError():
            return error
        case ValidationException():
            return errors.ValidationFailed(details=_details(error.extra))
        case MethodNotAllowedException():
            allowed = (error.headers or {}).get("allow", "")
            return errors.MethodNotAllowed(headers={"Allow": with_head(allowed.split(", "))})
        case InternalServerException() if error.detail == "client disconnected prematurely":
            return errors.BadRequest(CUT_SHORT)
        case RecursionError():
            return errors.BadRequest(TOO_DEEP)
        case HTTPException() if error.status_code in _BY_STATUS:
            return _BY_STATUS[error.status_code]()
        case errors.CoreUnreachable():
            return errors.ServiceUnavailable("Core cannot be reached.", retry_after=5)
        case TimeoutError():
            return errors.Timeout()
        case _:
            return errors.PluginError("The plugin failed; its log has the reason.")


def headers_of(answer: errors.PluginError) -> dict[str, str]:
    """Return the headers that *answer* is sent with."""
    # The rest of a body that is too large is not worth reading: end the connection.
    closing = {"Connection": "close"} if answer.status == 413 else {}
    return {"Cache-Control": "no-store", **closing, **answer.headers}


def _details(extra: Any) -> list[dict[str, str]]:
    """Return Litestar's findings as `{field, message}`; a body's field is its JSON path."""
    found = extra if isinstance(extra, list) else []
    return [
        {"field": _field(item), "message": str(item.get("message", ""))}
        for item in found
        if isinstance(item, dict)
    ]


def _field(item: Mapping[str, Any]) -> str:
    key, source = str(item.get("key", "")), item.get("source")
    if isinstance(source, ParamType):
        return f"{source.value}.{key}"
    # Litestar calls the body itself by the name of the handler's parameter.
    return "$" if key in ("", "data") else f"$.{key}"
