"""When the alerts fire and when they do not, as Prometheus's own tool evaluates them."""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.chart import MATRIX, NAMESPACE, Object, render
from tools.chart import CHART
from tools.workspace import ROOT

TARGET = 'job="plugin",namespace="plugins"'
SERIES = Mapping[str, str]
# A release of which nothing can be said but that it is well.
HEALTHY: SERIES = {
    "up": "1x5000",
    'plugin_state{state="Ready"}': "1x5000",
    'plugin_state{state="Registering"}': "0x5000",
    'plugin_state{state="Degraded"}': "0x5000",
    "process_start_time_seconds": "1000x5000",
    'plugin_queue_depth{queue="ingest"}': "0x5000",
    'plugin_queue_depth{queue="ingest_bytes"}': "0x5000",
    'plugin_queue_depth{queue="erasure"}': "0x5000",
    "plugin_count_lag_seconds": "2x5000",
    "plugin_rollup_drift": "0x5000",
}
PARTS = ["Meaning", "Impact", "Look", "Remedy"]  # of a runbook
CRITICAL, WARNING = "critical", "warning"
Firing = set[tuple[str, str]]
ERRORS: Firing = {("PluginErrorBudgetBurn", CRITICAL), ("PluginErrorBudgetBurn", WARNING)}
SLOW: Firing = {("PluginLatencyBudgetBurn", CRITICAL), ("PluginLatencyBudgetBurn", WARNING)}


@dataclass(frozen=True)
class Case:
    """What is scraped each minute, and all that fires at some moments of it."""

    series: SERIES
    firing: Mapping[str, Firing]
    missing: str = ""


def calls(status: str, values: str, route: str = "/v1/data/overview") -> dict[str, str]:
    return {f'plugin_http_requests_total{{route="{route}",status="{status}"}}': values}


def control(values: str, quick: str) -> dict[str, str]:
    """Return calls to a control endpoint, and those of them within the objective."""
    name, where = "plugin_http_request_duration_seconds", 'route="/v1/jobs/run"'
    return {f"{name}_count{{{where}}}": values, f'{name}_bucket{{{where},le="0.2"}}': quick}


def warns(name: str) -> Firing:
    return {(name, WARNING)}


def runs(outcome: str, values: str) -> dict[str, str]:
    """Return runs of a job, whose name the target's own `job` has pushed aside."""
    labels = f'exported_job="retention.purge",outcome="{outcome}"'
    return {f"plugin_job_runs_total{{{labels}}}": values}


def state(name: str) -> dict[str, str]:
    return {'plugin_state{state="Ready"}': "0x200", f'plugin_state{{state="{name}"}}': "1x200"}


INGEST = "/v1/webhooks/ingest"
CASES: Mapping[str, Case] = {
    "all is well": Case(calls("200", "0+60x120"), {"1h10m": set()}),
    "a tenth of the calls fails, and then none": Case(
        {**calls("200", "0+90x200"), **calls("500", "0+10x60 600x140")},
        {"1h": ERRORS, "1h40m": warns("PluginErrorBudgetBurn")},
    ),
    "probes do not hide an outage": Case(
        {**calls("200", "0+16x120", "/readyz"), **calls("500", "0+1x120")}, {"1h": ERRORS}
    ),
    "the remote's files do not hide an outage": Case(
        {**calls("200", "0+99x120", "/mf/{name}"), **calls("500", "0+1x120")}, {"1h": ERRORS}
    ),
    "a refusal is no failure": Case(calls("403", "0+10x120"), {"1h10m": set()}),
    "few calls tell no share": Case(
        calls("500", "0x20 1x20 2x20 3x20 4x20 5x20"), {"1h": set(), "2h": set()}
    ),
    "another release fails": Case(
        {'plugin_http_requests_total{job="other",route="/v1/x",status="500"}': "0+9x120"},
        {"1h10m": set()},
    ),
    "a fifth of the control calls is slow": Case(
        control("0+10x120", "0+8x120"), {"1h": warns("PluginLatencyBudgetBurn")}
    ),
    "most control calls are slow": Case(control("0+10x120", "0+2x120"), {"1h": SLOW}),
    "slow reports are no slow control calls": Case(
        {
            name.replace("/v1/jobs/run", "/v1/data/overview"): values
            for name, values in control("0+10x120", "0+2x120").items()
        },
        {"1h10m": set()},
    ),
    "no pod answers": Case(
        {"up": "1x10 0x30"},
        {"15m": set(), "17m": {("PluginDown", CRITICAL)}, "30m": {("PluginDown", CRITICAL)}},
    ),
    "no pod is there": Case({}, {"4m": set(), "6m": {("PluginDown", CRITICAL)}}, missing="up"),
    "one of two pods answers": Case({'up{instance="b"}': "0x60"}, {"1h": set()}),
    "a pod restarts again and again": Case(
        {"process_start_time_seconds": "1x14 2x14 3x14 4x120"},
        {"40m": set(), "50m": warns("PluginRestarts"), "2h": set()},
    ),
    "core does not know the plugin": Case(
        state("Registering"), {"14m": set(), "16m": warns("PluginNotRegistered")}
    ),
    "core has switched the plugin off": Case(state("Disabled"), {"1h10m": set()}),
    "a check has a reservation": Case(
        state("Degraded"), {"9m": set(), "11m": warns("PluginDegraded")}
    ),
    "a fault that nobody foresaw": Case(
        {'plugin_errors_total{kind="internal"}': "_x30 1x120"},
        {"29m": set(), "32m": warns("PluginInternalErrors"), "2h": set()},
    ),
    "a call that took too long is no fault": Case(
        {'plugin_errors_total{kind="timeout"}': "0+1x120"}, {"1h10m": set()}
    ),
    "a job fails for the first time": Case(
        runs("failed", "_x30 1x300"),
        {"29m": set(), "32m": warns("PluginJobFailing"), "4h": set()},
    ),
    "a job fails again": Case(runs("failed", "3x30 4x300"), {"29m": warns("PluginJobFailing")}),
    "a job fails while another succeeds": Case(
        {
            **runs("failed", "_x30 1x60"),
            'plugin_job_runs_total{exported_job="rollup.refresh",outcome="succeeded"}': "0+1x90",
        },
        {"32m": warns("PluginJobFailing")},
    ),
    "a job fails and then succeeds": Case(
        {**runs("interrupted", "_x30 1x300"), **runs("succeeded", "_x40 1x300")},
        {"32m": warns("PluginJobFailing"), "42m": set()},
    ),
    "the disk is full": Case(
        {**calls("503", "0+10x60", INGEST), **calls("200", "0+1x60", INGEST)},
        {"4m": ERRORS, "30m": {*ERRORS, ("PluginIngestFailing", CRITICAL)}},
    ),
    "a delivery in twenty is put off": Case(
        {**calls("503", "0+1x60", INGEST), **calls("200", "0+19x60", INGEST)},
        {"30m": ERRORS},
    ),
    "the secrets differ": Case(
        {**calls("401", "0+9x60", INGEST), **calls("200", "0+1x60", INGEST)},
        {"9m": set(), "20m": warns("PluginDeliveriesRefused")},
    ),
    "a tenth of the events is set aside": Case(
        {
            'plugin_events_total{type="a",outcome="accepted"}': "0+90x120",
            'plugin_events_total{type="a",outcome="quarantined"}': "0+10x120",
        },
        {"20m": set(), "40m": warns("PluginQuarantineGrows")},
    ),
    "an event in fifty is set aside": Case(
        {
            'plugin_events_total{type="a",outcome="accepted"}': "0+98x120",
            'plugin_events_total{type="a",outcome="quarantined"}': "0+2x120",
        },
        {"2h": set()},
    ),
    "rows wait for the disk": Case(
        {'plugin_queue_depth{queue="ingest"}': "0x10 30000x30"},
        {"12m": set(), "20m": warns("PluginIngestBacklog")},
    ),
    "bytes wait for the disk": Case(
        {'plugin_queue_depth{queue="ingest_bytes"}': "5000000x30"},
        {"4m": set(), "20m": warns("PluginIngestBacklog")},
    ),
    "commits are slow": Case(
        {
            'plugin_store_commit_seconds_bucket{le="0.5"}': "0+9x60",
            'plugin_store_commit_seconds_bucket{le="1"}': "0+10x60",
            'plugin_store_commit_seconds_bucket{le="+Inf"}': "0+10x60",
        },
        {"14m": set(), "20m": warns("PluginStoreSlow")},
    ),
    "commits are quick": Case(
        {
            'plugin_store_commit_seconds_bucket{le="0.5"}': "0+10x60",
            'plugin_store_commit_seconds_bucket{le="1"}': "0+10x60",
            'plugin_store_commit_seconds_bucket{le="+Inf"}': "0+10x60",
        },
        {"1h": set()},
    ),
    "the loop is held": Case(
        {
            'plugin_event_loop_lag_seconds_bucket{le="0.25"}': "0+117x60",
            'plugin_event_loop_lag_seconds_bucket{le="0.5"}': "0+120x60",
            'plugin_event_loop_lag_seconds_bucket{le="+Inf"}': "0+120x60",
        },
        {"9m": set(), "20m": warns("PluginLoopHeld")},
    ),
    "the loop is late now and then": Case(
        {
            'plugin_event_loop_lag_seconds_bucket{le="0.25"}': "0+119x60",
            'plugin_event_loop_lag_seconds_bucket{le="0.5"}': "0+120x60",
            'plugin_event_loop_lag_seconds_bucket{le="+Inf"}': "0+120x60",
        },
        {"1h": set()},
    ),
    "nothing counts": Case(
        {"plugin_count_lag_seconds": "0+60x60"}, {"10m": set(), "20m": warns("PluginCountsLag")}
    ),
    "counts differ": Case(
        {"plugin_rollup_drift": "0x10 3x60"}, {"12m": set(), "20m": warns("PluginCountsDrift")}
    ),
    "somebody waits to be forgotten": Case(
        {'plugin_queue_depth{queue="erasure"}': "0x10 1x120"},
        {"1h": set(), "1h15m": warns("PluginErasureOverdue")},
    ),
    "wishes come and are fulfilled": Case(
        {'plugin_queue_depth{queue="erasure"}': "1x30 0 1x30 0 1x30 0 1x30"}, {"2h": set()}
    ),
}
# Three days at one scrape a minute take the tool a while.
LONG: Mapping[str, Case] = {
    "within the objective for three days": Case(
        {
            **calls("200", "0+996x4400"),
            **calls("500", "0+4x4400"),
            **control("0+100x4400", "0+96x4400"),
        },
        {"3d": set()},
    ),
    "just over the objective for three days": Case(
        {
            **calls("200", "0+993x4400"),
            **calls("500", "0+7x4400"),
            **control("0+100x4400", "0+93x4400"),
        },
        {"3d": {("PluginErrorBudgetBurn", WARNING), ("PluginLatencyBudgetBurn", WARNING)}},
    ),
    "a few bad minutes at the end of three good days": Case(
        {
            **calls("200", "0+100x4312 431240+40x88"),
            **calls("500", "0x4312 60+60x88"),
            **control("0+100x4400", "0+100x4276 427600x124"),
        },
        {"3d": {("PluginErrorBudgetBurn", CRITICAL), ("PluginLatencyBudgetBurn", CRITICAL)}},
    ),
}


SOURCE: Object = yaml.safe_load((CHART / "files/rules.yaml").read_text("utf-8"))


def installed() -> Object:
    """Return the object with the rules of a release whose Service is called `plugin`."""
    return render({**MATRIX["everything"], "fullnameOverride": "plugin"}).one("PrometheusRule")


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = ["promtool", *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("no promtool on this machine (Debian: prometheus)")


def alerts() -> list[Object]:
    return [rule for group in SOURCE["groups"] for rule in group["rules"] if "alert" in rule]


def of_target(series: str) -> str:
    """Return *series* with the labels that every series of a target has."""
    name, _, labels = series.removesuffix("}").partition("{")
    own = "" if "job=" in labels.replace("exported_job=", "") else 'job="plugin",'
    more = "," + labels if labels else ""
    return f'{name}{{{own}namespace="{NAMESPACE}"{more}}}'


def firing_at(moment: str, firing: Firing) -> Object:
    """Say that these alerts fire then, and no others."""
    expected = [
        {"labels": f'{{alertname="{name}",severity="{severity}"}}', "value": 1}
        for name, severity in sorted(firing)
    ]
    expr = 'group by (alertname, severity) (ALERTS{alertstate="firing"})'
    return {"expr": expr, "eval_time": moment, "exp_samples": expected}


def told(name: str, case: Case) -> Object:
    """Return a case in the form that promtool reads."""
    series = {**HEALTHY, **case.series}
    series.pop(case.missing, None)
    return {
        "name": name,
        "interval": "1m",
        "input_series": [
            {"series": of_target(called), "values": values} for called, values in series.items()
        ],
        "promql_expr_test": [firing_at(*expected) for expected in case.firing.items()],
    }


def outcome_of(
    cases: Mapping[str, Case], rules: Path, *, evaluated: str = "1m"
) -> subprocess.CompletedProcess[str]:
    """Tell promtool all cases at once: its start takes longer than a case."""
    document = {
        "rule_files": [str(rules)],
        # Otherwise in any order, and an alert might look before its shares are recorded.
        "group_eval_order": [group["name"] for group in SOURCE["groups"]],
        "evaluation_interval": evaluated,
        "tests": [told(name, case) for name, case in cases.items()],
    }
    file = rules.with_name("cases.yaml")
    file.write_text(yaml.safe_dump(document), "utf-8")
    return promtool("test", "rules", file)


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """Write what the chart installs as a file that promtool reads."""
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump(installed()["spec"]), "utf-8")
    return file


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_alerts_fire_exactly_then(rules: Path) -> None:
    """At each moment of each story the alerts that are named fire, and no others do."""
    done = outcome_of(CASES, rules)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_slow_burn_is_told_from_none_and_from_a_fast_one(rules: Path) -> None:
    """Over three days 0.4 % is silent and 0.7 % a warning; minutes of an outage are critical alone."""
    done = outcome_of(LONG, rules, evaluated="1h")

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_a_wrong_expectation_is_noticed(rules: Path) -> None:
    """An alert that is expected and does not fire is a failure, and so is one that fires unasked."""
    quiet = Case({}, {"10m": {("PluginDown", CRITICAL)}})
    loud = Case({"up": "0x60"}, {"10m": set()})

    assert outcome_of({"quiet": quiet}, rules).returncode == 1
    assert outcome_of({"loud": loud}, rules).returncode == 1


@pytest.mark.slow
@pytest.mark.parametrize("file", ["as it stands", "as it is installed"])
def test_prometheus_reads_the_rules(file: str, rules: Path) -> None:
    """The source is a file of rules by itself, and what is made of it stays one."""
    path = CHART / "files/rules.yaml" if file == "as it stands" else rules
    done = promtool("check", "rules", "--lint=all", "--lint-fatal", path)

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_runbook() -> None:
    """Each alert has a section under the anchor that it names, and no section is of none."""
    page = (ROOT / "docs/runbooks.md").read_text("utf-8")
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL))

    assert list(sections) == list(dict.fromkeys(rule["alert"] for rule in alerts()))
    for name, section in sections.items():
        assert re.findall(r"^\*\*(\w+)\.\*\* \S", section, re.MULTILINE) == PARTS, name
    assert set(re.findall(r"\(#(\w+)\)", page)) <= {name.lower() for name in sections}


def test_every_alert_has_a_story_in_which_it_fires() -> None:
    """No alert is only ever seen silent."""
    known = {(rule["alert"], rule["labels"]["severity"]) for rule in alerts()}
    cases = (*CASES.values(), *LONG.values())
    seen = {one for case in cases for firing in case.firing.values() for one in firing}

    assert seen == known


def test_the_rules_are_those_of_one_release() -> None:
    """Every selector names the release's own target, so that two releases never mix."""
    source = SOURCE["groups"]
    groups = installed()["spec"]["groups"]
    exprs = [rule["expr"] for group in groups for rule in group["rules"]]

    assert len(exprs) == len([rule for group in source for rule in group["rules"]])
    assert all(f'job="plugin",namespace="{NAMESPACE}"' in expr for expr in exprs)
    assert not any("$" in expr for expr in exprs)


def test_an_alert_tells_what_where_and_what_to_do() -> None:
    """Each has a severity, two sentences and the address of its runbook."""
    for group in installed()["spec"]["groups"]:
        for rule in (one for one in group["rules"] if "alert" in one):
            notes: dict[str, Any] = rule["annotations"]
            assert rule["labels"]["severity"] in {CRITICAL, WARNING}
            assert set(notes) == {"summary", "description", "runbook_url"}
            assert notes["runbook_url"] == (
                f"https://handbook.example/runbooks#{rule['alert'].lower()}"
            )
            assert "$labels.job" in notes["description"]


@pytest.mark.parametrize(
    ("knows", "count"), [((), 0), (("monitoring.coreos.com/v1/PrometheusRule",), 1)]
)
def test_rules_stand_where_their_kind_is_known(knows: tuple[str, ...], count: int) -> None:
    """A cluster without the operator gets an install that works, and nobody gets them unasked."""
    asked = render({"prometheusRule": {"enabled": True}}, knows=knows)

    assert len(asked.of_kind("PrometheusRule")) == count
    assert render(knows=knows).of_kind("PrometheusRule") == []


def test_the_rules_carry_the_labels_that_the_operator_selects_by() -> None:
    """The operator takes only objects with its own labels."""
    assert installed()["metadata"]["labels"]["release"] == "prometheus"
