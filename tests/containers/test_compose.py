"""`./just up` in a checkout of its own: the page with data, edits that show, and nothing left."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect, sync_playwright

from tests.support.chart import MANIFEST
from tests.support.containers import Built, Containers
from tests.support.processes import eventually
from tools.browser import find_browser
from tools.ports import free_port
from tools.workspace import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

# Below those that the system gives to connections: minutes pass until one is listened on.
PORTS = {"CORE_PORT": 18080, "PLUGIN_PORT": 17001, "UI_PORT": 17002, "PROMETHEUS_PORT": 19090}
KINDS = ("container", "network", "volume")
TITLE = "What has gathered"


@dataclass(frozen=True)
class House:
    """What `up` has started, and the checkout whose sources it shows."""

    containers: Containers
    checkout: Path
    environ: Mapping[str, str]

    @property
    def label(self) -> str:
        return f"label=com.docker.compose.project={self.environ['COMPOSE_PROJECT_NAME']}"

    def logs(self, service: str) -> str:
        of_service = f"label=com.docker.compose.service={service}"
        filters = (f"--filter={self.label}", f"--filter={of_service}")
        name = self.containers.ask("container", "ls", "--quiet", *filters)
        done = self.containers.call("logs", name)
        return done.stdout + done.stderr

    def compose(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "tools.compose", *words],
            cwd=self.checkout,
            env=dict(self.environ),
            capture_output=True,
            text=True,
            check=False,
        )

    def url(self, port: str) -> str:
        return f"http://127.0.0.1:{self.environ[port]}"

    def asked(self, path: str, port: str = "CORE_PORT") -> Any:
        """Return the `data` of an answer."""
        answer = httpx.get(self.url(port) + path, timeout=20).raise_for_status()
        return answer.json()["data"]

    @property
    def entry(self) -> str:
        (plugin,) = self.asked("/api/plugins")
        return str(plugin["ui"]["entryUrl"])


@pytest.fixture(scope="module")
def house(
    containers: Containers,
    built: Built,
    bases: Mapping[str, str],
    prometheus: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[House]:
    """Start everything, and see that `down` leaves nothing."""
    project = f"plugin-test-{os.getpid()}"
    ports = {name: str(free_port(usual, set())) for name, usual in PORTS.items()}
    names = {"COMPOSE_PROJECT_NAME": project, "PROMETHEUS_IMAGE": prometheus}
    environ = {**os.environ, **bases, **ports, **names}
    house = House(containers, checkout_in(tmp_path_factory.mktemp("checkout")), environ)
    try:
        done = house.compose("up", "prometheus", "--", "--quiet", "--network=host")
        assert done.returncode == 0, done.stdout + done.stderr
        assert house.url("CORE_PORT") in done.stdout
        yield house
    finally:
        ended = house.compose("down", "--data")
    left = [containers.ask(kind, "ls", "--quiet", "--filter", house.label) for kind in KINDS]

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert left == ["", "", ""]


def checkout_in(folder: Path) -> Path:
    """Copy what this checkout holds, so that an edit changes nobody's sources."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    found = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, found.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def test_the_page_shows_data(house: House, tmp_path: Path) -> None:
    """Core is told of the plugin, serves its remote, and the feed's year is counted."""
    (plugin,) = house.asked("/api/plugins")
    page = httpx.get(house.url("CORE_PORT"), headers={"accept": "text/html"})
    remote = httpx.get(house.url("CORE_PORT") + house.entry)
    stories = eventually(lambda: counted(house), within=60, every=0.5, what="the first stories")

    assert (plugin["id"], plugin["state"]) == (MANIFEST.name, "Ready")
    assert (page.status_code, "<script" in page.text) == (200, True)
    assert remote.headers["content-type"].startswith("text/javascript")
    assert MANIFEST.container in remote.text
    assert stories > 0
    photograph(house, tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size > 10_000


def counted(house: House) -> int:
    """Return how many stories the plugin has counted, through core's proxy."""
    path = f"/api/plugins/{MANIFEST.name}/proxy/v1/data/overview?period=all"
    stories = next(one for one in house.asked(path)["metrics"] if one["metric"] == "stories")
    return int(stories["value"])


def photograph(house: House, picture: Path) -> None:
    """Open the plugin's page in a browser, as a person would, and keep what it shows."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"{house.url('CORE_PORT')}/plugins/{MANIFEST.name}")
        shown = page.get_by_test_id(f"{MANIFEST.name}-page")
        expect(shown.get_by_role("figure").first).to_be_visible(timeout=60_000)
        page.screenshot(path=picture)
        browser.close()


def test_an_edit_of_the_remote_shows(house: House) -> None:
    """One that cannot be built changes nothing; core offers the next under another address."""
    before = house.entry
    source = house.checkout / "ui/src/copy.ts"
    text = source.read_text("utf-8")
    assert TITLE in text
    source.write_text("this is no program\n", "utf-8")
    eventually(lambda: "ERROR in" in house.logs("ui"), within=90, every=0.5, what="a failed build")
    assert MANIFEST.container in httpx.get(f"{house.url('UI_PORT')}/remoteEntry.js").text
    assert house.entry == before
    source.write_text(text.replace(TITLE, "What has come together"), "utf-8")

    eventually(lambda: house.entry != before, within=90, every=0.5, what="another remote")
    folder = house.url("CORE_PORT") + house.entry.rpartition("/")[0]
    names = httpx.get(f"{house.url('UI_PORT')}/integrity.json").json()
    assert any("come together" in httpx.get(f"{folder}/{name}").text for name in names)


def test_prometheus_scrapes_the_plugin_and_knows_its_rules(house: House) -> None:
    """The profile reads the rules that the chart installs, for the labels that it gives."""
    result = eventually(
        lambda: house.asked('/api/v1/query?query=plugin_info{job="plugin"}', "PROMETHEUS_PORT")[
            "result"
        ],
        within=60,
        every=0.5,
        what="a scrape",
    )
    rules = json.dumps(house.asked("/api/v1/rules", "PROMETHEUS_PORT"))

    assert result[0]["metric"]["namespace"] == "compose"
    assert "plugin:http_errors:ratio_rate5m" in rules
    assert "$" not in rules.replace("$labels", "").replace("$value", "")
