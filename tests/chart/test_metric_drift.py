"""Rules and dashboard ask for what the plugin shows: name by name, label by label, in a real process.

A query for a metric that is not there is no error to Prometheus: it is an alert that never fires.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import httpx
import pytest
import yaml

from mosaiclife_plugin_sdk import SERVICE
from tests.support import promql
from tests.support.events import body_of, delivery_headers, reader_headers, story
from tests.support.processes import ServerProcess, eventually, free_port
from tests.support.promql import Series
from tests.support.senders import SECRET, TOKEN, alive, environment, stories
from tools.chart import CHART
from tools.docs import manifest
from tools.workspace import ROOT

RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((CHART / "files/rules.yaml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
DASHBOARD: dict[str, Any] = json.loads((CHART / "files/dashboard.json").read_text("utf-8"))
TARGETS = [(panel, each) for panel in DASHBOARD["panels"] for each in panel.get("targets", ())]
QUERIES = [str(rule["expr"]) for rule in RULES] + [str(each["expr"]) for _, each in TARGETS]
RECORDED = [promql.recorded(rule["record"]) for rule in RULES if "record" in rule]
# What Prometheus itself says of a target.
OF_PROMETHEUS = [Series("up", promql.TARGET)]


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Let a process do what plugins do, and return what it then shows."""
    folder, port = tmp_path_factory.mktemp("plugin"), free_port()
    process = ServerProcess(manifest().container, environment(folder, port), folder / "log")
    process.start()
    url = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: alive(url), within=60, what="the start")
        use(url)
        eventually(lambda: "rollup.refresh" in shown(url), within=60, what="a run of a job")
        yield shown(url)
    finally:
        process.stop()


def use(url: str) -> None:
    """Deliver, be refused, read a report, run a job, and let a call take too long."""
    service = reader_headers(TOKEN, SERVICE)
    body = body_of([story(f"s{n}", "l1") for n in range(5)])
    ingest = f"{url}/v1/webhooks/ingest"
    assert httpx.post(ingest, content=body).status_code == 401
    signed = delivery_headers(TOKEN, SECRET, body)
    assert httpx.post(ingest, content=body, headers=signed).status_code == 200
    eventually(lambda: stories(url) == 5, within=60, what="the count")
    assert httpx.get(f"{url}/manifest").status_code == 200
    wanted = {"name": "rollup.verify"}
    assert httpx.post(f"{url}/v1/jobs/run", json=wanted, headers=service).status_code == 202
    hurried = {**service, "X-Request-Timeout-Ms": "1"}
    report = f"{url}/v1/data/overview?period=all"
    eventually(lambda: httpx.get(report, headers=hurried).status_code == 504, what="a timeout")


def shown(url: str) -> str:
    return httpx.get(f"{url}/metrics").raise_for_status().text


@pytest.fixture(scope="module")
def series(text: str) -> Sequence[Series]:
    """Return all that Prometheus would keep of the release."""
    return [*promql.scraped(text), *RECORDED, *OF_PROMETHEUS]


@pytest.mark.parametrize("query", QUERIES)
def test_every_metric_and_label_is_there(query: str, series: Sequence[Series]) -> None:
    """Whatever a rule or a panel asks for is among what the process shows (R24)."""
    assert promql.faults(query, series) == []


def test_what_a_text_writes_out_is_there(series: Sequence[Series]) -> None:
    """A legend and an annotation name labels that the answer of their query has."""
    texts = [(each["expr"], each["legendFormat"]) for _, each in TARGETS]
    texts += [(rule["expr"], str(rule.get("annotations"))) for rule in RULES]
    missing = {
        name: sorted(promql.placeholders(written) - promql.labels_of(query, series))
        for query, written in texts
        for name in [written]
    }

    assert {name: labels for name, labels in missing.items() if labels} == {}


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("sum(rate(plugin_http_request_total[5m]))", "no metric plugin_http_request_total"),
        (
            'plugin_queue_depth{quue="erasure"}',
            "plugin_queue_depth has no label quue",
        ),
        (
            "sum by (path) (rate(plugin_http_requests_total[5m]))",
            "plugin_http_requests_total has no label path",
        ),
        (
            '1 - plugin_queue_depth{queue="erasures"}',
            'plugin_queue_depth has no series with queue="erasures"',
        ),
        (
            'rate(plugin_http_request_duration_seconds_bucket{le="0.25"}[5m])',
            'plugin_http_request_duration_seconds_bucket has no series with le="0.25"',
        ),
        (
            'plugin_job_runs_total{job="rollup.refresh"}',
            'plugin_job_runs_total has no series with job="rollup.refresh"',
        ),
    ],
)
def test_a_slip_is_noticed(query: str, fault: str, series: Sequence[Series]) -> None:
    """A misspelled name, label or value is found, also where the label's name is taken."""
    assert promql.faults(query, series) == [fault]


def test_every_metric_of_the_plugin_is_looked_at(text: str) -> None:
    """What the plugin measures is on the dashboard or in a rule; nothing is shown to nobody."""
    measured = {one.name for one in promql.scraped(text) if not one.name.endswith("_created")}
    asked = {one.name for query in QUERIES for one in promql.selectors(query)}
    families = {name.removesuffix("_sum").removesuffix("_count") for name in measured - asked}

    assert {name for name in families if not any(each.startswith(name) for each in asked)} == set()


def test_every_metric_is_described(text: str) -> None:
    """The page names each family that the process shows, and describes none that is not there."""
    page = (ROOT / "docs/observability.md").read_text("utf-8")
    named = set(re.findall(r"`((?:plugin|process)_\w+)`", page))
    shown_names = {one.name for one in promql.scraped(text) if not one.name.endswith("_created")}
    families = {re.sub(r"_(bucket|count|sum)$", "", name) for name in shown_names}

    assert named == families
