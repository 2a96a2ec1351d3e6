"""Who reaches whom: as golden files say it, as an analyzer derives it, and as the kernel lets it."""

import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, summarize_address_range
from pathlib import Path

import yaml

from tests.support.chart import FOLDER, MATRIX, NAMESPACE, Object, Values, render
from tests.support.cluster import SmallCluster, small_cluster
from tests.support.packet_rules import Cluster, Door, Pod
from tools import programs

TOPOLOGY = FOLDER / "topology.yaml"
PLUGIN, TEST, DEMO_CORE = "plugin", "plugin-test", "plugin-demo-core"
OURS = (PLUGIN, TEST, DEMO_CORE)
# The analyzer folds the pods of a Deployment into one name only where there is one pod.
NAMED: Values = {"fullnameOverride": PLUGIN, "replicas": 1}
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
SPEC_POLICY: Object = {
    **yaml.safe_load((FOLDER / "spec_policy.yaml").read_text("utf-8")),
    "metadata": {"name": PLUGIN, "namespace": NAMESPACE},
}
# Machines that are no pods, by what they stand for.
OUTSIDE = {
    "internet": "198.51.100.10",
    "metadata": "169.254.169.254",
    "database": "192.0.2.5",
    "beside the database": "192.0.2.200",
    "office": "10.99.0.5",
}
# Ports of Services, as those that users of a cluster know them, and where they lead.
SERVICES: tuple[tuple[str, str, int, int], ...] = (
    ("core-api", "TCP", 80, 8080),
    ("core-api", "TCP", 443, 8080),
    ("coredns", "UDP", 53, 53),
    ("coredns", "TCP", 53, 53),
    ("postgres", "TCP", 5432, 5432),
    ("otel-collector", "TCP", 4318, 4318),
)
PORTS = (53, 80, 443, 1234, 3000, 4318, 5432, 7001, 8080, 9090, 15008, 15012)
LINE = re.compile(
    r"src_ns: \[(?P<src_ns>[^]]+)\] src_pods: \[(?P<src>[^]]+)\] "
    r"(?:dst_ns: \[(?P<dst_ns>[^]]+)\] dst_pods: \[(?P<dst>[^]]+)\]|dst: (?P<ranges>\S.*?)) "
    r"conn: (?P<ways>\{.*\})"
)
WAY = re.compile(r"\{protocols:(?P<protocols>[A-Z, ]+),dst_ports:(?P<ports>[\d,-]+)\}")


@dataclass(frozen=True, order=True)
class Way:
    """One pod or machine reaches another on one port."""

    source: str
    target: str
    protocol: str
    port: int


@dataclass(frozen=True)
class Case:
    """Values to render, and what stands in the cluster besides."""

    values: Values
    others: tuple[Object, ...] = ()

    @property
    def objects(self) -> list[Object]:
        return [*render({**self.values, **NAMED}).objects, *self.others]


CONNECTED: Mapping[str, Case] = {
    "defaults": Case({}),
    "postgresql": Case(MATRIX["postgresql"]),
    "traces": Case({"otel": {"endpoint": "http://otel-collector.observability.svc:4318"}}),
    "postgresql-range": Case(
        {
            **MATRIX["postgresql"],
            "store": {
                "kind": "postgresql",
                "postgresql": {"existingSecret": "db", "egress": {"cidr": "192.0.2.0/28"}},
            },
        }
    ),
    "broad-egress": Case(
        {"networkPolicy": {"egressAllow": ["api.example:443"], "acknowledgeBroadEgress": True}}
    ),
    # Without the test's pod: the analyzer spells two pods of a release by labels, now these, now those.
    "demo": Case({**MATRIX["demo"], "tests": {"enabled": False}}),
    "ingress": Case(
        {"ingress": {"enabled": True, "host": "plugin.example", "tlsSecretName": "tls"}}
    ),
    "mesh": Case(
        {
            "networkPolicy": {
                "mesh": {
                    "ports": [15008],
                    "controlPlane": {"podLabels": {"app": "istiod"}, "podPorts": [15012]},
                }
            }
        }
    ),
    "core-isolated": Case({}, (CORE_ISOLATED,)),
    "core-side": Case({"networkPolicy": {"coreSide": {"enabled": True}}}, (CORE_ISOLATED,)),
}
SPECIFICATION = Case(
    {"networkPolicy": {"enabled": False}, "podLabels": {"app": PLUGIN}}, (SPEC_POLICY,)
)


def golden(name: str) -> list[str]:
    return (FOLDER / f"golden/{name}.txt").read_text("utf-8").splitlines()


def topology() -> list[Object]:
    return [one for one in yaml.safe_load_all(TOPOLOGY.read_text("utf-8")) if one]


def analyzed(objects: Sequence[Object]) -> list[str]:
    """Return the analyzer's lines about plugin and test, given them, policies and the topology."""
    known = [one for one in objects if one["kind"] in {"Deployment", "Pod", "NetworkPolicy"}]
    with tempfile.TemporaryDirectory() as scratch:
        policies, cluster = Path(scratch, "policies"), Path(scratch, "cluster")
        policies.mkdir()
        (policies / "rendered.yaml").write_text(yaml.safe_dump_all(known), "utf-8")
        cluster.mkdir()
        (cluster / "topology.yaml").write_bytes(TOPOLOGY.read_bytes())
        command: list[str | Path] = [programs.validator("policies", "nca")]
        command += [
            "--connectivity",
            policies,
            "-r",
            cluster,
            "-r",
            policies,
            "--output_endpoints",
            "deployments",
            "-o",
            "txt",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("src")]
    return sorted(line for line in lines if _concerns_us(line))


def _concerns_us(line: str) -> bool:
    """Tell whether a line speaks of our pods, or of all pods where they are."""
    ours = (*(f"[{name}]" for name in OURS), "plugin,", ",plugin")
    everyone = any(f"{side}_ns: [{NAMESPACE}] {side}_pods: [*]" in line for side in ("src", "dst"))
    return everyone or any(word in line for word in ours)


def pods_of(objects: Sequence[Object]) -> list[Pod]:
    """Return every pod of the cluster, and the machines around it, each with an address."""
    machines = [Pod(name, address) for name, address in OUTSIDE.items()]
    return [
        *machines,
        *(
            Pod(name, f"10.244.0.{number}", namespace, labels)
            for number, (name, namespace, labels) in enumerate(_described(objects), 10)
        ),
    ]


def _described(objects: Sequence[Object]) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    for one in (*objects, *topology()):
        if one["kind"] in {"Deployment", "Pod"}:
            pod = one["spec"]["template"] if one["kind"] == "Deployment" else one
            namespace = one["metadata"]["namespace"]
            yield one["metadata"]["name"], namespace, pod["metadata"]["labels"]


def cluster_of(objects: Sequence[Object]) -> Cluster:
    """Return pods, namespaces, Services and policies as the packet filter wants them."""
    named = [one["metadata"] for one in (*objects, *topology()) if one["kind"] == "Namespace"]
    namespaces = {one["name"]: one["labels"] for one in reversed(named)}
    policies = [one for one in objects if one["kind"] == "NetworkPolicy"]
    pods = pods_of(objects)
    return Cluster(pods, namespaces, policies, list(_doors(objects, pods)))


def _doors(objects: Sequence[Object], pods: Sequence[Pod]) -> Iterator[Door]:
    """Yield the ports of the cluster's Services, and of the plugin's as it was rendered."""
    known = {pod.name: pod for pod in pods}
    listed = [*SERVICES, *_own_services(objects)]
    names = sorted({name for name, *_ in listed})
    for name, protocol, port, pod_port in listed:
        address = f"10.96.0.{10 + names.index(name)}"
        yield Door(address, protocol, port, known[name], pod_port)


def _own_services(objects: Sequence[Object]) -> Iterator[tuple[str, str, int, int]]:
    """Follow the port of each rendered Service by its name to that of the container."""
    deployments = [one for one in objects if one["kind"] == "Deployment"]
    for service in (one["spec"] for one in objects if one["kind"] == "Service"):
        for one in deployments:
            pod = one["spec"]["template"]
            if service["selector"].items() <= pod["metadata"]["labels"].items():
                (port,), (container,) = service["ports"], pod["spec"]["containers"]
                behind = {each["name"]: each["containerPort"] for each in container["ports"]}
                name = one["metadata"]["name"]
                yield name, port["protocol"], port["port"], behind[port["targetPort"]]


def said(lines: Sequence[str], pods: Sequence[Pod]) -> set[Way]:
    """Return the ways that the analyzer's lines spell, one by one, of which we are an end."""
    return {way for line in lines for way in _spelled(line, pods) if is_ours(way)}


def is_ours(way: Way) -> bool:
    return way.source != way.target and bool({way.source, way.target} & set(OURS))


def _spelled(line: str, pods: Sequence[Pod]) -> Iterator[Way]:
    found = LINE.fullmatch(line)
    assert found, line
    assert not WAY.sub("", found["ways"]).strip(", "), line
    sources = _among(found["src_ns"], found["src"], pods)
    targets = (
        _within(found["ranges"], pods)
        if found["ranges"]
        else _among(found["dst_ns"], found["dst"], pods)
    )
    for way in WAY.finditer(found["ways"]):
        for protocol in way["protocols"].split(", "):
            for port in _numbers(way["ports"]):
                yield from (Way(one, other, protocol, port) for one in sources for other in targets)


def _among(namespaces: str, names: str, pods: Sequence[Pod]) -> list[str]:
    wanted = set(names.split(","))
    return [
        pod.name
        for pod in pods
        if pod.namespace in namespaces.split(",") and (pod.name in wanted or "*" in wanted)
    ]


def _within(ranges: str, pods: Sequence[Pod]) -> list[str]:
    networks = [network for text in ranges.split(",") for network in _networks(text.strip())]
    outside = [pod for pod in pods if not pod.namespace]
    return [pod.name for pod in outside if any(IPv4Address(pod.address) in net for net in networks)]


def _networks(text: str) -> list[IPv4Network]:
    first, dash, last = text.partition("-")
    if dash:
        return list(summarize_address_range(IPv4Address(first), IPv4Address(last)))
    return [IPv4Network(first)]


def _numbers(text: str) -> Iterator[int]:
    for part in text.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


@dataclass(frozen=True)
class Seen:
    """What real packets did, sent to pods and to Services."""

    direct: set[Way]
    by_service: set[Way]


def tried(objects: Sequence[Object]) -> Seen:
    """Try every connection of which we are an end, in namespaces of the kernel."""
    cluster = cluster_of(objects)
    addresses = {pod.name: pod.address for pod in cluster.pods}
    direct = {way: addresses[way.target] for way in _possible(cluster)}
    through = {
        Way(pod.name, door.pod.name, door.protocol, door.port): door.address
        for door in cluster.doors
        for pod in cluster.pods
    }
    ours = {way: address for way, address in through.items() if is_ours(way)}
    with small_cluster(cluster, PORTS) as running:
        return Seen(_passed(running, direct), _passed(running, ours))


def expected_by_service(objects: Sequence[Object], direct: set[Way]) -> set[Way]:
    """Return the ways through Services that lead where a packet to the pod would pass."""
    cluster = cluster_of(objects)
    return {
        Way(pod.name, door.pod.name, door.protocol, door.port)
        for door in cluster.doors
        for pod in cluster.pods
        if Way(pod.name, door.pod.name, door.protocol, door.pod_port) in direct
    }


def _possible(cluster: Cluster) -> Iterator[Way]:
    names = [pod.name for pod in cluster.pods]
    for source in names:
        for target in names:
            for protocol in ("TCP", "UDP"):
                ways = (Way(source, target, protocol, port) for port in PORTS)
                yield from filter(is_ours, ways)


def _passed(cluster: SmallCluster, ways: Mapping[Way, str]) -> set[Way]:
    """Return the ways on which the right pod answered; that another did is a fault."""
    by_source: dict[str, list[Way]] = {}
    for way in ways:
        by_source.setdefault(way.source, []).append(way)
    answers = cluster.reached(
        {
            source: [(way.protocol, ways[way], way.port) for way in asked]
            for source, asked in by_source.items()
        }
    )
    who = {
        way: one
        for source, asked in by_source.items()
        for way, one in zip(asked, answers[source], strict=True)
    }
    assert all(one in {None, way.target} for way, one in who.items()), who
    return {way for way, one in who.items() if one}
