"""What the plugin offers to do, chosen by keys alone in a real browser (spec §4)."""

import re

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Watched
from tests.e2e.test_accessibility import axe_violations
from tests.support.stack import MANIFEST, Stack

COMMAND = MANIFEST.ui.contributions.commands[0]
ENTRY = MANIFEST.ui.contributions.context_menus[0]


def focused(page: Page) -> str:
    """Return the text of the element that has the focus."""
    text: str = page.evaluate("document.activeElement.innerText")
    return text.strip()


def test_a_command_is_found_and_run_from_the_palette(stack: Stack, watched: Watched) -> None:
    """Ctrl+K, some letters, Enter: the plugin's code is fetched, and leads to its page."""
    page = watched.page
    page.goto(stack.core_url)
    expect(page.get_by_test_id(f"plugin-nav-{stack.id}")).to_be_visible(timeout=10_000)
    page.evaluate("window.__sameDocument = true")

    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox")).to_be_focused()
    assert axe_violations(page) == []
    page.keyboard.type(COMMAND.title[-8:].upper())
    expect(page.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")

    expect(page.get_by_test_id(f"{stack.id}-page")).to_be_visible(timeout=10_000)
    assert page.evaluate("window.__sameDocument") is True
    assert watched.violations() == []
    assert watched.errors == []


def test_the_palette_gives_the_focus_back(stack: Stack, watched: Watched) -> None:
    """Whoever changes their mind is where they were."""
    page = watched.page
    page.goto(stack.core_url)
    button = page.get_by_role("button", name="Commands")
    button.press("Enter")
    expect(page.get_by_role("combobox")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(button).to_be_focused()


def test_a_menu_opens_on_the_legacy_and_on_a_told_memory(stack: Stack, watched: Watched) -> None:
    """The entry stands where the manifest says, and nowhere else; arrows and Escape work."""
    page = watched.page
    legacy = stack.legacies()[0]
    page.goto(f"{stack.core_url}/legacies/{legacy['id']}")
    page.get_by_test_id("story-title").fill("The blue bicycle")
    page.get_by_test_id("story-submit").click()
    button = page.get_by_role("button", name=f"More for {legacy['name']}")
    expect(button).to_be_visible(timeout=10_000)
    assert ENTRY.target == "legacy"
    expect(page.get_by_role("button", name="More for The blue bicycle")).to_have_count(0)

    button.press("ArrowDown")
    assert focused(page) == ENTRY.title
    assert axe_violations(page) == []
    page.keyboard.press("Escape")
    expect(button).to_be_focused()

    button.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id(f"{stack.id}-page")).to_be_visible(timeout=10_000)
    assert re.search(rf"\?legacy={legacy['id']}&over=all$", page.url)
    assert watched.violations() == []
    assert watched.errors == []
