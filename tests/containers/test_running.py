"""The images as a cluster runs them: another user, no rights, a root that cannot be written."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest

from mosaiclife_plugin_sdk import load_manifest
from tests.support.containers import Built, Containers
from tests.support.events import body_of, delivery_headers, story
from tests.support.processes import eventually
from tests.support.senders import SECRET, TOKEN
from tools.workspace import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

MANIFEST = load_manifest(ROOT / "plugin.yaml")
GRACE_SECONDS = 35
START_SECONDS = 60  # the chart's startup probe: 30 times 2 seconds
STATUS = {"Uid": "10001\t10001\t10001\t10001", "CapEff": "0" * 16, "NoNewPrivs": "1"}
SECRETS = (f"--env=CORE_TOKEN={TOKEN}", f"--env=WEBHOOK_SECRETS={SECRET}")
CHECK = ("/opt/venv/bin/python", "-m", "mosaiclife_plugin_check")
KIT = ("-m", "mosaiclife_plugin_contract", "run")
WRITE = """
import pathlib
for folder in ("/", "/app", "/opt/venv", "/var/tmp", "/tmp", "/data"):
    try:
        (pathlib.Path(folder) / "probe").write_text("x")
    except OSError as error:
        print(folder, error.strerror)
"""


@pytest.fixture(scope="module")
def volume(containers: Containers) -> Iterator[str]:
    name = containers.ask("volume", "create")
    yield name
    containers.call("volume", "rm", name)


@pytest.fixture
def plugin(containers: Containers, built: Built, volume: str) -> Iterator[str]:
    """Run the plugin by itself; its data outlive the container."""
    options = ("--publish=127.0.0.1::7001", f"--volume={volume}:/data", "--env=SELF_REGISTER=false")
    with containers.running(built.plugin, *options, *SECRETS) as name:
        yield name


def ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=2).status_code == 200
    except httpx.TransportError:
        return False


def ready_address(containers: Containers, name: str) -> str:
    """Return the plugin's address once it is ready."""
    url = containers.published(name, 7001)
    eventually(lambda: ready(url), within=START_SECONDS, every=0.2, what="readiness")
    return url


def test_it_has_no_rights_and_writes_to_two_folders_only(
    containers: Containers, plugin: str
) -> None:
    """Python is the first process, as nobody's user; only /tmp and /data take a file."""
    ready_address(containers, plugin)
    status = dict(
        line.split(":\t", 1)
        for line in containers.ask("exec", plugin, "cat", "/proc/1/status").splitlines()
        if ":\t" in line
    )
    command = containers.ask("exec", plugin, "cat", "/proc/1/cmdline").split("\0")
    refused = containers.ask("exec", plugin, "/opt/venv/bin/python", "-c", WRITE).splitlines()

    assert {key: status[key] for key in STATUS} == STATUS
    assert command[0] == "/opt/venv/bin/python"
    assert refused == [
        f"{at} Read-only file system" for at in ("/", "/app", "/opt/venv", "/var/tmp")
    ]


def test_it_keeps_the_contract(containers: Containers, plugin: str) -> None:
    """The kit finds no violation in the container."""
    url = ready_address(containers, plugin)
    done = subprocess.run(
        [sys.executable, *KIT, url, "--manifest", str(ROOT / "plugin.yaml")],
        env={**os.environ, "CONTRACT_TOKEN": TOKEN, "CONTRACT_WEBHOOK_SECRETS": SECRET},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_its_own_check_agrees(containers: Containers, plugin: str) -> None:
    """What `helm test` will run passes, and fails for another version or another remote."""
    ready_address(containers, plugin)
    wanted = f"--version={MANIFEST.version}"
    others = ("--version=9.9.9", "--remote=/mf/integrity.json")
    other = containers.call("exec", plugin, *CHECK, *others, check=False)

    assert containers.ask("exec", plugin, *CHECK, wanted).count("ok ") == 5
    assert other.returncode == 1
    assert other.stdout.count("FAILED") == 2


def test_the_engine_calls_it_healthy(containers: Containers, plugin: str) -> None:
    """The image's health check speaks for itself."""
    eventually(
        lambda: containers.health(plugin) == "healthy",
        within=START_SECONDS,
        every=0.5,
        what="a healthy container",
    )


def test_a_stop_lets_a_delivery_end(containers: Containers, plugin: str) -> None:
    """SIGTERM comes amid a request: it is answered, kept, and the exit is clean and in time."""
    url = ready_address(containers, plugin)
    body = body_of([story("told-at-the-end", "l1", id="told-at-the-end")])
    headers = delivery_headers(TOKEN, SECRET, body, delivery_id="the-last-one")
    with socket.create_connection((urlsplit(url).hostname, urlsplit(url).port), timeout=30) as wire:
        wire.sendall(head_of(headers, len(body)) + body[:20])
        time.sleep(0.5)
        begun = time.monotonic()
        stop = threading.Thread(
            target=containers.call, args=("stop", "--time", str(GRACE_SECONDS), plugin)
        )
        stop.start()
        time.sleep(1)
        assert containers.inspect(plugin)["State"]["Running"]
        wire.sendall(body[20:])
        answer = wire.recv(65536)
        stop.join()
    took = time.monotonic() - begun

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert took < GRACE_SECONDS
    assert containers.inspect(plugin)["State"]["ExitCode"] == 0


def head_of(headers: dict[str, str], length: int) -> bytes:
    """Return the head of a delivery as it travels."""
    fields = {"Host": "plugin", "Content-Length": str(length), **headers}
    lines = [f"{name}: {value}" for name, value in fields.items()]
    return "\r\n".join(["POST /v1/webhooks/ingest HTTP/1.1", *lines, "", ""]).encode()


def test_the_plugin_registers_with_the_cores_image(containers: Containers, built: Built) -> None:
    """Both images together: core serves its pages, knows the plugin, and finds it ready."""
    grant = {
        "tokens": [TOKEN],
        "webhookSecrets": [SECRET],
        "urls": ["http://127.0.0.1:7001"],
    }
    grants = msgspec.json.encode({MANIFEST.name: grant}).decode()
    core_options = ("--publish=127.0.0.1::8080", f"--env=CORE_PLUGINS={grants}")
    with containers.running(built.core, *core_options) as core:
        shared = (f"--network=container:{core}", "--tmpfs=/data:uid=10001")
        near = ("--env=CORE_BASE_URL=http://127.0.0.1:8080", f"--env=REG_TOKEN={TOKEN}")
        with containers.running(built.plugin, *shared, *near, *SECRETS):
            url = containers.published(core, 8080)
            eventually(
                lambda: '"READY"' in listing(url).upper(),
                within=START_SECONDS,
                every=0.5,
                what="a plugin that core calls ready",
            )
            page = httpx.get(f"{url}/", headers={"accept": "text/html"})
        eventually(
            lambda: containers.health(core) == "healthy",
            within=START_SECONDS,
            what="a healthy core",
        )
        containers.call("stop", "--time", str(GRACE_SECONDS), core)

        assert page.status_code == 200
        assert "<script" in page.text
        assert containers.inspect(core)["State"]["ExitCode"] == 0


def listing(url: str) -> str:
    try:
        return httpx.get(f"{url}/api/plugins", timeout=2).text
    except httpx.TransportError:
        return ""
