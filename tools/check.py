"""Run every check that needs no running code, and sum up."""

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tools.workspace import NODE_PACKAGES, PYTHON, Stopwatch, ToolFailed, fail, run, say, script

AT_ONCE = 2


@dataclass(frozen=True)
class Check:
    """A named list of commands, all of which must end well."""

    name: str
    commands: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Outcome:
    """What came of a check: an empty complaint is a pass."""

    check: Check
    complaint: str
    seconds: float


def python(module: str, *arguments: str) -> tuple[str, ...]:
    return (str(PYTHON), "-m", module, *arguments)


def node(package: str, *arguments: str) -> tuple[str, ...]:
    return (str(script("pnpm")), "--silent", "exec", package, *arguments)


# The slow ones first, so that the two lanes end together.
CHECKS = (
    Check("types", (python("mypy"),)),
    Check("eslint", (node("eslint", "."),)),
    Check("typescript", tuple(node("tsc", "--project", folder) for folder in NODE_PACKAGES)),
    Check("prettier", (node("prettier", "--check", "--log-level=warn", "."),)),
    Check("imports", ((str(script("lint-imports")), "--no-cache"),)),
    Check("lint", (python("ruff", "check", "--quiet", "."),)),
    Check("format", (python("ruff", "format", "--check", "--quiet", "."),)),
    Check("images", ((str(script("hadolint")), "backend/Dockerfile", "core/Dockerfile"),)),
    Check("manifest", (python("tools.manifest"),)),
    Check("tracked", (python("tools.tracked"),)),
)


def attempt(check: Check) -> Outcome:
    """Run all commands of a check, also past the first that fails, to show every fault at once."""
    watch = Stopwatch()
    complaints = []
    for command in check.commands:
        try:
            run(*command)
        except ToolFailed as error:
            complaints.append(str(error))
    return Outcome(check, "\n".join(complaints), watch.seconds)


def report(outcome: Outcome) -> None:
    if outcome.complaint:
        fail(f"{outcome.complaint}\nFAILED  {outcome.check.name} ({outcome.seconds:.1f} s)")
    else:
        say(f"ok      {outcome.check.name} ({outcome.seconds:.1f} s)")


def choose(names: Sequence[str]) -> list[Check]:
    """Pick checks by name; all of them when none is named."""
    known = {check.name: check for check in CHECKS}
    if unknown := sorted(set(names) - set(known)):
        raise SystemExit(f"check: no such check: {' '.join(unknown)}; there are {' '.join(known)}")
    return [known[name] for name in names] or list(CHECKS)


def main(names: Sequence[str]) -> int:
    checks = choose(names)
    failed = 0
    with ThreadPoolExecutor(AT_ONCE) as lanes:
        for outcome in lanes.map(attempt, checks):
            report(outcome)
            failed += bool(outcome.complaint)
    say(f"{len(checks) - failed} passed, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
