"""What an operator adds: one Service for several releases, a mesh, a CDN, secrets out of a store."""

import json
from typing import Any

import pytest

from tests.support.chart import (
    EXTERNAL,
    NAMESPACE,
    POSTGRESQL,
    Object,
    Rendered,
    Values,
    component_of,
    name_of,
    pods_in,
    render,
    values_of,
)
from tools.chart import CHART

SHARING: Values = {**POSTGRESQL, "service": {"shared": True}}
STORE = "external-secrets.io/v1/ExternalSecret"


def shared_service(rendered: Rendered) -> Object:
    (one,) = [one for one in rendered.of_kind("Service") if component_of(one) == "shared"]
    return one


def canary_on_the_same_database() -> Rendered:
    return render(
        {**SHARING, **values_of(CHART / "values-canary.yaml"), "replicas": 1}, release="canary"
    )


def test_one_service_leads_to_both_releases() -> None:
    """Pods of the canary take their share of what core sends, and no pod of a test does (R29)."""
    stable, canary = render(SHARING), canary_on_the_same_database()
    selector = shared_service(stable)["spec"]["selector"]
    behind = [
        component_of(pod)
        for rendered in (stable, canary)
        for pod in pods_in(rendered.objects)
        if selector.items() <= pod["metadata"]["labels"].items()
    ]

    assert behind == ["backend", "backend"]
    url = f"http://{name_of(shared_service(stable))}.{NAMESPACE}.svc"
    assert stable.settings["PLUGIN_PUBLIC_URL"] == url


def test_the_first_release_alone_makes_the_service() -> None:
    """Two releases cannot own one object; the canary's values leave it to the other."""
    stable, canary = render(SHARING), canary_on_the_same_database()
    named = [{(one["kind"], name_of(one)) for one in both.objects} for both in (stable, canary)]

    assert not named[0] & named[1]
    assert [component_of(one) for one in canary.of_kind("Service")] == ["backend"]
    assert canary.settings["SELF_REGISTER"] == "false"


def test_the_shared_service_is_not_scraped_as_well() -> None:
    """Prometheus would count the same pods twice."""
    rendered = render({**SHARING, "serviceMonitor": {"renderMode": "alwaysRender"}})
    chosen = rendered.one("ServiceMonitor")["spec"]["selector"]["matchLabels"]

    assert not chosen.items() <= shared_service(rendered)["metadata"]["labels"].items()


def test_the_test_asks_its_own_release() -> None:
    """A canary that is ill must not hide behind the pods of the first."""
    rendered = render(SHARING)
    (pod,) = rendered.of_kind("Pod")

    assert pod["spec"]["containers"][0]["args"][0].endswith(
        f"//{name_of(rendered.one('Service'))}.{NAMESPACE}.svc"
    )


def mesh(**values: Any) -> Values:
    return {"networkPolicy": {"mesh": values, "coreSide": {"enabled": True}}}


def ports_of(policy: Object) -> list[list[int]]:
    spec = policy["spec"]
    rules = [*spec.get("ingress", ()), *spec.get("egress", ())]
    return [[port["port"] for port in rule["ports"] if port["protocol"] == "TCP"] for rule in rules]


def test_a_mesh_carries_everything_on_its_own_port() -> None:
    """Each rule between pods opens it beside the pods' port; the name service needs none."""
    plain, meshed = render(mesh()), render(mesh(ports=[15008]))

    for before, after in zip(
        plain.of_kind("NetworkPolicy"), meshed.of_kind("NetworkPolicy"), strict=True
    ):
        wanted = [ports if ports == [53] else [*ports, 15008] for ports in ports_of(before)]
        assert ports_of(after) == wanted


def test_a_sidecar_reaches_its_control_plane_and_no_other_pod_there() -> None:
    """Without it no certificate arrives, and with mTLS nothing else does either."""
    rule = {
        "to": [
            {
                "namespaceSelector": {
                    "matchLabels": {"kubernetes.io/metadata.name": "istio-system"}
                },
                "podSelector": {"matchLabels": {"app": "istiod"}},
            }
        ],
        "ports": [{"protocol": "TCP", "port": 15012}],
    }
    rendered = render(mesh(controlPlane={"podLabels": {"app": "istiod"}, "podPorts": [15012]}))
    own = [one for one in rendered.of_kind("NetworkPolicy") if not name_of(one).endswith("-side")]

    assert [one["spec"]["egress"].count(rule) for one in own] == [1, 1]


def test_a_cdn_is_one_more_host_to_reach() -> None:
    """Readiness asks whether the remote is there, so the policy lets it."""
    values = {
        "ui": {"remoteURL": "https://cdn.example.org/a/remoteEntry.js"},
        "networkPolicy": {"fqdnMode": "cilium"},
    }
    rendered = render(values)
    cilium = rendered.one("CiliumNetworkPolicy")["spec"]["egress"]

    assert rendered.settings["UI_REMOTE_URL"] == values["ui"]["remoteURL"]
    assert [rule.get("toFQDNs") for rule in cilium[1:]] == [[{"matchName": "cdn.example.org"}]]


def test_a_store_fills_the_secret_that_the_pod_mounts() -> None:
    """Each key is fetched once, and every file of the pod comes from there."""
    rendered = render(EXTERNAL)
    made = rendered.one("ExternalSecret")["spec"]
    volumes = {volume["name"]: volume for volume in rendered.pod["spec"]["volumes"]}
    mounted = [source["secret"] for source in volumes["secrets"]["projected"]["sources"]]

    keys = ["REG_TOKEN", "PSEUDONYM_KEY", "WEBHOOK_SECRETS"]
    assert [one["secretKey"] for one in made["data"]] == keys
    assert [one["items"] for one in mounted] == [[{"key": key, "path": key}] for key in keys]
    assert {one["name"] for one in mounted} == {made["target"]["name"]}
    assert {one["remoteRef"]["key"] for one in made["data"]} == {"plugins/this"}
    assert rendered.of_kind("Secret") == []


@pytest.mark.parametrize("mode", ["failIfMissing", "alwaysRender"])
def test_a_cluster_that_knows_the_store_gets_it(mode: str) -> None:
    """The gate is the cluster's own word, or the operator's."""
    values = {**EXTERNAL, "externalSecret": {**EXTERNAL["externalSecret"], "renderMode": mode}}

    assert json.dumps(render(values, knows=[STORE]).one("ExternalSecret"))
