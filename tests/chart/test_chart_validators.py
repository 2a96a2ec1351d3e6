"""What programs by others say about the rendered chart."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from tests.support.chart import MATRIX, Object, Values, render
from tests.support.connectivity import CONNECTED, DEMONSTRATION, Case, analyzed, golden
from tools import chart, programs

NEWEST, OLDEST = "1.37", "1.30"
DEMO = MATRIX["demo"]
PINNED: Values = {"image": {"digest": f"sha256:{'1' * 64}", "pullPolicy": "Always"}}
# A role that was asked for needs the token that checkov would rather not see.
WITHOUT_RIGHTS = {"rbac": {"create": False}, "serviceAccount": {"automount": False}}
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


def test_checkov_finds_nothing(tmp_path: Path) -> None:
    """No check fails once each image is named by its digest."""
    judged = {name: MATRIX[name] for name in ("defaults", "production", "everything")}
    judged["demo"] = {**DEMO, "demo": {**DEMO["demo"], "core": {"enabled": True, **PINNED}}}
    for name, values in judged.items():
        written(tmp_path / name, render({**values, **PINNED, **WITHOUT_RIGHTS}).objects)

    done = run([*checkov(), "-d", tmp_path])

    assert done.returncode == 0, done.stdout


def test_checkov_would_find_a_fault(tmp_path: Path) -> None:
    """A probe that is taken away is missed."""
    deployment = render(PINNED).one("Deployment")
    del deployment["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]

    assert "CKV_K8S_9" in run([*checkov(), "-f", written(tmp_path / "bad", [deployment])]).stdout


def checkov() -> list[str | Path]:
    program = programs.validator("checkov", "checkov")
    return [program, "--framework", "kubernetes", "--compact", "--quiet", "--skip-download"]


@pytest.mark.parametrize("name", CONNECTED)
def test_the_connections_are_the_golden_ones(name: str) -> None:
    """The plugin reaches what it must and nothing else; an intruder reaches nothing (R11)."""
    found = analyzed(CONNECTED[name].objects)

    assert found == golden(name)
    assert not [line for line in found if "intruder" in line or "other" in line]


def test_the_demonstrations_connections_are_the_golden_ones() -> None:
    """Its core and the plugin reach each other and the name service, and no other core does."""
    found = analyzed(DEMONSTRATION.objects)

    assert found == golden("demo")
    assert not [line for line in found if "core-api" in line or "intruder" in line]


def test_core_shut_off_is_opened_by_its_side_of_the_policy() -> None:
    """Where core is isolated nothing passes, until the same agreement stands there too (R12)."""
    shut, both = golden("core-isolated"), golden("core-side")

    assert not [line for line in shut if "core-api" in line]
    assert len([line for line in both if "core-api" in line]) == 2


def test_a_rule_for_the_services_port_would_be_seen() -> None:
    """The goldens can fail: the port of the Service instead of the pods' gives another map."""
    wrong = Case({"core": {"podPorts": [80]}})

    assert analyzed(wrong.objects) != golden("defaults")
