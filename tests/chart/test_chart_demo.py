"""The demonstration: a core beside the plugin, both sides of one agreement, and words for it only."""

import json
import re
import tomllib
from typing import Any

import pytest

from tests.support.chart import MANIFEST, MATRIX, NAMESPACE, Object, Values, component_of, render
from tools.chart import CHART
from tools.tracked import text_of, tracked_files
from tools.workspace import ROOT

DEMO = MATRIX["demo"]
PREFIX = "demo-only-"


def with_proxy() -> Values:
    """Return the demonstration where hosts outside are reached through core."""
    policy = {"fqdnMode": "proxy", "egressAllow": ["api.example.org:443", "a.example:8443"]}
    return {**DEMO, "networkPolicy": policy}


def of_core(kind: str, values: Values = DEMO) -> Object:
    """Return core's own object of a kind."""
    (one,) = [one for one in render(values).of_kind(kind) if component_of(one) == "demo-core"]
    return one


def container(values: Values = DEMO) -> Object:
    (only,) = of_core("Deployment", values)["spec"]["template"]["spec"]["containers"]
    return dict(only)


def variables(values: Values = DEMO) -> dict[str, str]:
    entries = container(values)["env"]
    assert len({entry["name"] for entry in entries}) == len(entries)
    return {entry["name"]: entry["value"] for entry in entries}


def tcp(*ports: int) -> list[dict[str, Any]]:
    return [{"protocol": "TCP", "port": port} for port in ports]


def peers(rules: list[Object], side: str) -> list[tuple[str, list[Object]]]:
    """Return the component and the ports of each rule that names one."""
    found = []
    for rule in rules:
        (to,) = rule[side]
        labels = to.get("podSelector", {}).get("matchLabels", {})
        where = to.get("namespaceSelector", {}).get("matchLabels", {})
        if component := labels.get("app.kubernetes.io/component"):
            assert where in ({}, {"kubernetes.io/metadata.name": NAMESPACE})
            found.append((component, rule["ports"]))
    return found


def test_without_the_demonstration_there_is_no_core() -> None:
    """No other set of values installs one."""
    others = [values for name, values in MATRIX.items() if name != "demo"]
    objects = [one for values in others for one in render(values).objects]

    assert "demo-core" not in {component_of(one) for one in objects}


def test_core_and_plugin_hold_one_agreement() -> None:
    """Token, secret of the deliveries and address are the same on both sides."""
    rendered = render(DEMO)
    grants = json.loads(of_core("Secret")["stringData"]["plugins.json"])
    own = rendered.one("Secret")["stringData"]

    assert grants == {
        MANIFEST.name: {
            "tokens": [own["token"]],
            "webhookSecrets": [own["webhook-secret"]],
            "urls": [rendered.settings["PLUGIN_PUBLIC_URL"]],
        }
    }
    core = of_core("Service")["metadata"]
    assert rendered.settings["CORE_BASE_URL"] == f"http://{core['name']}.{core['namespace']}.svc"
    assert rendered.settings["DEMO_MODE"] == "true"
    assert render().settings["DEMO_MODE"] == "false"


def test_policies_let_the_two_speak_and_nobody_else() -> None:
    """Each side admits the other on the ports on which it listens, and core reaches no more."""
    plugin = render(DEMO).one("NetworkPolicy")["spec"]
    core = of_core("NetworkPolicy")["spec"]

    assert peers(core["ingress"], "from") == [("backend", tcp(8080))]
    assert peers(core["egress"], "to") == [("backend", tcp(7001))]
    assert len(core["ingress"]) == 1
    assert len(core["egress"]) == 2
    assert ("demo-core", tcp(7001)) in peers(plugin["ingress"], "from")
    assert peers(plugin["egress"], "to") == [("demo-core", tcp(8080))]


def test_core_is_a_way_out_only_where_it_is_asked_for() -> None:
    """With fqdnMode proxy it listens on a second port, and reaches the public on listed ports."""
    values = with_proxy()
    rules = of_core("NetworkPolicy", values)["spec"]["egress"]

    assert (variables()["CORE_EGRESS"], "CORE_EGRESS_PORT" in variables()) == ("off", False)
    assert variables(values)["CORE_EGRESS"] == "on"
    assert variables(values)["CORE_EGRESS_PORT"] == "8081"
    assert [port["containerPort"] for port in container(values)["ports"]] == [8080, 8081]
    assert [port["port"] for port in of_core("Service", values)["spec"]["ports"]] == [80, 8081]
    assert rules[2]["ports"] == tcp(443, 8443)
    assert rules[2]["to"][0]["ipBlock"]["cidr"] == "0.0.0.0/0"
    plugin = render(values).one("NetworkPolicy")["spec"]
    assert peers(plugin["egress"], "to") == [("demo-core", tcp(8080, 8081))]
    assert "ipBlock" not in json.dumps(plugin)


def test_core_follows_its_port() -> None:
    """Process, container, Service and both policies follow demo.core.port."""
    values = {**DEMO, "demo": {**DEMO["demo"], "core": {"enabled": True, "port": 9000}}}

    assert variables(values)["CORE_PORT"] == "9000"
    assert container(values)["ports"][0]["containerPort"] == 9000
    assert of_core("Service", values)["spec"]["ports"][0]["targetPort"] == "http"
    assert peers(of_core("NetworkPolicy", values)["spec"]["ingress"], "from")[0][1] == tcp(9000)
    plugin = render(values).one("NetworkPolicy")["spec"]
    assert peers(plugin["egress"], "to") == [("demo-core", tcp(9000))]


def test_a_plugin_that_does_not_register_is_named_to_core() -> None:
    """Static registration shows living data as well (spec §10)."""
    values = {**DEMO, "config": {"SELF_REGISTER": False}}

    assert "PLUGIN_BACKEND_URL" not in variables()
    assert variables(values)["PLUGIN_BACKEND_URL"] == render(values).settings["PLUGIN_PUBLIC_URL"]


def test_cores_image_is_the_one_of_this_checkout() -> None:
    """The tag is the version under which `./just image core` builds it."""
    project = tomllib.loads((ROOT / "core/server/pyproject.toml").read_text())["project"]

    assert container()["image"] == f"mosaiclife-devcore:{project['version']}"


def test_core_is_replaced_when_its_secret_changes() -> None:
    """A new token reaches a process that reads it once."""
    other = {**DEMO, "demo": {**DEMO["demo"], "token": f"{PREFIX}other"}}
    sums = [
        of_core("Deployment", values)["spec"]["template"]["metadata"]["annotations"]
        for values in (DEMO, other)
    ]

    assert sums[0] != sums[1]


def words_of_the_demonstration() -> list[str]:
    return [DEMO["demo"][name] for name in ("token", "webhookSecret")]


def test_the_words_of_the_demonstration_are_plainly_named_and_stand_in_one_file() -> None:
    """They are the one exception to the rule that no secret stands in a file."""
    words = words_of_the_demonstration()
    holding = {
        path.relative_to(ROOT).as_posix()
        for path in tracked_files()
        if any(word in (text_of(path) or "") for word in words)
    }

    assert all(re.fullmatch(rf"{PREFIX}[a-z-]+", word) for word in words)
    assert holding == {(CHART / "values-demo.yaml").relative_to(ROOT).as_posix()}


@pytest.mark.parametrize("name", MATRIX)
def test_a_rendered_secret_holds_words_of_the_demonstration_only(name: str) -> None:
    """Whatever the values, the chart writes no other secret down (R14)."""
    secrets = render(MATRIX[name]).of_kind("Secret")
    given = MATRIX[name].get("demo", {}).get("createSecrets", False)

    assert bool(secrets) == given
    assert all(PREFIX in one["stringData"].get("token", PREFIX) for one in secrets)
