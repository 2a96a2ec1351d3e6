"""One event, from the core to the panel, in a real browser (design §3)."""

import httpx
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Watched
from tests.support.processes import eventually
from tests.support.stack import Stack


def open_legacy(page: Page, stack: Stack) -> str:
    """Open the first legacy's page and return the legacy's id."""
    legacy: str = stack.legacies()[0]["id"]
    page.goto(f"{stack.core_url}/legacies/{legacy}")
    return legacy


def tell(page: Page, title: str) -> None:
    """Tell a memory through the page's own form."""
    page.get_by_test_id("story-title").fill(title)
    page.get_by_test_id("story-submit").click()


def test_a_told_memory_becomes_a_number_on_the_panel(stack: Stack, watched: Watched) -> None:
    """A signed event is verified, stored, reported, and seen without a reload."""
    page = watched.page
    legacy = open_legacy(page, stack)
    panel = page.get_by_test_id(f"{stack.id}-panel")
    expect(panel).to_be_visible(timeout=10_000)

    tell(page, "The summer of the blue bicycle")
    stories = page.get_by_test_id(f"{stack.id}-metric-stories")
    expect(stories).to_have_text("1", timeout=10_000)
    tell(page, "What she said about rain")
    expect(stories).to_have_text("2", timeout=10_000)

    report = stack.proxied("/v1/data/overview", legacyId=legacy)
    values = {metric["metric"]: metric["value"] for metric in report["data"]["metrics"]}
    assert values["stories"] == 2
    assert values["storytellers"] == 1
    assert watched.violations() == []
    assert watched.errors == []


def test_the_plugin_page_opens_under_the_strict_policy(stack: Stack, watched: Watched) -> None:
    """The page that the plugin contributes is loaded by Module Federation and mounted."""
    page = watched.page
    page.goto(stack.core_url)
    page.get_by_test_id(f"plugin-nav-{stack.id}").click()

    expect(page.get_by_test_id(f"{stack.id}-page")).to_be_visible(timeout=10_000)
    assert page.url.startswith(f"{stack.core_url}/plugins/{stack.id}")
    assert watched.violations() == []
    assert watched.errors == []


def test_the_page_outlives_a_restart_of_core(stack: Stack, watched: Watched) -> None:
    """Core stops and starts; the plugin registers by itself and the open page goes on."""
    page = watched.page
    open_legacy(page, stack)
    expect(page.get_by_test_id(f"{stack.id}-panel")).to_be_visible(timeout=10_000)
    page.evaluate("window.__sameDocument = true")

    stack.core.stop()
    expect(page.get_by_test_id(f"{stack.id}-panel")).to_be_visible()
    stack.core.start()
    stack.wait_until_ready()

    page.wait_for_function(
        "fetch('/api/session').then((answer) => answer.ok)", polling=200, timeout=10_000
    )
    tell(page, "Told after the restart")
    expect(page.get_by_test_id(f"{stack.id}-metric-stories")).to_have_text("1", timeout=15_000)
    assert page.evaluate("window.__sameDocument") is True
    assert watched.violations() == []


def test_the_kill_switch_takes_the_panel_away_and_gives_it_back(
    stack: Stack, watched: Watched
) -> None:
    """A disabled plugin leaves the open page; enabled again, it returns (spec §16)."""
    page = watched.page
    open_legacy(page, stack)
    panel = page.get_by_test_id(f"{stack.id}-panel")
    expect(panel).to_be_visible(timeout=10_000)
    origin = {"Origin": stack.core_url}

    httpx.put(f"{stack.core_url}/api/plugins/{stack.id}/disable", headers=origin).raise_for_status()
    expect(panel).to_have_count(0, timeout=10_000)
    blocked = httpx.get(f"{stack.core_url}/api/plugins/{stack.id}/proxy/v1/data/overview")
    assert blocked.status_code == 403
    assert blocked.json()["error"]["code"] == "PLUGIN_DISABLED"

    httpx.put(f"{stack.core_url}/api/plugins/{stack.id}/enable", headers=origin).raise_for_status()
    expect(panel).to_be_visible(timeout=15_000)


def test_events_wait_while_the_plugin_is_down(stack: Stack) -> None:
    """An event that finds nobody home is delivered when the plugin is back."""
    legacy = stack.legacies()[0]["id"]
    stack.plugin.kill()
    told = httpx.post(
        f"{stack.core_url}/api/legacies/{legacy}/stories",
        json={"title": "Nobody was listening yet"},
        headers={"Origin": stack.core_url},
    )
    assert told.status_code == 201
    stack.plugin.start()

    def told_stories() -> int:
        try:
            report = stack.proxied("/v1/data/overview", legacyId=legacy)
        except httpx.HTTPStatusError:  # core has not yet noticed that the plugin is back
            return 0
        metrics = report["data"]["metrics"]
        return int(next(row["value"] for row in metrics if row["metric"] == "stories"))

    assert eventually(told_stories, within=20, every=0.2, what="the late delivery") == 1
