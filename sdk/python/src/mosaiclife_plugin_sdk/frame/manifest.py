"""Answer `GET /manifest` with plugin.yaml as normalised JSON (spec §8.2)."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from mosaiclife_plugin_sdk.frame.bodies import matches
from mosaiclife_plugin_sdk.manifest import Manifest


def manifest_route(manifest: Manifest) -> HTTPRouteHandler:
    """Return the route; the document is bare, as registration sends it."""
    document = msgspec.json.encode(manifest.normalised())
    etag = hashlib.sha256(document).hexdigest()[:16]
    headers = {"ETag": f'"{etag}"', "Cache-Control": "no-cache"}

    content = {"application/json": {"schema": {"type": "object"}}}

    @get(
        "/manifest",
        opt={"public": True, "etag": True, "content": content},
        sync_to_thread=False,
        summary="The manifest",
    )
    def answer(request: Request[Any, Any, Any]) -> Response[Any]:
        if matches(request.headers.get("if-none-match", ""), etag):
            return Response(None, status_code=304, headers=headers)
        return Response(document, media_type="application/json", headers=headers)

    return answer
