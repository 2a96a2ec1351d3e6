"""Say what came of the checks, for people and for programs, always in the same order."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mosaiclife_plugin_contract.registry import Level
from mosaiclife_plugin_contract.runner import Outcome, Result

MASK = "***"
SHORTEST_SECRET = 6
WIDTH = 14


@dataclass(frozen=True)
class Report:
    """The results of one run over one target."""

    mode: str
    target: str
    plugin: tuple[str, str]
    results: Sequence[Result]
    secrets: tuple[str, ...] = ()
    strict: bool = False

    @property
    def ordered(self) -> list[Result]:
        """Return the results by the ids of their checks."""
        return sorted(self.results, key=lambda result: result.check.order)

    def breaks(self, result: Result) -> bool:
        """Tell whether a result stands against the plugin: a SHOULD does when it is strict."""
        binding = self.strict or result.check.level is Level.MUST
        return result.outcome is Outcome.FAIL and binding

    def verdict(self, results: Iterable[Result]) -> str:
        """Return `failure`, `partial` when some rule was not looked for, or `success`."""
        found = list(results)
        if any(self.breaks(result) or result.outcome is Outcome.ERROR for result in found):
            return "failure"
        unseen = (Outcome.SKIPPED, Outcome.NOT_TESTABLE)
        return "partial" if any(one.outcome in unseen for one in found) else "success"

    @property
    def exit_code(self) -> int:
        """Return 0 for a plugin that conforms, 1 for violations, 4 for a fault of the kit."""
        if any(result.outcome is Outcome.ERROR for result in self.results):
            return 4
        return int(any(self.breaks(result) for result in self.results))

    def redacted(self, text: str) -> str:
        """Return *text* without any secret that the kit knows."""
        for word in sorted(self.secrets, key=len, reverse=True):
            if len(word) >= SHORTEST_SECRET:
                text = text.replace(word, MASK)
        return text


def as_document(report: Report) -> dict[str, Any]:
    """Return the report as JSON knows it; only `ms` differs between two equal runs."""
    profiles = sorted({result.check.profile for result in report.results})
    document = {
        "target": {
            "mode": report.mode,
            "name": report.target,
            "plugin": dict(zip(("name", "version"), report.plugin, strict=True)),
        },
        "profiles": [_profile(report, profile) for profile in profiles],
        "checks": [_entry(result) for result in report.ordered],
    }
    clean: dict[str, Any] = _redacted(report, document)
    return clean


def _redacted(report: Report, value: Any) -> Any:
    """Mask secrets in every string, before JSON can write them another way."""
    match value:
        case str():
            return report.redacted(value)
        case dict():
            return {key: _redacted(report, item) for key, item in value.items()}
        case list():
            return [_redacted(report, item) for item in value]
        case _:
            return value


def _profile(report: Report, profile: str) -> dict[str, Any]:
    results = [result for result in report.ordered if result.check.profile == profile]
    counts = Counter(result.outcome for result in results)
    return {
        "name": profile,
        "result": report.verdict(results),
        "statistics": {outcome.value: counts[outcome] for outcome in Outcome},
        "failed": [result.check.id for result in results if report.breaks(result)],
    }


def _entry(result: Result) -> dict[str, Any]:
    check, found = result.check, result.violation
    entry: dict[str, Any] = {
        "id": check.id,
        "title": check.title,
        "spec": check.spec,
        "level": check.level.value,
        "profile": check.profile,
        "feature": check.feature,
        "outcome": result.outcome.value,
        "ms": round(result.seconds * 1000),
    }
    if found:
        parts = {"rule": found.rule, "saw": found.saw, "expected": found.expected}
        entry["violation"] = {**parts, "hint": found.hint}
    if result.reason:
        entry["reason"] = result.reason
    return entry


def as_text(report: Report) -> str:
    """Return the report for a terminal: a line for each check, more where something is wrong."""
    name, version = report.plugin
    lines = [f"{name} {version} ({report.mode}: {report.target})", ""]
    for result in report.ordered:
        lines += _lines(result)
    counts = Counter(result.outcome for result in report.results)
    summary = ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome if counts[outcome])
    lines += ["", f"{report.verdict(report.results)}: {summary or 'no check ran'}"]
    return report.redacted("\n".join(lines))


def _lines(result: Result) -> list[str]:
    check = result.check
    where = f"[§{check.spec}]"
    head = f"{result.outcome:<{WIDTH}}  {check.id:<6} {where:<8} {check.level:<6}  {check.title}"
    more = []
    if found := result.violation:
        parts = [("rule", found.rule), ("saw", found.saw), ("expected", found.expected)]
        more = [(name, text) for name, text in [*parts, ("hint", found.hint)] if text]
    if result.reason:
        more.append(("why", result.reason))
    indent = " " * (WIDTH + 2)
    return [head, *(f"{indent}{name}: {text}" for name, text in more)]


def as_json(report: Report) -> str:
    """Return the report as the text of a file."""
    return json.dumps(as_document(report), indent=2, ensure_ascii=False) + "\n"
