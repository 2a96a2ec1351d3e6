"""Give every route and every status one error body (design: Bodies)."""

from __future__ import annotations

from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from mosaiclife_devcore.errors import CoreError
from mosaiclife_devcore.requests import encode, request_id, timestamp

log = structlog.get_logger(__name__)

CODES = {
    400: "INVALID_FORMAT",
    401: "AUTH_REQUIRED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    429: "RATE_LIMITED",
}

AnyRequest = Request[Any, Any, Any]


def refuse(request: AnyRequest, error: CoreError) -> Response[bytes]:
    """Answer with one of our own refusals."""
    return _problem(request, error.status, error.code, error.message, error)


def refuse_http(request: AnyRequest, error: HTTPException) -> Response[bytes]:
    """Answer with what the web framework refused: no such route, wrong method, body too large."""
    if error.status_code >= 500:
        return crash(request, error)
    code = CODES.get(error.status_code, "INVALID_FORMAT")
    problem = CoreError(error.detail, headers=error.headers)
    return _problem(request, error.status_code, code, error.detail, problem)


def crash(request: AnyRequest, error: Exception) -> Response[bytes]:
    """Log a fault of our own, and tell the caller no more than its request id."""
    log.error("request_failed", request_id=request_id(request.scope), exc_info=error)
    return _problem(request, 500, "INTERNAL", "the core failed on this request", CoreError(""))


def _problem(
    request: AnyRequest, status: int, code: str, message: str, error: CoreError
) -> Response[bytes]:
    body = {
        "code": code,
        "message": message,
        "details": error.details,
        "requestId": request_id(request.scope),
        "timestamp": timestamp(),
    }
    return Response(
        encode({"error": body}),
        status_code=status,
        headers={"cache-control": "no-store", **error.headers},
        media_type="application/json",
    )
