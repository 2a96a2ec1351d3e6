"""What programs by others say about the rendered chart."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from tests.support.chart import DIGEST, MATRIX, Object, Values, render
from tests.support.connectivity import CONNECTED, Case, analyzed, golden
from tools import chart, programs
from tools.workspace import ROOT

NEWEST, OLDEST = "1.37", "1.30"
PINNED: Values = {"digest": DIGEST, "pullPolicy": "Always"}
# What an operator asks for with open eyes, and checkov would rather not see.
KNOWINGLY = {
    ("everything", "CKV_K8S_38"),  # a role is of no use without a token
    ("secrets as variables", "CKV_K8S_35"),  # spec §11.3 has the token in a variable
}
# It takes `--platform` for the image, and the tag stands in the argument's default.
MISREAD = {"CKV_DOCKER_7"}
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def run(command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def written(folder: Path, objects: Sequence[Object]) -> Path:
    """Write objects as one file, alone in a folder."""
    folder.mkdir(parents=True)
    file = folder / "rendered.yaml"
    file.write_text(yaml.safe_dump_all(objects), "utf-8")
    return file


def test_helm_finds_no_fault_in_the_chart() -> None:
    """It lints strictly with the defaults and with each set of values that the chart brings."""
    chart.lint(programs.helm())


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_object_has_the_form_that_kubernetes_wants(version: str, tmp_path: Path) -> None:
    """Field by field, for the oldest and the newest cluster; a planted fault is found."""
    validate = programs.validator("policies", "kubernetes-validate")
    objects = [one for values in MATRIX.values() for one in render(values).objects]
    wrong = render().one("Service")
    wrong["spec"]["ports"][0]["port"] = "oops"

    good = run([validate, "--strict", "-k", version, written(tmp_path / "good", objects)])
    bad = run([validate, "--strict", "-k", version, written(tmp_path / "bad", [wrong])])

    assert good.returncode == 0, good.stdout + good.stderr
    assert bad.returncode != 0


def test_checkov_finds_what_was_asked_for_and_nothing_else(tmp_path: Path) -> None:
    """No check fails once each image is named by its digest, over every set of values."""
    for name, values in MATRIX.items():
        written(tmp_path / name, render(pinned(values)).objects)

    found = {(place.strip("/").partition("/")[0], check) for place, check in failed(tmp_path)}

    assert found == KNOWINGLY


def test_checkov_finds_nothing_in_the_dockerfiles(tmp_path: Path) -> None:
    """A numeric user, a health check, nothing fetched from elsewhere."""
    for name in ("backend", "core"):
        (tmp_path / name).mkdir()
        shutil.copy(ROOT / name / "Dockerfile", tmp_path / name)

    assert {check for _, check in failed(tmp_path, "dockerfile")} == MISREAD


def test_checkov_would_find_a_fault(tmp_path: Path) -> None:
    """A probe that is taken away is missed, and so is the digest."""
    deployment = render().one("Deployment")
    del deployment["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]
    written(tmp_path / "bad", [deployment])

    assert {check for _, check in failed(tmp_path)} >= {"CKV_K8S_9", "CKV_K8S_43"}


def pinned(values: Values) -> Values:
    """Return *values* with every image named by a digest."""
    image = {**values.get("image", {}), **PINNED}
    demo = values.get("demo", {})
    if "core" in demo:
        demo = {**demo, "core": {**demo["core"], "image": PINNED}}
    return {**values, "image": image, "demo": demo}


def failed(folder: Path, framework: str = "kubernetes") -> list[tuple[str, str]]:
    """Return file and check of each that failed in a folder."""
    program = programs.validator("checkov", "checkov")
    command: list[str | Path] = [
        program,
        "--framework",
        framework,
        "--quiet",
        "--skip-download",
        "-o",
        "json",
    ]
    done = run([*command, "-d", folder])
    told = json.loads(done.stdout)
    assert told["summary"]["passed"] > 0, done.stderr
    return [(one["file_path"], one["check_id"]) for one in told["results"]["failed_checks"]]


@pytest.mark.parametrize("name", CONNECTED)
def test_the_connections_are_the_golden_ones(name: str) -> None:
    """The plugin reaches what it must and nothing else; an intruder reaches nothing (R11)."""
    found = analyzed(CONNECTED[name].objects)

    assert found == golden(name)
    assert not [line for line in found if "intruder" in line or "other" in line]


def test_core_shut_off_is_opened_by_its_side_of_the_policy() -> None:
    """Where core is isolated nothing passes, until the same agreement stands there too (R12)."""
    shut, both = golden("core-isolated"), golden("core-side")

    assert not [line for line in shut if "core-api" in line]
    assert len([line for line in both if "core-api" in line]) == 2


def test_a_rule_for_the_services_port_would_be_seen() -> None:
    """The goldens can fail: the port of the Service instead of the pods' gives another map."""
    wrong = Case({"core": {"podPorts": [80]}})

    assert analyzed(wrong.objects) != golden("defaults")
