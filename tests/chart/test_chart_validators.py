"""What programs by others say about the rendered chart."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from tests.support.chart import FOLDER, MATRIX, NAMESPACE, Object, Values, render
from tools import chart, programs

NEWEST, OLDEST = "1.37", "1.30"
PINNED: Values = {"image": {"digest": f"sha256:{'1' * 64}", "pullPolicy": "Always"}}
# The analyzer folds the pods of a Deployment into one name only where there is one pod.
NAMED: Values = {"fullnameOverride": "plugin", "replicas": 1}
# A role that was asked for needs the token that checkov would rather not see.
WITHOUT_RIGHTS = {"rbac": {"create": False}, "serviceAccount": {"automount": False}}
# Like the policies that Mosaic Life ships: they know nothing of plugins.
CORE_ISOLATED: Object = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "core", "namespace": "core"},
    "spec": {
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": "core-api"}},
        "policyTypes": ["Ingress", "Egress"],
        "egress": [
            {"to": [{"namespaceSelector": {}}], "ports": [{"protocol": "UDP", "port": 53}]},
        ],
    },
}
CONNECTED: dict[str, Values] = {
    "defaults": {},
    "postgresql": MATRIX["postgresql"],
    "traces": {"otel": {"endpoint": "http://otel-collector.observability.svc:4318"}},
    "postgresql-range": {
        **MATRIX["postgresql"],
        "store": {
            "kind": "postgresql",
            "postgresql": {"existingSecret": "db", "egress": {"cidr": "192.0.2.0/28"}},
        },
    },
}
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
    """No check fails once the image is named by its digest."""
    for name in ("defaults", "production", "everything"):
        written(tmp_path / name, render({**MATRIX[name], **PINNED, **WITHOUT_RIGHTS}).objects)

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


def connections(folder: Path, values: Values, *others: Object) -> list[str]:
    """Return who reaches whom in the small cluster, as far as plugin or test are concerned."""
    objects = [*render({**values, **NAMED}).objects, *others]
    known = [one for one in objects if one["kind"] in {"Deployment", "Pod", "NetworkPolicy"}]
    policies = written(folder / "policies", known).parent
    cluster = folder / "cluster"
    cluster.mkdir()
    (cluster / "topology.yaml").write_bytes((FOLDER / "topology.yaml").read_bytes())
    command: list[str | Path] = [programs.validator("policies", "nca"), "--connectivity", policies]
    command += ["-r", cluster, "-r", policies, "--output_endpoints", "deployments", "-o", "txt"]
    done = run(command)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("src")]
    return sorted(line for line in lines if concerns_us(line))


def concerns_us(line: str) -> bool:
    """Tell whether a line speaks of our pods, or of all pods where they are."""
    ours = ("[plugin]", "[plugin-test]", "plugin,", ",plugin")
    everyone = any(f"{side}_ns: [{NAMESPACE}] {side}_pods: [*]" in line for side in ("src", "dst"))
    return everyone or any(word in line for word in ours)


@pytest.mark.parametrize("name", CONNECTED)
def test_the_connections_are_the_golden_ones(name: str, tmp_path: Path) -> None:
    """The plugin reaches what it must and nothing else; an intruder reaches nothing (R11)."""
    found = connections(tmp_path, CONNECTED[name])

    assert found == (FOLDER / f"golden/{name}.txt").read_text("utf-8").splitlines()
    assert not [line for line in found if "intruder" in line or "other" in line]


def test_core_shut_off_is_opened_by_its_side_of_the_policy(tmp_path: Path) -> None:
    """Where core is isolated nothing passes, until the same agreement stands there too (R12)."""
    core_side: Values = {"networkPolicy": {"coreSide": {"enabled": True}}}

    shut = connections(tmp_path / "shut", {}, CORE_ISOLATED)
    both = connections(tmp_path / "open", core_side, CORE_ISOLATED)

    assert not [line for line in shut if "core-api" in line]
    assert len([line for line in both if "core-api" in line]) == 2


def test_a_rule_for_the_services_port_would_be_seen(tmp_path: Path) -> None:
    """The goldens can fail: the port of the Service instead of the pods' gives another map."""
    wrong = {"core": {"podPorts": [80]}}

    assert connections(tmp_path, wrong) != connections(tmp_path / "right", {})
