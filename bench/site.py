"""Be the place where all measuring happens: a plugin, a core, and whoever sends and asks.

Whatever is started here ends with the site, in whatever way a run ends.
"""

import json
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from bench.deliveries import BATCH
from bench.events import BACKFILL_DAYS, YEARS, Ids, new_world
from bench.findings import Findings
from bench.plan import Plan
from bench.plugin import SAMPLED, PluginFailed, PluginProcess, Watch, Words
from bench.progress import Progress, amount, spoken
from bench.questions import FRESHNESS, runs_of
from bench.worker import Worker
from mosaiclife_plugin_sdk.testing import FakeCore

T = TypeVar("T")
DATABASE = "plugin.db"
SPARE = 1.4  # how many more requests are made ready than the last window has sent
GUESS_PER_SECOND = 15_000.0  # before anything is known
MOST_READY = 900_000
POLL_SECONDS = 0.1
COUNTING, NEWEST_RUNS = "rollup.refresh", 5
Question = Sequence[Any]


class Site:
    """A plugin on a database that grows, and the processes around it."""

    def __init__(self, plan: Plan, folder: Path, progress: Progress) -> None:
        """Start what stands around the plugin; *folder* takes everything that is written."""
        self.plan, self.progress = plan, progress
        self.findings, self.world = Findings(), new_world()
        self.most_rss = 0.0
        self.speed: dict[str, float] = {}
        self._folder = folder
        self._words = Words()
        self._streams = 0
        self._rows: defaultdict[Path, int] = defaultdict(int)
        self._now = datetime.now(UTC)
        self._stack = ExitStack()
        try:
            self._core = self._stack.enter_context(FakeCore(token=self._words.token))
            self._load, self._probe = self.worker("bench.load"), self.worker("bench.load")
            self.plugin = self.grown = self.new_plugin("data")
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> "Site":
        """Hand the site to whoever measures."""
        return self

    def __exit__(self, *_: object) -> None:
        """End every process."""
        self._stack.close()

    # --- processes

    def worker(self, module: str) -> Worker:
        """Start a process that ends with the site."""
        worker = Worker(module)
        self._stack.callback(worker.close)
        return worker

    def new_plugin(self, folder: str, *, sampled: bool = False) -> PluginProcess:
        """Return a plugin over the database in *folder*; it ends with the site."""
        extra = SAMPLED if sampled else {}
        plugin = PluginProcess(self._folder / folder, self._core.url, self._words, extra)
        self._stack.callback(plugin.kill)
        return plugin

    def open(self, plugin: PluginProcess | None = None) -> float:
        """Start the plugin, or another in its place; return the seconds until it was ready."""
        self.plugin = plugin or self.plugin
        taken = self.plugin.start()
        for worker, name in ((self._load, "l"), (self._probe, "p")):
            self._streams += 1
            worker.call(
                "open",
                port=self.plugin.port,
                token=self._words.token,
                secret=self._words.secret,
                name=f"{name}{self._streams}x",
            )
        return taken

    def restart(self) -> float:
        """Stop the plugin and start it again; return the seconds until it was ready."""
        self.plugin.stop()
        return self.open()

    def copies(self, *folders: str) -> list[PluginProcess]:
        """Stop the plugin; return others, not started, each over a copy of its database."""
        self.plugin.stop()
        return [self._copy_to(folder) for folder in folders]

    def _copy_to(self, folder: str) -> PluginProcess:
        copy = self.new_plugin(folder)
        shutil.copyfile(self.database, copy.folder / DATABASE)
        self._rows[copy.folder] = self.rows
        return copy

    def recover(self) -> None:
        """Begin anew after a step that failed, with the database that grows and new senders."""
        self.plugin.kill()
        for worker in (self._load, self._probe):
            worker.close()
        self._load, self._probe = self.worker("bench.load"), self.worker("bench.load")
        self.open(self.grown)

    @property
    def rows(self) -> int:
        """Return how many events are in the database."""
        return self._rows[self.plugin.folder]

    def _took(self, events: int) -> None:
        self._rows[self.plugin.folder] += events

    @property
    def database(self) -> Path:
        """Return the file that the plugin writes."""
        return self.plugin.folder / DATABASE

    # --- sending

    def stream(self) -> str:
        """Return the name of a stream whose events nobody has made before."""
        self._streams += 1
        return f"{self._now.timestamp()} {self._streams}"

    def span(self, days: int) -> list[str]:
        """Return the time from *days* ago until now."""
        return [(self._now - timedelta(days)).isoformat(), self._now.isoformat()]

    def recent(self) -> list[str]:
        """Return the time whose events are no backfill."""
        return self.span(BACKFILL_DAYS - 2)

    def fill(self, number: int) -> float:
        """Deliver *number* events in the order of their time over all the years; return the rate."""
        began = time.monotonic()

        def told(sent: int) -> None:
            self.progress.part(amount(sent, number, time.monotonic() - began))

        with self._watched():
            done = self._load.call(
                "fill",
                told=told,
                stream=self.stream(),
                ids="uuid4",
                events=number,
                span=self.span(YEARS * 365),
                opening=self.rows == 0,
            )
        self._took(done["accepted"])
        speed = float(done["accepted"] / done["seconds"])
        self.progress.note(f"{self.rows:,} events are in; these came at {speed:,.0f}/s")
        self.speed["uuid4"] = speed
        return speed

    def enough(self, name: str, seconds: float) -> int:
        """Return how many events surely suffice for *seconds*, as fast as *name* was before."""
        events = round(self.speed.get(name, GUESS_PER_SECOND) * seconds * SPARE) + 4 * BATCH
        return min(events, MOST_READY)

    def make_ready(self, ids: Ids, events: int, *, size: int = BATCH) -> None:
        """Write the requests of a window, while the plugin stands still."""
        with self.plugin.frozen():
            self.write_requests(ids, events, size=size)

    def write_requests(self, ids: Ids, events: int, *, size: int = BATCH) -> None:
        """Write the requests of a window."""
        stream, span = self.stream(), self.recent()
        self._load.call("prepare", stream=stream, ids=ids, events=events, span=span, size=size)

    def send(
        self, connections: int, seconds: float, per_second: float | None = None
    ) -> dict[str, Any]:
        """Send what was made ready; return what the window has shown."""
        with self._watched():
            done: dict[str, Any] = self._load.call(
                "send", connections=connections, seconds=seconds, per_second=per_second
            )
        self._took(done["events"])
        if done["refused"]:
            self.progress.note(f"{done['refused']} deliveries were refused: {done['reasons']}")
        return done

    def deliver(self, event: dict[str, Any]) -> None:
        """Deliver one event, which has to be taken."""
        done = self._load.call("deliver", event=json.dumps(event))
        if done["events"] != 1:
            raise PluginFailed(f"the plugin has not taken {event['type']}: {done}")
        self._took(1)

    # --- asking

    def ask(
        self, questions: Sequence[Question], repeats: int, per_second: float | None = None
    ) -> list[dict[str, Any]]:
        """Ask each question *repeats* times in turns; return its timings."""
        answers: list[dict[str, Any]] = self._probe.call(
            "ask", questions=list(questions), repeats=repeats, per_second=per_second
        )
        return answers

    def fetch(self, question: Question) -> tuple[int, Any]:
        """Ask once; return the status and the decoded body."""
        found = self._probe.call("fetch", question=list(question))
        return found["status"], json.loads(found["body"])

    def freshness(self) -> tuple[int, datetime | None]:
        """Return how many days are to be counted, and when the newest counted event came."""
        status, body = self.fetch(["GET", FRESHNESS])
        if status != 200:
            raise PluginFailed(f"the plugin does not answer a report: {status} {body}")
        fresh = body["meta"]["freshness"]
        watermark = fresh["watermark"]
        return fresh["dirtyDays"], datetime.fromisoformat(watermark) if watermark else None

    def runs(self, job: str, limit: int) -> list[dict[str, Any]]:
        """Return the newest runs of a job."""
        status, body = self.fetch(["GET", runs_of(job, limit)])
        if status != 200:
            raise PluginFailed(f"the plugin does not list its runs: {status} {body}")
        runs: list[dict[str, Any]] = body["data"]
        return runs

    def settle(self) -> bool:
        """Wait until every day is counted; tell whether it came to that in the time there is.

        Each wait has an allowance of its own: one that was in vain shortens no other.
        """
        began = time.monotonic()
        while behind := self._behind():
            waited = time.monotonic() - began
            if waited > self.plan.settle_seconds:
                self.progress.note(f"after {spoken(waited)} there is still more to count: {behind}")
                return False
            self.progress.part(f"waiting until all is counted: {behind}")
            time.sleep(POLL_SECONDS)
        return True

    def _behind(self) -> str:
        """Say what is not counted yet: the days of the tenant come first, then those of legacies."""
        days = self.freshness()[0]
        if days:
            return f"{days:,} days of the tenant"
        counting = self.runs(COUNTING, NEWEST_RUNS)
        return "" if all(run["finishedAt"] for run in counting) else "days of legacies"

    def until(self, probe: Callable[[], T], seconds: float) -> T | None:
        """Return the first truthy answer of *probe*, or None when it takes longer than that."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := probe():
                return found
            time.sleep(POLL_SECONDS)
        return None

    def _watched(self) -> "_Remember":
        return _Remember(self)


class _Remember(Watch):
    """Watch the plugin's memory, and tell the site of the most."""

    def __init__(self, site: Site) -> None:
        super().__init__(site.plugin)
        self._site = site

    def __exit__(self, *_: object) -> None:
        """Look no more, and tell."""
        super().__exit__()
        self._site.most_rss = max(self._site.most_rss, self.most)
