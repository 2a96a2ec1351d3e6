"""Identity stands apart from domain (design: Identity apart from domain).

A copy of this repository is renamed by replacing identity tokens. The inventory beside this file
lists where each may stand; the word of the domain may stand anywhere and is never a token.
"""

import fnmatch
import functools
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from mosaiclife_plugin_sdk import Manifest, load_manifest
from tools.tracked import text_of, tracked_files
from tools.workspace import ROOT

INVENTORY = ROOT / "tests/architecture/identity_inventory.toml"
MANIFEST = load_manifest(ROOT / "plugin.yaml")

Forms = Mapping[str, re.Pattern[str]]


def forms_of(manifest: Manifest) -> Forms:
    """Return each form of the identity as a pattern that no word of the domain matches."""
    kebab, snake = manifest.name, manifest.name.replace("-", "_")
    pascal = "".join(word.capitalize() for word in manifest.name.split("-"))
    contributions = manifest.ui.contributions
    panels = "|".join(re.escape(panel.id) for panel in contributions.panels)
    routes = "|".join(re.escape(route.path) for route in contributions.routes)
    pages = "|".join(route.component.partition("#")[2] for route in contributions.routes)
    quote = "[\"'`]"
    patterns = {
        "id": rf"{quote}{kebab}{quote}|\b(?:plugins|mf)/{kebab}\b|^\s*(?:name|id): {kebab}$"
        rf"|(?<![\w-]){kebab}-(?:panel|page|metric)\b",
        "title": rf"{quote}{manifest.title}{quote}|\btitle: {manifest.title}$|>{manifest.title}<",
        "kebab": rf"\bplugin-(?:reg-token-)?{kebab}\b",
        "snake": rf"(?<![\w-])plugin_{snake}(?![a-z0-9])",
        "pascal": rf"\bPlugin{pascal}\b",
        "upper": rf"\bPLUGIN_{snake.upper()}(?![A-Z0-9])",
        "api_key": rf"\b{snake.upper()}_API_KEY\b",
        "panel": rf"(?<![\w.-])(?:{panels})(?![\w-])",
        "route": rf"(?<=[\"'`( ])(?:{routes})(?=[\"'`) ])",
        "page": rf"\b(?:{pages})\b",
    }
    return {name: re.compile(pattern, re.MULTILINE) for name, pattern in patterns.items()}


FORMS = forms_of(MANIFEST)


@functools.cache
def places() -> list[dict[str, Any]]:
    known = tomllib.loads(INVENTORY.read_text(encoding="utf-8"))["place"]
    snake = f"plugin_{MANIFEST.name.replace('-', '_')}"
    return [
        place | {"paths": [path.replace("{snake}", snake) for path in place["paths"]]}
        for place in known
    ]


def matches(path: str, place: Mapping[str, Any]) -> bool:
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in place["paths"])


def allowed_in(path: str) -> set[str]:
    """Return the forms that the inventory lets stand in a file."""
    return {form for place in places() if matches(path, place) for form in place["forms"]}


def tokens(path: str, text: str) -> Iterator[tuple[str, str]]:
    """Yield the form and the place of each token, in a file's path and in its content."""
    for form, pattern in FORMS.items():
        if pattern.search(path):
            yield form, f"{path} (its path)"
        for match in pattern.finditer(text):
            yield form, f"{path}:{text.count(chr(10), 0, match.start()) + 1}"


def intruders(path: str, text: str) -> list[str]:
    """Return the tokens of a file that the inventory does not know."""
    allowed = allowed_in(path)
    return [f"{where}: {form}" for form, where in tokens(path, text) if form not in allowed]


def repository() -> Iterator[tuple[str, str]]:
    """Yield path and text of every file; a binary one has a path only."""
    for path in tracked_files():
        yield path.relative_to(ROOT).as_posix(), text_of(path) or ""


def test_no_identity_token_stands_outside_the_inventory() -> None:
    """A rename that follows the inventory leaves nothing of the old name."""
    found = [intruder for path, text in repository() for intruder in intruders(path, text)]

    assert found == []


def test_the_inventory_holds_nothing_that_is_no_longer_so() -> None:
    """Each form that a place may hold does stand there, so the inventory cannot rot."""
    present = [(path, {form for form, _ in tokens(path, text)}) for path, text in repository()]
    stale = [
        f"{place['paths']}: {form}"
        for place in places()
        for form in place["forms"]
        if not any(form in forms and matches(path, place) for path, forms in present)
    ]

    assert stale == []


NAME = MANIFEST.name
PLANTED = {
    "id": f'load("{NAME}")',
    "title": f'<h1 title="{MANIFEST.title}">',
    "kebab": f"image: plugin-{NAME}:1",
    "snake": f"import plugin_{NAME.replace('-', '_')}",
    "pascal": f"class Plugin{NAME.capitalize()}:",
    "upper": f"PLUGIN_{NAME.upper()}_URL",
    "api_key": f"os.environ['{NAME.upper()}_API_KEY']",
    "panel": f"slot({MANIFEST.ui.contributions.panels[0].id})",
    "route": f'href="{MANIFEST.ui.contributions.routes[0].path}"',
    "page": MANIFEST.ui.contributions.routes[0].component.partition("#")[2],
}


@pytest.mark.parametrize("form", FORMS)
def test_a_planted_token_is_found(form: str) -> None:
    """A token that somebody hard-codes in a new file turns the guard red."""
    where = "core/server/src/mosaiclife_devcore/planted.py"

    assert f"{where}:2: {form}" in intruders(where, f"first line\n{PLANTED[form]}\n")


def test_a_token_in_a_path_is_found() -> None:
    """A file named after the plugin has to be renamed too."""
    path = f"chart/dashboards/plugin-{NAME}.json"

    assert f"{path} (its path): kebab" in intruders(path, "")


@pytest.mark.parametrize(
    "text",
    [
        f"Counts are {NAME} of the whole family.",
        f"{NAME}_summary = sum(buckets)",
        f"topic = '{NAME}.rollup.refreshed'",
        f"see studies/{NAME}.md, or {NAME}-like tools",
    ],
)
def test_the_word_of_the_domain_is_no_token(text: str) -> None:
    """A rename leaves what the plugin is about alone."""
    assert intruders("sdk/typescript/src/anything.ts", text) == []
