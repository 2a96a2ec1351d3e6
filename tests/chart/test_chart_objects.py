"""What is rendered, whatever the values: names, labels, selectors, and nothing at random."""

import base64
import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.chart import (
    DEMO,
    MANIFEST,
    MATRIX,
    MONITOR,
    NAMESPACE,
    POSTGRESQL,
    RELEASE,
    Object,
    Values,
    component_of,
    fresh,
    is_of_test,
    name_of,
    pods_in,
    render,
)
from tools import programs
from tools.chart import CHART

LABEL = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
SELECTING = {"name", "instance", "component"}
DESCRIBING = {"version", "managed-by", "part-of"}
STANDARD = "app.kubernetes.io/"


def selectors(one: Object) -> Iterator[dict[str, str]]:
    """Yield what an object selects its own pods by."""
    spec = one.get("spec", {})
    match one["kind"]:
        case "Service" if component_of(one) != "shared":
            yield spec["selector"]
        case "Deployment":
            yield spec["selector"]["matchLabels"]
            for constraint in spec["template"]["spec"].get("topologySpreadConstraints", ()):
                yield constraint["labelSelector"]["matchLabels"]
        case "PodDisruptionBudget" | "ServiceMonitor":
            yield spec["selector"]["matchLabels"]
        case "NetworkPolicy" if one["metadata"]["namespace"] == NAMESPACE:
            yield spec["podSelector"]["matchLabels"]
        case "CiliumNetworkPolicy":
            yield spec["endpointSelector"]["matchLabels"]


def matches(selector: dict[str, str], pod: Object) -> bool:
    labels: dict[str, str] = pod["metadata"]["labels"]
    return selector.items() <= labels.items()


@pytest.mark.parametrize("name", MATRIX)
def test_two_renders_are_identical(name: str) -> None:
    """Nothing is random, and nothing is looked up: what renders the chart again changes nothing."""
    again = fresh(
        json.dumps(MATRIX[name]), release=RELEASE, knows=(), chart=CHART, kubernetes="1.37"
    )

    assert again == render(MATRIX[name])
    assert again.refusal == ""


@pytest.mark.parametrize("name", MATRIX)
def test_every_object_is_labelled(name: str) -> None:
    """Each carries the standard labels and the specification's own (R3)."""
    rendered = render(MATRIX[name])
    labelled = [*rendered.objects, rendered.pod]

    for one in labelled:
        labels = one["metadata"]["labels"]
        wanted = {f"{STANDARD}{key}" for key in SELECTING | DESCRIBING}
        assert wanted | {"helm.sh/chart", "plugin.track"} <= set(labels)
        assert labels[f"{STANDARD}part-of"] == "mosaic-life"
        assert labels["plugin.name"] == MANIFEST.name
        assert labels["plugin.version"] == labels[f"{STANDARD}version"]
        assert [value for value in labels.values() if not LABEL.fullmatch(value)] == []


@pytest.mark.parametrize("tag", ["1.4.2-rc.1+build.5", "a" * 70 + ".-b", "v1_"])
def test_a_version_fits_into_a_label(tag: str) -> None:
    """Build metadata and long tags are made to fit; the image keeps its name."""
    rendered = render({"image": {"tag": tag}})

    assert LABEL.fullmatch(rendered.pod["metadata"]["labels"]["plugin.version"])
    assert "+" not in rendered.container["image"]


@pytest.mark.parametrize("name", MATRIX)
def test_selectors_hold_what_never_changes(name: str) -> None:
    """A version in a selector would make the next upgrade fail (R4)."""
    found = [one for one in render(MATRIX[name]).objects for one in selectors(one)]

    assert len(found) >= 3
    assert all(set(one) == {f"{STANDARD}{key}" for key in SELECTING} for one in found)


def test_a_new_version_keeps_names_and_selectors() -> None:
    """An upgrade and a rollback find what is there: names, selectors, the volume."""

    def kept(tag: str) -> list[Any]:
        objects = render({"image": {"tag": tag}}).objects
        claims = [one["spec"] for one in objects if one["kind"] == "PersistentVolumeClaim"]
        chosen = [list(selectors(one)) for one in objects]
        return [*((one["kind"], name_of(one)) for one in objects), *chosen, *claims]

    assert kept("1.4.2") == kept("2.0.0")


@pytest.mark.parametrize("name", MATRIX)
def test_a_long_release_name_fits(name: str) -> None:
    """The longest that Helm allows gives names of 63 characters at most, no two the same (R18).

    What several releases share has one name in all of them.
    """
    names = {}
    for release in ("a" * 53, "a" * 52 + "b"):
        objects = render(MATRIX[name], release=release).objects
        names[release] = [(one["kind"], name_of(one)) for one in objects]
        assert max(len(called) for _, called in names[release]) <= 63
        assert len(set(names[release])) == len(names[release])

    first, second = (set(named) for named in names.values())
    shared = {(kind, name) for kind, name in first if name.endswith("-shared")}
    assert first & second == shared


def test_a_canary_and_its_stable_release_do_not_meet() -> None:
    """Two releases in one namespace share no name, and select no pod of the other (R29)."""
    stable, canary = render(MATRIX["defaults"]), render(MATRIX["canary"], release="canary")
    named = [{(one["kind"], name_of(one)) for one in both.objects} for both in (stable, canary)]

    assert not named[0] & named[1]
    for one, other in ((stable, canary), (canary, stable)):
        for selector in (chosen for made in one.objects for chosen in selectors(made)):
            assert not any(matches(selector, pod) for pod in pods_in(other.objects))
    assert canary.pod["metadata"]["labels"]["plugin.track"] == "canary"
    assert canary.settings["SELF_REGISTER"] == "false"
    assert canary.of_kind("PersistentVolumeClaim") == []


def test_defaults_hold_no_secret_and_no_right() -> None:
    """Without being asked the chart makes no Secret and no Role, and reaches nowhere (R7, R14)."""
    kinds = {one["kind"] for one in render().objects}

    assert kinds == {
        *("ConfigMap", "Deployment", "NetworkPolicy", "PersistentVolumeClaim", "Pod"),
        *("Service", "ServiceAccount"),
    }
    assert {one["metadata"]["namespace"] for one in render().objects} == {NAMESPACE}


def test_a_role_may_read_its_own_settings_only() -> None:
    """Least privilege: one verb, one resource, one name."""
    rendered = render({"rbac": {"create": True}, "serviceAccount": {"automount": True}})
    own = name_of(rendered.one("ConfigMap"))

    assert rendered.one("Role")["rules"] == [
        {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": [own], "verbs": ["get"]}
    ]
    assert rendered.one("RoleBinding")["subjects"][0]["name"] == name_of(
        rendered.one("ServiceAccount")
    )


@pytest.mark.parametrize(("knows", "count"), [((), 0), ((MONITOR,), 1)], ids=["absent", "there"])
def test_a_monitor_stands_where_its_kind_is_known(knows: tuple[str, ...], count: int) -> None:
    """A cluster without the operator gets an install that works (R21)."""
    assert len(render(knows=knows).of_kind("ServiceMonitor")) == count


def test_the_monitor_scrapes_the_services_port() -> None:
    """It names the port that the Service has, and carries the labels the operator selects by."""
    rendered = render(MATRIX["everything"])
    (endpoint,) = rendered.one("ServiceMonitor")["spec"]["endpoints"]
    (port,) = rendered.one("Service")["spec"]["ports"]

    assert (endpoint["port"], endpoint["path"]) == (port["name"], "/metrics")
    assert rendered.one("ServiceMonitor")["metadata"]["labels"]["release"] == "prometheus"


def test_the_ingress_shows_the_remote_and_what_was_asked_for() -> None:
    """Nothing that is between the plugin, core and the cluster is published (R30)."""
    (rule,) = render(MATRIX["everything"]).one("Ingress")["spec"]["rules"]

    assert [path["path"] for path in rule["http"]["paths"]] == ["/mf", "/v1/reports"]


def test_a_budget_lets_nodes_drain() -> None:
    """It exists beside several pods only, and never forbids the last eviction (R27)."""
    budget = render(MATRIX["postgresql"]).one("PodDisruptionBudget")["spec"]

    assert (budget["maxUnavailable"], budget["unhealthyPodEvictionPolicy"]) == (1, "AlwaysAllow")
    assert render().of_kind("PodDisruptionBudget") == []
    assert render(POSTGRESQL).of_kind("PodDisruptionBudget") == []


def test_an_autoscaler_alone_says_how_many() -> None:
    """With it the Deployment states no number, over which the two would fight (R13, R28)."""
    rendered = render(MATRIX["everything"])
    scaler = rendered.one("HorizontalPodAutoscaler")["spec"]

    assert "replicas" not in rendered.one("Deployment")["spec"]
    assert scaler["scaleTargetRef"]["name"] == name_of(rendered.one("Deployment"))
    assert scaler["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == 300
    assert scaler["metrics"][0]["resource"]["target"]["averageUtilization"] == 70


def test_a_demo_secret_is_what_was_given() -> None:
    """The chart invents no token; the pod takes the one from the Secret it makes."""
    rendered = render(DEMO)

    assert rendered.one("Secret")["stringData"] == {
        "token": "demo-only-a",
        "webhook-secret": "whsec_" + base64.b64encode(b"demo-only-b").decode(),
    }
    assert name_of(rendered.one("Secret")) in json.dumps(rendered.pod["spec"]["volumes"])


def notes(values: Values) -> str:
    """Return what Helm tells after an install, which it need not do to tell it."""
    command = [str(programs.helm()), "install", RELEASE, str(CHART), "--namespace", NAMESPACE]
    command += ["--dry-run=client", "--values", "-"]
    text = json.dumps(values)
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.partition("\nNOTES:\n")[2]


def test_the_notes_tell_what_to_do_next() -> None:
    """Version, remote, state, check, and what core needs on its side; nothing to warn of (R26)."""
    plain = notes({})

    assert f"{MANIFEST.version} is release {RELEASE} in namespace {NAMESPACE}" in plain
    assert f".svc{MANIFEST.ui.remote_path}" in plain
    assert "grep registration" in plain
    assert f"helm test {RELEASE} -n {NAMESPACE}" in plain
    assert "kind: NetworkPolicy" in plain
    assert "WARNING" not in plain


def test_the_notes_of_a_demonstration_lead_to_its_page() -> None:
    """One command opens the way to core, whose own policy is installed already."""
    told = notes(MATRIX["demo"])
    (core,) = [
        one for one in render(MATRIX["demo"]).of_kind("Service") if component_of(one) == "demo-core"
    ]
    (port,) = core["spec"]["ports"]

    forward = f"kubectl -n {NAMESPACE} port-forward svc/{name_of(core)} 8080:{port['port']}"
    assert forward in told
    assert "http://localhost:8080" in told
    assert "kind: NetworkPolicy" not in told


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"persistence": {"enabled": False}}, "lost with its pod"),
        ({"networkPolicy": {"enabled": False}}, "no NetworkPolicy"),
        (DEMO, "for demonstrations only"),
        ({"resources": {"requests": None, "limits": None}}, "resources are not set"),
        (
            {"networkPolicy": {"egressAllow": ["a.example:443"], "acknowledgeBroadEgress": True}},
            "broad egress was acknowledged",
        ),
    ],
    ids=["no volume", "no policy", "demo", "no resources", "broad egress"],
)
def test_the_notes_warn_of_each_risk(values: Values, words: str) -> None:
    """Whoever turns a protection off reads what that means."""
    assert re.search(rf"^WARNING: .*{words}", notes(values), re.MULTILINE)


def test_the_test_pod_is_a_hook_with_an_end() -> None:
    """`helm test` makes it anew each time, and it cannot hang (R25)."""
    (pod,) = [one for one in render().of_kind("Pod") if is_of_test(one)]
    (container,) = pod["spec"]["containers"]

    annotations = pod["metadata"]["annotations"]
    assert annotations["helm.sh/hook"] == "test"
    assert annotations["helm.sh/hook-delete-policy"] == "before-hook-creation,hook-succeeded"
    assert pod["spec"]["restartPolicy"] == "Never"
    assert pod["spec"]["activeDeadlineSeconds"] <= 300
    assert container["image"] == render().container["image"]
    assert container["command"] == ["python", "-m", "mosaiclife_plugin_check"]
    assert f"--version={MANIFEST.version}" in container["args"]
    assert "--remote=/mf/remoteEntry.js" in container["args"]


def test_the_test_pod_leaves_a_remote_on_a_cdn_alone() -> None:
    """Its policy lets it reach nothing but the plugin."""
    values = {
        "ui": {"remoteURL": "https://cdn.example/mf/remoteEntry.js"},
        "networkPolicy": {"fqdnMode": "cilium"},
    }
    (pod,) = [one for one in render(values).of_kind("Pod") if is_of_test(one)]
    (container,) = pod["spec"]["containers"]

    assert container["args"][-1] == "--without-remote"
