"""Rules and dashboard ask for what the plugin shows: name by name, label by label, in a real process.

A query for a metric that is not there is no error to Prometheus: it is an alert that never fires.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

import httpx
import pytest
import yaml

from tests.support import promql
from tests.support.promql import Series
from tools.chart import CHART
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
def text(plugin: str) -> str:
    """Return what a process shows that has done what plugins do."""
    return httpx.get(f"{plugin}/metrics").raise_for_status().text


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
