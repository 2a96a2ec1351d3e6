"""Pods as Kubernetes' own admission judges them, against the judge that the chart's tests use."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.pod_security import violations

FILE = "pss-restricted.json"
pytestmark = pytest.mark.skipif(
    not os.environ.get("PLUGIN_VECTORS"), reason="PLUGIN_VECTORS names no folder of vectors"
)


def cases() -> list[dict[str, Any]]:
    folder = os.environ.get("PLUGIN_VECTORS", "")
    path = Path(folder) / FILE
    if not folder or not path.is_file():
        return []
    known: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cases"]
    return known


def test_the_vectors_are_there() -> None:
    """The file that this layer reads holds what it held when the layer was written."""
    assert len(cases()) == 88
    assert sum(case["pass"] for case in cases()) >= 10


def label(case: dict[str, Any]) -> str:
    return f"{'passes' if case['pass'] else 'fails'}: {case['name']}"


@pytest.mark.parametrize("case", cases(), ids=label)
def test_admission_and_our_judge_agree(case: dict[str, Any]) -> None:
    """A pod that the cluster would refuse is refused here, and no other."""
    pod = case["pod"]
    found = violations(pod["spec"], pod["metadata"].get("annotations"))

    assert (not found) is case["pass"], found
