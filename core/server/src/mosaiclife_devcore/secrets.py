"""Hand a plugin the secrets that its manifest declares, and no other (spec §13)."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from mosaiclife_devcore.errors import NotFound, PermissionDenied
from mosaiclife_devcore.registry import Plugin
from mosaiclife_devcore.requests import answer


@get("/secrets/{name:str}")
async def fetch_secret(
    request: Request[Any, Any, Any], name: FromPath[str], caller: NamedDependency[Plugin]
) -> Response[bytes]:
    """Return one declared secret of the plugin that asks."""
    registration = caller.registration()
    registration.approval.require("secrets:read")
    if name not in registration.manifest.secrets:
        raise PermissionDenied("the manifest declares no secret of this name")
    if name not in caller.grant.secrets:
        raise NotFound("the secret is declared, and its operator has not set it")
    return answer(request, {"name": name, "value": caller.grant.secrets[name]})
