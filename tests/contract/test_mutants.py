"""Each check can fail: a plugin with one rule broken is caught by the check of that rule."""

import base64
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mosaiclife_plugin_contract import Check, Kit, Need, Outcome, all_checks
from mosaiclife_plugin_contract.targets import AsgiTarget, ProcessTarget
from plugin_analytics.app import build
from tests.contract import mutants
from tests.contract.mutants import MUTANTS
from tests.support.bundles import write_bundle
from tests.support.contract import BARE, LIMITS, ROOT, manifest_in

CHECKS = {check.id: check for check in all_checks()}
# What the bare plugin fails anyway, or has nothing of.
NOT_OF_THE_BARE = {"API-3", "TEN-2"}
MOST_OTHERS = 2
AT_ONCE = 4
OF_THE_MANIFEST = {"MAN-1", "MAN-2", "MAN-3", "MAN-5"}

Found = dict[str, Future[set[str]]]


def failing(mutant: str, manifest: dict[str, Any], checks: Sequence[Check]) -> set[str]:
    """Return the checks that a mutant fails."""
    target = ProcessTarget([sys.executable, "-m", "tests.contract.mutants", mutant], folder=ROOT)
    with Kit(target, LIMITS, manifest) as kit:
        results = kit.run_all(checks)
    errors = [result.reason for result in results if result.outcome is Outcome.ERROR]
    assert not errors
    return {result.check.id for result in results if result.outcome is Outcome.FAIL}


def manifest_of(mutant: str) -> dict[str, Any]:
    """Return the plugin.yaml of a mutant: where the manifest is what is wrong, the file is too."""
    manifest = manifest_in(BARE)
    killer, breaks = MUTANTS[mutant]
    if killer in OF_THE_MANIFEST:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(mutants, "manifest", manifest)
            breaks()
    return manifest


# One for each check, and then the whole matrix: both belong to `test-all`.
ONE_EACH = list({killer: name for name, (killer, _) in reversed(MUTANTS.items())}.values())


def asked_for(request: pytest.FixtureRequest, test: Callable[..., None]) -> list[str]:
    """Return the mutants that this session has chosen for a test."""
    chosen = [item for item in request.session.items if isinstance(item, pytest.Function)]
    mine = [item for item in chosen if item.originalname == test.__name__]
    return sorted({str(item.callspec.params["mutant"]) for item in mine})


def submitted(pool: ThreadPoolExecutor, names: Sequence[str], *checks: Check) -> Found:
    """Run checks on mutants, a few at once: much of it is waiting."""
    chosen = {name: checks or (CHECKS[MUTANTS[name][0]],) for name in names}
    return {
        name: pool.submit(failing, name, manifest_of(name), chosen[name]) for name in sorted(chosen)
    }


@contextmanager
def several_at_once() -> Iterator[ThreadPoolExecutor]:
    """Open a pool that in the end drops what nobody has asked for: another process did."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield pool
        pool.shutdown(wait=False, cancel_futures=True)


@pytest.fixture(scope="module")
def caught(request: pytest.FixtureRequest) -> Iterator[Found]:
    """Run the one check of each mutant."""
    with several_at_once() as pool:
        yield submitted(pool, asked_for(request, test_a_mutant_is_killed_by_its_check))


@pytest.fixture(scope="module")
def judged(request: pytest.FixtureRequest) -> Iterator[Found]:
    """Run every check on each mutant."""
    chosen = [check for check in CHECKS.values() if check.id not in NOT_OF_THE_BARE]
    with several_at_once() as pool:
        yield submitted(pool, asked_for(request, test_hardly_any_other_check_fails), *chosen)


@pytest.mark.slow
@pytest.mark.timeout(600)  # the last of a process waits for what is under way
@pytest.mark.parametrize("mutant", ONE_EACH)
def test_a_mutant_is_killed_by_its_check(caught: Found, mutant: str) -> None:
    """The check of the rule that a mutant breaks fails."""
    assert caught[mutant].result() == {MUTANTS[mutant][0]}


@pytest.mark.slow
@pytest.mark.timeout(600)  # the first to be asked waits for the ones before it
@pytest.mark.parametrize("mutant", MUTANTS)
def test_hardly_any_other_check_fails(judged: Found, mutant: str) -> None:
    """Among all checks at most two others fail beside it: a failure points at its cause."""
    found, killer = judged[mutant].result(), MUTANTS[mutant][0]

    assert killer in found
    assert len(found - {killer}) <= MOST_OTHERS, found


def test_every_check_has_a_mutant() -> None:
    """No check is there that nothing has ever failed."""
    killed = {check for check, _ in MUTANTS.values()} | {check for check, _, _ in IN_PROCESS}

    assert set(CHECKS) == killed


def with_a_default_viewer(app: Any) -> Any:
    """Make whoever does not say who looks a viewer who may see everything."""

    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        names = [name for name, _ in scope.get("headers", [])]
        if scope["type"] == "http" and b"x-user-context" not in names:
            scope["headers"] = [*scope["headers"], (b"x-user-context", SERVICE)]
        await app(scope, receive, send)

    return wrapped


def with_an_old_description(app: Any) -> Any:
    """Describe the API in a version of OpenAPI that core's tools do not read."""

    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        async def older(message: Any) -> None:
            if body := message.get("body"):
                message["body"] = body.replace(b'"openapi":"3.1.0"', b'"openapi":"3.0.9"')
            await send(message)

        described = scope.get("path") == "/schema/openapi.json"
        await app(scope, receive, older if described else send)

    return wrapped


SERVICE = base64.urlsafe_b64encode(b'{"scope":"service"}').rstrip(b"=")
IN_PROCESS = [
    ("TEN-2", with_a_default_viewer, "a default viewer"),
    ("API-3", with_an_old_description, "an old description"),
]


@pytest.mark.parametrize(("killer", "wrap"), [one[:2] for one in IN_PROCESS])
def test_a_mutant_of_the_reference_is_killed(
    killer: str, wrap: Callable[[Any], Any], tmp_path: Path
) -> None:
    """What the bare plugin has nothing of is broken in the reference, in our own process."""
    write_bundle(tmp_path / "bundle")
    environ = {
        "PLUGIN_MANIFEST": str(ROOT / "plugin.yaml"),
        "UI_BUNDLE_DIR": str(tmp_path / "bundle"),
        "LOG_LEVEL": "error",
    }
    target = AsgiTarget(lambda read: wrap(build(read)[0]), environ=environ)
    quick = [check for check in CHECKS.values() if Need.START not in check.needs]
    with Kit(target, LIMITS, manifest_in(ROOT)) as kit:
        found = {one.check.id for one in kit.run_all(quick) if one.outcome is Outcome.FAIL}

    assert found == {killer}
