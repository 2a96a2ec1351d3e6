"""The shell's pages and files, and the policy under which they run (spec §7.3, §13)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cores import SAME_ORIGIN, Core, assert_problem, running_core


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("web") / "dist"
    (folder / "static").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>shell</title>")
    (folder / "static" / "main.0a1b2c3d4e.js").write_text("start();")
    (folder / "static" / "plain.css").write_text("p{}")
    (folder.parent / "outside.txt").write_text("not for pages")
    return folder


@pytest.fixture(scope="module")
def core(dist: Path) -> Iterator[Core]:
    with running_core(web_dir=dist) as core:
        yield core


@pytest.mark.parametrize("path", ["/", "/legacies/01ABC", "/plugins/bare", "/plugins/bare/deep/er"])
def test_every_page_is_the_shell_under_a_strict_policy(core: Core, path: str) -> None:
    """No inline script, no eval, no frame and no foreign host, on any page."""
    response = core.get(path)

    assert "shell" in response.text
    assert response.headers["content-type"].startswith("text/html")
    policy = response.headers["content-security-policy"]
    assert "default-src 'self'; script-src 'self'; style-src 'self';" in policy
    assert "unsafe" not in policy
    assert {"object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"} <= set(
        policy.split("; ")
    )


def test_hashed_files_are_kept_and_others_asked_for(core: Core) -> None:
    """A name with a hash never changes; any other is checked by its ETag."""
    hashed, plain = core.get("/static/main.0a1b2c3d4e.js"), core.get("/static/plain.css")

    assert hashed.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert hashed.headers["content-type"].startswith("text/javascript")
    assert plain.headers["cache-control"] == "no-cache"
    etag = {"if-none-match": plain.headers["etag"]}
    assert core.get("/static/plain.css", headers=etag).status_code == 304


@pytest.mark.parametrize("path", ["/static/../../outside.txt", "/%2e%2e/outside.txt", "/none.js"])
def test_nothing_outside_the_shells_folder_is_served(core: Core, path: str) -> None:
    """A path that climbs meets the same answer as one that is not there."""
    assert_problem(core.get(f"http://core.test{path}"), 404, "RESOURCE_NOT_FOUND")


@pytest.mark.parametrize("path", ["/nowhere", "/legacies/a/b", "/old/page.html"])
def test_a_person_who_is_lost_meets_the_shell(core: Core, path: str) -> None:
    """An address that leads nowhere is a kind page for people, and still no success."""
    response = core.get(path, headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})

    assert response.status_code == 404
    assert "shell" in response.text
    assert "default-src 'self'" in response.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/api/nowhere", "/mf/unknown/0123456789abcdef/x.js"])
def test_nobody_is_shown_a_page_in_place_of_data(core: Core, path: str) -> None:
    """The API and the remotes answer in the one shape, whoever asks."""
    response = core.get(path, headers={"accept": "text/html"})

    assert response.json()["error"]["code"] in {"RESOURCE_NOT_FOUND", "PLUGIN_UNKNOWN"}


def test_a_shell_that_is_not_built_says_what_to_do(tmp_path: Path) -> None:
    """Without a build the page is one clear line, and the API works."""
    with running_core(web_dir=tmp_path / "none") as core:
        page = core.get("/")
        session = core.get("/api/session")

    assert page.status_code == 503
    assert "./just build" in page.text
    assert session.status_code == 200


def test_the_session_names_person_tenant_and_legacies(core: Core) -> None:
    """A page learns who is signed in and whom they remember."""
    data = core.get("/api/session").json()["data"]

    assert data["tenantId"] == "family-lindqvist"
    assert [legacy["role"] for legacy in data["legacies"]] == ["creator"] * 3
    assert set(data["legacies"][0]) == {"id", "name", "role", "birthDate", "passingDate"}


def test_a_strangers_legacy_is_denied_like_one_that_is_not(core: Core) -> None:
    """Nobody learns by asking whether a legacy exists."""
    told = core.post("/api/legacies/nobody/stories", json={"title": "x"}, headers=SAME_ORIGIN)

    assert_problem(core.get("/api/legacies/nobody"), 403, "LEGACY_ACCESS_DENIED")
    assert_problem(told, 403, "LEGACY_ACCESS_DENIED")


@pytest.mark.parametrize("title", ["", "   ", "x" * 201, 7, None])
def test_a_memory_needs_a_title_of_some_length(core: Core, title: object) -> None:
    """What cannot be shown in a list is refused with the place of the fault."""
    legacy = core.get("/api/session").json()["data"]["legacies"][0]["id"]
    response = core.post(
        f"/api/legacies/{legacy}/stories", json={"title": title}, headers=SAME_ORIGIN
    )

    error = assert_problem(response, 422, "VALIDATION_FAILED")
    assert error["details"][0]["field"] == "$.title"


def test_a_memory_cannot_be_told_from_a_foreign_page(core: Core) -> None:
    """A page elsewhere cannot use the signed-in person's hand."""
    legacy = core.get("/api/session").json()["data"]["legacies"][0]["id"]
    headers = {"origin": "http://elsewhere.test"}
    response = core.post(f"/api/legacies/{legacy}/stories", json={"title": "x"}, headers=headers)

    assert_problem(response, 403, "PERMISSION_DENIED")


def test_names_are_limited_per_call(core: Core) -> None:
    """One page's names fit in one call; a harvest does not."""
    response = core.post("/api/names", json={"ids": ["x"] * 101}, headers=SAME_ORIGIN)

    assert_problem(response, 422, "VALIDATION_FAILED")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/nothing", 404, "RESOURCE_NOT_FOUND"),
        ("POST", "/api/session", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/api/plugins/register", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/api/plugins/unknown", 404, "PLUGIN_UNKNOWN"),
        ("GET", "/mf/unknown/0123456789abcdef/x.js", 404, "PLUGIN_UNKNOWN"),
        ("POST", "/nowhere", 405, "METHOD_NOT_ALLOWED"),
    ],
)
def test_whatever_is_refused_has_the_one_shape(
    core: Core, method: str, path: str, status: int, code: str
) -> None:
    """Routes that do not exist answer like those that do."""
    response = core.request(method, path, headers=SAME_ORIGIN)

    assert_problem(response, status, code)
    assert status != 405 or response.headers["allow"]
