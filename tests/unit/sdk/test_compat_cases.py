"""The cases that the Python and the TypeScript SDK answer alike (spec §5)."""

import json
from typing import Any

import pytest

from mosaiclife_plugin_sdk import RangeError, satisfies
from tools.workspace import ROOT

CASES: dict[str, list[Any]] = json.loads(
    (ROOT / "sdk/schema/samples/compat-cases.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("case", CASES["admits"], ids=str)
def test_a_range_admits_what_the_cases_say(case: dict[str, Any]) -> None:
    """Core and page come to the same verdict over the same manifest."""
    assert satisfies(case["range"], case["version"]) is case["expected"]


@pytest.mark.parametrize("wanted", CASES["badRanges"], ids=repr)
def test_a_range_outside_the_grammar_is_refused(wanted: str) -> None:
    """No party reads more into a range than the other."""
    with pytest.raises(RangeError):
        satisfies(wanted, "2.1.0")


@pytest.mark.parametrize("version", CASES["badVersions"], ids=repr)
def test_a_version_that_is_none_is_refused(version: str) -> None:
    """A version is MAJOR.MINOR.PATCH with SemVer's tails, and nothing else."""
    with pytest.raises(RangeError):
        satisfies(">=0", version)
