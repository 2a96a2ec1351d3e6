"""A run is judged by the bars of the design, and kept so that the next can be held against it."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from bench import page, results, table
from bench.bars import bars_for
from bench.findings import Findings
from bench.plan import STANDARD
from bench.plot import Field, Line, draw, short
from bench.results import KEYS, history, keep, latest, ratios, result_of

FIGURES: Mapping[str, Any] = {
    "ingest_batch_events_per_s": 18_000,
    "ingest_batch_ordered_events_per_s": 15_000,
    "ingest_batch_vs_store_ratio": 0.6,
    "ingest_single_requests_per_s": {"whole": 3_600, "sampled": 4_000},
    "ingest_single_p99_ms": {"whole": 40.0, "sampled": 60.0},
    "report_p95_ms": {"60000": {"overview": 2.0}, "2000000": {"overview": 5.0, "series": 19.0}},
    "report_changed_ms": {"overview": 8.0, "series": 9.0},
    "report_cold_ms": {"overview": 30.0},
    "control_p95_ms_under_load": {"/manifest": 2.0, "/register": 9.0},
    "start_to_ready_s": {"empty": 0.9, "filled": 1.2},
    "rss_idle_mib": 90.0,
    "rss_load_mib": 300.0,
    "bytes_per_event": 210.5,
    "refresh_events_per_s": 21_000,
    "ui_gzip_kb": {"remoteEntry": 4.0, "panel": 9.0, "page": 11.0},
}
GROWTH = [
    {
        "events": size,
        "rows": size + 100,
        "filled_events_per_s": speed,
        "bytes_per_event": 200,
        "counted": slowest < 19,
        "slowest_report_p95_ms": slowest,
        "median_report_p95_ms": 1.5,
    }
    for size, speed, slowest in ((60_000, 20_000, 3.0), (2_000_000, None, 19.0))
]


@pytest.fixture
def result() -> dict[str, Any]:
    """Return a run that has met some bars, missed some, and left one out."""
    findings = Findings(figures=dict(FIGURES), growth=GROWTH)
    findings.hold("ingest_batch", ids="UUIDv4", plugin_events_per_s=[1, 2000], settings={})
    findings.skip("erasure_s", "the plugin has no such job")
    return result_of(STANDARD, findings)


def verdicts(result: Mapping[str, Any]) -> dict[str, str]:
    return {row[0]: row[3] for row in table.rows(result)}


def test_every_key_is_there_also_without_a_figure(result: dict[str, Any]) -> None:
    """Who reads the file by its keys never misses one."""
    assert set(KEYS) <= set(result)
    assert result["erasure_s"] is None
    assert result["skipped"] == {"erasure_s": "the plugin has no such job"}


def test_every_bar_looks_at_a_key_that_is_kept() -> None:
    """A bar whose key nobody writes would never be missed."""
    assert {bar.key for bar in bars_for(STANDARD.sizes)} <= set(KEYS)


def test_figures_stand_beside_their_bars(result: dict[str, Any]) -> None:
    """Of several figures the worst one counts."""
    found = verdicts(result)

    assert found["batches of 500, random ids"] == "met"
    assert found["batches of 500, time-ordered ids"] == "MISSED"
    assert found["one event per request, p99"] == "MISSED"
    assert found["slowest report at 2,000,000 events, p95"] == "met"
    assert found["control endpoints at half the ingest rate, p95"] == "met"
    assert found["memory, under load"] == "MISSED"
    assert found["a storyteller forgotten, end to end"] == "the plugin has no such job"
    assert "slowest report at 9,000,000 events, p95" not in found


def test_ratios_say_by_how_much(result: dict[str, Any]) -> None:
    """More than one is met, whichever way the bar points; what was not measured has none."""
    found = ratios(result)

    assert found["ingest_batch_events_per_s"] == 1.5
    assert found["ingest_batch_ordered_events_per_s"] == 0.5
    assert found["start_to_ready_s"] == 1.25
    assert found["report_p95_ms.2000000"] == 1.05
    assert "erasure_s" not in found


def test_the_history_has_a_line_for_each_commit_and_plan(
    result: dict[str, Any], tmp_path: Path
) -> None:
    """Measuring again replaces the line; nothing else is lost."""
    for change in ({"commit": "a"}, {"commit": "b"}, {"commit": "a", "rss_idle_mib": 55.0}):
        keep({**result, **change}, tmp_path)
    keep({**result, "commit": "a", "plan": "full"}, tmp_path)
    lines = history(tmp_path)

    assert [(line["commit"], line["plan"]) for line in lines] == [
        ("b", "standard"),
        ("a", "standard"),
        ("a", "full"),
    ]
    assert lines[1]["of_the_bar"]["rss_idle_mib"] == 2.0
    assert latest(tmp_path)["plan"] == "full"


def test_the_screen_shows_every_figure(result: dict[str, Any]) -> None:
    """One line each, and the reasons below."""
    text = table.screen(result)

    assert re.search(r"batches of 500, random ids +18,000 events/s +≥ 12,000 events/s +met", text)
    assert "not measured: erasure_s: the plugin has no such job" in text


def test_the_page_follows_from_the_result(result: dict[str, Any], tmp_path: Path) -> None:
    """It shows figures, growth, every report and the conditions; a changed one is noticed."""
    page.write(result, tmp_path)
    text = (tmp_path / page.PAGE).read_text()

    assert "| batches of 500, random ids | 18,000 events/s | ≥ 12,000 events/s | met |" in text
    assert "| 60 thousand | 60,100 | 3 | 1.5 | 200 | 20,000 | yes |" in text
    assert "| 2 million | 2,000,100 | 19 | 1.5 | 200 | - | no |" in text
    assert "| series | - | 19 | 9 | - |" in text
    assert "| ingest batch | ids UUIDv4, plugin events per s 1 · 2,000, settings none |" in text
    assert page.stale(result, tmp_path) == []
    (tmp_path / page.PICTURE).write_text("<svg/>")
    assert page.stale(result, tmp_path) == [page.PICTURE]


def test_the_committed_page_says_what_the_committed_result_says() -> None:
    """Nobody has edited one without the other."""
    assert page.stale(json.loads((results.FOLDER / results.LATEST).read_text())) == []


def test_the_picture_is_well_formed_and_holds_every_number() -> None:
    """Each point carries its value as text, so that colour alone tells nothing."""
    line = Line("slowest & best", "a", [(60_000, 3.5), (2_000_000, 1_234.0)])
    tree = ET.fromstring(draw([Field("Milliseconds", [line])], "It grows < twice"))
    words = [
        "".join(node.itertext()) for node in tree.iter() if node.tag.endswith(("text", "title"))
    ]

    assert {"3.5", "1,234", "60 thousand", "2 million", "Milliseconds"} <= set(words)
    assert words[0] == "It grows < twice"
    assert len([node for node in tree.iter() if node.tag.endswith("circle")]) == 2


@pytest.mark.parametrize(
    ("size", "words"), [(500, "500"), (60_000, "60 thousand"), (2_500_000, "2.5 million")]
)
def test_sizes_are_written_as_people_say_them(size: int, words: str) -> None:
    """An axis has no room for zeros."""
    assert short(size) == words


def test_no_result_names_a_machine(result: dict[str, Any]) -> None:
    """Processors and versions, no host and no path."""
    assert set(result["machine"]) == {"processors", "python", "sqlite", "system"}
