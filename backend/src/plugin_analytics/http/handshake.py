"""Answer `OPTIONS {basePath}/webhooks/ingest`, where an event source asks before it delivers.

This is the abuse protection of CloudEvents' web hooks (HTTP 1.1 Web Hooks for Event Delivery §4).
Any origin may ask; bearer and signature decide over each delivery.
"""

from typing import Any

from litestar import HttpMethod, Request, Response, route
from litestar.handlers import HTTPRouteHandler

INGEST = "/webhooks/ingest"
REQUESTS_PER_MINUTE = 120  # what the platform allows a plugin's callers
ASKED = "webhook-request-origin"


def handshake_route() -> HTTPRouteHandler:
    """Return the route; the frame adds `Allow` to what it answers."""

    @route(INGEST, http_method=HttpMethod.OPTIONS, status_code=204, include_in_schema=False)
    async def handshake(request: Request[Any, Any, Any]) -> Response[None]:
        if ASKED not in request.headers:
            return Response(None)
        allowed = {
            "WebHook-Allowed-Origin": "*",
            "WebHook-Allowed-Rate": str(REQUESTS_PER_MINUTE),
        }
        return Response(None, headers=allowed)

    return handshake
