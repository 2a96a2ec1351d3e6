"""The manifest: what is accepted, what is refused and with which words (spec §9)."""

import copy
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from mosaiclife_plugin_sdk import ManifestError, find_manifest, load_manifest, parse_manifest

ROOT = Path(__file__).parents[3]
SCHEMA = msgspec.json.decode((ROOT / "sdk/schema/plugin.schema.json").read_bytes())

APPENDIX_A: dict[str, Any] = {
    "name": "sample",
    "version": "1.4.2",
    "compat": {"core": ">=2.1 <3.0"},
    "ui": {"mode": "ModuleFederation", "remotePath": "/mf/remoteEntry.js"},
    "endpoints": {"basePath": "/v1"},
    "health": {"livenessPath": "/healthz", "readinessPath": "/readyz"},
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return Appendix A's least manifest with the value at the dotted *path* replaced."""
    document = copy.deepcopy(APPENDIX_A)
    *folders, leaf = path.split(".")
    place = document
    for folder in folders:
        place = place.setdefault(folder, {})
    place[leaf] = value
    return document


def accepted_by_schema(document: object) -> bool:
    return jsonschema_rs.is_valid(SCHEMA, document)


def test_least_manifest_of_appendix_a_is_accepted() -> None:
    """What Appendix A asks for is enough, for the code and for the schema."""
    assert parse_manifest(APPENDIX_A).name == "sample"
    assert accepted_by_schema(APPENDIX_A)


def test_unknown_fields_are_no_reason_to_refuse() -> None:
    """Appendix A closes no object: a manifest of a later core is read, its news left out."""
    document = {**APPENDIX_A, "x-later": {"a": 1}}

    assert "x-later" not in parse_manifest(document).normalised()
    assert accepted_by_schema(document)


BAD: list[tuple[str, Any, str]] = [
    ("name", "Sample", "$.name"),
    ("name", "-sample", "$.name"),
    ("version", "1.4", "$.version"),
    ("version", 1.10, "$.version"),
    ("version", "01.4.2", "$.version"),
    ("compat.core", ">=2.1,<3.0", "$.compat.core"),
    ("compat.core", "", "$.compat.core"),
    ("compat.backend_sdk", "^1.4", "$.compat.backend_sdk"),
    ("compat", {}, "$.compat"),
    ("capabilities", ["everything"], "$.capabilities[0]"),
    ("ui.mode", "iframe", "$.ui.mode"),
    ("ui.remotePath", "mf/remoteEntry.js", "$.ui.remotePath"),
    ("ui.contributions", {"routes": [{"path": "/sample", "component": "x"}]}, "$.ui.contributions"),
    ("ui.contributions", {"panels": [{"id": "a"}]}, "$.ui.contributions.panels[0]"),
    ("endpoints", {}, "$.endpoints"),
    ("secrets", ["lower"], "$.secrets[0]"),
    ("permissions", {"network": {"egressAllow": ["host"]}}, "$.permissions.network.egressAllow[0]"),
    ("configSchema", {"type": "array"}, "$.configSchema.type"),
]


@pytest.mark.parametrize(("path", "value", "field"), BAD)
def test_bad_manifest_is_refused_at_its_place(path: str, value: Any, field: str) -> None:
    """Each fault is refused by code and schema alike, and the reason names the JSON path."""
    document = changed(path, value)

    with pytest.raises(ManifestError) as caught:
        parse_manifest(document)

    assert caught.value.details[0]["field"].startswith(field)
    assert not accepted_by_schema(document)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("endpoints.basePath", "/"),
        ("ui.contributions", {"routes": [{"path": "/other", "component": "Routes#Page"}]}),
        ("ui.contributions", {"routes": [{"path": "/samples", "component": "Routes#Page"}]}),
        ("ui.contributions", {"panels": [{"id": "a", "title": "A"}, {"id": "a", "title": "B"}]}),
    ],
)
def test_rules_beyond_the_schema_hold_too(path: str, value: Any) -> None:
    """Rules that JSON Schema cannot say are held by the code."""
    with pytest.raises(ManifestError):
        parse_manifest(changed(path, value))


def test_number_as_version_is_explained() -> None:
    """YAML reads 1.10 as 1.1: the message says what to do instead."""
    with pytest.raises(ManifestError, match=r"MAJOR\.MINOR\.PATCH in quotes"):
        parse_manifest(changed("version", 1.1))


@pytest.mark.parametrize("document", [None, [], "text", 7])
def test_document_that_is_no_object_is_refused(document: object) -> None:
    """A file with anything but an object in it is refused, not crashed upon."""
    with pytest.raises(ManifestError):
        parse_manifest(document)


def test_the_repository_manifest_is_valid_everywhere() -> None:
    """plugin.yaml passes the code and the schema, and its normal form does so again."""
    manifest = load_manifest(ROOT / "plugin.yaml")

    assert accepted_by_schema(manifest.normalised())
    assert parse_manifest(manifest.normalised()) == manifest


def test_defaults_are_spelt_out_in_the_normal_form() -> None:
    """Core need not know the defaults: title and a panel's component stand in the JSON."""
    document = changed("ui.contributions", {"panels": [{"id": "sample.panel", "title": "S"}]})
    normal = parse_manifest(document).normalised()

    assert normal["title"] == "sample"
    assert normal["ui"]["contributions"]["panels"][0]["component"] == "Panel#panel"
    assert "backend_sdk" not in normal["compat"]


@pytest.mark.parametrize("content", [b"a: [", b"\xff\xfe\x00", b"name: x\n"])
def test_file_that_cannot_be_used_is_our_error(content: bytes, tmp_path: Path) -> None:
    """Whatever lies in the file, the caller sees a ManifestError."""
    path = tmp_path / "plugin.yaml"
    path.write_bytes(content)
    with pytest.raises(ManifestError):
        load_manifest(path)


def test_missing_file_is_our_error(tmp_path: Path) -> None:
    """A path that leads nowhere is told by its name."""
    with pytest.raises(ManifestError, match=r"gone\.yaml"):
        load_manifest(tmp_path / "gone.yaml")


def test_manifest_is_found_upward(tmp_path: Path) -> None:
    """The nearest plugin.yaml above the start is the one, and PLUGIN_MANIFEST overrules."""
    inner = tmp_path / "backend" / "src"
    inner.mkdir(parents=True)
    (tmp_path / "plugin.yaml").touch()

    assert find_manifest({}, inner) == tmp_path / "plugin.yaml"
    assert find_manifest({"PLUGIN_MANIFEST": "other.yaml"}, inner) == Path("other.yaml")
