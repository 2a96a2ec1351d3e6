"""The demonstration as its values render it: two processes, wired by the chart and by nothing else."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Watched
from tests.support.chart import MANIFEST, MATRIX, component_of, render
from tests.support.demonstration import PATIENCE_SECONDS, Demonstration
from tests.support.one_machine import OneMachine, Pod
from tests.support.processes import eventually
from tools import programs
from tools.workspace import ROOT

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
        start(made)
        yield made
    finally:
        for pod in made.values():
            pod.process.stop()


def start(pods: Pods) -> None:
    """Start every pod's process, and wait until the probes of all say yes."""
    for pod in pods.values():
        pod.process.start()
    for pod in pods.values():
        eventually(pod.is_ready, within=PATIENCE_SECONDS, what=f"{pod.process.module} ready")


@pytest.fixture(scope="module")
def demonstration(pods: Pods) -> Demonstration:
    return Demonstration(pods["demo-core"].urls["http"], pods["backend"].urls["http"])


def test_the_remote_lies_under_cores_own_origin(demonstration: Demonstration) -> None:
    """A browser that knows core alone gets the plugin's code from it."""
    answer = demonstration.remote()

    assert demonstration.record()["id"] == MANIFEST.name
    assert answer.headers["content-type"].startswith(("text/javascript", "application/javascript"))
    assert f"plugin_{MANIFEST.name}" in answer.text


def test_the_feed_arrives_and_goes_on(demonstration: Demonstration) -> None:
    """History comes first, and then what the families do now."""
    demonstration.wait_for_events()

    assert demonstration.record()["version"] == str(MANIFEST.version)


def test_it_survives_a_rollback(demonstration: Demonstration, pods: Pods) -> None:
    """Both pods are replaced; what core tells again is still known, and life goes on."""
    demonstration.wait_for_a_report()
    for pod in pods.values():
        assert pod.process.stop() == 0
    start(pods)

    assert demonstration.record()["state"] == "Ready"
    demonstration.wait_for("duplicate", beyond=0)
    demonstration.wait_for_events()
    demonstration.wait_for_a_report()


def test_the_page_shows_living_data(demonstration: Demonstration, watched: Watched) -> None:
    """A report asked through core counts, and so does the panel, under the strict policy."""
    assert demonstration.record()
    legacy = demonstration.wait_for_a_report()

    watched.page.goto(f"{demonstration.core_url}/legacies/{legacy}")
    stories = watched.page.get_by_test_id(f"{MANIFEST.name}-metric-stories")

    expect(stories).to_be_visible(timeout=PATIENCE_SECONDS * 1000)
    expect(stories).not_to_have_text("0")
    assert watched.violations() == []
    assert watched.errors == []
