"""Run a chart's Deployments as processes of this machine: no cluster, no image, the same wiring.

Settings, secrets, ports and probes are the rendered ones. What a cluster would add is stood in for:
a Service is a loopback port, a mounted volume a folder, and the image's own variables are given.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.support.chart import Object, Rendered, name_of
from tests.support.processes import ServerProcess, free_port

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Pod:
    """A pod's one container as a process, with the address of each of its ports by name."""

    process: ServerProcess
    urls: Mapping[str, str]
    readiness: str

    def is_ready(self) -> bool:
        """Ask what the kubelet would ask."""
        try:
            return httpx.get(self.readiness, timeout=5).is_success
        except httpx.TransportError:
            return False


@dataclass
class OneMachine:
    """Where the pods of one rendered release run."""

    rendered: Rendered
    folder: Path
    _ports: dict[tuple[str, str], int] = field(default_factory=dict)

    def pod(self, deployment: Object, module: str, image: Mapping[str, str]) -> Pod:
        """Prepare the process of a Deployment; *image* holds what the image itself sets."""
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        volumes = deployment["spec"]["template"]["spec"]["volumes"]
        owner = name_of(deployment)
        mounts = dict(self._mounts(owner, container, volumes))
        ports = {one["name"]: one["containerPort"] for one in container["ports"]}
        listening = {str(number): self._port(owner, name) for name, number in ports.items()}
        given = dict(self._variables(container))
        environment = {**image, **{key: _moved(text, mounts) for key, text in given.items()}}
        for key, text in environment.items():
            if key.endswith("PORT"):
                environment[key] = str(listening[text])
        environment = {key: self._rewired(text) for key, text in environment.items()}
        urls = {name: f"http://{LOOPBACK}:{self._port(owner, name)}" for name in ports}
        asked = container["readinessProbe"]["httpGet"]
        return Pod(
            ServerProcess(module, environment, self.folder / f"{owner}.log"),
            urls,
            urls[asked["port"]] + asked["path"],
        )

    def _variables(self, container: Object) -> Iterator[tuple[str, str]]:
        for source in container.get("envFrom", ()):
            yield from self._data("ConfigMap", source["configMapRef"]["name"]).items()
        for entry in container["env"]:
            yield entry["name"], entry["value"]

    def _data(self, kind: str, name: str) -> dict[str, str]:
        (one,) = [one for one in self.rendered.of_kind(kind) if name_of(one) == name]
        data: dict[str, str] = one.get("stringData") or one["data"]
        return data

    def _mounts(
        self, owner: str, container: Object, volumes: list[Object]
    ) -> Iterator[tuple[str, Path]]:
        """Yield each place in the container with the folder that stands for it."""
        by_name = {volume["name"]: volume for volume in volumes}
        for mount in container["volumeMounts"]:
            folder = self.folder / owner / mount["name"]
            folder.mkdir(parents=True)
            for source in by_name[mount["name"]].get("projected", {}).get("sources", ()):
                held = self._data("Secret", source["secret"]["name"])
                for item in source["secret"]["items"]:
                    (folder / item["path"]).write_text(self._rewired(held[item["key"]]))
            yield mount["mountPath"], folder

    def _port(self, deployment: str, name: str) -> int:
        return self._ports.setdefault((deployment, name), free_port())

    def _rewired(self, text: str) -> str:
        """Write the addresses of Services as those of this machine."""
        for service in self.rendered.of_kind("Service"):
            labels = service["metadata"]
            for port in service["spec"]["ports"]:
                suffix = "" if port["port"] == 80 else f":{port['port']}"
                url = f"http://{labels['name']}.{labels['namespace']}.svc{suffix}"
                target = self._port(self._behind(service), port["targetPort"])
                text = text.replace(url, f"http://{LOOPBACK}:{target}")
        return text.replace("0.0.0.0", LOOPBACK)  # nothing listens beyond this machine

    def _behind(self, service: Object) -> str:
        """Return the Deployment whose pods a Service selects."""
        selector: dict[str, Any] = service["spec"]["selector"]
        (found,) = [
            name_of(one)
            for one in self.rendered.of_kind("Deployment")
            if selector.items() <= one["spec"]["template"]["metadata"]["labels"].items()
        ]
        return found


def _moved(text: str, mounts: Mapping[str, Path]) -> str:
    """Write a path inside a mounted volume as the path of its folder."""
    for place, folder in mounts.items():
        if text == place or text.startswith(f"{place}/"):
            return str(folder) + text.removeprefix(place)
    return text
