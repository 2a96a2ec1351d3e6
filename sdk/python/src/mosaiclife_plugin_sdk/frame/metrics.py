"""Count and measure what every plugin must show (spec §14), in a registry per plugin."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import psutil
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

STATES = ("Installed", "Registering", "Ready", "Degraded", "Disabled")
# 0.2 s is the service level of the control endpoints (spec §14).
DURATIONS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0)
LAGS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
JOB_DURATIONS = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0)


class Metrics:
    """The families of the contract; a plugin adds its own to `registry`."""

    def __init__(self, name: str, version: str) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "plugin_http_requests",
            "Requests answered.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._durations = Histogram(
            "plugin_http_request_duration_seconds",
            "Time until a request was answered.",
            ["method", "route"],
            buckets=DURATIONS,
            registry=self.registry,
        )
        self._errors = Counter(
            "plugin_errors", "Faults of the plugin's own.", ["kind"], registry=self.registry
        )
        self._job_runs = Counter(
            "plugin_job_runs", "Job runs that ended.", ["job", "outcome"], registry=self.registry
        )
        self._job_durations = Histogram(
            "plugin_job_duration_seconds",
            "Time that job runs took.",
            ["job"],
            buckets=JOB_DURATIONS,
            registry=self.registry,
        )
        self.events = Counter(
            "plugin_events",
            "Events received, by what became of them.",
            ["type", "outcome"],
            registry=self.registry,
        )
        self.loop_lag = Histogram(
            "plugin_event_loop_lag_seconds",
            "Time by which the event loop was late.",
            buckets=LAGS,
            registry=self.registry,
        )
        self._queues = Gauge(
            "plugin_queue_depth", "Work that waits.", ["queue"], registry=self.registry
        )
        info = Gauge("plugin_info", "The plugin.", ["name", "version"], registry=self.registry)
        info.labels(name, version).set(1)
        self.registry.register(_Process())
        # Looking up a label set costs more than the count itself; these are few and known.
        self._by_answer: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def request_answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Note one answer; *route* is a template, never a path."""
        found = self._by_answer.get((method, route, status))
        if found is None:
            answers = self._requests.labels(method, route, str(status))
            found = answers, self._durations.labels(method, route)
            self._by_answer[method, route, status] = found
        answers, durations = found
        answers.inc()
        durations.observe(seconds)

    def error(self, kind: str) -> None:
        """Note a fault of the plugin's own."""
        self._errors.labels(kind).inc()

    def run_finished(self, job: str, outcome: str, seconds: float) -> None:
        """Note that a run of *job* ended."""
        self._job_runs.labels(job, outcome).inc()
        self._job_durations.labels(job).observe(seconds)

    def watch_queues(self, queues: Mapping[str, Callable[[], float]]) -> None:
        """Ask each queue for its depth at each scrape."""
        for queue, depth in queues.items():
            self._queues.labels(queue).set_function(depth)

    def watch_state(self, state: Callable[[], str]) -> None:
        """Ask for the plugin's state at each scrape: 1 for the present one, 0 for the others."""
        self.registry.register(_States(state))


class _States(Collector):
    def __init__(self, state: Callable[[], str]) -> None:
        self._state = state

    def collect(self) -> Iterable[Metric]:
        """Return one sample for each state."""
        present = self._state()
        family = GaugeMetricFamily("plugin_state", "The state of the plugin.", labels=["state"])
        for name in STATES:
            family.add_metric([name], float(name == present))
        yield family


class _Process(Collector):
    """Memory and processor time, on every system that psutil knows."""

    def __init__(self) -> None:
        self._process = psutil.Process()

    def collect(self) -> Iterable[Metric]:
        """Return the process's own figures."""
        with self._process.oneshot():
            used = self._process.cpu_times()
            cpu, memory = used.user + used.system, self._process.memory_info().rss
            started = self._process.create_time()
        yield CounterMetricFamily("process_cpu_seconds", "Processor time used.", value=cpu)
        yield GaugeMetricFamily(
            "process_resident_memory_bytes", "Memory in use.", value=float(memory)
        )
        yield GaugeMetricFamily(
            "process_start_time_seconds", "When the process began, in Unix time.", value=started
        )


def metrics_route(metrics: Metrics) -> HTTPRouteHandler:
    """Return `GET /metrics`, in the Prometheus or the OpenMetrics text format as asked."""
    text = {"schema": {"type": "string"}}
    content = {"text/plain": text, "application/openmetrics-text": text}

    @get(
        "/metrics",
        opt={"public": True, "content": content},
        # A plugin's own figures may be read from its store: requests must not wait for that.
        sync_to_thread=True,
        summary="Prometheus metrics",
    )
    def scrape(request: Request[Any, Any, Any]) -> Response[bytes]:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(metrics.registry), media_type=content_type)

    return scrape
