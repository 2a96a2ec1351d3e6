"""Speak with a person: `mosaic-contract run | list | explain`."""

import argparse
import fnmatch
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from mosaiclife_plugin_contract.limits import Limits
from mosaiclife_plugin_contract.registry import Check, all_checks
from mosaiclife_plugin_contract.report import Report, as_json, as_text
from mosaiclife_plugin_contract.runner import Kit, TargetUnreachable
from mosaiclife_plugin_contract.targets import AsgiTarget, ProcessTarget, Target, UrlTarget
from mosaiclife_plugin_contract.targets.asgi import factory_named

CONFORMANT, VIOLATIONS, USAGE, UNREACHABLE, KIT_ERROR = range(5)
CODES = "exit codes: 0 conformant, 1 violations, 2 usage, 3 target unreachable, 4 fault of the kit"
SECRETS = (
    "The secrets of a plugin that runs already come from the environment, where no list of "
    "processes shows them: CONTRACT_TOKEN, core's bearer, and CONTRACT_WEBHOOK_SECRETS."
)


class Usage(Exception):
    """What was asked for makes no sense."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says, and return the exit code."""
    asked = _parser().parse_args(arguments)
    do: Callable[[argparse.Namespace], int] = asked.do
    try:
        return do(asked)
    except Usage as error:
        return _complain(str(error), USAGE)
    except TargetUnreachable as error:
        return _complain(f"the target cannot be reached: {error}", UNREACHABLE)


def _complain(words: str, code: int) -> int:
    sys.stderr.write(f"mosaic-contract: {words}\n")
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mosaic-contract", description=__doc__, epilog=CODES)
    commands = parser.add_subparsers(required=True, metavar="run | list | explain")
    run = commands.add_parser("run", help="check a plugin", epilog=f"{SECRETS} {CODES}")
    _add_target(run)
    _add_choice(run)
    run.add_argument("--manifest", type=Path, help="the plugin.yaml that the plugin was built from")
    run.add_argument("--strict", action="store_true", help="a SHOULD binds like a MUST")
    run.add_argument("--timeout", type=float, default=20.0, help="seconds for each check")
    run.add_argument("--report", type=Path, help="write the results as JSON, too")
    run.set_defaults(do=_run)
    listing = commands.add_parser("list", help="list the checks")
    _add_choice(listing)
    listing.set_defaults(do=_list)
    explain = commands.add_parser("explain", help="say what one check looks for")
    explain.add_argument("id")
    explain.set_defaults(do=_explain)
    return parser


def _add_target(parser: argparse.ArgumentParser) -> None:
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("url", nargs="?", metavar="URL", help="a plugin that runs already")
    target.add_argument("--start", metavar="COMMAND", help="start it, in the kit's surroundings")
    target.add_argument("--asgi", metavar="MODULE:FACTORY", help="build it from an environment")
    variable = {"action": "append", "default": [], "metavar": "KEY=VALUE"}
    parser.add_argument("--env", **variable, help="for --start and --asgi")  # type: ignore[arg-type]


def _add_choice(parser: argparse.ArgumentParser) -> None:
    several: dict[str, Any] = {"action": "append", "default": []}
    parser.add_argument("--only", **several, metavar="ID", help="such as MAN-2 or 'MAN-*'")
    parser.add_argument("--without", **several, metavar="FEATURE", help="leave a feature out")


def _run(asked: argparse.Namespace) -> int:
    target, chosen = _target(asked), _chosen(asked)
    limits = Limits(check=asked.timeout)
    with Kit(target, limits, _manifest(asked.manifest), asked.without) as kit:
        results = kit.run_all(chosen)
        name = kit.plugin_name()
    words = target.credentials.words
    report = Report(target.mode, target.name, name, results, words, asked.strict)
    sys.stdout.write(as_text(report) + "\n")
    if asked.report:
        asked.report.write_text(as_json(report), encoding="utf-8")
    return report.exit_code


def _list(asked: argparse.Namespace) -> int:
    for check in _chosen(asked):
        feature = f" ({check.feature})" if check.feature else ""
        where = f"[§{check.spec}]"
        line = f"{check.id:<6} {where:<8} {check.level:<6}  {check.title}{feature}\n"
        sys.stdout.write(line)
    return CONFORMANT


def _explain(asked: argparse.Namespace) -> int:
    known = {check.id: check for check in all_checks()}
    if asked.id not in known:
        raise Usage(f"there is no check {asked.id}; `mosaic-contract list` shows them")
    check = known[asked.id]
    facts = [f"specification §{check.spec}", check.level, f"profile {check.profile}"]
    if check.feature:
        facts.append(f"feature {check.feature}")
    needs = [f"  needs {need.value}" for need in sorted(check.needs)]
    lines = [f"{check.id}: {', '.join(facts)}", *needs, "", check.text]
    sys.stdout.write("\n".join(lines) + "\n")
    return CONFORMANT


def _chosen(asked: argparse.Namespace) -> list[Check]:
    known = all_checks()
    features = {check.feature for check in known if check.feature}
    if unknown := sorted(set(asked.without) - features):
        raise Usage(
            f"no such feature: {', '.join(unknown)}; there are {', '.join(sorted(features))}"
        )
    patterns = asked.only or ["*"]
    for pattern in patterns:
        if not any(fnmatch.fnmatchcase(check.id, pattern) for check in known):
            raise Usage(f"no check is called {pattern}")
    return [
        check
        for check in known
        if any(fnmatch.fnmatchcase(check.id, pattern) for pattern in patterns)
    ]


def _target(asked: argparse.Namespace) -> Target:
    environ = dict(_pair(text) for text in asked.env)
    if asked.start:
        return ProcessTarget(asked.start, environ)
    if asked.asgi:
        return _asgi(asked.asgi, environ)
    secrets = tuple(os.environ.get("CONTRACT_WEBHOOK_SECRETS", "").split())
    return UrlTarget(asked.url, os.environ.get("CONTRACT_TOKEN"), secrets)


def _asgi(name: str, environ: Mapping[str, str]) -> Target:
    try:
        return AsgiTarget(factory_named(name), name, environ)
    except (ImportError, AttributeError, ValueError) as error:
        raise Usage(f"--asgi {name}: {error}") from error


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise Usage(f"--env {text}: write KEY=VALUE")
    return name, value


def _manifest(path: Path | None) -> dict[str, Any] | None:
    if path is None:
        return None
    try:
        document = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise Usage(f"--manifest {path}: {error}") from error
    if not isinstance(document, dict):
        raise Usage(f"--manifest {path}: is no manifest")
    return document
