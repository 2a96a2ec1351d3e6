"""One version for the plugin, and ranges that mean something (spec §5)."""

import json
import re
from pathlib import Path

import pytest

from mosaiclife_plugin_sdk import load_manifest, satisfies
from tools import version
from tools.workspace import ROOT

MANIFEST = load_manifest(ROOT / "plugin.yaml")


def declared(path: Path) -> str:
    """Return the version that a pyproject.toml or a package.json states."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        return str(json.loads(text)["version"])
    found = re.search(r'^version = "(.+)"$', text, re.MULTILINE)
    assert found, f"{path} states no version"
    return found.group(1)


@pytest.mark.parametrize("place", version.PLACES)
def test_every_place_spells_the_manifests_version(place: str) -> None:
    """Backend and remote carry the version of plugin.yaml."""
    assert version.read(place) == MANIFEST.version


@pytest.mark.parametrize(
    ("needs", "package"),
    [
        ("core", "core/server/pyproject.toml"),
        ("core", "core/web/package.json"),
        ("backend_sdk", "sdk/python/pyproject.toml"),
        ("frontend_sdk", "sdk/typescript/package.json"),
    ],
)
def test_what_the_manifest_needs_is_what_this_repository_holds(needs: str, package: str) -> None:
    """The ranges under compat admit the versions that the plugin is tested with here."""
    wanted = getattr(MANIFEST.compat, needs)

    assert satisfies(wanted, declared(ROOT / package))


def test_a_version_is_set_in_every_place_at_once(tmp_path: Path) -> None:
    """`./just version` changes each place, and nothing else in it."""
    for place in version.PLACES:
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_bytes((ROOT / place).read_bytes())

    for place in version.PLACES:
        version.write(place, "9.8.7", root=tmp_path)

    for place in version.PLACES:
        assert version.read(place, root=tmp_path) == "9.8.7"
        changed = (tmp_path / place).read_text().replace("9.8.7", MANIFEST.version)
        assert changed == (ROOT / place).read_text()


def test_the_locks_hold_what_was_asked_for() -> None:
    """Each pinned requirement stands in its lock with that version: nobody forgot `./just lock`."""
    for source in sorted((ROOT / "requirements").glob("*.in")):
        lock = source.with_suffix(".lock").read_text()
        for line in source.read_text().splitlines():
            requirement = line.partition(";")[0].strip()
            if requirement and not requirement.startswith(("#", "-c", "-r")):
                assert re.search(rf"^{re.escape(requirement)}\b", lock, re.MULTILINE), requirement
