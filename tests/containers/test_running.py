"""The plugin's image as a cluster runs it: by the Deployment that the chart renders."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from mosaiclife_plugin_sdk import SERVICE
from tests.support.chart import MANIFEST, Object, is_of_test, render
from tests.support.containers import Built, Containers
from tests.support.events import body_of, delivery_headers, reader_headers, story
from tests.support.kubelet import Kubelet, Pod, Running
from tests.support.processes import eventually
from tests.support.senders import SECRET, TOKEN
from tools.workspace import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

KEYS = {"WEBHOOK_SECRETS": SECRET, "PSEUDONYM_KEY": "k" * 32}
# The port of the Service is the pod's, as nothing here translates one into the other.
VALUES = {
    # A delivery that begins before the hook may end after the signal, on a slow machine too.
    "config": {"API_TIMEOUT_MS": 30_000},
    "secrets": {"existingSecret": "plugin-secrets", "keys": sorted(KEYS)},
    "service": {"servicePort": 7001},
}
SECRETS = {f"plugin-reg-token-{MANIFEST.name}": {"token": TOKEN}, "plugin-secrets": KEYS}
KIT = ("-m", "mosaiclife_plugin_contract", "run")
WRITE = """
import pathlib
for folder in ("/", "/app", "/opt/venv", "/var/tmp", "/run/secrets/plugin", "/tmp", "/data"):
    try:
        (pathlib.Path(folder) / "probe").write_text("x")
        print(folder, "takes it")
    except OSError as error:
        print(folder, error.strerror)
"""


@pytest.fixture(scope="module")
def pod(built: Built) -> Pod:
    """Return the rendered pod, whose image is the one that `./just image` builds."""
    pod = Pod(render(VALUES), SECRETS)
    assert pod.image == built.plugin
    return pod


@pytest.fixture
def kubelet(containers: Containers, pod: Pod) -> Iterator[Kubelet]:
    """Give the pod a node with volumes of its own."""
    with Kubelet(containers, pod).node() as kubelet:
        yield kubelet


@pytest.fixture(scope="module")
def network(containers: Containers) -> Iterator[str]:
    name = containers.ask("network", "create", f"plugin-test-{os.getpid()}")
    yield name
    containers.call("network", "rm", name)


@pytest.fixture(scope="module")
def plugin(containers: Containers, pod: Pod, network: str) -> Iterator[Running]:
    """Run the pod where its Service's name leads to it, and nobody is core."""
    name = urlsplit(pod.rendered.settings["PLUGIN_PUBLIC_URL"]).hostname
    options = (f"--network={network}", f"--network-alias={name}")
    with Kubelet(containers, pod).node() as kubelet, kubelet.running(*options) as running:
        running.wait_until_ready()
        yield running


def test_it_is_ready_within_the_probes_time(
    kubelet: Kubelet, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is up before the startup probe gives up, and core need not be there for it."""
    with kubelet.running() as running:
        seconds = running.wait_until_ready()
        with capsys.disabled():
            print(f"\nready {seconds:.1f} s after the engine was asked for it")

        assert seconds < kubelet.pod.probe("startup").budget
        assert kubelet.pod.probe("liveness").passes(running.url)


def test_it_has_the_rights_that_the_chart_gives_and_no_others(pod: Pod, plugin: Running) -> None:
    """Python is the first process, as nobody's user; only the volumes take a file."""
    security = pod.security
    status = dict(
        line.split(":\t", 1)
        for line in plugin.execute("cat", "/proc/1/status").splitlines()
        if ":\t" in line
    )
    command = plugin.execute("cat", "/proc/1/cmdline").split("\0")

    assert status["Uid"].split("\t") == [str(security["runAsUser"])] * 4
    assert status["Gid"].split("\t") == [str(security["runAsGroup"])] * 4
    assert str(security["fsGroup"]) in status["Groups"].split()
    assert {int(status[name], 16) for name in ("CapEff", "CapPrm", "CapBnd", "CapInh")} == {0}
    assert status["NoNewPrivs"] == "1"
    assert command[0] == "/opt/venv/bin/python"
    assert plugin.execute("/opt/venv/bin/python", "-c", WRITE).splitlines() == [
        *(f"{at} Read-only file system" for at in ("/", "/app", "/opt/venv", "/var/tmp")),
        "/run/secrets/plugin Read-only file system",
        "/tmp takes it",
        "/data takes it",
    ]


def test_it_keeps_the_contract(plugin: Running) -> None:
    """The kit finds no violation in the container."""
    done = subprocess.run(
        [sys.executable, *KIT, plugin.url, "--manifest", str(ROOT / "plugin.yaml")],
        env={**os.environ, "CONTRACT_TOKEN": TOKEN, "CONTRACT_WEBHOOK_SECRETS": SECRET},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_charts_own_test_passes(
    containers: Containers, pod: Pod, plugin: Running, network: str
) -> None:
    """`helm test` finds the plugin well, and tells what it is when it is another."""
    (test,) = [one for one in pod.rendered.of_kind("Pod") if is_of_test(one)]
    passed = helm_test(containers, test, network)
    failed = helm_test(containers, test, network, "--version=9.9.9")

    assert (passed.returncode, passed.stdout.count("ok ")) == (0, 5), passed.stdout + plugin.logs()
    assert failed.returncode == 1
    assert f"names version {MANIFEST.version}, not 9.9.9" in failed.stdout


def helm_test(
    containers: Containers, pod: Object, network: str, *more: str
) -> subprocess.CompletedProcess[str]:
    """Run what the chart's test pod runs."""
    (container,) = pod["spec"]["containers"]
    entry, *words = container["command"]
    options = ("--rm", "--read-only", "--cap-drop=ALL", f"--network={network}")
    command = (f"--entrypoint={entry}", container["image"], *words, *container["args"], *more)
    return containers.call("run", *options, *command, check=False)


def test_the_engine_calls_it_healthy(containers: Containers, plugin: Running) -> None:
    """The image's own health check speaks for an engine without probes."""
    eventually(
        lambda: containers.health(plugin.name) == "healthy",
        within=plugin.pod.probe("startup").budget,
        every=0.5,
        what="a healthy container",
    )


def test_a_stop_lets_work_end(kubelet: Kubelet) -> None:
    """A delivery that comes in while the pod ends is answered and kept, and so is a job's run."""
    body = body_of([story("told-at-the-end", "l1", id="told-at-the-end")])
    with kubelet.running() as running, ThreadPoolExecutor(1) as lane:
        running.wait_until_ready()
        run = start_job(running.url, "rollup.rebuild")
        with half_sent(running.url, body) as wire:
            stopping = lane.submit(running.stop)
            # The hook has slept and the signal has come once traffic is no longer wanted.
            eventually(
                lambda: not kubelet.pod.probe("readiness").passes(running.url),
                within=kubelet.pod.grace,
                what="the drain",
            )
            wire.sendall(body[len(body) // 2 :])
            answer = wire.recv(65536)
        took = stopping.result()

        assert answer.startswith(b"HTTP/1.1 200 "), answer
        assert took < kubelet.pod.grace
        assert running.exit_code == 0, running.logs()
    with kubelet.running() as running:
        running.wait_until_ready()
        again = httpx.post(
            f"{running.url}/v1/webhooks/ingest",
            content=body,
            headers=delivery_headers(TOKEN, SECRET, body, delivery_id="once-more"),
        )

        assert again.json()["data"]["duplicate"] == 1, again.text
        assert asked(running.url, f"/v1/jobs/runs/{run}")["state"] == "succeeded"


def half_sent(url: str, body: bytes) -> socket.socket:
    """Begin a delivery, and keep the second half of its body back."""
    at = urlsplit(url)
    headers = {
        "Host": "plugin",
        "Content-Length": str(len(body)),
        **delivery_headers(TOKEN, SECRET, body, delivery_id="the-last-one"),
    }
    lines = [f"{name}: {value}" for name, value in headers.items()]
    head = "\r\n".join(["POST /v1/webhooks/ingest HTTP/1.1", *lines, "", ""]).encode()
    wire = socket.create_connection((at.hostname, at.port), timeout=60)
    wire.sendall(head + body[: len(body) // 2])
    return wire


def start_job(url: str, name: str) -> str:
    """Start a run of a job and return its id."""
    answer = httpx.post(
        f"{url}/v1/jobs/run", json={"name": name}, headers=reader_headers(TOKEN, SERVICE)
    )
    assert answer.status_code == 202, answer.text
    return str(answer.json()["data"]["runId"])


def asked(url: str, path: str) -> dict[str, Any]:
    answer = httpx.get(url + path, headers=reader_headers(TOKEN, SERVICE)).raise_for_status()
    data: dict[str, Any] = answer.json()["data"]
    return data
