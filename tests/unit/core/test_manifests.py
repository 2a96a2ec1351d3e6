"""Manifests are judged by the one schema, with JSON paths."""

from pathlib import Path

import pytest

from mosaiclife_devcore.errors import ValidationFailed
from mosaiclife_devcore.manifests import ManifestJudge
from mosaiclife_devcore.settings import SettingsError
from mosaiclife_plugin_sdk import load_manifest
from tests.support.bare_plugin import BarePlugin

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def judge() -> ManifestJudge:
    return ManifestJudge()


def test_the_reference_plugins_manifest_is_accepted(judge: ManifestJudge) -> None:
    """The manifest of this repository is what core takes."""
    manifest = load_manifest(ROOT / "plugin.yaml")

    assert judge.judge(manifest.normalised()) == judge.judge(
        judge.judge(manifest.normalised()).normalised()
    )


@pytest.mark.parametrize("name", ["-", "-a", "register", "A", "a_b", ""])
def test_an_id_that_would_collide_is_refused(judge: ManifestJudge, name: str) -> None:
    """No id begins with a dash, and none is a word of core's own paths."""
    with pytest.raises(ValidationFailed) as caught:
        judge.judge(BarePlugin().manifest(name=name))

    assert caught.value.details[0]["field"] == "$.manifest.name"


def test_every_fault_is_named_with_its_place(judge: ManifestJudge) -> None:
    """An author repairs a manifest in one go."""
    manifest = BarePlugin().manifest(
        version=2, ui={"mode": "iframe", "remotePath": "/x"}, health={}
    )
    with pytest.raises(ValidationFailed) as caught:
        judge.judge(manifest)

    fields = {detail["field"] for detail in caught.value.details}
    assert {"$.manifest.version", "$.manifest.ui.mode", "$.manifest.health"} <= fields


def test_a_missing_schema_is_said_at_start(tmp_path: Path) -> None:
    """A core without the schema does not start and judge by nothing."""
    with pytest.raises(SettingsError, match="CORE_PLUGIN_SCHEMA"):
        ManifestJudge(tmp_path / "none.json")
