"""Measure how fast events are taken in, beside what the store could do alone."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from bench.deliveries import BATCH
from bench.events import Ids
from bench.plugin import SAMPLED, PluginProcess, commits
from bench.site import DATABASE, Site
from bench.statistics import median, rate, rounded
from bench.worker import Worker

GUESS_REQUESTS = 4_000.0  # per second, before anything is known
Window = tuple[float, float]  # events, seconds


@dataclass
class Turns:
    """What plugin and bare store did in turns."""

    plugin: list[Window] = field(default_factory=list)
    store: list[Window] = field(default_factory=list)
    plugin_commits: list[float] = field(default_factory=list)  # events in one transaction
    store_commits: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """Return the plugin's share of the store's rate: the middle one of all turns."""
        pairs = zip(self.plugin, self.store, strict=True)
        return median([rate([plugin]) / rate([store]) for plugin, store in pairs])


@dataclass
class Copies:
    """Two copies of the database: the plugin writes one, the store without it writes the other."""

    windows: PluginProcess
    bare: PluginProcess  # not started while its store is open
    store: Worker
    received: list[tuple[int, int]] = field(default_factory=list)  # when, and how many


def open_copies(site: Site) -> Copies:
    """Start the plugin over one copy of the database, and the bare store over another.

    What the windows write would have to be counted before the next size can be asked for reports,
    and nobody can say ahead how much that is.
    """
    windows, bare = site.copies("windows", "bare")
    site.open(windows)
    store = site.worker("bench.bare")
    store.call("open", environment=bare.environment)
    return Copies(windows, bare, store)


def open_sampled(site: Site, copies: Copies) -> None:
    """Start the plugin anew over its copy, with the settings of a busy instance."""
    site.plugin.stop()
    site.open(site.new_plugin(copies.windows.folder.name, sampled=True))


def leave_copies(site: Site, copies: Copies) -> None:
    """Go back to the database that grows, and remove the copies."""
    copies.store.close()
    site.plugin.kill()
    site.open(site.grown)
    for plugin in (copies.windows, copies.bare):
        shutil.rmtree(plugin.folder)


def measure_batches(site: Site, copies: Copies) -> None:
    """Measure batches with random ids, then with ids that follow time."""
    plan = site.plan
    rows = site.rows
    turns = _take_turns(site, copies, "uuid4", plan.rounds, plan.batch_seconds, plan.bare_seconds)
    site.findings.found("ingest_batch_events_per_s", round(rate(turns.plugin)))
    site.findings.found("ingest_batch_vs_store_ratio", rounded(turns.ratio))
    site.findings.hold("ingest_batch", ids="UUIDv4", rows_before=rows, **_conditions(site, turns))


def measure_ordered(site: Site, copies: Copies) -> None:
    """Measure batches whose ids follow time."""
    plan, rows = site.plan, site.rows
    seconds = plan.ordered_seconds, plan.ordered_bare_seconds
    turns = _take_turns(site, copies, "ordered", plan.ordered_rounds, *seconds)
    site.findings.found("ingest_batch_ordered_events_per_s", round(rate(turns.plugin)))
    conditions = _conditions(site, turns)
    site.findings.hold("ingest_batch_ordered", ids="time-ordered", rows_before=rows, **conditions)


def _take_turns(
    site: Site, copies: Copies, ids: Ids, rounds: int, seconds: float, bare_seconds: float
) -> Turns:
    """Let both write in turns, so that what disturbs the machine meets both; one stands still."""
    turns = Turns()
    for number in range(rounds):
        site.progress.part(f"turn {number + 1} of {rounds}")
        _prepare(site, copies, ids, seconds / rounds, bare_seconds / rounds)
        _plugin_turn(site, turns, ids, seconds / rounds)
        with site.plugin.frozen():
            _store_turn(site, copies, turns, ids, bare_seconds / rounds)
        plugin, store = rate(turns.plugin[-1:]), rate(turns.store[-1:])
        site.progress.note(f"plugin {plugin:,.0f} events/s · bare store {store:,.0f} events/s")
    return turns


def _prepare(site: Site, copies: Copies, ids: Ids, seconds: float, bare_seconds: float) -> None:
    """Let both get ready at once, on a processor each, while the plugin stands still."""
    events, span = site.enough(f"bare {ids}", bare_seconds), site.recent()
    judge = partial(copies.store.call, "prepare", stream=site.stream(), ids=ids, span=span)
    with site.plugin.frozen(), ThreadPoolExecutor(1) as beside:
        judging = beside.submit(judge, events=events)
        site.write_requests(ids, site.enough(ids, seconds))
        judging.result()


def _plugin_turn(site: Site, turns: Turns, ids: Ids, seconds: float) -> None:
    before = commits(site.database)
    done = site.send(site.plan.connections, seconds)
    written = max(commits(site.database) - before, 1)
    site.speed[ids] = done["events"] / done["seconds"]
    turns.plugin.append((done["events"], done["seconds"]))
    turns.plugin_commits.append(done["events"] / written)
    turns.p99_ms.append(done["p99_ms"])


def _store_turn(site: Site, copies: Copies, turns: Turns, ids: Ids, seconds: float) -> None:
    """Write with as many batches under way as the plugin has put into one transaction."""
    database = copies.bare.folder / DATABASE
    before = commits(database)
    in_flight = max(1, round(turns.plugin_commits[-1] / BATCH))
    done = copies.store.call("write", in_flight=in_flight, seconds=seconds)
    written = max(commits(database) - before, 1)
    site.speed[f"bare {ids}"] = done["events"] / done["seconds"]
    copies.received += [(moment, number) for moment, number in done["received"]]
    turns.store.append((done["events"], done["seconds"]))
    turns.store_commits.append(done["events"] / written)


def _conditions(site: Site, turns: Turns) -> dict[str, Any]:
    return {
        "seconds": round(sum(seconds for _, seconds in turns.plugin), 1),
        "events_per_request": BATCH,
        "connections": site.plan.connections,
        "turns_of_plugin_and_store": len(turns.plugin),
        "plugin_events_per_s": [round(rate([window])) for window in turns.plugin],
        "store_events_per_s": [round(rate([window])) for window in turns.store],
        "ratio": rounded(turns.ratio),
        "p99_ms": rounded(max(turns.p99_ms)),
        "events_per_commit_plugin": round(median(turns.plugin_commits)),
        "events_per_commit_store": round(median(turns.store_commits)),
    }


def measure_singles(site: Site, setting: str, size: int) -> None:
    """Measure requests of one event, under the name of the plugin's *setting*.

    The bars are those of the smallest *size*; what becomes of them later stands beside them.
    """
    site.settle()
    plan, rows = site.plan, site.rows
    speed = site.speed.get("single", GUESS_REQUESTS)
    site.make_ready("uuid4", round(speed * 2 * plan.single_seconds), size=1)
    done = site.send(plan.single_connections, plan.single_seconds)
    per_second = done["requests"] / done["seconds"]
    site.speed["single"] = per_second
    part = setting if size == plan.sizes[0] else f"{setting}_at_{size}"
    site.findings.found_part("ingest_single_requests_per_s", part, round(per_second))
    site.findings.found_part("ingest_single_p99_ms", part, rounded(done["p99_ms"]))
    site.findings.hold(
        f"ingest_single_{part}",
        ids="UUIDv4",
        rows_before=rows,
        seconds=round(done["seconds"], 1),
        connections=plan.single_connections,
        settings=dict(SAMPLED) if setting == "sampled" else "as shipped",
        requests_per_s=round(per_second),
        p99_ms=rounded(done["p99_ms"]),
    )
    site.progress.note(f"{per_second:,.0f} requests/s, p99 {done['p99_ms']:.1f} ms")
