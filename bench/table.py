"""Write figures beside their bars, for a screen and for a page."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.bars import Bar
from bench.results import Result, judged

HEAD = ("what", "measured", "bar", "")
Row = tuple[str, str, str, str]
# Figures without a bar, told all the same.
OTHERS = {
    "bytes_per_event": ("the database, all tables, for each event", "bytes"),
    "refresh_events_per_s": ("events counted, alone", "events/s"),
}


def rows(result: Result) -> list[Row]:
    """Return every figure as words, with its bar and whether it is met."""
    told = [_row(result, bar, value) for bar, value in judged(result)]
    for key, (words, unit) in OTHERS.items():
        value = result.get(key)
        measured = "not measured" if value is None else f"{value:,g} {unit}"
        told.append((words, measured, "", ""))
    return told


def _row(result: Result, bar: Bar, value: float | None) -> Row:
    if value is None:
        return (bar.words, "not measured", bar.target(), result["skipped"].get(bar.key, ""))
    verdict = "met" if bar.met(value) else "MISSED"
    return (bar.words, f"{number(value)} {bar.unit}".rstrip(), bar.target(), verdict)


def number(value: float) -> str:
    """Write a figure with the digits that mean something."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,g}"


def screen(result: Result) -> str:
    """Return the table as aligned lines."""
    lines = [HEAD, *rows(result)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    text = [
        f"{what:<{widths[0]}}  {measured:>{widths[1]}}  {bar:>{widths[2]}}  {verdict}".rstrip()
        for what, measured, bar, verdict in lines
    ]
    missing = [f"not measured: {name}: {why}" for name, why in result["skipped"].items()]
    return "\n".join([text[0], "-" * max(map(len, text)), *text[1:], *_folded(missing)])


def _folded(lines: Sequence[str], most: int = 12) -> list[str]:
    rest = len(lines) - most
    return [*lines[:most], *([f"… and {rest} more, in the result file"] if rest > 0 else [])]


def markdown(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a table for a page."""
    rule = ["---"] * len(head)
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, rule, *lines])


def words(conditions: Mapping[str, Any]) -> str:
    """Write conditions as one line."""
    return ", ".join(
        f"{key.replace('_', ' ')} {_value(value)}" for key, value in conditions.items()
    )


def _value(value: Any) -> str:
    if isinstance(value, list):
        return " · ".join(map(_value, value))
    if isinstance(value, dict):
        return " ".join(f"{key}={_value(part)}" for key, part in value.items()) or "none"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number(value)
    return str(value)
