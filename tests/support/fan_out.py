"""A service that only passes calls on, through the frame's own edge, propagator and client.

A plugin has no such route. The W3C's cases are written for one: POST a list of
`{"url": …, "arguments": …}`, and each `arguments` is posted to its `url`.
"""

import json
from typing import Any

import httpx
from litestar.types import Receive, Scope, Send

from mosaiclife_plugin_sdk import FrameSettings
from mosaiclife_plugin_sdk.frame.edge import Edge
from mosaiclife_plugin_sdk.frame.logs import AccessLog
from mosaiclife_plugin_sdk.frame.metrics import Metrics
from mosaiclife_plugin_sdk.frame.tracing import AsyncTracedTransport, Tracing


def fan_out() -> Edge:
    """Return the service as an ASGI app."""
    settings = FrameSettings(self_register=False, access_log_sample=0.0)
    tracing = Tracing("fan-out", "1.0.0", settings)

    async def pass_on(_scope: Scope, receive: Receive, send: Send) -> None:
        calls = json.loads(await _whole_body(receive))
        transport = AsyncTracedTransport(tracing, httpx.AsyncHTTPTransport())
        async with httpx.AsyncClient(transport=transport) as client:
            for call in calls:
                await client.post(call["url"], json=call["arguments"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    access = AccessLog("fan-out", "1.0.0", settings)
    return Edge(pass_on, Metrics("fan-out", "1.0.0"), tracing, settings, access=access)


async def _whole_body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message: Any = await receive()
        body, more = body + message["body"], message["more_body"]
    return body
