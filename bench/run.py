"""Run the whole bench: one list of steps, in an order in which each finds what it needs."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple, TextIO

from bench import ingest, reports, upkeep
from bench.findings import Findings
from bench.ingest import BareStore
from bench.plan import Plan
from bench.progress import Progress, Step
from bench.site import Site

GUESS_PER_SECOND = 15_000


class Work(NamedTuple):
    """A step, and what is done in it."""

    title: str
    seconds: float  # a guess, to say what is left
    do: Callable[[Site], None]


class Run:
    """What one run remembers from step to step."""

    def __init__(self, plan: Plan) -> None:
        self.works = list(self._works(plan))
        self._bare: BareStore | None = None

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
            yield Work(title, plan.calls / 4, partial(reports.ask_warm, size=size))
            before = size
            if size == plan.steady_at:
                yield from self._batches(plan)
        yield Work("Asking after each of a few events", plan.calls / 4, reports.ask_changed)
        yield Work("Control endpoints at half the rate", plan.control_seconds * 2, self._control)
        yield Work("One event per request", plan.single_seconds * 3, self._singles)
        yield Work("Starting again, and asking at once", 3 * plan.starts, self._start_filled)
        yield Work("One event per request, sampled", plan.single_seconds * 3, self._sampled)
        yield Work("Counting what waits", plan.refresh_seconds + 4, self._refresh)
        yield Work("Forgetting a storyteller", plan.erasure_seconds / 4, upkeep.measure_erasure)
        yield Work("Weighing the database", 3, upkeep.finish)

    def _batches(self, plan: Plan) -> Iterator[Work]:
        seconds = (plan.batch_seconds + plan.bare_seconds) * 1.5
        yield Work("Batches with random ids, in turns with the bare store", seconds, self._random)
        seconds = plan.ordered_seconds * 2
        yield Work("Batches with time-ordered ids, in the same way", seconds, self._ordered)

    def _random(self, site: Site) -> None:
        self._bare = ingest.open_bare(site)
        ingest.measure_batches(site, self._bare)

    def _ordered(self, site: Site) -> None:
        assert self._bare is not None  # the step before has opened it
        ingest.measure_ordered(site, self._bare)

    def _control(self, site: Site) -> None:
        upkeep.measure_control(site)

    def _singles(self, site: Site) -> None:
        ingest.measure_singles(site, "whole")

    def _start_filled(self, site: Site) -> None:
        site.settle()  # what is left would be counted while the first questions are asked
        site.plugin.stop()
        taken = site.open(site.new_plugin("data", sampled=True))
        reports.ask_cold(site)
        upkeep.measure_starts(site, "filled", [taken])

    def _sampled(self, site: Site) -> None:
        ingest.measure_singles(site, "sampled")

    def _refresh(self, site: Site) -> None:
        assert self._bare is not None  # opened when batches were measured
        upkeep.measure_refresh(site, self._bare)
        ingest.forget_bare(self._bare)


def run(plan: Plan, folder: Path, out: TextIO) -> Findings:
    """Measure everything that *plan* asks for, in *folder*."""
    works = Run(plan).works
    progress = Progress([Step(work.title, work.seconds) for work in works], out)
    with Site(plan, folder, progress) as site:
        # Whoever reads the figures shall know whether the machine had something else to do.
        site.findings.hold("before", load_average=round(os.getloadavg()[0], 2))
        for work in works:
            progress.step(work.title)
            work.do(site)
        return site.findings
