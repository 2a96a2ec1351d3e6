"""Documentation that is run: a command that a reader may paste has been pasted before.

Each fenced `sh` block is run here, unless the line above it says why not:
`<!-- run by: tests/… -->` names the test that does, `<!-- not run: … -->` gives the reason.
"""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tools.tracked import tracked_files
from tools.workspace import ROOT

BLOCK = re.compile(
    r"(?:<!-- (?P<mark>[^>]*?) -->\n+)?^```(?P<language>sh|bash|shell|console)\n(?P<body>.*?)^```",
    re.MULTILINE | re.DOTALL,
)
LINK = re.compile(r"\]\((?!\w+:|#)(?P<target>[^)#\s]+)")
RECIPE = re.compile(r"(?<![\w/])(?:\./)?just (?P<recipe>[a-z][a-z-]*)")


@dataclass(frozen=True)
class Block:
    """A fenced block of shell, with the mark that stands above it."""

    where: str
    mark: str
    body: str


def pages() -> list[Path]:
    return [path for path in tracked_files() if path.suffix == ".md"]


def blocks_in(where: str, text: str) -> Iterator[Block]:
    for found in BLOCK.finditer(text):
        line = text.count("\n", 0, found.start("language")) + 1
        yield Block(f"{where}:{line}", (found["mark"] or "").strip(), found["body"])


def all_blocks() -> list[Block]:
    return [
        block
        for path in pages()
        for block in blocks_in(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
    ]


def test_the_documentation_shows_commands() -> None:
    """The walk below has something to walk over."""
    assert len(all_blocks()) >= 3


@pytest.mark.parametrize(
    "block", [block for block in all_blocks() if not block.mark], ids=lambda block: block.where
)
def test_an_unmarked_block_runs(block: Block) -> None:
    """What the page shows works when it is pasted at the root of the checkout."""
    done = subprocess.run(
        ["sh", "-eu"], input=block.body, cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "block", [block for block in all_blocks() if block.mark], ids=lambda block: block.where
)
def test_a_mark_names_a_test_or_a_reason(block: Block) -> None:
    """A block is left out for a reason that a reader can judge, or because a test runs it."""
    kind, _, words = block.mark.partition(": ")

    assert kind in {"run by", "not run"}
    if kind == "run by":
        assert (ROOT / words).is_file()
    else:
        assert len(words.split()) >= 3


def test_a_link_to_a_file_leads_somewhere() -> None:
    """No page points at a file that is not there."""
    broken = [
        f"{path.relative_to(ROOT)}: {found['target']}"
        for path in pages()
        for found in LINK.finditer(path.read_text(encoding="utf-8"))
        if not (path.parent / found["target"]).exists()
    ]

    assert broken == []


def test_a_recipe_that_a_page_names_exists() -> None:
    """No page speaks of a recipe that `./just` does not list."""
    known = set(
        re.findall(r"^([a-z][a-z-]*)[^:=\n]*:(?!=)", (ROOT / "justfile").read_text(), re.MULTILINE)
    )
    unknown = [
        f"{path.relative_to(ROOT)}: just {found['recipe']}"
        for path in pages()
        for code in re.findall(r"`+[^`]+`+", path.read_text(encoding="utf-8"))
        for found in RECIPE.finditer(code)
        if found["recipe"] not in known
    ]

    assert unknown == []


def test_a_mark_is_read_with_its_block() -> None:
    """The mark may stand right above the block, or with an empty line between."""
    text = "<!-- not run: needs a cluster -->\n\n```sh\nhelm install\n```\n```sh\ntrue\n```\n"

    assert [(block.mark, block.body) for block in blocks_in("page", text)] == [
        ("not run: needs a cluster", "helm install\n"),
        ("", "true\n"),
    ]
