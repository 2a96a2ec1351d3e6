"""The oracle is a second opinion only as long as it shares nothing with what it judges."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tools.workspace import ROOT

ORACLE = ROOT / "tests/oracle"
# The standard library and itself; a calendar or a decoder of ours would repeat our mistakes.
ALLOWED = {
    *("collections", "dataclasses", "datetime", "functools", "re", "typing", "zoneinfo"),
    "tests.oracle",
}


def imported(text: str) -> Iterator[str]:
    """Yield the name of each module that *text* imports, wherever in it."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def strangers(text: str) -> list[str]:
    """Return the imports that the oracle must not have."""
    return [
        name
        for name in imported(text)
        if name.partition(".")[0] not in ALLOWED and not name.startswith("tests.oracle")
    ]


def sources() -> list[Path]:
    return sorted(ORACLE.glob("*.py"))


def test_the_oracle_imports_nothing_of_what_it_judges() -> None:
    """Neither plugin nor SDK nor any library beyond Python's own."""
    found = {path.name: strangers(path.read_text(encoding="utf-8")) for path in sources()}

    assert len(found) >= 5
    assert {name: names for name, names in found.items() if names} == {}


def test_an_import_of_the_plugin_is_found() -> None:
    """In whatever form it comes."""
    text = "import re\ndef f():\n    from mosaiclife_plugin_sdk import sign\nimport msgspec as m\n"

    assert sorted(strangers(text)) == ["mosaiclife_plugin_sdk", "msgspec"]
    assert strangers("from ..support import events") == ["..support"]
    assert strangers("from importlib import import_module") == ["importlib"]
