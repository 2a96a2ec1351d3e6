"""WCAG 2.2 AA on what a person sees, judged by axe in a real browser."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.stack import ROOT, Stack

AXE = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text()
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def axe_violations(page: Page) -> list[str]:
    """Return each rule that the page breaks, with the first element that breaks it."""
    page.evaluate(AXE)
    result = page.evaluate(
        "(tags) => axe.run(document, { runOnly: { type: 'tag', values: tags } })", TAGS
    )
    return [f"{found['id']}: {found['nodes'][0]['html']}" for found in result["violations"]]


@pytest.mark.parametrize(
    ("scheme", "width"),
    [
        ("light", 1280),
        ("dark", 390),
        pytest.param("dark", 1280, marks=pytest.mark.slow),
        pytest.param("light", 390, marks=pytest.mark.slow),
    ],
)
def test_legacy_and_plugin_pages_are_accessible(
    stack: Stack, browser: Browser, scheme: str, width: int
) -> None:
    """Shell, panel and page have no axe violation, in both colour schemes and on a phone."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    legacy = stack.legacies()[0]["id"]

    page.goto(f"{stack.core_url}/legacies/{legacy}")
    expect(page.get_by_test_id(f"{stack.id}-panel")).to_be_visible(timeout=10_000)
    page.get_by_test_id("story-title").fill("A walk by the lake")
    page.get_by_test_id("story-submit").click()
    expect(page.get_by_test_id(f"{stack.id}-metric-stories")).to_have_text("1", timeout=10_000)
    assert axe_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width

    page.goto(f"{stack.core_url}/plugins/{stack.id}")
    expect(page.get_by_test_id(f"{stack.id}-page")).to_be_visible(timeout=10_000)
    expect(page.get_by_test_id(f"{stack.id}-page").get_by_role("figure").first).to_be_visible()
    assert axe_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()
