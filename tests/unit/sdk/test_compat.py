"""The ranges of compat: npm's semantics within the contract's grammar (spec §5)."""

import pytest

from mosaiclife_plugin_sdk import RangeError, check_compat, satisfies
from mosaiclife_plugin_sdk.compat import parse_version


@pytest.mark.parametrize(
    ("wanted", "version", "expected"),
    [
        (">=2.1 <3.0", "2.1.0", True),
        (">=2.1 <3.0", "2.10.0", True),
        (">=2.1 <3.0", "2.5.0+build.7", True),
        (">=2.1 <3.0", "2.0.9", False),
        (">=2.1 <3.0", "3.0.0", False),
        (">=2.1 <3.0", "2.1.0-rc.1", False),
        (">=2.1 <3.0", "2.5.0-rc.1", False),
        (">=2.1 <3.0", "3.0.0-beta.1", False),
        (">=2.1 <3.0", "3.0.0-0", False),
        (">1.4", "1.4.5", False),
        (">1.4", "1.5.0", True),
        ("<=1.4", "1.4.9", True),
        ("<=1.4", "1.5.0", False),
        ("1.4", "1.4.7", True),
        ("=1.4", "1.5.0", False),
        ("1", "1.99.0", True),
        ("1.4.2", "1.4.2", True),
        ("1.4.2", "1.4.3", False),
        ("> 1.4.2", "1.4.3", True),
        (">=1.2.3-beta.2", "1.2.3-beta.10", True),
        (">=1.2.3-beta.2", "1.2.3-beta.1", False),
        (">=1.2.3-beta.2", "1.2.4-beta.3", False),
        (">=1.2.3-beta.2", "1.2.3", True),
        ("<1.2.3", "1.2.3-beta", False),
        (">=1.2.3-alpha", "1.2.3-alpha.1", True),
        (">=1.2.3-1", "1.2.3-alpha", True),
    ],
)
def test_range_admits_what_npm_admits(wanted: str, version: str, expected: bool) -> None:
    """A range admits a version exactly when npm's semver does."""
    assert satisfies(wanted, version) is expected


@pytest.mark.parametrize(
    "wanted",
    [
        "",
        "  ",
        "*",
        "latest",
        ">=2.1,<3.0",
        "^1.2",
        "~1.2",
        "!=2.2.0",
        ">=02.1",
        "1.x",
        "1.0 - 2.0",
        "==2.1",
        "~=2.1",
        ">=2.1 || <1",
        ">=2.1 foo",
        ">=",
        "v1.2.3",
        "1.2.3.4",
        "=>1.2",
    ],
)
def test_range_outside_the_grammar_is_refused(wanted: str) -> None:
    """Whatever the grammar does not know is an error with a reason, never a quiet yes or no."""
    with pytest.raises(RangeError):
        satisfies(wanted, "2.1.0")


@pytest.mark.parametrize(
    "text", ["1.2", "01.2.3", "1.2.3-", "1.2.3-01", "1.2.3+", "v1.2.3", "", "1.2.3\n"]
)
def test_version_that_is_not_semver_is_refused(text: str) -> None:
    """A version is MAJOR.MINOR.PATCH with SemVer's tails, and nothing else."""
    with pytest.raises(RangeError):
        parse_version(text)


def test_misfit_is_told_with_both_versions() -> None:
    """Each party that does not fit is named with its version and the wanted range (design §4)."""
    found = check_compat(
        {"core": ">=2.1 <3.0", "backend_sdk": ">=1.4 <2.0"},
        {"core": "2.0.3", "backend_sdk": "1.4.0", "frontend_sdk": "9.9.9"},
    )

    assert found == [{"field": "compat.core", "message": "core 2.0.3 does not satisfy >=2.1 <3.0"}]
