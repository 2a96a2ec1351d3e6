"""The programs behind the recipes; those that run before the set-up use the standard library only."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  (reached by an older Python when just is not ours)
    sys.exit("Python 3.11 or newer is needed; name one with PYTHON=/path/to/python3")
