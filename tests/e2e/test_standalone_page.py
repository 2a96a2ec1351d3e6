"""The interface alone, over a core that is played, as its author sees it (spec §15.2)."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Watched
from tests.support.processes import eventually, free_port
from tests.support.stack import MANIFEST, ROOT
from tools.workspace import environment, script


def built(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """Serve the page as `pnpm run standalone` does, until the test is over."""
    port = free_port()
    log = (tmp_path / "standalone.log").open("wb")
    server = subprocess.Popen(
        [script("node"), "standalone/serve.js"],
        cwd=ROOT / "ui",
        env=environment({"PORT": str(port)}),
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        eventually(lambda: built(f"http://127.0.0.1:{port}"), within=60, what="the first build")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)
        log.close()


def test_panel_and_page_stand_alone_under_the_strict_policy(url: str, watched: Watched) -> None:
    """Sample data shows at once, and a change arrives as an event does."""
    page = watched.page
    page.goto(url)
    name = MANIFEST.name
    stories = page.get_by_test_id(f"{name}-panel").get_by_test_id(f"{name}-metric-stories")
    expect(stories).to_have_text("12")
    expect(page.get_by_test_id(f"{name}-page").get_by_role("figure").first).to_be_visible()

    page.get_by_role("button", name="Tell one more memory").click()
    expect(stories).to_have_text("13")
    page.get_by_label("not allowed").check()
    expect(page.get_by_text("for the people close to this legacy").first).to_be_visible()
    page.get_by_label("nothing yet").check()
    expect(page.get_by_text("A first memory can be one sentence").first).to_be_visible()

    assert watched.violations() == []
    assert watched.errors == []
