"""Say who is signed in: on a development machine always the same invented person."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency

from mosaiclife_devcore.requests import answer
from mosaiclife_devcore.world import LOCALE, TIMEZONE, Legacy, World


@get("/session")
async def get_session(
    request: Request[Any, Any, Any], world: NamedDependency[World]
) -> Response[bytes]:
    """Return the signed-in person, their tenant and their legacies."""
    return answer(
        request,
        {
            "user": {"id": world.user.id, "name": world.user.name},
            "tenantId": world.tenant_id,
            "locale": LOCALE,
            "timezone": TIMEZONE,
            "legacies": [describe(legacy) for legacy in world.legacies],
        },
    )


def describe(legacy: Legacy) -> dict[str, Any]:
    """Return a legacy as pages know it."""
    return {
        "id": legacy.id,
        "name": legacy.name,
        "role": "creator",
        "birthDate": legacy.born.isoformat(),
        "passingDate": legacy.passed.isoformat(),
    }
