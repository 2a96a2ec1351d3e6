"""The demonstration as a cluster runs it: both images, each by the Deployment that the chart renders."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.chart import MANIFEST, MATRIX, Object, component_of, name_of, render
from tests.support.containers import Built, Containers
from tests.support.demonstration import Demonstration
from tests.support.kubelet import CONTAINER, POD, Kubelet, Pod, Running, known

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
# No Service translates here, so each pod listens where its Service would.
VALUES = {
    **MATRIX["demo"],
    "service": {"servicePort": 7001},
    "demo": {**MATRIX["demo"]["demo"], "core": {"enabled": True, "port": 80}},
}


class CorePod(Pod):
    """The core of the demonstration; its settings stand in the Deployment itself."""

    @property
    def _template(self) -> Object:
        (one,) = [
            one for one in self.rendered.of_kind("Deployment") if component_of(one) == "demo-core"
        ]
        return dict(one["spec"]["template"])

    @property
    def spec(self) -> Mapping[str, Any]:
        return known(self._template["spec"], POD)

    @property
    def container(self) -> Mapping[str, Any]:
        (container,) = self._template["spec"]["containers"]
        return known(container, CONTAINER - {"envFrom"})

    def environment(self) -> Iterator[str]:
        yield from (f"--env={entry['name']}={entry['value']}" for entry in self.container["env"])


@pytest.fixture
def pods(containers: Containers, built: Built) -> Iterator[tuple[Running, Running]]:
    """Run core and plugin where their Services' names lead to them; the test may end them."""
    rendered = render(VALUES)
    secrets = {name_of(one): one["stringData"] for one in rendered.of_kind("Secret")}
    core, plugin = CorePod(rendered, secrets), Pod(rendered, secrets)
    assert (core.image, plugin.image) == (built.core, built.plugin)
    urls = [rendered.settings[key] for key in ("CORE_BASE_URL", "PLUGIN_PUBLIC_URL")]
    with ExitStack() as stack:
        network = containers.ask("network", "create", f"demo-{os.getpid()}")
        stack.callback(containers.call, "network", "rm", network)
        running = []
        for pod, url in zip((core, plugin), urls, strict=True):
            node = stack.enter_context(Kubelet(containers, pod).node())
            alias = f"--network-alias={urlsplit(url).hostname}"
            running.append(stack.enter_context(node.running(f"--network={network}", alias)))
        for one in running:
            one.wait_until_ready()
        yield running[0], running[1]


def test_two_images_and_the_values_give_living_data(pods: tuple[Running, Running]) -> None:
    """Core loads the remote, its feed arrives and goes on, and a report through it counts."""
    core, plugin = pods
    demonstration = Demonstration(core.url, plugin.url)

    assert f"plugin_{MANIFEST.name}" in demonstration.remote().text
    demonstration.wait_for_events()
    demonstration.wait_for_a_report()


def test_core_has_no_right_and_ends_when_it_is_told(pods: tuple[Running, Running]) -> None:
    """It runs as nobody's user on a root that takes nothing, and leaves with 0."""
    core, _ = pods
    status = core.execute("cat", "/proc/1/status")

    assert "CapEff:\t0000000000000000" in status
    assert f"Uid:\t{core.pod.security['runAsUser']}" in status
    assert core.stop() < core.pod.grace
    assert core.exit_code == 0, core.logs()
