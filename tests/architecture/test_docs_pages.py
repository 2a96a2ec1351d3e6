"""The reference pages say what the code says, and each limit is shown by a test that exists."""

from pathlib import Path

import pytest

from tools import docs
from tools.limits import LIMITS, Limit
from tools.workspace import ROOT

ALL = [limit for limits in LIMITS.values() for limit in limits]


def test_no_page_is_stale() -> None:
    """`./just docs` would write nothing."""
    assert docs.stale() == []


def test_a_changed_and_a_missing_page_are_noticed(tmp_path: Path) -> None:
    """The check compares whole pages."""
    for name, write in docs.PAGES.items():
        (tmp_path / name).write_text(write())
    (tmp_path / "errors.md").unlink()
    (tmp_path / "limits.md").write_text(docs.limits_page().replace("1 MiB", "2 MiB"))

    assert docs.stale(tmp_path) == ["errors.md", "limits.md"]


@pytest.mark.parametrize("limit", ALL, ids=lambda limit: limit.constant)
def test_a_limit_is_a_constant_and_has_its_test(limit: Limit) -> None:
    """The constant exists, and so does the test that shows what happens beyond it."""
    file, _, name = limit.test.partition("::")

    assert docs.value_of(limit)
    assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")


def test_every_error_of_the_tree_is_on_the_page() -> None:
    """None is forgotten, and the private bases stay private."""
    page = docs.errors_page()

    for word in ("`ServiceUnavailable`", "`LegacyAccessDenied`", "`Incompatible`", "`CoreRefused`"):
        assert word in page
    assert "_RetryLater` | 4" not in page
    assert "| `RateLimited` | 429 | `RATE_LIMITED` | Too many requests. |" in page
