"""Remove what can be made again."""

import shutil
import sys

from tools.workspace import NODE_PACKAGES, ROOT, STATE, TOOLS, VENV, fail, say

PRODUCTS = (*NODE_PACKAGES, "ui/standalone")
BUILT = [*(ROOT / folder / "dist" for folder in PRODUCTS), STATE / "dev", STATE / "test"]
CACHES = [STATE / name for name in ("mypy", "pytest")]
MODULES = [ROOT / folder / "node_modules" for folder in (".", *NODE_PACKAGES)]
INSTALLED = [VENV, TOOLS, STATE, *MODULES]
KINDS = {"built": [*BUILT, *CACHES], "all": [*BUILT, *INSTALLED]}


def main(what: str) -> int:
    if what not in KINDS:
        fail(f"clean: {what!r} is not one of {' '.join(KINDS)}")
        return 2
    for path in KINDS[what]:
        if path.exists():
            shutil.rmtree(path)
            say(f"removed {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
