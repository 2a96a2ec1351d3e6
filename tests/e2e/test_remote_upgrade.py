"""A new version takes the old one's place in the open page, and the old one its place again."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Watched
from tests.support.remotes import build_changed_remote, build_shell, put_bundle
from tests.support.stack import ROOT, Stack

OLD, NEW = "Remembering", "Keeping close"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Copy the built remote to a folder that the test may change."""
    folder = tmp_path / "bundle"
    put_bundle(ROOT / "ui" / "dist", folder)
    return folder


@pytest.fixture
def stack(tmp_path: Path, bundle: Path) -> Iterator[Stack]:
    """Start core and plugin over that folder."""
    stack = Stack(tmp_path)
    stack.plugin.environment = {**stack.plugin.environment, "UI_BUNDLE_DIR": str(bundle)}
    yield stack.start()
    stack.stop()


def test_versions_change_places_without_a_reload(
    stack: Stack, bundle: Path, watched: Watched, tmp_path: Path
) -> None:
    """1.0.0 gives way to 1.1.0 and returns; each runs its own code, in the same document."""
    newer = build_changed_remote(tmp_path / "newer", "99.1.0", (OLD, NEW))
    page = watched.page
    page.goto(f"{stack.core_url}/legacies/{stack.legacies()[0]['id']}")
    panel = page.get_by_test_id(f"{stack.id}-panel")
    expect(panel).to_contain_text(OLD, timeout=10_000)
    page.evaluate("window.__sameDocument = true")
    page.get_by_test_id("story-title").fill("half a sentence")

    put_bundle(newer, bundle)
    expect(panel).to_contain_text(NEW, timeout=20_000)
    put_bundle(ROOT / "ui" / "dist", bundle)
    expect(panel).to_contain_text(OLD, timeout=20_000)

    assert page.evaluate("window.__sameDocument") is True
    assert page.get_by_test_id("story-title").input_value() == "half a sentence"
    assert page.locator('[data-testid^="panel-slot-"]').count() == 1
    assert watched.violations() == []
    assert watched.errors == []


@pytest.mark.slow
def test_the_same_build_runs_in_a_host_on_react_19(
    tmp_path: Path, bundle: Path, watched: Watched
) -> None:
    """Panel and page use the React of the host, whichever of the two it is (design §7)."""
    build_shell("webpack.react19.config.js", tmp_path / "shell")
    stack = Stack(tmp_path)
    stack.core.environment = {**stack.core.environment, "CORE_WEB_DIR": str(tmp_path / "shell")}
    fetched: list[str] = []
    page = watched.page
    page.on("response", lambda answer: fetched.append(answer.url))
    stack.start()
    try:
        page.goto(f"{stack.core_url}/legacies/{stack.legacies()[0]['id']}")
        page.get_by_test_id("story-title").fill("A walk by the lake")
        page.get_by_test_id("story-submit").click()
        told = page.get_by_test_id(f"{stack.id}-metric-stories")
        expect(told).to_have_text("1", timeout=10_000)
        page.get_by_test_id(f"plugin-nav-{stack.id}").click()
        expect(page.get_by_test_id(f"{stack.id}-page")).to_be_visible(timeout=10_000)
    finally:
        stack.stop()

    own = [url.rpartition("/")[2] for url in fetched if f"/mf/{stack.id}/" in url]
    largest = max((bundle / name).stat().st_size for name in own)
    assert largest < 40_000, f"a React of the plugin's own was fetched: {own}"
    assert watched.violations() == []
    assert watched.errors == []
