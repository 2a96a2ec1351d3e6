"""Write `docs/speed.md` and its picture from the result of the last run."""

from collections.abc import Mapping
from pathlib import Path

from bench import results, table
from bench.plan import FULL, QUICK, STANDARD
from bench.plot import Field, Line, Point, draw, short
from bench.results import Result
from tools.workspace import ROOT

PAGE, PICTURE = "speed.md", "pictures/speed.svg"
DOCS = ROOT / "docs"
NOTHING = "-"
TRIAL = "**A trial run: it shows that the bench works, and its figures mean little.** "
TEXT = """# How fast it is

<!-- Written by `./just bench` from bench/results/latest.json: change bench/page.py, not this page. -->

<!-- not run: it measures for {takes}, and for {takes_full} with `full` -->
```sh
./just bench
./just bench full
```

The process that is shipped, over HTTP, on the embedded database; nothing is switched off. The bars
are those that the project has set itself, for two processors. `bench/results/history.jsonl` keeps
a line for each commit that was measured, as shares of the bars, because machines differ and ratios
less so.

{headline}

{figures}

## How the cost grows

![{summary}](pictures/speed.svg)

{growth}

## Every report

The 95th percentile in milliseconds, warm, by the number of events; whether all of these had been
counted stands above. The plugin keeps an answer until something is written: *changed* is the middle
one of five calls, each the first after an event came in, at the last size. *Cold* is the very first
call after a start.

{reports}

## How it was measured

The events are made, 55 of 100 looks and the others acts that a circle sees: 300 legacies with
circles of lognormal size and one of 1,500 people, over five years. Filling follows the order of
time, as an import would; the measured windows run through the last 13 months in their order, with
one event in twenty up to five days late. Requests are written and signed before each window, in a
process of its own, while the plugin stands still. Batches are measured on a copy of the database,
which is thrown away; every other window begins when all that came before has been counted.

Plugin and *bare store* take turns. The bare store is the plugin's own `append`, fed with exactly
what the plugin would have handed to it (events, touched days, the recorded answer), on another
copy of the same database; while one of the two writes, the other is stopped. It has as many batches under
way as let it commit as many events at once as the plugin did; both numbers stand below. The ratio
is the middle one of all turns.

*Counting* is measured on what the bare store has left: a plugin is started on it, and the newest
counted event is watched.

{conditions}

{skipped}"""


def write(result: Result, docs: Path = DOCS) -> None:
    """Write the page and its picture."""
    for name, text in texts(result).items():
        (docs / name).parent.mkdir(parents=True, exist_ok=True)
        (docs / name).write_text(text, encoding="utf-8")


def stale(result: Result, docs: Path = DOCS) -> list[str]:
    """Return which of both say something else than *result*."""
    return [
        name
        for name, text in texts(result).items()
        if not (docs / name).is_file() or (docs / name).read_text(encoding="utf-8") != text
    ]


def texts(result: Result) -> Mapping[str, str]:
    """Return both files, as they should be."""
    summary = _summary(result)
    page = TEXT.format(
        takes=STANDARD.takes,
        takes_full=FULL.takes,
        headline=_headline(result),
        figures=table.markdown(table.HEAD, table.rows(result)),
        summary=summary,
        growth=_growth(result),
        reports=_reports(result),
        conditions=_conditions(result),
        skipped=_skipped(result),
    )
    return {PAGE: page.rstrip() + "\n", PICTURE: draw(_fields(result), summary)}


def _headline(result: Result) -> str:
    machine = result["machine"]
    trial = TRIAL if result["plan"] == QUICK.name else ""
    return trial + (
        f"Measured on {result['measured_at'][:10]} at commit `{result['commit']}`, plan"
        f" *{result['plan']}*: {machine['processors']} processors, {machine['system']}, Python"
        f" {machine['python']}, SQLite {machine['sqlite']}."
    )


def _summary(result: Result) -> str:
    growth = result["growth"]
    first, last = growth[0], growth[-1]
    return (
        f"From {short(first['events'])} to {short(last['events'])} events the slowest report goes"
        f" from {table.number(first['slowest_report_p95_ms'])} to"
        f" {table.number(last['slowest_report_p95_ms'])} milliseconds."
    )


def _fields(result: Result) -> list[Field]:
    """Return what is drawn: a quantity that was found at one size only has no growth."""
    fields = [
        Field(
            "Reports, p95 in milliseconds, by events stored",
            [
                Line("the slowest question", "b", _points(result, "slowest_report_p95_ms")),
                Line(
                    "the middle question", "a", _points(result, "median_report_p95_ms"), below=True
                ),
            ],
        ),
        Field(
            "Bytes on the disk for each event, with everything",
            [Line("bytes for each event", "a", _points(result, "bytes_per_event"))],
        ),
        Field(
            "Events taken in each second while the database grew to that size",
            [Line("events each second", "a", _points(result, "filled_events_per_s"))],
        ),
    ]
    return [field for field in fields if all(len(line.points) > 1 for line in field.lines)]


def _points(result: Result, key: str) -> list[Point]:
    return [(stage["events"], stage[key]) for stage in result["growth"] if stage.get(key)]


def _growth(result: Result) -> str:
    head = (
        *("events", "stored in fact", "slowest report, p95 ms", "middle report, p95 ms"),
        *("bytes for each event", "filled at events/s", "all counted when asked"),
    )
    keys = ("rows", "slowest_report_p95_ms", "median_report_p95_ms", "bytes_per_event")
    lines = [
        [
            short(stage["events"]),
            *(table.number(stage[key]) for key in keys),
            NOTHING
            if stage["filled_events_per_s"] is None
            else f"{stage['filled_events_per_s']:,}",
            "yes" if stage["counted"] else "no",
        ]
        for stage in result["growth"]
    ]
    return table.markdown(head, lines)


def _reports(result: Result) -> str:
    by_size = result["report_p95_ms"] or {}
    once = [result.get(key) or {} for key in ("report_changed_ms", "report_cold_ms")]
    names = list(dict.fromkeys(name for found in by_size.values() for name in found))
    head = ["question", *(short(int(size)) for size in by_size), "changed", "cold"]
    lines = [
        [name, *(_cell(found.get(name)) for found in (*by_size.values(), *once))] for name in names
    ]
    return table.markdown(head, lines)


def _cell(value: float | None) -> str:
    return NOTHING if value is None else table.number(value)


def _conditions(result: Result) -> str:
    lines = [
        [name.replace("_", " "), table.words(conditions)]
        for name, conditions in result["conditions"].items()
    ]
    return table.markdown(("figure", "conditions"), lines)


def _skipped(result: Result) -> str:
    if not result["skipped"]:
        return ""
    lines = [[name, reason] for name, reason in result["skipped"].items()]
    return "## Not measured\n\n" + table.markdown(("what", "why"), lines)


def main() -> None:
    """Write both again from the last result."""
    write(results.latest())


if __name__ == "__main__":
    main()
