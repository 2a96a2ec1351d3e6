"""The contract of the values: closed, described, and the same as the manifest's."""

import copy
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from tests.support.chart import DIGEST, EVERYTHING, MANIFEST, MATRIX, render, values_of
from tools import chart
from tools.chart import CHART, DECIDED

SCHEMA = chart.schema()
DEFAULTS = chart.values()
# The words that the chart uses out of draft 7; another one of it may be added.
DRAFT_7 = {
    *("$schema", "title", "description", "type", "enum", "const", "not"),
    *("properties", "propertyNames", "additionalProperties", "required", "minProperties"),
    *("items", "minItems", "uniqueItems"),
    *("pattern", "minLength", "minimum", "maximum", "exclusiveMinimum"),
}
SETTINGS: dict[str, Any] = MANIFEST.config_schema["properties"]


def objects_in(rules: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of each object whose properties are declared."""
    if "properties" in rules:
        assert rules["additionalProperties"] is False, path
        yield path
        for name, below in rules["properties"].items():
            yield from objects_in(below, (*path, name))


def test_what_is_written_from_elsewhere_is_fresh() -> None:
    """The schema's settings and the README's table follow from the manifest and the values."""
    assert chart.stale(write=False) == []


def test_every_value_has_a_description() -> None:
    """A reader of the README's table finds each meaning."""
    assert len(list(chart.rows())) > 80
    assert [name for name, _, meaning in chart.rows() if not meaning.endswith(".")] == []


def keywords_in(rules: Any) -> Iterator[str]:
    """Yield every keyword of the schema, and no name of a property."""
    if isinstance(rules, list):
        for one in rules:
            yield from keywords_in(one)
    elif isinstance(rules, dict):
        for word, below in rules.items():
            yield word
            yield from keywords_in(list(below.values()) if word == "properties" else below)


def test_the_schema_keeps_to_the_words_that_every_helm_knows() -> None:
    """Helm 3 passes over a keyword that is younger than draft 7, and lets its mistake through."""
    assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert set(keywords_in(SCHEMA)) <= DRAFT_7


@pytest.mark.parametrize("path", list(objects_in(SCHEMA)), ids="/".join)
def test_an_unknown_key_is_refused_at_every_level(path: tuple[str, ...]) -> None:
    """A typing error never passes for a value that was set."""
    values = copy.deepcopy(DEFAULTS)
    place = values
    for name in path:
        place = place.setdefault(name, {})
    place["unknownKey"] = 1

    assert not jsonschema_rs.is_valid(SCHEMA, values)
    if len(path) < 2:
        assert "unknownKey" in render(values).refusal


def test_the_defaults_are_whole() -> None:
    """They satisfy the schema, spell every value, and none is null."""
    jsonschema_rs.validate(SCHEMA, DEFAULTS)
    assert set(DEFAULTS) == set(SCHEMA["properties"]) - {"global"}
    assert "null" not in json.dumps(DEFAULTS)


def test_the_settings_are_those_of_the_manifest() -> None:
    """Each setting is either a value or decided by one, with the manifest's default (R20)."""
    own = SCHEMA["properties"]["config"]["properties"]

    assert set(own) | DECIDED == set(SETTINGS)
    defaults = {name: SETTINGS[name]["default"] for name in own if "default" in SETTINGS[name]}
    assert defaults == DEFAULTS["config"]


def typed(text: str, rules: dict[str, Any]) -> Any:
    """Read a variable as the plugin would."""
    return text if rules["type"] == "string" else json.loads(text)


@pytest.mark.parametrize("name", MATRIX)
def test_the_rendered_settings_satisfy_the_manifest(name: str) -> None:
    """What the pod reads is what configSchema allows, and holds no secret."""
    settings = render(MATRIX[name]).settings
    read = {key: typed(value, SETTINGS[key]) for key, value in settings.items()}

    jsonschema_rs.validate(MANIFEST.config_schema, read)
    assert not set(settings) & set(MANIFEST.secrets)


def test_every_setting_can_be_set() -> None:
    """With everything on, the ConfigMap holds all of configSchema."""
    assert set(render(EVERYTHING).settings) == set(SETTINGS)


def test_a_large_number_stays_a_number() -> None:
    """Helm would write a million as 1e+06, which is no whole number."""
    settings = render({"config": {"API_TIMEOUT_MS": 1_000_000}}).settings

    assert settings["API_TIMEOUT_MS"] == "1000000"


def test_the_allowed_hosts_are_the_manifests() -> None:
    """Policy and the plugin's own client hold one list."""
    assert DEFAULTS["networkPolicy"]["egressAllow"] == MANIFEST.permissions.network.egress_allow


def test_a_parent_chart_may_carry_this_one(tmp_path: Path) -> None:
    """As a dependency it renders, although the parent passes `global`."""
    shutil.copytree(CHART, tmp_path / "charts/plugin")
    parent = {"apiVersion": "v2", "name": "family", "version": "1.0.0"}
    (tmp_path / "Chart.yaml").write_text(json.dumps(parent))

    rendered = render({"global": {"region": "eu"}}, chart=tmp_path)

    assert rendered.one("Deployment")


def test_the_chart_has_one_version() -> None:
    """Chart, application and manifest are one number, and the image's default tag (R2)."""
    described = values_of(CHART / "Chart.yaml")

    assert described["version"] == described["appVersion"] == MANIFEST.version
    assert render().container["image"].endswith(f":{MANIFEST.version}")


@pytest.mark.parametrize(
    ("kubernetes", "fits"), [("1.29.9", False), ("1.30.0", True), ("v1.31.2-eks-1", True)]
)
def test_a_cluster_that_is_too_old_is_refused(kubernetes: str, fits: bool) -> None:
    """From 1.30 on a container may sleep before it stops; managed clusters have suffixes."""
    assert (render(kubernetes=kubernetes).refusal == "") is fits


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ({"repo": "a/b"}, f"a/b:{MANIFEST.version}"),
        ({"repo": "a/b", "tag": "9.9.9"}, "a/b:9.9.9"),
        ({"repo": "a/b", "tag": "9.9.9", "digest": DIGEST}, f"a/b@{DIGEST}"),
    ],
    ids=["default", "tag", "digest"],
)
def test_a_digest_wins_over_a_tag(image: dict[str, str], expected: str) -> None:
    """The image is named by what cannot change, where that is known (R17)."""
    assert render({"image": image}).container["image"] == expected
