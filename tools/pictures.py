"""Take the pictures of the README from the running house, so that they show what is there."""

import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.support.stack import Stack
from tools.browser import REMEDY, find_browser
from tools.build import BUNDLES, build
from tools.workspace import ROOT, fail, say

FOLDER = ROOT / "docs" / "pictures"
LIVING_SECONDS = 6.0
SIZE = {"width": 1280, "height": 720}


def take(browser: Browser, url: str, test_id: str, picture: Path) -> None:
    """Open a page, wait until one of its parts is there, and keep what a person sees."""
    page = browser.new_page(viewport=SIZE, locale="en-GB", reduced_motion="reduce")  # type: ignore[arg-type]
    page.goto(url)
    page.get_by_test_id(test_id).wait_for()
    page.wait_for_timeout(1000)
    page.screenshot(path=picture)
    page.close()
    say(f"pictures: {picture.relative_to(ROOT)}")


def main() -> int:
    """Start core, plugin and feed, and photograph the legacy's page and the plugin's."""
    if (executable := find_browser()) is None:
        fail(f"pictures: no Chromium: {REMEDY}")
        return 1
    for bundle in BUNDLES:
        build(bundle)
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        stack = Stack(Path(folder), feed=True).start()
        try:
            time.sleep(LIVING_SECONDS)
            browser = driver.chromium.launch(executable_path=executable, args=["--no-sandbox"])
            legacy = stack.legacies()[0]["id"]
            url, name = stack.core_url, stack.id
            take(browser, f"{url}/legacies/{legacy}", f"{name}-panel", FOLDER / "page.png")
            take(browser, f"{url}/plugins/{name}", f"{name}-page", FOLDER / "rhythm.png")
            browser.close()
        finally:
            stack.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
