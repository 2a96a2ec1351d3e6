"""Turn ids into names, with the viewer's own rights: plugins keep ids only."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, post
from litestar.di import NamedDependency

from mosaiclife_devcore.requests import answer, read_json
from mosaiclife_devcore.world import World

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class NamesRequest(msgspec.Struct):
    """The ids of one page."""

    ids: Annotated[list[Id], msgspec.Meta(max_length=100)]


@post("/names", status_code=200)
async def resolve_names(
    request: Request[Any, Any, Any], world: NamedDependency[World]
) -> Response[bytes]:
    """Return the name of each id that the viewer may know; others are left out."""
    wanted = await read_json(request, NamesRequest)
    return answer(request, world.names_of(wanted.ids))
