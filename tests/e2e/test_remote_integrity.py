"""No byte runs that the plugin's build did not make, and the page says so (design §7)."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import Watched
from tests.support.stack import Stack

TAMPERED = "window.__tampered = true;"
ENTRY = re.compile(r"/mf/[^/]+/[^/]+/remoteEntry\.js$")
CHUNK = re.compile(r"/mf/[^/]+/[^/]+/panel\.[0-9a-f]+\.js$")


def tamper(route: Route) -> None:
    """Deliver a script with one statement more, as somebody between core and page could."""
    answer = route.fetch()
    route.fulfill(response=answer, body=f"{TAMPERED}{answer.text()}")


def said(page: Page) -> list[str]:
    """Collect what the page writes to its console from now on."""
    lines: list[str] = []
    page.on("console", lambda message: lines.append(message.text))
    return lines


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (ENTRY, "is not the file that was announced"),
        (CHUNK, 'a file of "./Panel" did not arrive, or is not the announced one'),
    ],
    ids=["entry", "chunk"],
)
def test_a_tampered_script_is_refused_in_words(
    stack: Stack, watched: Watched, files: re.Pattern[str], words: str
) -> None:
    """The browser runs none of it, the page goes on, and core's words name what was refused."""
    page = watched.page
    lines = said(page)
    page.route(files, tamper)
    page.goto(f"{stack.core_url}/legacies/{stack.legacies()[0]['id']}")

    slot = page.locator('[data-testid^="panel-slot-"]')
    expect(slot).to_contain_text("cannot be shown just now", timeout=10_000)
    expect(page.get_by_test_id("story-form")).to_be_visible()
    assert page.evaluate("window.__tampered") is None
    assert [line for line in lines if words in line], lines


def test_the_true_script_is_shown_once_nobody_tampers(stack: Stack, watched: Watched) -> None:
    """A refusal is no verdict for ever: the next attempt fetches the entry again."""
    page = watched.page
    page.route(ENTRY, tamper)
    page.goto(f"{stack.core_url}/legacies/{stack.legacies()[0]['id']}")
    again = page.get_by_role("button", name="Try again")
    expect(again).to_be_visible(timeout=10_000)

    page.unroute(ENTRY)
    again.click()
    expect(page.get_by_test_id(f"{stack.id}-panel")).to_be_visible(timeout=10_000)
