"""The examples of docs/operate.md: values that render, objects that fit what is rendered."""

import json
import re
import subprocess
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from mosaiclife_devcore.settings import read_grants
from tests.support.chart import MANIFEST, Object, Rendered, pods_in, render, values_of
from tests.support.pod_security import violations
from tests.support.promql import selectors
from tools import programs
from tools.chart import CHART
from tools.workspace import ROOT

PAGE = (ROOT / "docs/operate.md").read_text(encoding="utf-8")
SECTION = re.compile(r"^## (?P<title>.+?)\n(?P<body>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
YAML = re.compile(r"^```yaml\n(?P<body>.*?)^```", re.MULTILINE | re.DOTALL)
RELEASES = set(re.findall(r"helm (?:upgrade|rollback|history) ([\w-]+)", PAGE))
(RELEASE,) = RELEASES
STORE = "external-secrets.io/v1/ExternalSecret"
MONITOR = "monitoring.coreos.com/v1/ServiceMonitor"
# What the specification and the issue ask this page to tell.
TOLD = (
    *("Look at it first", "Install", "Upgrade", "Roll back", "Back up, and put back"),
    *("Rotate tokens and secrets", "Take the secrets out of a store", "Register it by hand"),
    *("Mutual TLS by a mesh", "The interface on a CDN", "Admit signed images only"),
    "Try a release beside the present one",
)


def blocks() -> dict[str, dict[str, Any]]:
    """Return each block of YAML by the section in which it stands and its number there."""
    return {
        f"{section['title']} {number}": yaml.safe_load(found["body"])
        for section in SECTION.finditer(PAGE)
        for number, found in enumerate(YAML.finditer(section["body"]), 1)
    }


BLOCKS = blocks()
VALUES = {name: block for name, block in BLOCKS.items() if "apiVersion" not in block}
OBJECTS = {name: block for name, block in BLOCKS.items() if "apiVersion" in block}


def merged(*several: Any) -> dict[str, Any]:
    """Lay values over one another as Helm does with several files."""
    result: dict[str, Any] = {}
    for values in several:
        for key, value in values.items():
            below = result.get(key)
            both = isinstance(value, dict) and isinstance(below, dict)
            result[key] = merged(below, value) if both else value
    return result


def installed(name: str) -> Rendered:
    """Render one block as a reader would install it."""
    return render(VALUES[name], release=RELEASE, knows=[STORE, MONITOR])


def production() -> Rendered:
    """Render what the first install of the page renders."""
    values = merged(values_of(CHART / "values-production.yaml"), VALUES["Install 1"])
    return render(values, release=RELEASE, knows=[MONITOR])


def of_kind(kind: str) -> Object:
    (found,) = [block for block in OBJECTS.values() if block["kind"] == kind]
    return found


def test_the_page_tells_what_an_operator_asks() -> None:
    """Every section that was promised is there."""
    assert [found["title"] for found in SECTION.finditer(PAGE)] == list(TOLD)
    assert len(VALUES) >= 8
    assert {block["kind"] for block in OBJECTS.values()} == {
        *("Job", "PeerAuthentication", "ClusterPolicy"),
    }


@pytest.mark.parametrize("name", VALUES)
def test_an_example_of_values_renders_and_changes_something(name: str) -> None:
    """Each is taken by the schema, refused by nobody, and is not the default anyway."""
    plain = render({}, release=RELEASE, knows=[STORE, MONITOR])

    assert installed(name).one("Deployment")
    assert installed(name).text != plain.text


def test_the_first_install_renders() -> None:
    """The page's values lie over those for production, and the image is the one that was named."""
    image = VALUES["Install 1"]["image"]

    assert production().container["image"] == f"{image['repo']}@{image['digest']}"
    assert production().one("ServiceMonitor")


def test_the_job_that_restores_finds_what_the_release_has() -> None:
    """Its settings, volume, image and key are those of the release; it is confined as well."""
    job, release = of_kind("Job"), production()
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    claims = [one["metadata"]["name"] for one in release.of_kind("PersistentVolumeClaim")]
    secret = container["env"][0]["valueFrom"]["secretKeyRef"]

    assert violations(pod) == set()
    assert container["image"] == release.container["image"]
    assert container["envFrom"] == release.container["envFrom"]
    assert pod["volumes"][0]["persistentVolumeClaim"]["claimName"] in claims
    assert secret["name"] in json.dumps(release.pod["spec"]["volumes"])
    assert container["args"][1].startswith(release.settings["DATA_DIR"])
    selector = release.one("Service")["spec"]["selector"]
    labels = job["spec"]["template"].get("metadata", {}).get("labels", {})
    assert not selector.items() <= labels.items()


def test_the_objects_beside_the_release_mean_its_pods() -> None:
    """A selector or a pattern that matches nothing would protect nothing."""
    release = production()
    selector = of_kind("PeerAuthentication")["spec"]["selector"]["matchLabels"]
    (rule,) = of_kind("ClusterPolicy")["spec"]["rules"]
    (verified,) = rule["verifyImages"]

    for pod in pods_in(release.objects):
        assert selector.items() <= pod["metadata"]["labels"].items()
        for container in pod["spec"]["containers"]:
            (pattern,) = verified["imageReferences"]
            assert fnmatch(container["image"], pattern)
    assert verified["verifyDigest"]
    assert "@sha256:" in release.container["image"]


def test_core_takes_the_static_configuration() -> None:
    """The development core reads the page's JSON, and its address is the Service's."""
    (text,) = re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    grant = read_grants({"CORE_PLUGINS": text})[MANIFEST.name]
    service = installed("Register it by hand 1").one("Service")["metadata"]["name"]

    assert grant.urls == (f"http://{service}.plugins.svc",)
    assert f"PLUGIN_BACKEND_URL={grant.urls[0]}" in PAGE
    assert installed("Register it by hand 1").settings["SELF_REGISTER"] == "false"


def test_the_query_by_track_asks_for_labels_that_the_monitor_keeps() -> None:
    """A label of the Service becomes one of the series, with another spelling."""
    (text,) = re.findall(r"^```promql\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    kept = production().one("ServiceMonitor")["spec"]["targetLabels"]
    asked = selectors(text)

    assert {one.name for one in asked} == {"plugin_http_requests_total"}
    assert {label for one in asked for label in one.grouped} == {"plugin_track"}
    assert "plugin_track" in {label.replace(".", "_") for label in kept}


def test_the_names_in_commands_are_those_that_are_rendered() -> None:
    """`deploy/…` and `secret …` name what the release has, and no file that is not there."""
    release = production()
    deployments = set(re.findall(r"deploy/([\w-]+)", PAGE))
    files = set(re.findall(r"-f (chart/[\w.-]+)", PAGE))

    assert deployments == {release.one("Deployment")["metadata"]["name"]}
    assert all((ROOT / file).is_file() for file in files)
    for secret in set(re.findall(r"secret generic ([\w-]+)", PAGE)):
        assert secret in json.dumps(release.pod["spec"]["volumes"])


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_everything_has_the_form_that_kubernetes_wants(tmp_path: Path) -> None:
    """What the examples render, and the Job; kinds of others have no schema here."""
    objects = [one for name in VALUES for one in installed(name).objects]
    file = tmp_path / "rendered.yaml"
    file.write_text(yaml.safe_dump_all([*objects, of_kind("Job")]), "utf-8")
    validate = programs.validator("policies", "kubernetes-validate")
    command: list[str | Path] = [validate, "--strict", "-k", "1.37", file]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
