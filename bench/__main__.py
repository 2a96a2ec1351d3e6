"""Measure the plugin: `./just bench`, `./just bench full`, `./just bench quick`."""

import argparse
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from bench import page, results, table
from bench.plan import FULL, PLANS, QUICK, STANDARD
from bench.plugin import PluginFailed
from bench.progress import spoken
from bench.run import run
from bench.worker import WorkerFailed
from tools.workspace import ROOT, STATE, Stopwatch, fail, say

INTERRUPTED = 130
ENDINGS = (signal.SIGINT, signal.SIGTERM)
TRIAL = STATE / "bench" / "results"
EPILOG = f"""standard: 2 million events, {STANDARD.takes}. full: 9 million, {FULL.takes}.
quick: a trial of the bench itself in {QUICK.takes}; its figures mean little and go to .state/bench."""


class Ended(BaseException):
    """Somebody has asked the bench to end."""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line; what cannot be read ends with one line and exit code 2."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__, epilog=EPILOG)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("plan", nargs="?", choices=PLANS, default=STANDARD.name)
    parser.add_argument("--quick", action="store_true", help="the same as the plan quick")
    parser.add_argument(
        "--results", type=Path, help="where the result goes (bench/results, and docs/speed.md)"
    )
    wanted = parser.parse_args(arguments)
    if wanted.quick:
        if wanted.plan == FULL.name:
            parser.error("full and --quick do not go together")
        wanted.plan = QUICK.name
    return wanted


@contextmanager
def temporary_folder(parent: Path = STATE / "bench") -> Iterator[Path]:
    """Make a folder on the disk of the checkout, and remove it in whatever way the block ends."""
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main(arguments: Sequence[str]) -> int:
    """Run a plan, show the table and keep the result."""
    wanted = parse(arguments)
    plan, watch = PLANS[wanted.plan], Stopwatch()
    try:
        with temporary_folder() as folder:
            findings = run(plan, folder, sys.stdout)
    except Ended:
        fail("bench: interrupted; nothing is kept")
        return INTERRUPTED
    except (PluginFailed, WorkerFailed) as error:
        fail(f"bench: {error}")
        return 1
    result = results.result_of(plan, findings)
    say(f"\n{table.screen(result)}\n")
    folder = (wanted.results or (TRIAL if plan is QUICK else results.FOLDER)).resolve()
    results.keep(result, folder)
    if folder == results.FOLDER:
        page.write(result)
    shown = folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder
    say(f"bench: {spoken(watch.seconds)}; the whole result is in {shown / results.LATEST}")
    return 0


def _end(*_: object) -> NoReturn:
    """Begin to tidy up; nobody's impatience shall stop that halfway."""
    for each in ENDINGS:
        signal.signal(each, signal.SIG_IGN)
    raise Ended


if __name__ == "__main__":
    for ending in ENDINGS:
        signal.signal(ending, _end)
    sys.exit(main(sys.argv[1:]))
