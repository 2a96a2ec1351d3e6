"""The command refuses what it does not know, and a run leaves what it measured and nothing else."""

import io
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from bench import page
from bench.__main__ import parse, temporary_folder
from bench.findings import Findings
from bench.plan import FULL, PLANS, QUICK, STANDARD
from bench.plugin import PluginFailed
from bench.progress import Progress, Step, amount, spoken
from bench.results import KEYS, result_of
from bench.run import Run, Work, attempt, run
from bench.site import Site
from tools.workspace import ROOT

TINY = replace(
    QUICK,
    name="tiny",
    sizes=(2_000, 4_000),
    steady_at=2_000,
    batch_seconds=0.6,
    bare_seconds=0.4,
    ordered_seconds=0.3,
    single_seconds=0.3,
    control_seconds=0.5,
    refresh_seconds=2.0,
    erasure_seconds=15.0,
    calls=2,
)


@pytest.mark.parametrize(
    "arguments", [["slow"], ["full", "quick"], ["full", "--quick"], ["--events", "x"]]
)
def test_an_argument_that_is_none_ends_with_two(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """With a line that says what there is."""
    with pytest.raises(SystemExit) as ended:
        parse(arguments)

    assert ended.value.code == 2
    assert "usage: bench" in capsys.readouterr().err


def test_the_plans_are_those_that_are_promised() -> None:
    """2 million events, 9 million, and a trial; ingest is measured with a million rows in."""
    assert parse([]).plan == "standard"
    assert parse(["full"]).plan == "full"
    assert parse(["--quick"]).plan == "quick"
    assert (STANDARD.largest, FULL.largest) == (2_000_000, 9_000_000)
    assert STANDARD.steady_at == FULL.steady_at == 1_000_000
    assert STANDARD.sizes[0] == FULL.sizes[0] == 60_000
    assert STANDARD.batch_seconds == 60
    assert all(plan.steady_at in plan.sizes for plan in PLANS.values())


def test_the_folder_goes_in_whatever_way_the_run_ends(tmp_path: Path) -> None:
    """Also with what was written into it."""

    def interrupted() -> None:
        with temporary_folder(tmp_path) as folder:
            (folder / "plugin.db").write_bytes(b"x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert list(tmp_path.iterdir()) == []


def test_progress_says_what_is_left() -> None:
    """By step, and within one; a log is not flooded."""
    out = io.StringIO()
    progress = Progress([Step("first", 100), Step("second", 20)], out)
    progress.step("first")
    for done in range(0, 1_000, 10):
        progress.part(amount(done, 1_000, 2.0))
    progress.step("second")

    lines = out.getvalue().splitlines()
    assert lines[0] == "[1/2] first (after 0 s, about 2 min to go)"
    assert lines[-1] == "[2/2] second (after 0 s, about 20 s to go)"
    assert len(lines) == 3
    assert amount(500, 2_000, 1.0) == "500 of 2,000 · 500/s · 3 s left"
    assert spoken(600) == "10 min"


def test_everybody_promises_the_same_time(capsys: pytest.CaptureFixture[str]) -> None:
    """The list of recipes, the help and the page."""
    with pytest.raises(SystemExit):
        parse(["--help"])
    told = capsys.readouterr().out, (ROOT / "justfile").read_text(), page.TEXT

    assert f"2 million events, {STANDARD.takes}" in told[0]
    assert f"9 million, {FULL.takes}" in told[0]
    assert f"`bench` (2 million events, {STANDARD.takes})" in told[1]
    assert f"`bench full` (9 million, {FULL.takes})" in told[1]
    assert "for {takes}, and for {takes_full} with `full`" in told[2]


class Rehearsal(Site):
    """A site without a process, at which something is behind for some time."""

    def __init__(self, behind: Sequence[float]) -> None:
        self.plan = replace(TINY, settle_seconds=0.2)
        self.progress = Progress([], io.StringIO())
        self.findings = Findings()
        self.recovered = 0
        self._ends = iter(behind)
        self._end: float | None = None

    def recover(self) -> None:
        """Count how often that was asked for."""
        self.recovered += 1

    def settle(self) -> bool:
        """Be behind for the next of the times."""
        self._end = time.monotonic() + next(self._ends)
        return super().settle()

    def _behind(self) -> str:
        assert self._end is not None
        return "a day" if time.monotonic() < self._end else ""


def test_a_wait_in_vain_shortens_no_other() -> None:
    """What comes later waits for its own time."""
    site = Rehearsal([9.0, 0.05])

    assert not site.settle()
    assert site.settle()


def fail(_: Site) -> None:
    raise PluginFailed("it is gone\nand this is its log")


def test_a_step_that_fails_loses_its_own_figures_only() -> None:
    """The next one begins anew."""
    site = Rehearsal([])
    attempt(Work("Forgetting", 1, fail, ("erasure_s",)), site)

    assert site.findings.skipped == {"erasure_s": "it is gone"}
    assert site.recovered == 1


def test_a_step_on_which_all_others_stand_ends_the_run() -> None:
    """Without events there is nothing to measure."""
    with pytest.raises(PluginFailed):
        attempt(Work("Filling", 1, fail), Rehearsal([]))


def test_what_a_step_may_lose_is_a_figure_that_is_kept() -> None:
    """A figure under another name would be missed without a reason."""
    lost = {key for work in Run(STANDARD).works for key in work.finds}

    assert lost <= {*KEYS, "report_changed_ms", "report_cold_ms"}


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_tiny_run_finds_every_figure(tmp_path: Path) -> None:
    """From the real process to the result, in all its steps."""
    result = result_of(TINY, run(TINY, tmp_path, io.StringIO()))
    missing = [key for key in KEYS if result[key] is None]

    assert set(missing) <= set(result["skipped"])
    assert "ingest_batch_events_per_s" not in missing
    assert result["ingest_batch_events_per_s"] > 0
    assert set(result["report_p95_ms"]) == {"2000", "4000"}
    assert set(result["ingest_single_requests_per_s"]) == {"whole", "sampled"}
    assert [stage["events"] for stage in result["growth"]] == [2_000, 4_000]
    assert [stage["rows"] for stage in result["growth"]] == [2_000, 4_000]
    assert {"erasure_s", "refresh_events_per_s"}.isdisjoint(missing)
    assert all(seconds >= 0 for seconds in result["steps"].values())
    assert all(stage["counted"] for stage in result["growth"])
    assert result["conditions"]["reports"]["beside_a_backlog_at"] == "no size"
    assert set(result["report_changed_ms"]) == set(result["report_p95_ms"]["4000"])
    assert result["conditions"]["ingest_batch"]["ids"] == "UUIDv4"


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_an_interrupted_run_leaves_no_process_and_no_folder() -> None:
    """Not even where a process was stopped to let another one write."""
    running = subprocess.Popen(
        [sys.executable, "-m", "bench", "quick"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    before = set(folders())
    assert running.stdout is not None
    for line in running.stdout:
        if "Batches with random ids" in line:
            break
    time.sleep(2)
    children = psutil.Process(running.pid).children(recursive=True)
    running.send_signal(signal.SIGINT)
    _, words = running.communicate(timeout=30)

    assert running.returncode == 130
    assert words.strip() == "bench: interrupted; nothing is kept"
    assert [child for child in children if child.is_running()] == []
    assert set(folders()) <= before


def folders() -> list[Path]:
    return list((ROOT / ".state" / "bench").glob("run-*"))
