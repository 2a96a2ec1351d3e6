"""The demonstration as its values render it: two processes, wired by the chart and by nothing else."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Watched
from tests.support.chart import MANIFEST, MATRIX, component_of, render
from tests.support.one_machine import OneMachine, Pod
from tests.support.processes import eventually
from tools import programs
from tools.workspace import ROOT

PATIENCE_SECONDS = 90
# What the images set; the chart leaves it to them.
IMAGES = {
    "backend": {
        "PLUGIN_MANIFEST": str(ROOT / "plugin.yaml"),
        "UI_BUNDLE_DIR": str(ROOT / "ui/dist"),
    },
    "demo-core": {
        "CORE_PLUGIN_SCHEMA": str(ROOT / "sdk/schema/plugin.schema.json"),
        "CORE_WEB_DIR": str(ROOT / "core/web/dist"),
    },
}
MODULES = {"backend": f"plugin_{MANIFEST.name}", "demo-core": "mosaiclife_devcore"}
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(bool(programs.lacks_helm()), reason=programs.lacks_helm()),
]

Pods = dict[str, Pod]


@pytest.fixture(scope="module")
def pods(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pods]:
    """Start what `helm install -f values-demo.yaml` would, and wait until it is ready."""
    rendered = render(MATRIX["demo"])
    machine = OneMachine(rendered, tmp_path_factory.mktemp("demo"))
    made = {
        name: machine.pod(deployment, MODULES[name], IMAGES[name])
        for deployment in rendered.of_kind("Deployment")
        for name in [component_of(deployment)]
    }
    assert set(made) == set(MODULES)
    try:
        for pod in made.values():
            pod.process.start()
        for pod in made.values():
            eventually(pod.is_ready, within=PATIENCE_SECONDS, what=f"{pod.process.module} ready")
        yield made
    finally:
        for pod in made.values():
            pod.process.stop()


def asked(pods: Pods, path: str, **params: str) -> httpx.Response:
    """Ask core, as a browser does behind the port-forward that the notes tell of."""
    answer = httpx.get(pods["demo-core"].urls["http"] + path, params=params, timeout=10)
    return answer.raise_for_status()


def shown(pods: Pods) -> dict[str, Any]:
    """Return core's record of the plugin once its interface may be loaded."""
    for record in asked(pods, "/api/plugins").json()["data"]:
        if record["state"] == "Ready" and record["ui"]:
            assert record["id"] == MANIFEST.name
            return dict(record)
    return {}


@pytest.fixture
def record(pods: Pods) -> dict[str, Any]:
    return eventually(lambda: shown(pods), within=PATIENCE_SECONDS, what="the plugin's readiness")


def total(pods: Pods, legacy: str) -> int:
    """Return what a report about one legacy counts, asked through core."""
    path = f"/api/plugins/{MANIFEST.name}/proxy/v1/data/overview"
    metrics = asked(pods, path, legacyId=legacy).json()["data"]["metrics"]
    return sum(metric["value"] or 0 for metric in metrics)


def accepted(pods: Pods) -> float:
    """Return how many events the plugin has accepted."""
    text = httpx.get(pods["backend"].urls["http"] + "/metrics", timeout=10).text
    lines = [line for line in text.splitlines() if line.startswith("plugin_events_total{")]
    return sum(float(line.split()[-1]) for line in lines if 'outcome="accepted"' in line)


def test_the_remote_lies_under_cores_own_origin(pods: Pods, record: dict[str, Any]) -> None:
    """A browser that knows core alone gets the plugin's code from it."""
    entry = record["ui"]["entryUrl"]
    answer = asked(pods, entry)

    assert entry.startswith(f"/mf/{MANIFEST.name}/")
    assert answer.headers["content-type"].startswith(("text/javascript", "application/javascript"))
    assert f"plugin_{MANIFEST.name}" in answer.text


def test_the_feed_arrives_and_goes_on(pods: Pods, record: dict[str, Any]) -> None:
    """History comes first, and then what the families do now."""
    assert record["version"] == str(MANIFEST.version)
    before = eventually(lambda: accepted(pods), within=PATIENCE_SECONDS, what="the history")

    eventually(lambda: accepted(pods) > before, within=PATIENCE_SECONDS, what="the next event")


def test_a_report_through_core_is_not_empty(pods: Pods, record: dict[str, Any]) -> None:
    """Core says who asks, the plugin answers with what has been counted."""
    assert record
    (legacy, *_) = asked(pods, "/api/session").json()["data"]["legacies"]

    eventually(lambda: total(pods, legacy["id"]), within=PATIENCE_SECONDS, what="a counted report")


def test_the_page_shows_living_data(pods: Pods, record: dict[str, Any], watched: Watched) -> None:
    """The panel stands on a legacy's page, with a number, under the strict policy."""
    assert record
    (legacy, *_) = asked(pods, "/api/session").json()["data"]["legacies"]
    eventually(lambda: total(pods, legacy["id"]), within=PATIENCE_SECONDS, what="a counted report")

    watched.page.goto(f"{pods['demo-core'].urls['http']}/legacies/{legacy['id']}")
    stories = watched.page.get_by_test_id(f"{MANIFEST.name}-metric-stories")

    expect(stories).to_be_visible(timeout=PATIENCE_SECONDS * 1000)
    expect(stories).not_to_have_text("0")
    assert watched.violations() == []
    assert watched.errors == []
