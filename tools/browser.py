"""Find a Chromium for the tests that need a real browser."""

import os
import shutil
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BUNDLES = ("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",)
REMEDY = "install Chromium (Debian: apt install chromium), or name one: CHROMIUM=/path/to/it"


def find_browser() -> Path | None:
    """Return the browser that CHROMIUM names, or the first one this machine has."""
    if named := os.environ.get("CHROMIUM"):
        return Path(named) if Path(named).is_file() else None
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    return next((Path(path) for path in (found, *BUNDLES) if path and Path(path).is_file()), None)
