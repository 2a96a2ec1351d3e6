"""Read the plugin's own description of its API, as far as it can be believed."""

from typing import Any

from mosaiclife_plugin_contract.context import Context

PATH = "/schema/openapi.json"
METHODS = ("get", "post", "put", "patch", "delete")


async def routes(ctx: Context, below: str) -> list[tuple[str, str]]:
    """Return method and path of each described route under a path; none without a description."""
    reply = await ctx.call("GET", PATH)
    document: Any = reply.json() if reply.status == 200 else None
    paths = document.get("paths") if isinstance(document, dict) else None
    found = paths.items() if isinstance(paths, dict) else []
    return [
        (method.upper(), path)
        for path, item in found
        for method in METHODS
        if path.startswith(below) and isinstance(item, dict) and method in item
    ]
