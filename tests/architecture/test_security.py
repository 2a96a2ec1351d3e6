"""The threat table of SECURITY.md: each threat names what shows that it is met."""

import re

import pytest

from tools.workspace import ROOT

ROW = re.compile(r"^\| (?!who |-)(?P<cells>.+) \|$", re.MULTILINE)
LINK = re.compile(r"\[(?P<name>\w+)\]\((?P<file>[^)]+)\)")


def rows(text: str) -> list[list[str]]:
    """Return the cells of each threat."""
    table = text.partition("| who |")[2]
    return [found["cells"].split(" | ") for found in ROW.finditer("| who |" + table)]


def missing(cell: str) -> list[str]:
    """Return what a cell names and nobody wrote; a file alone is named by its own name."""
    named = [(found["name"], ROOT / found["file"]) for found in LINK.finditer(cell)]
    return [
        name
        for name, file in named
        if not file.is_file()
        or (name != file.stem and f"def {name}(" not in file.read_text(encoding="utf-8"))
    ]


THREATS = rows((ROOT / "SECURITY.md").read_text(encoding="utf-8"))


def test_the_table_is_read() -> None:
    """The walk below has something to walk over."""
    assert len(THREATS) >= 20


@pytest.mark.parametrize("threat", THREATS, ids=lambda cells: f"{cells[0]}: {cells[1]}")
def test_a_threat_names_tests_that_exist(threat: list[str]) -> None:
    """Who, what, what stands against it, and at least one test that exists."""
    assert len(threat) == 4
    assert all(threat)
    assert LINK.search(threat[3])
    assert missing(threat[3]) == []


def test_a_test_that_is_gone_is_found() -> None:
    """A renamed test and a removed file leave a hole that is named."""
    here = "tests/architecture/test_security.py"

    assert missing(f"[test_the_table_is_read]({here})") == []
    assert missing(f"[test_security]({here}), [test_no_more]({here})") == ["test_no_more"]
    assert missing("[test_gone](tests/unit/test_gone.py)") == ["test_gone"]
