"""The policies under the kernel's own packet filter: who reaches whom, over real TCP and UDP.

A cluster of network namespaces stands in for Kubernetes: pods, a node that forwards between them,
Services that are translated before a policy is asked, machines outside. What passes must be what the
analyzer's golden files say.
"""

import pytest

from tests.support.connectivity import (
    CONNECTED,
    DEMO_CORE,
    OURS,
    PLUGIN,
    SPECIFICATION,
    TEST,
    Case,
    Way,
    expected_by_service,
    golden,
    pods_of,
    said,
    tried,
)

pytestmark = pytest.mark.timeout(300)
# Who gets in where an operator has asked for it.
ENTRANCE = {"ingress": {"ingress-nginx"}}
LABELLED = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": "core", "labels": {"name": "core"}},
}


def agreed(name: str) -> set[Way]:
    """Return what a golden file says, way by way; that packets do the same is shown below."""
    return said(golden(name), pods_of(CONNECTED[name].objects))


def from_plugin(ways: set[Way]) -> set[tuple[str, str, int]]:
    return {(way.target, way.protocol, way.port) for way in ways if way.source == PLUGIN}


def to_plugin(ways: set[Way]) -> set[str]:
    return {way.source for way in ways if way.target == PLUGIN}


@pytest.mark.slow
@pytest.mark.parametrize("name", CONNECTED)
def test_the_kernel_and_the_golden_files_agree(name: str) -> None:
    """Each packet that should pass does, and no other, on any port that anybody listens on.

    A policy speaks of the pods' ports, so whatever port a Service has leads there too.
    """
    objects = CONNECTED[name].objects
    found = tried(objects)

    assert found.direct == agreed(name)
    assert found.by_service == expected_by_service(objects, found.direct)


@pytest.mark.parametrize("name", CONNECTED)
def test_no_stranger_passes(name: str) -> None:
    """Neither an intruder nor core's other pods nor a machine outside reaches plugin or test."""
    allowed = {"core-api", "prometheus", "plugin-test", DEMO_CORE, *ENTRANCE.get(name, ())}

    assert to_plugin(agreed(name)) <= allowed
    assert {way.source for way in agreed(name)} <= allowed | set(OURS)
    assert not [way for way in agreed(name) if way.target in {"metadata", "office"}]


def test_the_defaults_reach_core_and_the_name_service() -> None:
    """Through the Services too, whose ports are not those of the policy."""
    dns = {("coredns", "UDP", 53), ("coredns", "TCP", 53)}
    direct = agreed("defaults")
    by_service = expected_by_service(CONNECTED["defaults"].objects, direct)

    assert from_plugin(direct) == dns | {("core-api", "TCP", 8080)}
    assert from_plugin(by_service) == dns | {("core-api", "TCP", 80), ("core-api", "TCP", 443)}
    assert to_plugin(by_service) == {"core-api", "prometheus", "plugin-test"}


@pytest.mark.parametrize(
    ("name", "target"),
    [("postgresql", "postgres"), ("postgresql-range", "database")],
    ids=["by labels", "by range"],
)
def test_a_database_is_reached_on_its_pods_port(name: str, target: str) -> None:
    """By selector or by range, and nothing beside it (the machine next to the range is shut)."""
    more = from_plugin(agreed(name)) - from_plugin(agreed("defaults"))

    assert more == {(target, "TCP", 5432)}


def test_an_ingress_lets_its_controller_in_and_nobody_else() -> None:
    """The rule is there with the Ingress only, and opens the plugin's one port."""
    more = agreed("ingress") - agreed("defaults")

    assert more == {Way("ingress-nginx", PLUGIN, "TCP", 7001)}
    assert agreed("defaults") < agreed("ingress")


def test_a_mesh_carries_what_the_policy_allows_and_no_more() -> None:
    """Its tunnels go between those who may speak, and its control plane can be asked."""
    more = agreed("mesh") - agreed("defaults")

    assert {way.port for way in more} == {15008, 15012}
    assert {way for way in more if way.port == 15012} == {
        Way(source, "istiod", "TCP", 15012) for source in (PLUGIN, TEST)
    }


def test_broad_egress_does_not_reach_the_metadata_service() -> None:
    """What was acknowledged opens the internet on one port, and no private range."""
    more = from_plugin(agreed("broad-egress")) - from_plugin(agreed("defaults"))

    assert more == {
        (target, "TCP", 443) for target in ("internet", "database", "beside the database")
    }


def test_core_shut_off_needs_its_side_of_the_policy() -> None:
    """With core isolated neither end reaches the other; the policy on its side opens both."""
    shut, both = agreed("core-isolated"), agreed("core-side")

    assert not {way for way in shut if "core-api" in {way.source, way.target}}
    assert {Way(PLUGIN, "core-api", "TCP", 8080), Way("core-api", PLUGIN, "TCP", 7001)} <= both


def test_the_demonstrations_core_speaks_with_the_plugin_and_nobody_else() -> None:
    """Both reach each other and the name service; another core is a stranger there."""
    dns = {("coredns", "UDP", 53), ("coredns", "TCP", 53)}
    found = agreed("demo")
    from_core = {(way.target, way.protocol, way.port) for way in found if way.source == DEMO_CORE}

    assert from_plugin(found) == dns | {(DEMO_CORE, "TCP", 8080)}
    assert from_core == dns | {(PLUGIN, "TCP", 7001)}
    assert to_plugin(found) == {DEMO_CORE, "prometheus"}
    assert {way.source for way in found if way.target == DEMO_CORE} == {PLUGIN}


@pytest.mark.slow
def test_the_specifications_own_policy_cuts_the_plugin_off() -> None:
    """It selects no namespace and no name service: nothing goes out, and everybody comes in."""
    found = tried(SPECIFICATION.objects)

    assert from_plugin(found.direct) == from_plugin(found.by_service) == set()
    assert {"intruder", "internet"} <= to_plugin(found.direct)


@pytest.mark.slow
def test_nor_would_it_serve_where_its_label_was_set() -> None:
    """Its port is that of core's Service, and a packet has the pod's when the policy sees it."""
    labelled = Case(SPECIFICATION.values, (*SPECIFICATION.others, LABELLED))
    found = tried(labelled.objects)

    assert from_plugin(found.direct) == {("core-api", "TCP", 443)}
    assert from_plugin(found.by_service) == set()


@pytest.mark.slow
def test_the_port_of_the_service_would_be_seen() -> None:
    """These tests can fail: with the Service's port in our policy, core is out of reach."""
    found = tried(Case({"core": {"podPorts": [80]}}).objects)

    assert from_plugin(found.by_service) == {("coredns", "UDP", 53), ("coredns", "TCP", 53)}
    assert found.direct != said(golden("defaults"), pods_of(CONNECTED["defaults"].objects))
