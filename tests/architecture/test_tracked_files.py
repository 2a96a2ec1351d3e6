"""What must not stand in any file, and what must."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.setup import EDITABLES
from tools.tracked import DEMONSTRATION, faults_in, faults_of, secrets_given, tracked_files
from tools.workspace import NODE_PACKAGES, ROOT

# In pieces, or this file would be a finding itself.
PLANTED = {
    "a registry's host": "--index-url https://" + "pypi" + ".org/simple",
    "a path of one machine": "open('/" + "home/somebody/plugin/x')",
    "a private key": "-----BEGIN " + "RSA PRIVATE KEY-----",
    "a token": "token = '" + "ghp" + "_" + "a" * 36 + "'",
}


def test_no_file_holds_a_registry_host_a_machine_path_or_a_secret() -> None:
    """The checkout works anywhere, and gives nothing away."""
    found = [
        f"{path.relative_to(ROOT)}:{line}: {kind}"
        for path in tracked_files()
        for line, kind in faults_of(path)
    ]

    assert found == []


@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_one_is_found(kind: str) -> None:
    """Each rule really looks."""
    assert list(faults_in(f"first line\n{PLANTED[kind]}\n")) == [(2, kind)]


GIVEN = {
    "a registration token": "core:\n  token: hunter2-hunter2\n",
    "a variable": "env:\n  - REG_TOKEN=hunter2-hunter2\n",
    "a quoted key": 'pseudonym:\n  "PSEUDONYM_KEY": "0123456789abcdef"\n',
    "a password": "db:\n  password: 'correct-horse'\n",
    "a secret of deliveries": "demo:\n  webhookSecret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n",
}


@pytest.mark.parametrize("kind", GIVEN)
def test_a_secret_in_a_file_of_settings_is_found(kind: str) -> None:
    """Whatever its name, and in the demonstration's file as well when it is a real one."""
    for path in ("chart/values-production.yaml", DEMONSTRATION):
        assert list(secrets_given(path, GIVEN[kind])) == [(2, "a secret's value")]


def test_words_of_the_demonstration_are_allowed_in_their_file_alone() -> None:
    """That is the one exception; a name or a reference is no secret anywhere."""
    word = "token: demo-only-known-to-all\n"
    names = "existingSecret: plugin-secrets\ntoken: ${REG_TOKEN}\nsecretName: tls\nkey: url\n"

    assert list(secrets_given(DEMONSTRATION, word)) == []
    assert list(secrets_given("chart/values.yaml", word)) == [(1, "a secret's value")]
    assert list(secrets_given("docker-compose.yml", names)) == []


def test_ordinary_lines_are_left_alone() -> None:
    """Paths inside a container, of a URL, or of a system's own programs are nobody's machine."""
    text = "GET /v1/homes/1\n/usr/bin/chromium\nhttp://core:8080/work\n/data/plugin.db\n"

    assert list(faults_in(text)) == []


def test_the_licence_is_there_and_every_package_names_it() -> None:
    """Apache-2.0 stands in full at the root, and by name in each package."""
    assert "Apache License" in (ROOT / "LICENSE").read_text()
    for folder in NODE_PACKAGES:
        assert json.loads((ROOT / folder / "package.json").read_text())["license"] == "Apache-2.0"
    for folder in EDITABLES:
        assert 'license = "Apache-2.0"' in (ROOT / folder / "pyproject.toml").read_text()


Function = ast.FunctionDef | ast.AsyncFunctionDef


def python_tests() -> Iterator[tuple[Path, Function]]:
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, Function) and node.name.startswith("test_"):
                yield path, node


def test_each_test_states_its_claim() -> None:
    """A failing test tells in a sentence what no longer holds."""
    silent = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path, node in python_tests()
        if not ast.get_docstring(node)
    ]

    assert silent == []
