"""The runner: whose fault it was, what could not be tested, and who is there at all."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from mosaiclife_plugin_contract import (
    Check,
    Context,
    Kit,
    Level,
    Limits,
    Need,
    NotApplicable,
    Outcome,
    TargetUnreachable,
    Violation,
)
from mosaiclife_plugin_contract.calls import Caller
from mosaiclife_plugin_contract.targets import AsgiTarget, ProcessTarget, UrlTarget
from mosaiclife_plugin_contract.targets.process import free_port

LIMITS = Limits(check=0.3, start=10, patience=0.1)
MANIFEST = {"name": "some", "version": "1.0.0", "capabilities": []}


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer an empty object to everything."""
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    await receive()
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})


def rule(run: Callable[[Context], Any], **more: Any) -> Check:
    fixed = {"spec": "1", "level": Level.MUST, "profile": "backend", "feature": None}
    given = {"id": "XXX-1", "title": "x", "text": "x", **fixed, "needs": frozenset(), **more}
    return Check(**given, run=run)


@pytest.fixture(scope="module")
def kit() -> Iterator[Kit]:
    with Kit(AsgiTarget(lambda _environ: app), LIMITS, MANIFEST) as running:
        yield running


async def content(_ctx: Context) -> None:
    return


async def violated(_ctx: Context) -> None:
    raise Violation("it is otherwise")


async def absent(_ctx: Context) -> None:
    raise NotApplicable("there is none")


async def crash(_ctx: Context) -> None:
    raise KeyError("a bug of the kit")


async def wait(_ctx: Context) -> None:
    await asyncio.sleep(60)


async def ask_wrongly(ctx: Context) -> None:
    call = Caller(ctx.plugin.public_url, 1, Wrongly())
    await call("GET", "/")


class Wrongly(httpx.AsyncBaseTransport):
    """A transport that finds fault with the request, as httpx does with a bad header."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise httpx.LocalProtocolError("Illegal header value", request=request)


@pytest.mark.parametrize(
    ("run", "outcome", "says"),
    [
        (content, Outcome.PASS, ""),
        (violated, Outcome.FAIL, "it is otherwise"),
        (absent, Outcome.NOT_APPLICABLE, "there is none"),
        (crash, Outcome.ERROR, "a bug of the kit"),
        (ask_wrongly, Outcome.ERROR, "Illegal header value"),
        (wait, Outcome.FAIL, "ends within 0.3 s"),
    ],
)
def test_outcome_says_whose_fault_it_was(
    kit: Kit, run: Callable[[Context], Any], outcome: Outcome, says: str
) -> None:
    """A violation is the plugin's, a crash the kit's, and a check that hangs does not stop the run."""
    result = kit.run(rule(run))

    assert result.outcome is outcome
    assert says in f"{result.violation or ''}{result.reason}"


def test_a_need_that_the_target_cannot_meet_is_said(kit: Kit) -> None:
    """The check does not run, so it cannot pass, and the reason names what is missing."""
    result = kit.run(rule(crash, needs=frozenset({Need.LOGS, Need.TOKEN})))

    assert result.outcome is Outcome.NOT_TESTABLE
    assert result.reason == f"needs {Need.LOGS.value}"


def test_a_feature_that_is_not_asked_for_does_not_apply(kit: Kit) -> None:
    """A plugin without deliveries is not held to the rules for them."""
    assert kit.run(rule(crash, feature="webhooks")).outcome is Outcome.NOT_APPLICABLE


def test_a_plugin_that_does_not_say_is_held_to_everything() -> None:
    """Without a manifest that can be read every feature counts."""

    async def silent(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise NotImplementedError
        await receive()
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    with Kit(AsgiTarget(lambda _environ: silent), LIMITS) as running:
        assert running.run(rule(violated, feature="webhooks")).outcome is Outcome.FAIL
        assert running.plugin_name() == ("unknown", "unknown")


def test_a_feature_left_out_by_hand_is_skipped() -> None:
    """Whoever leaves something out gets a report that says so."""
    with Kit(AsgiTarget(lambda _environ: app), LIMITS, MANIFEST, ["register"]) as running:
        assert running.run(rule(crash, feature="register")).outcome is Outcome.SKIPPED


@pytest.mark.parametrize(
    "target",
    [
        UrlTarget(f"http://127.0.0.1:{free_port()}"),
        ProcessTarget("there-is-no-such-command"),
        ProcessTarget(["python3", "-c", "raise SystemExit(7)"]),
        AsgiTarget(lambda environ: environ["NO_SUCH_VARIABLE"]),
    ],
    ids=["nobody listens", "no command", "ends at once", "cannot be built"],
)
def test_a_target_that_is_not_there_is_no_violation(target: Any) -> None:
    """Whoever points the kit at nothing hears of it before any check runs."""
    with pytest.raises(TargetUnreachable), Kit(target, LIMITS):
        pytest.fail("there is nobody")


def test_a_failed_lifespan_is_unreachable() -> None:
    """An app that refuses to start says why."""

    async def refusing(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    with pytest.raises(TargetUnreachable, match="no database"):
        Kit(AsgiTarget(lambda _environ: refusing), LIMITS).__enter__()
