"""Readiness: named checks, patience for a store, red while draining."""

import asyncio

import pytest

from mosaiclife_plugin_sdk import CheckDegraded, CheckFailed
from mosaiclife_plugin_sdk.frame import Tolerant, health
from mosaiclife_plugin_sdk.frame.health import CheckResult, Readiness

pytestmark = pytest.mark.anyio


async def fine() -> None:
    pass


async def failing() -> None:
    raise CheckFailed("no disk")


async def reserved() -> None:
    raise CheckDegraded("2 days differ")


async def crashing() -> None:
    raise ZeroDivisionError


async def hanging() -> None:
    await asyncio.sleep(60)


async def test_each_check_is_named_with_its_reason() -> None:
    """One red check makes the verdict red, and every check says how it went."""
    verdict = await Readiness({"ui": fine, "store": failing}).verdict()

    assert not verdict.ready
    assert verdict.results == (CheckResult("ui", True), CheckResult("store", False, "no disk"))
    assert [red.name for red in verdict.failed] == ["store"]


async def test_a_reservation_keeps_the_plugin_in_service() -> None:
    """A check may say yes and name what is wrong; beside a red check it counts for nothing."""
    verdict = await Readiness({"ui": fine, "rollup": reserved}).verdict()

    assert (verdict.ready, verdict.degraded, verdict.status) == (True, True, "degraded")
    assert verdict.results[1] == CheckResult("rollup", True, "2 days differ")
    assert verdict.failed == []
    red = await Readiness({"store": failing, "rollup": reserved}).verdict()
    assert (red.ready, red.degraded, red.status) == (False, False, "not ready")
    sound = await Readiness({"ui": fine}).verdict()
    assert (sound.degraded, sound.status) == (False, "ready")


async def test_crash_of_a_check_is_a_red_check() -> None:
    """A bug in one check does not take the probe down."""
    verdict = await Readiness({"store": crashing, "ui": fine}).verdict()

    assert [red.name for red in verdict.failed] == ["store"]


async def test_hanging_check_is_a_red_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that does not answer counts as failed after its time."""
    monkeypatch.setattr(health, "CHECK_SECONDS", 0.05)
    verdict = await Readiness({"store": hanging}).verdict()

    assert "no answer" in verdict.failed[0].reason


async def test_draining_is_red_without_asking_anybody() -> None:
    """Once the process wants to stop, nothing else matters."""
    readiness = Readiness({"ui": fine})
    assert (await readiness.verdict()).ready

    readiness.draining = True

    assert [red.name for red in (await readiness.verdict()).failed] == ["draining"]


class Store:
    """A store that fails when told to, and a clock that the test sets."""

    def __init__(self) -> None:
        self.up = True
        self.now = 100.0

    async def check(self) -> None:
        if not self.up:
            raise CheckFailed("down")

    async def passes(self, check: Tolerant) -> bool:
        try:
            await check()
        except CheckFailed:
            return False
        return True


async def test_store_turns_red_after_ten_seconds_of_failure_only() -> None:
    """A store may be away for less than the grace; each success starts it anew (design §4)."""
    store = Store()
    check = Tolerant(store.check, 10.0, monotonic=lambda: store.now)
    assert await store.passes(check)

    store.up, store.now = False, 109.9
    assert await store.passes(check)
    store.now = 110.0
    assert not await store.passes(check)

    store.up = True
    assert await store.passes(check)
    store.up, store.now = False, 115.0
    assert await store.passes(check)


async def test_store_that_was_never_there_has_no_grace() -> None:
    """A plugin is not ready before its store has answered once."""
    store = Store()
    store.up = False

    assert not await store.passes(Tolerant(store.check, 10.0, monotonic=lambda: store.now))
