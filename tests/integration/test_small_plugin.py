"""The smallest plugin of the documentation, started for real: what a stripped copy comes to."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from mosaiclife_plugin_sdk import SERVICE, encode_user_context, load_manifest, new_secret
from mosaiclife_plugin_sdk.testing import FakeCore
from tests.support.events import delivery_headers, story
from tests.support.processes import CLEAN, eventually, free_port
from tools.workspace import environment, script

FOLDER = Path(__file__).parents[2] / "docs/examples/small_plugin"
TENANT = "family-lindqvist"
MOST_LINES = 60
MOUNT = """
import "./remoteEntry.js";
const { panel } = (await globalThis.plugin_letters.get("./Panel"))();
const el = { textContent: "" };
const sdk = { http: { get: async (path) => ({ data: { text: `asked ${path}` } }) } };
panel.mount(el, { sdk });
await new Promise((done) => setTimeout(done, 5));
const shown = el.textContent;
panel.unmount();
console.log(JSON.stringify([shown, el.textContent]));
"""


@dataclass
class House:
    """The plugin as a process, and the core that it found."""

    core: FakeCore
    http: httpx.Client
    secret: str
    process: subprocess.Popen[bytes]

    def get(self, path: str) -> Any:
        """Read a route of the plugin as core does."""
        return self.http.get(path, headers=self.headers).raise_for_status().json()["data"]

    @property
    def headers(self) -> dict[str, str]:
        """Return what core sends along."""
        return {
            "authorization": f"Bearer {self.core.token}",
            "x-tenant-id": TENANT,
            "x-user-context": encode_user_context(SERVICE),
        }


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """The plugin, registered and ready."""
    port, secret = free_port(), new_secret()
    with (
        FakeCore() as core,
        httpx.Client(base_url=f"http://127.0.0.1:{port}") as http,
        (tmp_path / "log").open("wb") as log,
    ):
        environ = {
            **{key: os.environ[key] for key in CLEAN if key in os.environ},
            "CORE_BASE_URL": core.url,
            "REG_TOKEN": core.token,
            "WEBHOOK_SECRETS": secret,
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "UI_BUNDLE_DIR": "ui",
            "DRAIN_SECONDS": "0",
        }
        process = subprocess.Popen(
            [sys.executable, "plugin.py"], cwd=FOLDER, env=environ, stdout=log, stderr=log
        )
        try:
            core.wait_for(lambda asked: asked.registrations, within=20)
            eventually(lambda: ready(http), what="readiness")
            yield House(core, http, secret, process)
        finally:
            process.kill()
            process.wait()


def ready(http: httpx.Client) -> bool:
    try:
        return http.get("/readyz").is_success
    except httpx.TransportError:
        return False


def test_it_does_one_of_each(house: House) -> None:
    """Events in by webhook, counts out by the endpoint, and the job tells core the sum."""
    body = json.dumps({"events": [story("s-1", "l1"), story("s-2", "l1")]}).encode()
    headers = delivery_headers(house.core.token, house.secret, body, tenant=TENANT)
    for _ in range(2):  # the second one is a repetition, answered from what was recorded
        answer = house.http.post("/v1/webhooks/ingest", content=body, headers=headers)
        assert answer.json()["data"] == {"accepted": 2, "ignored": 0}
    assert house.get("/v1/data/items") == {"text": "Dear family: 2 stories"}

    asked = {"name": "letters.send"}
    run = house.http.post("/v1/jobs/run", json=asked, headers=house.headers).json()["data"]
    eventually(lambda: house.get(f"/v1/jobs/runs/{run['runId']}")["state"] == "succeeded")
    house.core.wait_for(lambda core: ("letters.sent", {"stories": 2}) in core.events)


def test_it_ends_when_it_is_asked_to(house: House) -> None:
    """A stop is no failure: exit code 0."""
    house.process.send_signal(signal.SIGTERM)

    assert house.process.wait(timeout=15) == 0


def test_its_panel_is_the_one_that_core_was_told_of(house: House) -> None:
    """The registered remote is served under its hash, and its panel shows and goes away."""
    [registration] = house.core.registrations[:1]
    remote = httpx.get(registration["ui"]["remoteUrl"])

    assert remote.content == (FOLDER / "ui/remoteEntry.js").read_bytes()
    assert registration["ui"]["integrity"].startswith("sha384-")


def test_its_panel_shows_and_goes_away() -> None:
    """The container is written by hand, and keeps the contract of a remote (spec §7)."""
    done = subprocess.run(
        [script("node"), "--input-type=module", "--eval", MOUNT],
        cwd=FOLDER / "ui",
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )

    assert load_manifest(FOLDER / "plugin.yaml").container == "plugin_letters"
    assert json.loads(done.stdout) == ["asked /v1/data/items", ""]


def test_it_is_short() -> None:
    """A plugin of one endpoint, one job, one type of event and one panel fits a screen."""
    lines = (FOLDER / "plugin.py").read_text().splitlines()

    assert len(lines) <= MOST_LINES
    assert [path.name for path in FOLDER.glob("**/*.py")] == ["plugin.py"]
