"""Measure what readers wait for, at each size of the database."""

import uuid
from datetime import UTC, datetime
from typing import Any

from bench.events import TENANT, Legacy
from bench.plugin import database_bytes
from bench.questions import Question, questions
from bench.site import Site
from bench.statistics import median, percentile, rounded

CHANGES = 5


def grow(site: Site, size: int) -> None:
    """Deliver until *size* events are in, and wait until they are counted."""
    missing = size - site.rows
    speed = site.fill(missing) if missing > 0 else None
    counted = site.settle()
    site.findings.growth.append(
        {
            "events": size,
            "rows": site.rows,
            "filled_events_per_s": None if speed is None else round(speed),
            "bytes_per_event": round(database_bytes(site.database) / site.rows),
            "counted": counted,
        }
    )


def ask_warm(site: Site, size: int) -> None:
    """Ask every question many times, where all that is in has been counted."""
    timings = _ask(site, site.plan.calls)
    p95 = {name: rounded(percentile(times, 0.95)) for name, times in timings.items()}
    site.findings.found_part("report_p95_ms", str(size), p95)
    slowest = max(p95, key=lambda name: p95[name])
    stage = site.findings.growth[-1]
    stage["slowest_report_p95_ms"] = p95[slowest]
    stage["median_report_p95_ms"] = rounded(percentile(list(p95.values()), 0.5))
    site.progress.note(f"{len(p95)} questions; the slowest is {slowest}: p95 {p95[slowest]} ms")
    beside = [each["events"] for each in site.findings.growth if not each["counted"]]
    site.findings.hold("reports", calls_per_question=site.plan.calls, connections=1)
    site.findings.hold("reports", beside_a_backlog_at=beside or "no size")


def ask_changed(site: Site) -> None:
    """Ask every question once after each of a few events: no answer that was kept will do."""
    found: dict[str, list[float]] = {}
    for _ in range(CHANGES):
        site.deliver(_look(site.world.busiest))
        site.settle()
        for name, times in _ask(site, 1).items():
            found.setdefault(name, []).extend(times)
    changed = {name: rounded(median(times)) for name, times in found.items()}
    site.findings.found("report_changed_ms", changed)
    site.findings.hold("reports_changed", rows=site.rows, calls_per_question=CHANGES)
    slowest = max(changed, key=lambda name: changed[name])
    site.progress.note(f"after a change the slowest is {slowest}: {changed[slowest]} ms")


def _look(legacy: Legacy) -> dict[str, Any]:
    """Return an event that changes no count, but what is stored."""
    return {
        "id": str(uuid.uuid4()),
        "type": "legacy.viewed",
        "version": 1,
        "occurred_at": datetime.now(UTC).isoformat(),
        "tenant_id": TENANT,
        "actor_id": f"user:{legacy.people[0]}",
        "resource": {"kind": "legacy", "id": legacy.id},
        "payload": {"legacy_id": legacy.id},
    }


def ask_cold(site: Site) -> None:
    """Ask every question once; the plugin has just been started."""
    timings = _ask(site, 1)
    cold = {name: rounded(times[0]) for name, times in timings.items()}
    site.findings.found("report_cold_ms", cold)
    site.findings.hold("reports_cold", rows=site.rows, calls_per_question=1)
    site.progress.note(f"the first questions after a start: at most {max(cold.values())} ms")


def _ask(site: Site, repeats: int) -> dict[str, list[float]]:
    """Return the timings of the questions that the plugin can answer."""
    asked = questions(site.world)
    answers = site.ask([question.wire() for question in asked], repeats)
    timings = {}
    for question, answer in zip(asked, answers, strict=True):
        if answer["refused"]:
            site.findings.skip(f"report_p95_ms: {question.name}", _reason(site, question))
        else:
            timings[question.name] = answer["milliseconds"]
    return timings


def _reason(site: Site, question: Question) -> str:
    status, body = site.fetch(question.wire())
    return f"the plugin answers {status} {body.get('error', {}).get('code', '')}".strip()
