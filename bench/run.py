"""Run the whole bench: one list of steps, in an order in which each finds what it needs."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, TextIO

from bench import ingest, reports, upkeep
from bench.findings import Findings
from bench.ingest import Copies
from bench.plan import Plan
from bench.plugin import PluginFailed
from bench.progress import Progress, Step
from bench.site import Site
from bench.worker import WorkerFailed

GUESS_PER_SECOND = 10_000  # taken in and counted
BATCHES = ("ingest_batch_events_per_s", "ingest_batch_vs_store_ratio")
ORDERED = ("ingest_batch_ordered_events_per_s",)
SINGLES = ("ingest_single_requests_per_s", "ingest_single_p99_ms")
CONTROL = ("control_p95_ms_under_load",)
CHANGED, COLD = ("report_changed_ms",), ("report_cold_ms", "start_to_ready_s")
REFRESH, ERASURE = ("refresh_events_per_s",), ("erasure_s",)
WEIGHT = ("rss_load_mib", "bytes_per_event")


class Work(NamedTuple):
    """A step, and what is done in it."""

    title: str
    seconds: float  # a guess, to say what is left
    do: Callable[[Site], None]
    finds: Sequence[str] = ()  # the figures that are lost if it fails; without any, all are


class Run:
    """What one run remembers from step to step."""

    def __init__(self, plan: Plan) -> None:
        self.works = list(self._works(plan))
        self._copies: Copies | None = None

    def _works(self, plan: Plan) -> Iterator[Work]:
        """Yield every step of *plan*."""
        yield Work("Building and weighing the interface", 10, upkeep.weigh_interface)
        yield Work("Starting on an empty database", 3 * plan.starts + 4, upkeep.start_empty)
        before = 0
        for size in plan.sizes:
            filling = (size - before) / GUESS_PER_SECOND
            title = f"Filling up to {size:,} events, and counting them"
            yield Work(title, filling + 5, partial(reports.grow, size=size))
            title = f"Asking for reports at {size:,} events"
            yield Work(title, plan.calls / 3, partial(reports.ask_warm, size=size))
            before = size
            if size == plan.sizes[0]:
                yield from self._requests(plan, size)
            if size == plan.steady_at:
                yield from self._windows(plan)
        yield from self._others(plan)

    def _windows(self, plan: Plan) -> Iterator[Work]:
        """Yield the steps that measure batches on copies of the database."""
        if plan.steady_at > plan.sizes[0]:
            yield from self._requests(plan, plan.steady_at)
        seconds = (plan.batch_seconds + plan.bare_seconds) * 1.3
        title = "Batches with random ids, in turns with the bare store"
        yield Work(title, seconds, self._random, BATCHES)
        title = "Batches with time-ordered ids, in the same way"
        yield Work(title, plan.ordered_seconds * 2, self._ordered, ORDERED)
        yield Work("Counting what waits", plan.refresh_seconds + 4, self._refresh, REFRESH)
        yield Work("Going back to the database that grows", 3, self._leave)

    def _requests(self, plan: Plan, size: int) -> Iterator[Work]:
        """Yield the steps that measure requests of one event on copies of the database."""
        seconds, title = plan.single_seconds * 2, f"One event per request at {size:,} events"
        yield Work(title, seconds, partial(self._singles, size=size), SINGLES)
        yield Work(f"{title}, sampled", seconds, partial(self._sampled, size=size), SINGLES)
        yield Work("Leaving the copy", 3, self._leave)

    def _others(self, plan: Plan) -> Iterator[Work]:
        """Yield the steps for which the database is as large as it gets."""
        yield Work(
            "Asking after each of a few events", plan.calls / 4, reports.ask_changed, CHANGED
        )
        seconds = plan.control_seconds * 2
        yield Work("Control endpoints at half the rate", seconds, upkeep.measure_control, CONTROL)
        yield Work("Starting again, and asking at once", 3 * plan.starts, self._start_filled, COLD)
        seconds = plan.erasure_seconds / 4
        yield Work("Forgetting a storyteller", seconds, upkeep.measure_erasure, ERASURE)
        yield Work("Weighing the database", 3, upkeep.finish, WEIGHT)

    def _singles(self, site: Site, *, size: int) -> None:
        self._on_copies(site)
        ingest.measure_singles(site, "whole", size)

    def _sampled(self, site: Site, *, size: int) -> None:
        copies = self._on_copies(site)
        ingest.open_sampled(site, copies)
        ingest.measure_singles(site, "sampled", size)

    def _random(self, site: Site) -> None:
        ingest.measure_batches(site, self._on_copies(site))

    def _ordered(self, site: Site) -> None:
        ingest.measure_ordered(site, self._on_copies(site))

    def _refresh(self, site: Site) -> None:
        upkeep.measure_refresh(site, self._on_copies(site))

    def _leave(self, site: Site) -> None:
        if self._copies is not None:
            ingest.leave_copies(site, self._copies)
            self._copies = None

    def _on_copies(self, site: Site) -> Copies:
        """Return the copies, on which the plugin runs as it is shipped."""
        if self._copies is None:
            self._copies = ingest.open_copies(site)
        elif site.plugin is not self._copies.windows:
            site.plugin.stop()
            site.open(self._copies.windows)
        return self._copies

    def _start_filled(self, site: Site) -> None:
        site.settle()  # what is left would be counted while the first questions are asked
        taken = site.restart()
        reports.ask_cold(site)
        upkeep.measure_starts(site, "filled", [taken])


def run(plan: Plan, folder: Path, out: TextIO) -> Findings:
    """Measure everything that *plan* asks for, in *folder*."""
    works = Run(plan).works
    progress = Progress([Step(work.title, work.seconds) for work in works], out)
    with Site(plan, folder, progress) as site:
        # Whoever reads the figures shall know whether the machine had something else to do.
        site.findings.hold("before", load_average=round(os.getloadavg()[0], 2))
        for work in works:
            progress.step(work.title)
            began = time.monotonic()
            attempt(work, site)
            site.findings.steps[work.title] = round(time.monotonic() - began, 1)
        return site.findings


def attempt(work: Work, site: Site) -> None:
    """Do a step; where it fails, its figures are lost and no others."""
    try:
        work.do(site)
    except (PluginFailed, WorkerFailed) as error:
        if not work.finds:
            raise
        reason = str(error).splitlines()[0]
        for key in work.finds:
            site.findings.skip(key, reason)
        site.progress.note(f"this step has failed: {reason}")
        site.recover()
