"""The Python that the documentation shows is run, block after block, as one program a page."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools.tracked import tracked_files
from tools.workspace import ROOT

BLOCK = re.compile(r"^```python\n(?P<body>.*?)^```", re.MULTILINE | re.DOTALL)


def program(page: Path) -> str:
    """Return the blocks of a page as one program whose lines have the page's numbers."""
    text = page.read_text(encoding="utf-8")
    lines = [""] * text.count("\n")
    for found in BLOCK.finditer(text):
        first = text.count("\n", 0, found.start("body"))
        body = found["body"].splitlines()
        lines[first : first + len(body)] = body
    return "\n".join(lines) + "\n"


def pages() -> list[Path]:
    return [
        path
        for path in tracked_files()
        if path.suffix == ".md" and BLOCK.search(path.read_text(encoding="utf-8"))
    ]


def run(source: str, name: str, folder: Path) -> subprocess.CompletedProcess[str]:
    file = folder / f"{name}.py"
    file.write_text(source, encoding="utf-8")
    command = [sys.executable, "-W", "error", str(file)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_guide_is_among_the_pages() -> None:
    """The walk below has something to walk over."""
    assert ROOT / "docs/sdk-python.md" in pages()


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_the_python_of_a_page_runs(page: Path, tmp_path: Path) -> None:
    """What a reader copies works, with warnings as errors."""
    done = run(program(page), page.stem, tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_the_python_of_a_page_is_formatted(page: Path) -> None:
    """A reader learns our style with the example."""
    for found in BLOCK.finditer(page.read_text(encoding="utf-8")):
        command = [sys.executable, "-m", "ruff", "format", "--quiet", "-"]
        done = subprocess.run(
            command, input=found["body"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert done.stdout == found["body"]


def test_a_wrong_example_is_found(tmp_path: Path) -> None:
    """A page whose second block contradicts its first fails, at the page's own line."""
    page = tmp_path / "page.md"
    page.write_text("# Page\n\n```python\nx = 1\n```\n\nWords.\n\n```python\nassert x == 2\n```\n")

    done = run(program(page), page.stem, tmp_path)

    assert done.returncode == 1
    assert "line 10" in done.stderr
