"""Every route of the core, walked and knocked at: nothing collides, no door is forgotten."""

import re
from collections.abc import Iterator

import pytest
from litestar.handlers import HTTPRouteHandler

from tests.support.cores import SAME_ORIGIN, Core, running_core

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
# A third party signs what it sends, and the plugin verifies: it has neither token nor page.
OPEN = "/events/webhook/"


@pytest.fixture(scope="module")
def core() -> Iterator[Core]:
    with running_core() as core:
        yield core


def doors(core: Core) -> list[tuple[str, str]]:
    """Return method and path of every route."""
    return [
        (method, route.path_format)
        for route in core.app.routes
        for handler in getattr(route, "route_handlers", ())
        if isinstance(handler, HTTPRouteHandler)
        for method in sorted(handler.http_methods - {"OPTIONS"})
    ]


def is_plugin_facing(path: str) -> bool:
    return "/plugins/-/" in path or path.endswith("/plugins/register")


def knock(core: Core, method: str, path: str, **headers: str) -> tuple[int, str]:
    """Call a route with something in each hole; return status and code."""
    response = core.request(method, re.sub(r"{[^}]+}", "x", path), headers=headers, json={})
    return response.status_code, response.json()["error"]["code"]


def test_every_plugin_facing_route_needs_the_bearer(core: Core) -> None:
    """Whoever comes without a token is turned away before anything else is looked at."""
    facing = [(method, path) for method, path in doors(core) if is_plugin_facing(path)]
    answers = {door: knock(core, *door, **SAME_ORIGIN) for door in facing}

    assert len(facing) == 12
    assert set(answers.values()) == {(401, "AUTH_REQUIRED")}, answers


def test_every_unsafe_browser_route_needs_the_same_origin(core: Core) -> None:
    """Whatever changes something for a person must come from core's own page."""
    unsafe = [
        (method, path)
        for method, path in doors(core)
        if method in UNSAFE and not is_plugin_facing(path) and OPEN not in path
    ]
    answers = {door: knock(core, *door) for door in unsafe}

    assert len(unsafe) >= 18
    assert set(answers.values()) == {(403, "PERMISSION_DENIED")}, answers


def test_both_prefixes_have_the_same_routes(core: Core) -> None:
    """`/api/v1` is an alias, route by route."""
    paths = {path for _, path in doors(core) if path.startswith("/api/")}
    alias = {path.replace("/api/v1/", "/api/", 1) for path in paths if path.startswith("/api/v1/")}

    assert alias == {path for path in paths if not path.startswith("/api/v1/")}


def test_no_plugins_id_meets_a_route_of_our_own(core: Core) -> None:
    """The fixed words that stand where an id may stand are no ids."""
    paths = {path for _, path in doors(core)}
    words = {
        match[1]
        for path in paths
        if (match := re.match(r"/(?:api/plugins|api/v1/plugins|mf|plugins)/([^/{]+)", path))
    }

    assert words == {"-", "register"}
