"""Run the layers of tests and sum up by layer.

`test` is what a newcomer runs; `test-all` adds the slow tests, and `--rest` with it leaves out what
`test` has run. A layer that cannot run on this machine is named with its remedy; with CI=true that
counts as a failure.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from tools import build, compose, image, programs
from tools.browser import REMEDY, find_browser
from tools.workspace import (
    PYTHON,
    ROOT,
    STATE,
    Stopwatch,
    ToolFailed,
    environment,
    fail,
    say,
    script,
)

REPORTS = STATE / "test"
NOTHING_COLLECTED = 5  # pytest's exit code
# Most tests of processes wait more than they compute: two at a time halve the minutes.
SPREAD = ("--numprocesses=2", "--dist=worksteal")


@dataclass(frozen=True)
class Options:
    """What one call of the command asks for."""

    names: tuple[str, ...]
    passed_on: tuple[str, ...]
    everything: bool
    rest: bool
    seed: int

    @property
    def marks(self) -> list[str]:
        """Choose by mark: all, only what `test` leaves out, or what it runs."""
        if self.everything and not self.rest:
            return []
        return ["-m", "slow" if self.rest else "not slow"]


Command = Callable[[Options, Path], list[str]]


@dataclass(frozen=True)
class Layer:
    """One kind of test, with what it needs from the machine and from the build."""

    name: str
    command: Command
    lacks: Callable[[], str] = str
    bundles: tuple[build.Bundle, ...] = ()
    asked_only: bool = False
    has_slow: bool = True
    only_slow: bool = False


@dataclass(frozen=True)
class Result:
    """The counts of one layer; `lacks` says why it did not run."""

    name: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    lacks: str = ""


def pytest_in(folder: str) -> Command:
    def command(options: Options, report: Path) -> list[str]:
        fixed = ["-q", f"--junitxml={report}", f"--randomly-seed={options.seed}", *SPREAD]
        return [str(PYTHON), "-m", "pytest", *fixed, *options.marks, folder, *options.passed_on]

    return command


def containers(options: Options, report: Path) -> list[str]:
    """Run in one process, as all tests share two images; every one of them is slow."""
    fixed = ["-q", f"--junitxml={report}", f"--randomly-seed={options.seed}"]
    return [str(PYTHON), "-m", "pytest", *fixed, "tests/containers", *options.passed_on]


def vitest(options: Options, report: Path) -> list[str]:
    reporters = ["--reporter=default", "--reporter=junit", f"--outputFile.junit={report}"]
    seed = f"--sequence.seed={options.seed}"
    return [str(script("pnpm")), "--silent", "exec", "vitest", "run", *reporters, seed]


def no_browser() -> str:
    return "" if find_browser() else f"no Chromium: {REMEDY}"


def no_vectors() -> str:
    folder = os.environ.get("PLUGIN_VECTORS", "")
    return "" if folder and Path(folder).is_dir() else "PLUGIN_VECTORS names no folder of vectors"


def no_containers() -> str:
    """Say what is missing to build images over a stand-in base, to run them, and to look at them."""
    try:
        compose.find_compose()
    except (image.NoEngine, compose.NoCompose) as error:
        return f"no containers: {error}"
    needed = {"mmdebstrap": image.BASES, "prometheus": ("PROMETHEUS_IMAGE",)}
    for program, names in needed.items():
        if not shutil.which(program) and not all(os.environ.get(name) for name in names):
            return f"no {program} for a stand-in: install it, or name {' and '.join(names)}"
    return no_browser()


LAYERS = (
    Layer("architecture", pytest_in("tests/architecture")),
    Layer("unit", pytest_in("tests/unit")),
    Layer("integration", pytest_in("tests/integration")),
    Layer("contract", pytest_in("tests/contract")),
    Layer("chart", pytest_in("tests/chart"), lacks=programs.lacks_helm),
    Layer("ui", vitest, has_slow=False),
    Layer("e2e", pytest_in("tests/e2e"), lacks=no_browser, bundles=build.BUNDLES),
    Layer("containers", containers, lacks=no_containers, only_slow=True),
    Layer("vectors", pytest_in("tests/vectors"), lacks=no_vectors, asked_only=True, has_slow=False),
)


def choose(options: Options) -> list[Layer]:
    """Pick the layers that were named, or those that belong to the tier."""
    known = {layer.name: layer for layer in LAYERS}
    if unknown := sorted(set(options.names) - set(known)):
        raise SystemExit(f"test: no such layer: {' '.join(unknown)}; there are {' '.join(known)}")
    if options.names:
        return [known[name] for name in options.names]
    return [layer for layer in LAYERS if belongs(layer, options)]


def belongs(layer: Layer, options: Options) -> bool:
    """Tell whether a layer that nobody has named is a part of the tier."""
    if layer.asked_only:
        return False
    return layer.has_slow if options.rest else options.everything or not layer.only_slow


def run_layer(layer: Layer, options: Options) -> Result:
    """Build what the layer looks at, run it in plain sight, and count."""
    if lacks := layer.lacks():
        return Result(layer.name, lacks=lacks)
    watch = Stopwatch()
    say(f"\n== {layer.name}")
    try:
        for bundle in layer.bundles:
            build.build(bundle)
    except ToolFailed as error:
        fail(str(error))
        return Result(layer.name, failed=1, seconds=watch.seconds)
    return execute(layer, options, watch)


def execute(layer: Layer, options: Options, watch: Stopwatch) -> Result:
    report = REPORTS / f"{layer.name}.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    env = environment({"PYTHONHASHSEED": str(options.seed)})
    done = subprocess.run(layer.command(options, report), cwd=ROOT, env=env, check=False)
    counts = count(report)
    if done.returncode == NOTHING_COLLECTED and (options.rest or options.passed_on):
        return Result(layer.name, seconds=watch.seconds)
    if done.returncode and not counts.failed:
        # It ended badly without naming a test: a fault before, between or after the tests.
        counts = Result(layer.name, counts.passed, 1, counts.skipped)
    return Result(layer.name, counts.passed, counts.failed, counts.skipped, watch.seconds)


def count(report: Path) -> Result:
    """Read the counts from a report in JUnit's format."""
    if not report.is_file():
        return Result("")
    suites = list(ET.parse(report).iter("testsuite"))  # noqa: S314  (our own file)

    def total(*names: str) -> int:
        return sum(int(suite.get(name) or 0) for suite in suites for name in names)

    failed, skipped = total("failures", "errors"), total("skipped")
    return Result("", total("tests") - failed - skipped, failed, skipped)


def table(results: Iterable[Result]) -> str:
    lines = [f"{'layer':<14}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>9}"]
    for result in results:
        counts = f"{result.passed:>8}{result.failed:>8}{result.skipped:>9}{result.seconds:>9.1f}"
        lines.append(f"{result.name:<14}{counts}")
    return "\n".join(lines)


def summary(results: Sequence[Result], seed: int, *, strict: bool) -> tuple[str, int]:
    """Return the closing words, the last line of which is the total, and the exit code."""
    ran = [result for result in results if not result.lacks]
    missing = [result for result in results if result.lacks]
    failed = sum(result.failed for result in ran) + (len(missing) if strict else 0)
    lines = ["", table(ran)]
    lines += [f"did not run here: {result.name}: {result.lacks}" for result in missing]
    lines.append(f"order: seed {seed} (SEED={seed} repeats it)")
    lines.append(f"{sum(result.passed for result in ran)} passed, {failed} failed")
    return "\n".join(lines), int(failed > 0)


def parse(arguments: Sequence[str]) -> Options:
    at = arguments.index("--") if "--" in arguments else len(arguments)
    parser = argparse.ArgumentParser(prog="just test", description=__doc__)
    parser.add_argument("layers", nargs="*", metavar="layer", help=" ".join(n.name for n in LAYERS))
    parser.add_argument("--all", action="store_true", help="the slow tests too")
    parser.add_argument("--rest", action="store_true", help="only what `test` leaves out")
    asked = parser.parse_args(arguments[:at])
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(2**32))
    return Options(tuple(asked.layers), tuple(arguments[at + 1 :]), asked.all, asked.rest, seed)


def main(arguments: Sequence[str]) -> int:
    options = parse(arguments)
    results = [run_layer(layer, options) for layer in choose(options)]
    words, code = summary(results, options.seed, strict=os.environ.get("CI") == "true")
    say(words)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
