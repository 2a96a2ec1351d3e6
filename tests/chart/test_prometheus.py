"""A real Prometheus scrapes a real plugin, evaluates the rules, and answers the dashboard."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import yaml

from tests.support.chart import MATRIX, NAMESPACE, Object, render
from tests.support.processes import eventually, free_port
from tests.support.promql import CHOSEN
from tools.chart import CHART

JOB = "plugin"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


class Prometheus:
    """A server of Prometheus's on this machine, as far as a test asks it."""

    def __init__(self, url: str) -> None:
        """Ask the server at *url*."""
        self.url = url

    def ask(self, path: str, **params: str) -> Any:
        """Return the data of an answer, or None while it does not answer."""
        try:
            answer = httpx.get(f"{self.url}/api/v1/{path}", params=params, timeout=30)
        except httpx.TransportError:
            return None
        return answer.json().get("data") if answer.is_success else None

    def query(self, expr: str) -> list[Object]:
        """Return what a query finds; a query that is no PromQL is a failure."""
        data = self.ask("query", query=expr)
        assert data is not None, expr
        found: list[Object] = data["result"]
        return found


def settings(folder: Path, plugin: str) -> Path:
    """Write what the operator would make of the chart's two objects."""
    rules = render({**MATRIX["everything"], "fullnameOverride": JOB}).one("PrometheusRule")
    (folder / "rules.yaml").write_text(yaml.safe_dump(rules["spec"]), "utf-8")
    labels = {"namespace": NAMESPACE, "pod": "plugin-0", "service": JOB}
    target = {"targets": [urlsplit(plugin).netloc], "labels": labels}
    document = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yaml"],
        "scrape_configs": [{"job_name": JOB, "static_configs": [target]}],
    }
    file = folder / "prometheus.yaml"
    file.write_text(yaml.safe_dump(document), "utf-8")
    return file


@pytest.fixture(scope="module")
def prometheus(plugin: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Start a Prometheus that has evaluated the rules at least once after two scrapes."""
    folder, address = tmp_path_factory.mktemp("prometheus"), f"127.0.0.1:{free_port()}"
    command = ["prometheus", f"--config.file={settings(folder, plugin)}", "--log.level=warn"]
    command += [f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address={address}"]
    try:
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    except FileNotFoundError:
        pytest.skip("no prometheus on this machine (Debian: prometheus)")
    server = Prometheus(f"http://{address}")
    try:
        eventually(
            lambda: (server.ask("query", query="plugin:control_slow:ratio_rate3d") or {}).get(
                "result"
            ),
            within=120,
            what="a recorded share",
        )
        yield server
    finally:
        process.terminate()
        process.wait(timeout=30)


def test_every_rule_is_evaluated(prometheus: Prometheus) -> None:
    """Prometheus has taken in all rules of the chart, and none of them ends in an error."""
    source = yaml.safe_load((CHART / "files/rules.yaml").read_text("utf-8"))
    groups = prometheus.ask("rules")["groups"]
    rules = [rule for group in groups for rule in group["rules"]]

    assert len(rules) == sum(len(group["rules"]) for group in source["groups"])
    assert [(rule["name"], rule["lastError"]) for rule in rules if rule["health"] == "err"] == []


def test_every_panel_shows_something(prometheus: Prometheus) -> None:
    """Each query of the dashboard finds the release, under the names that Prometheus keeps."""
    dashboard = json.loads((CHART / "files/dashboard.json").read_text("utf-8"))
    targets = [each for panel in dashboard["panels"] for each in panel.get("targets", ())]

    def empty() -> list[str]:
        return [each["expr"] for each in targets if not prometheus.query(chosen(each["expr"]))]

    eventually(lambda: not empty(), within=60, what="an answer to every query")


def chosen(expr: str) -> str:
    """Put in what a person would choose on the page."""
    for variable, value in CHOSEN.items():
        expr = expr.replace(variable, value)
    return expr


def test_prometheus_finds_no_fault_in_the_text(plugin: str) -> None:
    """`promtool check metrics` reads what the plugin shows (R24)."""
    text = httpx.get(f"{plugin}/metrics").content
    try:
        done = subprocess.run(
            ["promtool", "check", "metrics"], input=text, capture_output=True, check=False
        )
    except FileNotFoundError:
        pytest.skip("no promtool on this machine (Debian: prometheus)")

    assert done.returncode == 0, done.stderr.decode()
