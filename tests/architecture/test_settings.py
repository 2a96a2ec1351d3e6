"""Every setting stands in plugin.yaml, secret or not, with the default that the code has."""

import typing
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from mosaiclife_plugin_sdk import Secret, load_manifest
from plugin_analytics.settings import Settings
from tools.workspace import ROOT

MANIFEST = load_manifest(ROOT / "plugin.yaml")
SCHEMA: dict[str, Any] = MANIFEST.config_schema
# What is worked out when nobody sets it, or simply not there.
WITHOUT_DEFAULT = {
    "CORE_BASE_URL": None,
    "PLUGIN_PUBLIC_URL": "",
    "UI_REMOTE_URL": None,
    "UI_REMOTE_PATH": MANIFEST.ui.remote_path,
    "UI_BUNDLE_DIR": Path("ui/dist"),
    "OTEL_EXPORTER_OTLP_ENDPOINT": None,
}
# Handed to the code that asks for it, not kept among the settings.
FOR_LATER = {f"{MANIFEST.name.upper().replace('-', '_')}_API_KEY"}
BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}


def fields(*, secret: bool) -> dict[str, Any]:
    """Return the default of each setting, by the name of its variable."""
    hints = typing.get_type_hints(Settings, include_extras=True)
    return {
        field.name.upper(): field.default
        for field in msgspec.structs.fields(Settings)
        if (hints[field.name] is Secret) is secret
    }


def test_the_walk_finds_both_sorts() -> None:
    """The comparisons below have something to compare."""
    assert len(fields(secret=False)) >= 20
    assert len(fields(secret=True)) >= 5


def test_every_open_setting_is_in_the_schema_and_no_other() -> None:
    """An operator finds in the manifest what may be set, and nothing that is not read."""
    assert set(SCHEMA["properties"]) == set(fields(secret=False))


def test_every_secret_is_declared() -> None:
    """What is secret never stands in configSchema, and core knows its name (spec §9)."""
    assert set(MANIFEST.secrets) - FOR_LATER == set(fields(secret=True))
    assert not set(MANIFEST.secrets) & set(SCHEMA["properties"])


@pytest.mark.parametrize("name", fields(secret=False))
def test_a_default_is_the_same_in_schema_and_code(name: str) -> None:
    """Two sources of one default would drift; one that is worked out stands in neither."""
    default, rules = fields(secret=False)[name], SCHEMA["properties"][name]

    if name in WITHOUT_DEFAULT:
        assert "default" not in rules
        assert default == WITHOUT_DEFAULT[name]
    else:
        assert rules["default"] == (str(default) if isinstance(default, Path) else default)
        jsonschema_rs.validate(rules, rules["default"])


@pytest.mark.parametrize("name", fields(secret=False))
def test_a_setting_is_described_and_as_narrow_as_its_type(name: str) -> None:
    """The schema says what the setting is for, and admits nothing that the type refuses."""
    rules = SCHEMA["properties"][name]
    hint = typing.get_type_hints(Settings, include_extras=True)[name.lower()]
    limits = [meta for meta in getattr(hint, "__metadata__", ()) if isinstance(meta, msgspec.Meta)]

    assert rules["description"].endswith(".")
    for meta in limits:
        for attribute, keyword in BOUNDS.items():
            bound = getattr(meta, attribute)
            if bound is not None and keyword.endswith("inimum"):
                assert rules[keyword] >= bound
            elif bound is not None:
                assert rules[keyword] <= bound
