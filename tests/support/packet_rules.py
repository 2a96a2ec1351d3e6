"""Write NetworkPolicies as rules of the kernel's packet filter, as a cluster's network would.

A packet has passed the translation of Services before it meets a policy. It must be allowed by the
policies of both ends; a pod that no policy selects, for that direction, is open. A forbidden packet
is answered, so that a test need not wait to know that nobody will answer.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import Any

Object = Mapping[str, Any]

OUT, IN = "Egress", "Ingress"
SIDES = {OUT: ("egress", "to", "saddr", "daddr"), IN: ("ingress", "from", "daddr", "saddr")}
FORBIDDEN = (
    "meta l4proto tcp reject with tcp reset",
    "reject with icmp type admin-prohibited",
)


@dataclass(frozen=True)
class Pod:
    """Who has an address: a pod, or, without a namespace, a machine outside the cluster."""

    name: str
    address: str
    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Door:
    """One port of a Service, and the pod behind it."""

    address: str
    protocol: str
    port: int
    pod: Pod
    pod_port: int


@dataclass(frozen=True)
class Cluster:
    """Everything that decides which packet passes."""

    pods: Sequence[Pod]
    namespaces: Mapping[str, Mapping[str, str]]
    policies: Sequence[Object]
    doors: Sequence[Door] = ()

    def selected(self, policy: Object) -> list[Pod]:
        """Return the pods that a policy is about."""
        namespace, chosen = policy["metadata"]["namespace"], policy["spec"]["podSelector"]
        return [
            pod for pod in self.pods if pod.namespace == namespace and matches(chosen, pod.labels)
        ]

    def peers(self, policy: Object, peer: Object) -> list[Pod]:
        """Return the pods that a rule's peer means; without a namespace, those of the policy's."""
        assert set(peer) <= {"podSelector", "namespaceSelector"}, peer
        own = policy["metadata"]["namespace"]
        return [
            pod
            for pod in self.pods
            if pod.namespace
            and (
                matches(peer["namespaceSelector"], self.namespaces[pod.namespace])
                if "namespaceSelector" in peer
                else pod.namespace == own
            )
            and matches(peer.get("podSelector", {}), pod.labels)
        ]


def matches(selector: Object, labels: Mapping[str, str]) -> bool:
    assert set(selector) <= {"matchLabels"}, selector
    return bool(selector.get("matchLabels", {}).items() <= labels.items())


def ruleset(cluster: Cluster) -> str:
    """Return the whole table, as `nft -f` reads it."""
    lines = ["table ip cluster {", "chain services {"]
    lines += ["type nat hook prerouting priority dstnat; policy accept;"]
    lines += [
        f"ip daddr {door.address} {door.protocol.lower()} dport {door.port} "
        f"dnat to {door.pod.address}:{door.pod_port}"
        for door in cluster.doors
    ]
    lines += ["}", *isolation(cluster), "}"]
    return "\n".join(lines) + "\n"


def isolation(cluster: Cluster) -> Iterator[str]:
    """Yield a chain for each side of each isolated pod, and the chain that leads there."""
    entry = ["type filter hook forward priority filter; policy accept;"]
    entry += ["ct state established,related accept"]
    for side, (_, _, own, _) in SIDES.items():
        for number, pod in enumerate(cluster.pods):
            policies = [
                policy
                for policy in cluster.policies
                if side in policy["spec"]["policyTypes"] and pod in cluster.selected(policy)
            ]
            if policies:
                name = f"{side.lower()}_{number}"
                entry.append(f"ip {own} {pod.address} jump {name}")
                allowed = [line for policy in policies for line in ways(cluster, policy, side)]
                yield from (f"chain {name} {{", *allowed, *FORBIDDEN, "}")
    yield from ("chain forward {", *entry, "}")


def ways(cluster: Cluster, policy: Object, side: str) -> Iterator[str]:
    """Yield what one policy allows on one side of its pods."""
    rules, far, _, word = SIDES[side]
    for rule in policy["spec"].get(rules, ()):
        ports = [
            f"{port.get('protocol', 'TCP').lower()} dport {int(port['port'])}"
            for port in rule.get("ports", ())
        ]
        ends = [
            f"ip {word} {end}"
            for peer in rule.get(far, ())
            for end in addresses(cluster, policy, peer)
        ]
        for end in ends if far in rule else [""]:
            for port in ports if "ports" in rule else [""]:
                yield f"{end} {port} return"


def addresses(cluster: Cluster, policy: Object, peer: Object) -> Iterator[str]:
    """Yield the address of each pod, or the parts of the range, that a peer means."""
    if "ipBlock" not in peer:
        yield from (pod.address for pod in cluster.peers(policy, peer))
        return
    for part in parts(peer["ipBlock"]):
        yield str(part)


def parts(block: Object) -> list[IPv4Network]:
    """Return the networks that are left of a range when its exceptions are taken out."""
    left = [IPv4Network(block["cidr"])]
    for text in block.get("except", ()):
        hole = IPv4Network(text)
        left = [
            part
            for whole in left
            for part in (whole.address_exclude(hole) if hole.subnet_of(whole) else [whole])
        ]
    return left
