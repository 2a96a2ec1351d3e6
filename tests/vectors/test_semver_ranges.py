"""Ranges as npm's own `semver` judges them, inside the grammar of the contract (design: Compat)."""

import json
import os
import re
from pathlib import Path

import pytest

from mosaiclife_plugin_sdk import RangeError, satisfies

FILE = "semver-ranges.json"
# `>= > <= < =` before a full or partial version, joined by spaces. The rest of npm's language
# (`^ ~ || x * -`) is refused on purpose: see test_what_lies_outside_the_grammar_is_refused.
COMPARATOR = (
    r"(?:>=|>|<=|<|=)?[ \t]*\d+(?:\.\d+(?:\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)?)?"
)
GRAMMAR = re.compile(rf"{COMPARATOR}(?:[ \t]+{COMPARATOR})*")

pytestmark = pytest.mark.skipif(
    not os.environ.get("PLUGIN_VECTORS"), reason="PLUGIN_VECTORS names no folder of vectors"
)


def vectors() -> dict[str, list[list[str]]]:
    folder = os.environ.get("PLUGIN_VECTORS", "")
    path = Path(folder) / FILE
    if not folder or not path.is_file():
        return {"include": [], "exclude": []}
    known: dict[str, list[list[str]]] = json.loads(path.read_text(encoding="utf-8"))
    return known


def cases(*, inside: bool) -> list[tuple[str, str, bool]]:
    """Return range, version and npm's verdict for the vectors inside or outside the grammar."""
    known = vectors()
    return sorted(
        (range_, version, kind == "include")
        for kind in ("include", "exclude")
        for range_, version in known[kind]
        if bool(GRAMMAR.fullmatch(range_.strip())) == inside
    )


def test_the_vectors_are_there() -> None:
    """The file that this layer reads holds what it held when the layer was written."""
    assert len(vectors()["include"]) + len(vectors()["exclude"]) == 174
    assert len(cases(inside=True)) >= 50


@pytest.mark.parametrize(("range_", "version", "expected"), cases(inside=True), ids=repr)
def test_inside_the_grammar_npm_and_we_agree(range_: str, version: str, expected: bool) -> None:
    """A range that both understand admits the same versions."""
    if not version[0].isdigit():
        # npm answers "no" about a word that is no version; the contract names the fault instead.
        with pytest.raises(RangeError):
            satisfies(range_, version)
        return

    assert satisfies(range_, version) is expected


@pytest.mark.parametrize(
    "range_", sorted({range_ for range_, _, _ in cases(inside=False)}), ids=repr
)
def test_what_lies_outside_the_grammar_is_refused(range_: str) -> None:
    """Npm's shorthands are refused, never read as something else."""
    with pytest.raises(RangeError):
        satisfies(range_, "1.2.3")
