"""Format the code of the workspace, and apply the fixes that the linters call safe."""

import sys

from tools.check import node, python
from tools.workspace import ToolFailed, fail, run

COMMANDS = (
    python("ruff", "check", "--fix", "--quiet", "."),
    python("ruff", "format", "--quiet", "."),
    node("eslint", "--fix", "."),
    node("prettier", "--write", "--log-level=warn", "."),
)


def main() -> int:
    """Run them all; what no tool can mend is printed and makes the exit code 1."""
    left = 0
    for command in COMMANDS:
        try:
            run(*command)
        except ToolFailed as error:
            fail(str(error))
            left += 1
    return int(left > 0)


if __name__ == "__main__":
    sys.exit(main())
