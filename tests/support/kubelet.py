"""Run the pod of a rendered Deployment with an engine for containers, as a kubelet would.

Every field of the pod is carried over, checked, or known to concern a cluster alone. One that this
module does not know fails the test, so that nothing the chart says is left out in silence.
"""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.support.chart import Rendered
from tests.support.containers import Containers

Secrets = Mapping[str, Mapping[str, str]]  # name -> key -> value

OF_THE_CLUSTER = {"serviceAccountName", "enableServiceLinks", "imagePullPolicy", "name"}
POD = {
    *("automountServiceAccountToken", "containers", "securityContext"),
    *("terminationGracePeriodSeconds", "volumes", *OF_THE_CLUSTER),
}
CONTAINER = {
    *("env", "envFrom", "image", "lifecycle", "livenessProbe", "ports", "readinessProbe"),
    *("resources", "securityContext", "startupProbe", "volumeMounts", *OF_THE_CLUSTER),
}
POD_SECURITY = {
    *("fsGroup", "fsGroupChangePolicy", "runAsGroup", "runAsNonRoot", "runAsUser"),
    "seccompProfile",
}
SECURITY = {"allowPrivilegeEscalation", "capabilities", "readOnlyRootFilesystem"}
PROBE = {"httpGet", "periodSeconds", "timeoutSeconds", "failureThreshold"}
UNITS = {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}
# What a kubelet does with a volume before anybody sees it: the group, its rights, and the files.
FILL = """
import json, os, sys
group, mode, files = json.loads(sys.argv[1])
for name, text, rights in files:
    with open(f"/volume/{name}", "w") as file:
        file.write(text)
    os.chown(file.name, 0, group)
    os.chmod(file.name, rights)
os.chown("/volume", 0, group)
os.chmod("/volume", mode)
"""


def known(fields: Mapping[str, Any], names: set[str]) -> Mapping[str, Any]:
    """Return *fields* when this module knows all of them."""
    assert set(fields) <= names, f"nobody carries over {sorted(set(fields) - names)}"
    return fields


def bytes_of(quantity: str) -> int:
    return int(quantity[:-2]) * UNITS[quantity[-2:]]


@dataclass(frozen=True)
class Probe:
    """One probe, with the chart's timings."""

    path: str
    period: float
    timeout: float
    failures: int

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> "Probe":
        known(fields, PROBE)
        assert known(fields["httpGet"], {"path", "port"})["port"] == "http"
        timings = (fields["periodSeconds"], fields["timeoutSeconds"], fields["failureThreshold"])
        return cls(fields["httpGet"]["path"], *timings)

    @property
    def budget(self) -> float:
        """Return the seconds after which a pod that never answers is given up."""
        return self.period * self.failures

    def passes(self, url: str) -> bool:
        try:
            answer = httpx.get(url + self.path, timeout=self.timeout)
        except httpx.TransportError:
            return False
        return 200 <= answer.status_code < 400

    def wait(self, url: str) -> None:
        """Ask as often as the chart allows; who passes none of the times is given up."""
        for _ in range(self.failures):
            if self.passes(url):
                return
            time.sleep(self.period)
        raise AssertionError(f"{self.path} did not pass within {self.budget} s")


@dataclass(frozen=True)
class Pod:
    """The pod of a rendered Deployment, and the Secrets that it asks the cluster for."""

    rendered: Rendered
    secrets: Secrets

    @property
    def spec(self) -> Mapping[str, Any]:
        return known(self.rendered.pod["spec"], POD)

    @property
    def container(self) -> Mapping[str, Any]:
        return known(self.rendered.container, CONTAINER)

    @property
    def security(self) -> Mapping[str, Any]:
        return known(self.spec["securityContext"], POD_SECURITY)

    @property
    def image(self) -> str:
        return str(self.container["image"])

    @property
    def port(self) -> int:
        (port,) = self.container["ports"]
        assert (port["name"], port["protocol"]) == ("http", "TCP")
        return int(port["containerPort"])

    @property
    def grace(self) -> int:
        return int(self.spec["terminationGracePeriodSeconds"])

    @property
    def pause(self) -> int:
        """Return the seconds that the hook before the signal sleeps."""
        return int(self.container["lifecycle"]["preStop"]["sleep"]["seconds"])

    def probe(self, name: str) -> Probe:
        return Probe.of(self.container[f"{name}Probe"])

    def rights(self) -> Iterator[str]:
        """Yield the user and what is taken from it."""
        pod, own = self.security, known(self.container["securityContext"], SECURITY)
        assert pod["runAsNonRoot"]
        assert pod["runAsUser"] != 0
        assert self.spec["automountServiceAccountToken"] is False
        # The engine's own profile is what a runtime's default means.
        assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
        yield f"--user={pod['runAsUser']}:{pod['runAsGroup']}"
        yield f"--group-add={pod['fsGroup']}"
        if own["allowPrivilegeEscalation"] is False:
            yield "--security-opt=no-new-privileges"
        if own["readOnlyRootFilesystem"]:
            yield "--read-only"
        for name in known(own["capabilities"], {"drop"})["drop"]:
            yield f"--cap-drop={name}"

    def limits(self) -> Iterator[str]:
        """Yield what the container may use; an engine knows no limit of a disk."""
        limits = known(
            self.container["resources"]["limits"], {"cpu", "memory", "ephemeral-storage"}
        )
        cpu = str(limits["cpu"])
        yield f"--cpus={int(cpu[:-1]) / 1000 if cpu.endswith('m') else float(cpu)}"
        yield f"--memory={bytes_of(limits['memory'])}"

    def environment(self) -> Iterator[str]:
        """Yield the settings of the ConfigMap, and what stands in the Deployment itself."""
        (source,) = self.container["envFrom"]
        assert source == {
            "configMapRef": {"name": self.rendered.one("ConfigMap")["metadata"]["name"]}
        }
        yield from (f"--env={name}={value}" for name, value in self.rendered.settings.items())
        for entry in self.container["env"]:
            yield f"--env={entry['name']}={self._value(entry)}"

    def _value(self, entry: Mapping[str, Any]) -> str:
        if "value" in entry:
            return str(entry["value"])
        wanted = known(entry["valueFrom"], {"secretKeyRef"})["secretKeyRef"]
        return self.secrets[wanted["name"]][wanted["key"]]

    def files(self, projection: Mapping[str, Any]) -> list[tuple[str, str, int]]:
        """Return name, content and rights of each file of a projected volume."""
        mode = known(projection, {"defaultMode", "sources"})["defaultMode"]
        return [
            (item["path"], self.secrets[source["secret"]["name"]][item["key"]], mode)
            for source in projection["sources"]
            for item in known(source, {"secret"})["secret"]["items"]
        ]


@dataclass
class Kubelet:
    """One node: its volumes outlive the containers of a pod."""

    containers: Containers
    pod: Pod
    _volumes: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def node(self) -> Iterator["Kubelet"]:
        """Keep the pod's volumes until the block ends."""
        with ExitStack() as stack:
            for volume in self.pod.spec["volumes"]:
                if "emptyDir" not in volume:
                    self._volumes[volume["name"]] = self._make(volume, stack)
            yield self

    def _make(self, volume: Mapping[str, Any], stack: ExitStack) -> str:
        known(volume, {"name", "persistentVolumeClaim", "projected"})
        name = self.containers.ask("volume", "create")
        stack.callback(self.containers.call, "volume", "rm", "--force", name)
        files = self.pod.files(volume["projected"]) if "projected" in volume else []
        wanted = json.dumps([self.pod.security["fsGroup"], 0o2775, files])
        helper = ("run", "--rm", "--user=0:0", "--network=none", f"--volume={name}:/volume")
        python = "--entrypoint=/opt/venv/bin/python"
        self.containers.call(*helper, python, self.pod.image, "-c", FILL, wanted)
        return name

    def mounts(self) -> Iterator[str]:
        """Yield each mount: an empty folder in memory, or one of the node's volumes."""
        kinds = {volume["name"]: volume for volume in self.pod.spec["volumes"]}
        for mount in self.pod.container["volumeMounts"]:
            known(mount, {"name", "mountPath", "readOnly"})
            name, path = mount["name"], mount["mountPath"]
            if name in self._volumes:
                only = ":ro" if mount.get("readOnly") else ""
                yield f"--volume={self._volumes[name]}:{path}{only}"
            else:
                size = bytes_of(kinds[name]["emptyDir"]["sizeLimit"])
                group = self.pod.security["fsGroup"]
                yield f"--tmpfs={path}:size={size},mode=2777,gid={group}"

    @contextmanager
    def running(self, *options: str) -> Iterator["Running"]:
        """Start the pod's container; *options* belong to the engine's network alone."""
        pod = self.pod
        words = (*pod.rights(), *pod.limits(), *self.mounts(), *pod.environment(), *options)
        publish = f"--publish=127.0.0.1::{pod.port}"
        name = self.containers.ask("run", "--detach", publish, *words, pod.image)
        try:
            yield Running(self.containers, pod, name, time.monotonic())
        finally:
            self.containers.call("rm", "--force", "--volumes", name)


@dataclass(frozen=True)
class Running:
    """A container of the pod."""

    containers: Containers
    pod: Pod
    name: str
    began: float

    @property
    def url(self) -> str:
        return self.containers.published(self.name, self.pod.port)

    def wait_until_ready(self) -> float:
        """Probe as the chart says, and return the seconds until traffic may come."""
        startup, readiness = self.pod.probe("startup"), self.pod.probe("readiness")
        startup.wait(self.url)
        while not readiness.passes(self.url):
            assert time.monotonic() - self.began < startup.budget, self.logs()
            time.sleep(readiness.period)
        return time.monotonic() - self.began

    def stop(self) -> float:
        """End it as a kubelet does, hook first; return the seconds that it took."""
        begun = time.monotonic()
        time.sleep(self.pod.pause)
        left = self.pod.grace - self.pod.pause
        self.containers.call("stop", "--time", str(left), self.name)
        return time.monotonic() - begun

    @property
    def exit_code(self) -> int:
        return int(self.containers.inspect(self.name)["State"]["ExitCode"])

    def execute(self, *words: str) -> str:
        """Return what a command prints inside of it."""
        return self.containers.ask("exec", self.name, *words)

    def logs(self) -> str:
        done = self.containers.call("logs", "--tail", "40", self.name)
        return done.stdout + done.stderr
