"""A small cluster of real network namespaces, in which the kernel judges each packet.

Each pod is a namespace with one address, joined to the node's, which forwards between them under the
rules of `tests.support.packet_rules`. All of it ends with the processes that hold it.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.packet_rules import Cluster, Pod, ruleset

AGENT = Path(__file__).with_name("cluster_agent.py")
NEEDS = {"unshare": "util-linux", "ip": "iproute2", "nft": "nftables"}
ROUTER = "10.0.0.1"
# The node forwards, and answers each forbidden packet at once.
SWITCHES = {"ip_forward": "1", "icmp_ratelimit": "0"}

Target = tuple[str, str, int]


class Agent:
    """One process in a network namespace of its own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    @property
    def namespace(self) -> str:
        return str(self._process.pid)

    def send(self, name: str, order: Any) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps([name, order]) + "\n")
        self._process.stdin.flush()

    def answer(self) -> Any:
        """Return what came of the oldest order that has not been answered."""
        assert self._process.stdout
        told = json.loads(self._process.stdout.readline() or '{"fault": "ended early"}')
        assert "fault" not in told, told["fault"]
        return told["answer"]

    def run(self, *command: str, text: str = "") -> None:
        self.send("run", [command, text])
        assert self.answer() == "", command


class SmallCluster:
    """The node and its pods, which try whom they reach."""

    def __init__(self, agents: dict[Pod, Agent]) -> None:
        self._agents = agents

    def reached(self, questions: dict[str, list[Target]]) -> dict[str, list[str | None]]:
        """Let each pod that is named try its targets, all pods at once; return who answered."""
        agents = {pod.name: agent for pod, agent in self._agents.items()}
        for name, targets in questions.items():
            agents[name].send("try", targets)
        return {name: agents[name].answer() for name in questions}


@contextmanager
def small_cluster(cluster: Cluster, ports: Sequence[int]) -> Iterator[SmallCluster]:
    """Set the cluster up, every pod listening on all *ports*, until the block ends.

    Where that is not possible the test is skipped with the reason.
    """
    for program, package in NEEDS.items():
        if not shutil.which(program):
            pytest.skip(f"no {program} on this machine (Debian: {package})")
    with ExitStack() as stack:
        node = stack.enter_context(agent())
        agents = {pod: stack.enter_context(agent()) for pod in cluster.pods}
        for name, value in SWITCHES.items():
            node.run("tee", f"/proc/sys/net/ipv4/{name}", text=value)
        for number, (pod, one) in enumerate(agents.items()):
            join(node, one, number, pod, ports)
        node.run("nft", "--file", "-", text=ruleset(cluster))
        yield SmallCluster(agents)


@contextmanager
def agent() -> Iterator[Agent]:
    """Start a process in a new network namespace, and end it with the block."""
    command = ["unshare", "--net", sys.executable, "-I", "-S", str(AGENT)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        one = Agent(process)
        one.send("run", [["ip", "link", "set", "lo", "up"], ""])
        assert process.stdout
        assert process.stderr
        if not process.stdout.readline():
            pytest.skip(f"no network namespaces here: {process.stderr.read().strip()}")
        yield one


def join(node: Agent, one: Agent, number: int, pod: Pod, ports: Sequence[int]) -> None:
    """Lay a cable between node and pod, with a route at either end, and let the pod listen."""
    cable = f"pod{number}"
    pair = ("type", "veth", "peer", "name", "eth0", "netns", one.namespace)
    node.run("ip", "link", "add", cable, *pair)
    ends = [
        (node, cable, ROUTER, [pod.address]),
        (one, "eth0", pod.address, [ROUTER, f"default via {ROUTER}"]),
    ]
    for side, device, address, routes in ends:
        words = [f"address add {address}/32 dev {device}", f"link set {device} up"]
        words += [f"route add {route} dev {device}" for route in routes]
        side.run("ip", "-batch", "-", text="\n".join(words))
    one.send("listen", [pod.name, list(ports)])
    one.answer()
