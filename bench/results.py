"""Keep what was found: the latest run whole, and of every commit a line of ratios."""

import json
import os
import platform
import sqlite3
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.bars import bars_for
from bench.findings import Findings
from bench.plan import Plan
from bench.statistics import rounded
from tools.workspace import ROOT

FOLDER = ROOT / "bench" / "results"
LATEST, HISTORY = "latest.json", "history.jsonl"
# What every run has to tell, or to say why it could not.
KEYS = (
    "ingest_batch_events_per_s",
    "ingest_batch_ordered_events_per_s",
    "ingest_batch_vs_store_ratio",
    "ingest_single_requests_per_s",
    "ingest_single_p99_ms",
    "report_p95_ms",
    "control_p95_ms_under_load",
    "start_to_ready_s",
    "rss_idle_mib",
    "rss_load_mib",
    "bytes_per_event",
    "refresh_events_per_s",
    "erasure_s",
    "ui_gzip_kb",
)

Result = Mapping[str, Any]


def result_of(plan: Plan, findings: Findings) -> dict[str, Any]:
    """Return a run as it is kept: each figure under its own key, None where it has none."""
    return {
        "plan": plan.name,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "machine": machine(),
        "sizes": list(plan.sizes),
        **{key: findings.figures.get(key) for key in KEYS},
        **{key: value for key, value in findings.figures.items() if key not in KEYS},
        "growth": findings.growth,
        "conditions": findings.conditions,
        "skipped": findings.skipped,
        "steps": findings.steps,
    }


def machine() -> dict[str, Any]:
    """Say on what was measured, without naming whose machine it is."""
    return {
        "processors": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "system": f"{platform.system()} {platform.machine()}",
    }


def commit() -> str:
    """Return the commit that was measured; a plus stands for changes that are in no commit."""
    short = _git("rev-parse", "--short=12", "HEAD")
    changed = _git("status", "--porcelain", "--", "backend", "sdk", "plugin.yaml")
    return short + ("+" if changed else "")


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else "unknown"


def judged(result: Result) -> list[tuple[Any, float | None]]:
    """Return every bar with its figure, None where that was not measured."""
    return [(bar, bar.value(result)) for bar in bars_for(tuple(result["sizes"]))]


def ratios(result: Result) -> dict[str, float]:
    """Return by how much each bar is met: numbers that another machine can be held against."""
    return {
        bar.name: rounded(bar.ratio(value)) for bar, value in judged(result) if value is not None
    }


def keep(result: Result, folder: Path = FOLDER) -> None:
    """Write the result, and its line into the history; a commit has one line for each plan."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / LATEST).write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    line = {
        "commit": result["commit"],
        "plan": result["plan"],
        "measured_at": result["measured_at"],
        "processors": result["machine"]["processors"],
        "ingest_batch_vs_store_ratio": result["ingest_batch_vs_store_ratio"],
        "of_the_bar": ratios(result),
    }
    same = (line["commit"], line["plan"])
    others = [old for old in history(folder) if (old["commit"], old["plan"]) != same]
    lines = [json.dumps(each, ensure_ascii=False) for each in [*others, line]]
    (folder / HISTORY).write_text("\n".join(lines) + "\n")


def latest(folder: Path = FOLDER) -> dict[str, Any]:
    """Return the result of the last run."""
    result: dict[str, Any] = json.loads((folder / LATEST).read_text())
    return result


def history(folder: Path = FOLDER) -> Sequence[dict[str, Any]]:
    """Return the lines of all commits that were measured, the oldest first."""
    file = folder / HISTORY
    return [json.loads(line) for line in file.read_text().splitlines()] if file.is_file() else []
