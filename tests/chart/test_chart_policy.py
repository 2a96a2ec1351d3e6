"""Who reaches the plugin and whom it reaches, as the policy says it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.chart import (
    MANIFEST,
    MATRIX,
    NAMESPACE,
    RELEASE,
    Object,
    Values,
    is_of_test,
    render,
)
from tests.support.chart import name_of as called

PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"]
EGRESS = {"egress", "to"}


def policy(values: Values | None = None) -> Object:
    """Return the spec of the plugin's own policy."""
    found = [
        one
        for one in render(values).of_kind("NetworkPolicy")
        if not is_of_test(one) and one["metadata"]["namespace"] == NAMESPACE
    ]
    assert len(found) == 1
    spec: Object = found[0]["spec"]
    return spec


def peer(namespace: str, **labels: str) -> Object:
    """Return pods in a namespace: one element, so that both must hold."""
    return {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "podSelector": {"matchLabels": {key.replace("__", "/"): to for key, to in labels.items()}},
    }


def tcp(*ports: int) -> list[Object]:
    return [{"protocol": "TCP", "port": port} for port in ports]


def allowed(**network_policy: Any) -> list[Object]:
    """Return the egress rules beyond the name service's and core's."""
    rules: list[Object] = policy({"networkPolicy": network_policy})["egress"]
    return rules[2:]


def test_the_default_policy_is_exactly_this() -> None:
    """Shut both ways but for core, Prometheus, the test and the name service (R8)."""
    name = {"app.kubernetes.io/name": "core-api"}
    core = peer("core")
    core["podSelector"] = {"matchLabels": name}
    prometheus = peer("observability")
    prometheus["podSelector"] = {"matchLabels": {"app.kubernetes.io/name": "prometheus"}}
    dns = peer("kube-system")
    dns["podSelector"] = {"matchLabels": {"k8s-app": "kube-dns"}}
    chart = render().one("Deployment")["metadata"]["labels"]["app.kubernetes.io/name"]

    assert policy() == {
        "podSelector": {
            "matchLabels": {
                "app.kubernetes.io/name": chart,
                "app.kubernetes.io/instance": RELEASE,
                "app.kubernetes.io/component": "backend",
            }
        },
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [
            {"from": [core], "ports": tcp(7001)},
            {"from": [prometheus], "ports": tcp(7001)},
            {
                "from": [
                    {
                        "podSelector": {
                            "matchLabels": {
                                "app.kubernetes.io/instance": RELEASE,
                                "app.kubernetes.io/component": "helm-test",
                            }
                        }
                    }
                ],
                "ports": tcp(7001),
            },
        ],
        "egress": [
            {"to": [dns], "ports": [{"protocol": "UDP", "port": 53}, *tcp(53)]},
            {"to": [core], "ports": tcp(8080)},
        ],
    }


def rules_of(spec: Object) -> Iterator[tuple[Object, str]]:
    yield from ((rule, "from") for rule in spec.get("ingress", ()))
    yield from ((rule, "to") for rule in spec.get("egress", ()))


@pytest.mark.parametrize("name", MATRIX)
def test_no_rule_is_open_ended(name: str) -> None:
    """Each names peers and ports, and no selector takes everything (R8)."""
    policies = render(MATRIX[name]).of_kind("NetworkPolicy")

    assert len(policies) >= 2
    for one in policies:
        assert one["spec"]["policyTypes"] == ["Ingress", "Egress"]
        assert one["spec"]["podSelector"]["matchLabels"]
        for rule, side in rules_of(one["spec"]):
            assert rule["ports"]
            assert rule[side]
            for to in rule[side]:
                selected = [to[key]["matchLabels"] for key in to if key.endswith("Selector")]
                assert all(selected)
                assert selected or to["ipBlock"]["cidr"]


def test_traces_and_a_database_open_one_way_each() -> None:
    """Rules appear with what needs them, and name its pods' ports."""
    rules = policy(MATRIX["everything"])["egress"]

    assert {"to": [peer(NAMESPACE, app="postgres")], "ports": tcp(5432)} in rules
    assert {
        "to": [peer("observability", **{"app.kubernetes.io/name": "otel-collector"})],
        "ports": tcp(4318, 15008),
    } in rules
    assert len(policy()["egress"]) == 2


@pytest.mark.parametrize(
    ("endpoint", "to"),
    [
        ("http://192.0.2.9:4318", ("192.0.2.9/32", 4318)),
        ("https://otlp.example.org", ("0.0.0.0/0", 443)),
    ],
    ids=["address", "name"],
)
def test_a_collector_outside_the_cluster_is_one_more_host(
    endpoint: str, to: tuple[str, int]
) -> None:
    """No pod can be selected there, so the way is that of any other host outside."""
    consent = {"networkPolicy": {"acknowledgeBroadEgress": True}}
    (rule,) = policy({"otel": {"endpoint": endpoint}, **consent})["egress"][2:]

    assert (rule["to"][0]["ipBlock"]["cidr"], rule["ports"]) == (to[0], tcp(to[1]))


def test_a_database_outside_the_cluster_is_a_range() -> None:
    """Where no pod can be selected, the range of addresses is named."""
    values = json.loads(json.dumps(MATRIX["postgresql"]))
    values["store"]["postgresql"]["egress"] = {"cidr": "192.0.2.0/28", "podPort": 6432}

    assert policy(values)["egress"][-1] == {
        "to": [{"ipBlock": {"cidr": "192.0.2.0/28"}}],
        "ports": tcp(6432),
    }


def test_a_service_of_the_cluster_becomes_its_pods() -> None:
    """The port is that of the pods, whatever the Service's is, and two entries are one rule (R10)."""
    hub = {"namespace": "tools", "podLabels": {"app": "hub"}, "podPorts": [3000, 3001]}
    rules = allowed(
        egressAllow=["hub.tools.svc:80", "hub.tools.svc:443"], services={"hub.tools.svc": hub}
    )

    assert rules == [{"to": [peer("tools", app="hub")], "ports": tcp(3000, 3001)}]


def test_an_address_becomes_a_range() -> None:
    """An address is a range of one; everything is never the cluster and its neighbours."""
    rules = allowed(egressAllow=["192.0.2.7:8443", "198.51.100.0/24:22", "0.0.0.0/0:443"])

    assert rules == [
        {"to": [{"ipBlock": {"cidr": "192.0.2.7/32"}}], "ports": tcp(8443)},
        {"to": [{"ipBlock": {"cidr": "198.51.100.0/24"}}], "ports": tcp(22)},
        {"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": PRIVATE}}], "ports": tcp(443)},
    ]


HOSTS = ["api.example.org:443", "mail.example.org:587"]


def test_broad_egress_is_only_by_consent() -> None:
    """Whoever accepts it opens the ports that were listed, and no private range."""
    assert allowed(egressAllow=HOSTS, acknowledgeBroadEgress=True) == [
        {"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": PRIVATE}}], "ports": tcp(443, 587)}
    ]


def test_a_proxy_needs_no_way_around_it() -> None:
    """Core's pods are the proxy unless others are named; the hosts themselves stay shut."""
    proxy = {"namespace": "edge", "podLabels": {"app": "squid"}, "podPort": 3128}

    assert allowed(egressAllow=HOSTS, fqdnMode="proxy") == []
    assert allowed(egressAllow=HOSTS, fqdnMode="proxy", proxy=proxy) == [
        {"to": [peer("edge", app="squid")], "ports": tcp(3128)}
    ]


def test_cilium_matches_names_and_the_plain_policy_stays_out() -> None:
    """Policies add up, so a plain rule for the same port would undo it."""
    values = {"networkPolicy": {"egressAllow": HOSTS, "fqdnMode": "cilium"}}
    cilium = render(values).one("CiliumNetworkPolicy")["spec"]

    assert len(policy(values)["egress"]) == 2
    assert [rule["toFQDNs"] for rule in cilium["egress"][1:]] == [
        [{"matchName": host.partition(":")[0]}] for host in HOSTS
    ]
    assert cilium["egress"][0]["toPorts"][0]["rules"]["dns"]
    assert [rule["toPorts"][0]["ports"][0]["port"] for rule in cilium["egress"][1:]] == [
        "443",
        "587",
    ]


def test_a_core_outside_the_cluster_is_one_more_host() -> None:
    """Its pods are not there to be selected, so the way to them is not opened."""
    rules = policy(
        {
            "core": {"baseURL": "https://core.example.org"},
            "networkPolicy": {"acknowledgeBroadEgress": True},
        }
    )["egress"]

    assert len(rules) == 2
    assert rules[1]["ports"] == tcp(443)
    assert "ipBlock" in rules[1]["to"][0]


def test_the_manifests_names_for_core_are_understood() -> None:
    """What the manifest asks for opens nothing beyond core's own rule, wherever core is called."""
    elsewhere = {"core": {"baseURL": "http://core-api.mosaic.svc:8080", "namespace": "mosaic"}}
    rules = policy(elsewhere)["egress"]

    assert (
        render().objects
        == render(
            {"networkPolicy": {"egressAllow": MANIFEST.permissions.network.egress_allow}}
        ).objects
    )
    assert len(rules) == 2
    assert rules[1]["to"][0]["namespaceSelector"]["matchLabels"] == {
        "kubernetes.io/metadata.name": "mosaic"
    }


def test_the_name_service_may_be_elsewhere() -> None:
    """A node's cache is no pod that could be selected; OpenShift's listens on another port."""
    dns = {
        "namespace": "openshift-dns",
        "podLabels": {"k8s-app": None, "dns": "default"},
        "port": 5353,
        "extraCIDRs": ["169.254.20.10/32"],
    }
    rule = policy({"networkPolicy": {"dns": dns}})["egress"][0]

    assert rule["to"] == [
        peer("openshift-dns", dns="default"),
        {"ipBlock": {"cidr": "169.254.20.10/32"}},
    ]
    assert {port["port"] for port in rule["ports"]} == {5353}


def test_the_tests_pod_reaches_the_plugin_and_nothing_else() -> None:
    """The check is confined as the plugin is (R25)."""
    (own,) = [one for one in render().of_kind("NetworkPolicy") if is_of_test(one)]

    assert "ingress" not in own["spec"]
    assert [rule["ports"][-1]["port"] for rule in own["spec"]["egress"]] == [53, 7001]
    assert called(own).endswith("-test")


def test_without_a_policy_there_is_none() -> None:
    """Off is off, for the plugin and for the test."""
    assert render({"networkPolicy": {"enabled": False}}).of_kind("NetworkPolicy") == []
