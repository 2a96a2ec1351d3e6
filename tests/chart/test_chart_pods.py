"""Every pod of the chart: confined, probed, given time to stop, and no secret in the open."""

import json
import re
from typing import Any

import pytest

from mosaiclife_plugin_sdk.frame.health import CHECK_SECONDS
from tests.support.chart import (
    EVERYTHING,
    MANIFEST,
    MATRIX,
    NAMESPACE,
    Object,
    Values,
    name_of,
    pods_in,
    render,
    values_of,
)
from tests.support.pod_security import violations
from tools.chart import CHART

USER = 10001
CONFINED: dict[str, Any] = {
    "securityContext": {
        "runAsNonRoot": True,
        "runAsUser": USER,
        "seccompProfile": {"type": "RuntimeDefault"},
    },
    "containers": [
        {
            "name": "a",
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
            },
        }
    ],
}
BREAKING: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "host namespaces": ("host namespaces", {"hostPID": True}, {}),
    "volume types": ("volume types", {"volumes": [{"name": "a", "hostPath": {}}]}, {}),
    "root": ("user", {}, {"runAsUser": 0}),
    "root allowed": ("non-root", {}, {"runAsNonRoot": False}),
    "unconfined": ("seccomp", {}, {"seccompProfile": {"type": "Unconfined"}}),
    "escalation": ("privilege escalation", {}, {"allowPrivilegeEscalation": True}),
    "capabilities kept": ("capabilities", {}, {"capabilities": {}}),
    "capabilities added": (
        "capabilities",
        {},
        {"capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]}},
    ),
    "privileged": ("privileged", {}, {"privileged": True}),
    "proc": ("proc mount", {}, {"procMount": "Unmasked"}),
    "SELinux": ("SELinux", {}, {"seLinuxOptions": {"role": "sysadm_r"}}),
    "AppArmor": ("AppArmor", {}, {"appArmorProfile": {"type": "Unconfined"}}),
}


def with_changes(pod: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Return the confined pod, but for some fields of its own and of its container's context."""
    changed: dict[str, Any] = json.loads(json.dumps(CONFINED)) | pod
    changed["containers"][0]["securityContext"] |= own
    return changed


def test_the_judge_admits_a_confined_pod() -> None:
    """What is confined breaks nothing, so that a finding means something."""
    assert violations(CONFINED) == set()


@pytest.mark.parametrize("name", BREAKING)
def test_the_judge_finds_each_control_broken(name: str) -> None:
    """Each control alone is seen."""
    control, pod, own = BREAKING[name]

    assert violations(with_changes(pod, own)) == {control}


def test_the_judge_looks_at_init_containers_ports_probes_and_annotations() -> None:
    """What stands beside the container counts too."""
    bare = with_changes({"initContainers": [{"name": "b"}]}, {})
    probe = {"livenessProbe": {"httpGet": {"host": "192.0.2.1"}}, "ports": [{"hostPort": 80}]}
    probed = with_changes({}, {})
    probed["containers"][0] |= probe
    key = "container.apparmor.security.beta.kubernetes.io/a"

    assert violations(bare) == {"privilege escalation", "capabilities"}
    assert violations(probed) == {"host of a probe", "host ports"}
    assert violations(CONFINED, {key: "unconfined"}) == {"AppArmor"}


@pytest.mark.parametrize("name", MATRIX)
def test_every_pod_is_confined(name: str) -> None:
    """Pod Security "restricted" holds for the plugin's pod and the test's, and more (R5, R6)."""
    pods = list(pods_in(render(MATRIX[name]).objects))

    assert len(pods) == (3 if name == "demo" else 2)
    for pod in pods:
        assert violations(pod["spec"], pod["metadata"].get("annotations")) == set()
        security = pod["spec"]["securityContext"]
        assert {security[key] for key in ("runAsUser", "runAsGroup", "fsGroup")} == {USER}
        assert security["fsGroupChangePolicy"] == "OnRootMismatch"
        assert pod["spec"]["enableServiceLinks"] is False
        for container in pod["spec"]["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            for sort in ("requests", "limits"):
                assert {"cpu", "memory", "ephemeral-storage"} == set(container["resources"][sort])


def test_no_token_of_the_cluster_is_mounted() -> None:
    """The plugin does not speak to Kubernetes, so it cannot."""
    rendered = render()

    assert rendered.one("ServiceAccount")["automountServiceAccountToken"] is False
    assert [pod["spec"]["automountServiceAccountToken"] for pod in pods_in(rendered.objects)] == [
        False,
        False,
    ]


@pytest.mark.parametrize("name", MATRIX)
def test_volumes_are_small_named_and_mounted(name: str) -> None:
    """Each mount has its volume, and nothing grows without a limit on the node's disk."""
    rendered = render(MATRIX[name])
    volumes = {volume["name"]: volume for volume in rendered.pod["spec"]["volumes"]}
    mounts = {mount["name"]: mount["mountPath"] for mount in rendered.container["volumeMounts"]}

    assert set(volumes) == set(mounts)
    assert {"/tmp", rendered.settings["DATA_DIR"]} <= set(mounts.values())
    for volume in volumes.values():
        assert volume.get("emptyDir", {"sizeLimit": "…"})["sizeLimit"]


def test_the_embedded_store_has_one_writer() -> None:
    """One pod, never two at once, over a volume that outlives the release (R13)."""
    rendered = render()
    deployment, claim = rendered.one("Deployment")["spec"], rendered.one("PersistentVolumeClaim")

    assert (deployment["replicas"], deployment["strategy"]) == (1, {"type": "Recreate"})
    assert claim["spec"]["accessModes"] == ["ReadWriteOncePod"]
    assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    volumes = {volume["name"]: volume for volume in rendered.pod["spec"]["volumes"]}
    assert volumes["data"]["persistentVolumeClaim"]["claimName"] == name_of(claim)


def test_a_cluster_without_the_strictest_mode_gets_the_next() -> None:
    """Not every storage driver knows of a volume for one pod."""
    claim = render({"persistence": {"accessMode": "ReadWriteOnce"}}).one("PersistentVolumeClaim")

    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]


def test_what_is_written_at_run_time_goes_where_it_may() -> None:
    """The root cannot be written, so home is the folder for passing files, and no bytecode is made."""
    known = variables(render().container)

    assert (known["HOME"]["value"], known["PYTHONDONTWRITEBYTECODE"]["value"]) == ("/tmp", "1")


def test_a_database_allows_several_writers() -> None:
    """With it a new version comes before the old one goes, spread over nodes and zones."""
    rendered = render(MATRIX["postgresql"])
    deployment = rendered.one("Deployment")["spec"]

    assert deployment["replicas"] == 3
    assert deployment["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    spread = rendered.pod["spec"]["topologySpreadConstraints"]
    assert [one["topologyKey"] for one in spread] == [
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
    ]
    assert {(one["maxSkew"], one["whenUnsatisfiable"]) for one in spread} == {(1, "ScheduleAnyway")}
    assert [one["matchLabelKeys"] for one in spread] == [["pod-template-hash"]] * 2
    assert rendered.of_kind("PersistentVolumeClaim") == []
    assert "topologySpreadConstraints" not in render().pod["spec"]


@pytest.mark.parametrize("name", MATRIX)
def test_probes_ask_what_the_manifest_names(name: str) -> None:
    """By name of the port, without a delay; liveness never asks about readiness (R15)."""
    container = render(MATRIX[name]).container
    probes = {kind: container[f"{kind}Probe"] for kind in ("startup", "liveness", "readiness")}

    asked = {kind: probe["httpGet"] for kind, probe in probes.items()}
    health = MANIFEST.health
    assert asked["startup"] == asked["liveness"] == {"path": health.liveness_path, "port": "http"}
    assert asked["readiness"] == {"path": health.readiness_path, "port": "http"}
    assert asked["readiness"] != asked["liveness"]
    patience = {
        kind: (probe["periodSeconds"], probe["timeoutSeconds"], probe["failureThreshold"])
        for kind, probe in probes.items()
    }
    assert patience == {"startup": (2, 2, 30), "liveness": (10, 3, 3), "readiness": (5, 3, 2)}
    assert not any("initialDelaySeconds" in probe for probe in probes.values())
    assert probes["readiness"]["timeoutSeconds"] > CHECK_SECONDS  # the checks run at once


@pytest.mark.parametrize("name", MATRIX)
def test_a_stop_has_the_time_it_may_take(name: str) -> None:
    """The pause, the drain, the work in flight and a margin end before Kubernetes kills (R16)."""
    rendered = render(MATRIX[name])
    pause = rendered.container["lifecycle"]["preStop"]["sleep"]["seconds"]
    work = sum(float(rendered.settings[key]) for key in ("DRAIN_SECONDS", "STOP_GRACE_SECONDS"))

    assert pause >= 5
    assert pause + work + 5 <= rendered.pod["spec"]["terminationGracePeriodSeconds"]


def variables(container: Object) -> dict[str, Object]:
    """Return the container's variables by name; one that stands twice is a fault."""
    names = [entry["name"] for entry in container["env"]]
    assert len(names) == len(set(names))
    return {entry["name"]: entry for entry in container["env"]}


@pytest.mark.parametrize("name", MATRIX)
def test_no_secret_stands_in_the_open(name: str) -> None:
    """Each secret of the manifest comes from a Secret, as a file or by reference (R14)."""
    rendered = render(MATRIX[name])
    known = variables(rendered.container)

    for secret in MANIFEST.secrets:
        assert "value" not in known.get(secret, {})
        assert secret not in rendered.settings
        if f"{secret}_FILE" in known:
            assert known[f"{secret}_FILE"]["value"] == f"/run/secrets/plugin/{secret}"
    assert {"REG_TOKEN", "REG_TOKEN_FILE"} & set(known)


def test_secrets_are_files_that_only_the_group_reads() -> None:
    """The token is there under its variable's name, from the Secret the specification names."""
    volumes = {volume["name"]: volume for volume in render().pod["spec"]["volumes"]}

    assert volumes["secrets"]["projected"] == {
        "defaultMode": 0o440,
        "sources": [
            {
                "secret": {
                    "name": f"plugin-reg-token-{MANIFEST.name}",
                    "items": [{"key": "token", "path": "REG_TOKEN"}],
                }
            }
        ],
    }


def test_secrets_may_be_variables() -> None:
    """Where files will not do, the variable refers to the same key (spec §11.3)."""
    known = variables(render(MATRIX["secrets as variables"]).container)

    assert known["REG_TOKEN"]["valueFrom"]["secretKeyRef"] == {
        "name": f"plugin-reg-token-{MANIFEST.name}",
        "key": "token",
    }


def test_the_specifications_names_reach_the_container() -> None:
    """Its example sets image, core, remote and Secret, and each arrives (spec §11.2)."""
    rendered = render(MATRIX["specification"])
    asked = values_of(CHART.parent / "tests/chart/spec_values.yaml")

    assert rendered.container["image"] == f"{asked['image']['repo']}:{asked['image']['tag']}"
    assert rendered.settings["CORE_BASE_URL"] == asked["core"]["baseURL"]
    assert rendered.settings["UI_REMOTE_PATH"] == asked["ui"]["remotePath"]
    assert asked["core"]["registrationSecretName"] in json.dumps(rendered.pod["spec"]["volumes"])
    assert rendered.container["resources"]["limits"]["memory"] == "1Gi"


def test_a_changed_setting_changes_the_settings_and_their_checksum_only() -> None:
    """The pods are replaced when what they read has changed, and for no other reason (R19)."""
    before = json.dumps(render().objects)
    after = json.dumps(render({"config": {"LOG_LEVEL": "debug"}}).objects)
    checksum = re.compile(r'"checksum/config": "[0-9a-f]{64}"')

    assert checksum.findall(before) != checksum.findall(after)
    quiet = checksum.sub("", after).replace('"LOG_LEVEL": "debug"', '"LOG_LEVEL": "info"')
    assert quiet == checksum.sub("", before)


def test_a_changed_demo_secret_replaces_the_pods() -> None:
    """A Secret that the chart makes is part of what the pods read; any other is not known here."""

    def checksums(token: str) -> dict[str, str]:
        demo = {"createSecrets": True, "token": token}
        annotations: dict[str, str] = render({"demo": demo}).pod["metadata"]["annotations"]
        return annotations

    one, other = checksums("demo-only-a"), checksums("demo-only-b")
    assert one["checksum/secret"] != other["checksum/secret"]
    assert one["checksum/config"] == other["checksum/config"]
    assert "checksum/secret" not in render().pod["metadata"]["annotations"]


def test_every_hatch_opens() -> None:
    """What an operator adds arrives, and a variable of the same name replaces the chart's (R36)."""
    rendered = render(EVERYTHING)
    spec, known = rendered.pod["spec"], variables(rendered.container)

    assert (known["HOME"]["value"], known["EXTRA"]["value"]) == ("/data", "1")
    for key in ("nodeSelector", "tolerations", "affinity", "priorityClassName"):
        assert spec[key] == EVERYTHING[key]
    assert rendered.pod["metadata"]["labels"]["team"] == "memory"
    assert rendered.pod["metadata"]["annotations"]["example.org/seen"] == "yes"
    assert spec["imagePullSecrets"] == EVERYTHING["imagePullSecrets"]
    assert EVERYTHING["extraVolumes"][0] in spec["volumes"]
    assert EVERYTHING["extraVolumeMounts"][0] in rendered.container["volumeMounts"]


@pytest.mark.parametrize("port", [7001, 7100])
def test_the_port_is_one_number(port: int) -> None:
    """Process, container, probes, policies, Service and test all follow service.port (R9)."""
    values: Values = {
        "service": {"port": port, "servicePort": 8088},
        "networkPolicy": {"coreSide": {"enabled": True}},
    }
    rendered = render(values)
    (container_port,) = rendered.container["ports"]
    (service_port,) = rendered.one("Service")["spec"]["ports"]

    assert rendered.settings["PORT"] == str(port)
    assert container_port["containerPort"] == port
    assert (service_port["name"], service_port["targetPort"]) == ("http", container_port["name"])
    for policy in rendered.of_kind("NetworkPolicy"):
        at_core = policy["metadata"]["namespace"] != NAMESPACE
        rules = policy["spec"].get("egress" if at_core else "ingress", ())
        assert {one["port"] for rule in rules for one in rule["ports"]} <= {port}
    assert "8088" not in json.dumps(rendered.of_kind("NetworkPolicy"))
    url = rendered.settings["PLUGIN_PUBLIC_URL"]
    assert url.endswith(f"{name_of(rendered.one('Service'))}.{NAMESPACE}.svc:8088")
    (test,) = rendered.of_kind("Pod")
    assert test["spec"]["containers"][0]["args"][0] == url
