"""A real browser, and pages that count what a strict host must never see."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.stack import Stack
from tools.browser import REMEDY, find_browser

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
COUNT_VIOLATIONS = """
  window.__violations = [];
  document.addEventListener("securitypolicyviolation", (event) =>
    window.__violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""


@dataclass
class Watched:
    """A page with everything that went wrong on it."""

    page: Page
    errors: list[str] = field(default_factory=list)

    def violations(self) -> list[str]:
        """Return the content security policy violations that the page counted."""
        found: list[str] = self.page.evaluate("window.__violations")
        return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Launch the machine's own Chromium, without a window."""
    executable = find_browser()
    assert executable, f"no Chromium: {REMEDY}"
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    """Open an empty page whose script errors and policy violations are collected."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    context.add_init_script(COUNT_VIOLATIONS)
    watched = Watched(context.new_page())
    watched.page.on("pageerror", lambda error: watched.errors.append(str(error)))
    yield watched
    context.close()


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """Start a core and the plugin with no feed, so that every number has one cause."""
    stack = Stack(tmp_path).start()
    yield stack
    stack.stop()
