"""Every route is guarded unless it is declared public (design: Endpoints; SECURITY.md)."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar import Litestar, get
from litestar.routes import HTTPRoute
from litestar.testing import TestClient

from mosaiclife_plugin_sdk import load_manifest
from plugin_analytics.app import build
from tools.workspace import ROOT

MANIFEST = load_manifest(ROOT / "plugin.yaml")
# Probes, scrapes, the manifest, the remote and the API's description are for everybody (spec §8.2).
PUBLIC = {
    ("GET", MANIFEST.health.liveness_path),
    ("GET", MANIFEST.health.readiness_path),
    ("GET", "/metrics"),
    ("GET", "/manifest"),
    ("GET", "/schema/openapi.json"),
}
PUBLIC_FOLDERS = ("/mf/", "/schema")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {
        "PLUGIN_MANIFEST": str(ROOT / "plugin.yaml"),
        "SELF_REGISTER": "false",
        "REG_TOKEN": "a-token-for-this-test",
        "DATA_DIR": str(tmp_path),
        "UI_BUNDLE_DIR": str(tmp_path / "dist"),
    }


def routes(app: Litestar) -> Iterator[tuple[str, str]]:
    """Yield method and path of each route, as the router itself knows them."""
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            path = re.sub(r"\{[^}]+\}", "x", route.path_format)
            yield from ((method, path) for method in sorted(route.methods - {"OPTIONS", "HEAD"}))


def is_public(method: str, path: str) -> bool:
    return (method, path) in PUBLIC or (method == "GET" and path.startswith(PUBLIC_FOLDERS))


def unguarded(app: Litestar) -> list[str]:
    """Return the routes that answer a call without a bearer though nobody declared them public."""
    with TestClient(app) as client:
        return [
            f"{method} {path}"
            for method, path in routes(app)
            if not is_public(method, path) and client.request(method, path).status_code != 401
        ]


def test_every_route_below_the_base_path_wants_a_bearer(environ: dict[str, str]) -> None:
    """A call without one is 401 on each route that is not declared public."""
    app, _ = build(environ)

    assert unguarded(app) == []


def test_the_walk_sees_the_routes_it_should(environ: dict[str, str]) -> None:
    """The walk is no empty loop: required endpoints and the domain's own are among the routes."""
    app, _ = build(environ)

    known = set(routes(app))
    base = MANIFEST.base_path
    assert {
        ("POST", "/register"),
        ("POST", f"{base}/webhooks/ingest"),
        ("POST", f"{base}/jobs/run"),
        ("GET", f"{base}/data/items"),
    } <= known
    assert known >= PUBLIC


def test_a_refusal_has_the_one_shape(environ: dict[str, str]) -> None:
    """Each refused route answers with the platform's error body, and says nothing more."""
    app, _ = build(environ)

    with TestClient(app) as client:
        for method, path in routes(app):
            if is_public(method, path):
                continue
            answer = client.request(method, path, headers={"authorization": "Bearer wrong"})
            assert answer.status_code == 401, path
            error = answer.json()["error"]
            assert set(error) == {"code", "message", "details", "requestId", "timestamp"}
            assert error["code"].startswith("AUTH_")


def test_a_public_route_answers_without_a_bearer(environ: dict[str, str]) -> None:
    """What is declared public is so: probes and scrapers have no token."""
    app, _ = build(environ)

    with TestClient(app) as client:
        assert {client.get(path).status_code for _, path in PUBLIC} <= {200, 503}


def test_a_planted_route_without_a_guard_is_found(environ: dict[str, str]) -> None:
    """The walk catches the mistake it is there for: a route that calls itself public."""
    app, _ = build(environ)

    @get(f"{MANIFEST.base_path}/open", opt={"public": True}, sync_to_thread=False)
    def leak() -> dict[str, str]:
        return {"everything": "in the open"}

    app.register(leak)

    assert unguarded(app) == [f"GET {MANIFEST.base_path}/open"]
