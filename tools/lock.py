"""Write the locks of the Python packages; arguments such as `--upgrade` go to uv."""

import sys
from collections.abc import Sequence

from tools.workspace import ToolFailed, fail, run, say

NAMES = ("tools", "runtime", "dev", "build", "core", "policies", "checkov", "helm", "helm3")
WITHOUT_DEPENDENCIES = {"helm", "helm3"}  # programs; what their packages import is not wanted
# One lock for every platform and Python, with hashes, and with no registry's name in it.
FIXED = ("--universal", "--python-version=3.11", "--generate-hashes", "--no-emit-index-url")


def main(arguments: Sequence[str]) -> int:
    try:
        for name in NAMES:
            source, lock = f"requirements/{name}.in", f"requirements/{name}.lock"
            alone = ["--no-deps"] if name in WITHOUT_DEPENDENCIES else []
            run(
                "uv",
                "pip",
                "compile",
                *FIXED,
                *alone,
                "--no-header",
                "-o",
                lock,
                source,
                *arguments,
            )
            say(f"{lock} is up to date")
    except ToolFailed as error:
        fail(f"lock: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
