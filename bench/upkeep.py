"""Measure the process around the events: starting, memory, control, counting, forgetting."""

import time
import uuid
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from bench import bundle
from bench.deliveries import BATCH
from bench.events import TENANT
from bench.ingest import Copies
from bench.plugin import database_bytes
from bench.site import Site
from bench.statistics import median, percentile, rounded
from tools.build import REMOTE, build
from tools.workspace import ToolFailed

CONTROL = (("GET", "/manifest"), ("POST", "/register"), ("GET", "/v1/jobs"))
CONTROL_PER_SECOND = 30.0
IDLE_SECONDS = 2.0
ERASURE, NEWEST_RUNS = "erasure.process", 100
Run = Mapping[str, Any]


def weigh_interface(site: Site) -> None:
    """Weigh what a browser fetches of the remote, built as it is released."""
    try:
        build(REMOTE)
        sizes = bundle.sizes(REMOTE.product)
    except (bundle.NotBuilt, ToolFailed) as missing:
        site.findings.skip("ui_gzip_kb", str(missing).splitlines()[0])
        return
    site.findings.found("ui_gzip_kb", {part: rounded(size) for part, size in sizes.items()})


def start_empty(site: Site) -> None:
    """Start on an empty database, and see what an idle plugin takes."""
    site.open()  # makes the database; what follows is a start as it is every day
    measure_starts(site, "empty", [])
    time.sleep(IDLE_SECONDS)
    site.findings.found("rss_idle_mib", rounded(site.plugin.rss_mib()))


def measure_starts(site: Site, database: str, taken: list[float]) -> None:
    """Start again and again; *taken* are the seconds of starts that were needed anyway."""
    while len(taken) < site.plan.starts:
        taken = [*taken, site.restart()]
    site.findings.found_part("start_to_ready_s", database, rounded(median(taken)))
    site.findings.hold(f"start_{database}", starts=len(taken), rows=site.rows)


def measure_control(site: Site) -> None:
    """Ask the control endpoints while ingest runs at half of what it can do."""
    site.settle()
    plan, figures = site.plan, site.findings.figures
    half = figures.get("ingest_batch_events_per_s", site.speed["uuid4"]) / 2
    per_second = max(half / BATCH, 1.0)
    events = round(per_second * plan.control_seconds + plan.connections) * BATCH
    site.make_ready("uuid4", events)
    repeats = max(round(plan.control_seconds * CONTROL_PER_SECOND / len(CONTROL)), 1)
    with ThreadPoolExecutor(1) as beside:
        ingest = beside.submit(site.send, plan.connections, plan.control_seconds, per_second)
        answers = site.ask([list(question) for question in CONTROL], repeats, CONTROL_PER_SECOND)
        done = ingest.result()
    for (_, path), answer in zip(CONTROL, answers, strict=True):
        p95 = rounded(percentile(answer["milliseconds"], 0.95))
        site.findings.found_part("control_p95_ms_under_load", path, p95)
    achieved = round(done["events"] / done["seconds"])
    site.findings.hold("control", ingest_events_per_s=achieved, calls_per_endpoint=repeats)


def measure_refresh(site: Site, copies: Copies) -> None:
    """Start a plugin on what the bare store has written and nobody has counted."""
    copies.store.call("close")
    site.plugin.kill()
    site.open(copies.bare)
    began, first = time.perf_counter(), _counted(site, copies)
    ended, last = began, first
    waiting = sum(number for _, number in copies.received)
    while last < waiting and ended - began < site.plan.refresh_seconds:
        time.sleep(0.2)
        ended, last = time.perf_counter(), _counted(site, copies)
    if last > first:
        site.findings.found("refresh_events_per_s", round((last - first) / (ended - began)))
        site.findings.hold("refresh", events=last - first, seconds=round(ended - began, 1))
    else:
        reason = f"nothing was counted in {ended - began:.0f} s of {waiting - first:,} events"
        site.findings.skip("refresh_events_per_s", reason)


def _counted(site: Site, copies: Copies) -> int:
    """Return how many of the bare store's events came no later than the newest counted one."""
    watermark = site.freshness()[1]
    micros = 0 if watermark is None else round(watermark.timestamp() * 1_000_000)
    return sum(number for moment, number in copies.received if moment <= micros)


def measure_erasure(site: Site) -> None:
    """Let a storyteller of the largest circle be forgotten, and wait until that is done.

    Not the first of them, who began the legacy: it would go with them, and a third of all events.
    """
    site.settle()
    before = {run["runId"] for run in site.runs(ERASURE, NEWEST_RUNS)}
    began = time.perf_counter()
    site.deliver(_farewell(site.world.busiest.people[1]))
    done = site.until(
        lambda: fulfilled(site.runs(ERASURE, NEWEST_RUNS), before), site.plan.erasure_seconds
    )
    if done is None:
        site.findings.skip("erasure_s", f"not done after {site.plan.erasure_seconds:.0f} s")
        return
    site.findings.found("erasure_s", rounded(time.perf_counter() - began))
    site.findings.hold("erasure", rows=site.rows, result=done["result"], state=done["state"])


def _farewell(person: str) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "type": "user.deleted",
        "version": 1,
        "occurred_at": datetime.now(UTC).isoformat(),
        "tenant_id": TENANT,
        "actor_id": "service:core",
        "resource": {"kind": "user", "id": person},
        "payload": {"user_id": person},
    }


def fulfilled(runs: Sequence[Run], before: Collection[str]) -> Run | None:
    """Return the run that has forgotten somebody since: one that found nothing to do is none."""
    ended = (run for run in runs if run["runId"] not in before and run["result"])
    return next((run for run in ended if run["result"]["erased"]), None)


def finish(site: Site) -> None:
    """Stop the plugin, and weigh what it leaves on the disk."""
    site.findings.found("rss_load_mib", rounded(site.most_rss))
    site.plugin.stop()
    size = database_bytes(site.database)
    site.findings.found("bytes_per_event", round(size / site.rows, 1))
    site.findings.hold("bytes", rows=site.rows, bytes=size)
