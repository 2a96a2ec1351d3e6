"""Run checks against a target, and tell the plugin's faults from the kit's own."""

import asyncio
import time
import traceback
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from mosaiclife_plugin_contract.context import Context
from mosaiclife_plugin_contract.doubles.core import StandInCore
from mosaiclife_plugin_contract.limits import Limits
from mosaiclife_plugin_contract.needs import Need
from mosaiclife_plugin_contract.registry import Check
from mosaiclife_plugin_contract.targets.base import Instance, Target
from mosaiclife_plugin_contract.violation import (
    NotApplicable,
    StartFailed,
    Unanswered,
    Unreachable,
    Violation,
)

# What a plugin has to ask for before the checks of a feature apply to it.
CAPABILITY_OF = {"webhooks": "events:subscribe", "jobs": "jobs:schedule"}


class Outcome(StrEnum):
    """What came of a check."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    NOT_TESTABLE = "not testable"
    NOT_APPLICABLE = "not applicable"
    SKIPPED = "skipped"
    ERROR = "error"


@dataclass(frozen=True)
class Result:
    """What came of one check, and why."""

    check: Check
    outcome: Outcome
    seconds: float = 0.0
    violation: Violation | None = None
    reason: str = ""


class TargetUnreachable(Exception):
    """There is no plugin to test."""


class Kit:
    """A target that has been started, ready to be checked; use it as a context manager."""

    def __init__(
        self,
        target: Target,
        limits: Limits | None = None,
        manifest: Mapping[str, Any] | None = None,
        without: Iterable[str] = (),
    ) -> None:
        """Check *target* against *manifest*, its plugin.yaml, leaving features *without*."""
        self.target = target
        self.limits = limits or Limits()
        self._manifest = manifest
        self._without = frozenset(without)
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._context: Context | None = None

    def __enter__(self) -> Self:
        try:
            self._runner.run(self._open())
        except BaseException:
            self._runner.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._runner.run(self._stack.aclose())
        finally:
            self._runner.close()

    def run(self, check: Check) -> Result:
        """Run one check."""
        return self._runner.run(self._run(check))

    def run_all(self, checks: Iterable[Check]) -> list[Result]:
        """Run checks one after the other."""
        return [self.run(check) for check in checks]

    def plugin_name(self) -> tuple[str, str]:
        """Return name and version, as far as the plugin says them."""
        return self._runner.run(self._plugin_name())

    @property
    def context(self) -> Context:
        """Return what the checks are given."""
        if self._context is None:
            raise RuntimeError("the kit is a context manager: enter it first")
        return self._context

    async def _open(self) -> None:
        try:
            plugin = await self._reach()
        except (StartFailed, Unreachable) as failure:
            await self._stack.aclose()
            raise TargetUnreachable(str(failure)) from failure
        except BaseException:
            await self._stack.aclose()
            raise
        self._context = Context(self.target, self.limits, plugin, self._manifest)

    async def _reach(self) -> Instance:
        """Start or find the plugin; any answer will do, even none at all, if somebody listens."""
        core = StandInCore(self.target.credentials.reg_token or "")
        self._stack.enter_context(core)
        plugin = await self._stack.enter_async_context(self.target.launch(self.limits, core, {}))
        try:
            await plugin.call("GET", "/manifest")
        except Unreachable:
            raise
        except Unanswered:
            return plugin
        return plugin

    async def _run(self, check: Check) -> Result:
        if excuse := await self._excuse(check):
            return excuse
        began = time.perf_counter()
        outcome, violation, reason = await self._judge(check)
        return Result(check, outcome, time.perf_counter() - began, violation, reason)

    async def _judge(self, check: Check) -> tuple[Outcome, Violation | None, str]:
        try:
            async with asyncio.timeout(self.limits.check):
                await check.run(self.context)
        except Violation as violation:
            return Outcome.FAIL, violation, ""
        except NotApplicable as absent:
            return Outcome.NOT_APPLICABLE, None, absent.reason
        except TimeoutError:
            rule = f"the check ends within {self.limits.check:g} s"
            return Outcome.FAIL, Violation(rule, "it was still waiting for the plugin"), ""
        except Exception:  # noqa: BLE001 - a fault of the kit's own, which must not look like the plugin's
            return Outcome.ERROR, None, traceback.format_exc()
        return Outcome.PASS, None, ""

    async def _excuse(self, check: Check) -> Result | None:
        """Return why a check is not run, or None."""
        if check.feature in self._without:
            reason = f"--without {check.feature}"
            return Result(check, Outcome.SKIPPED, reason=reason)
        if lacking := check.needs - self._offers():
            reason = "needs " + "; ".join(sorted(need.value for need in lacking))
            return Result(check, Outcome.NOT_TESTABLE, reason=reason)
        capability = CAPABILITY_OF.get(check.feature or "")
        if capability and capability not in await self._capabilities(capability):
            reason = f"the manifest does not ask for {capability}"
            return Result(check, Outcome.NOT_APPLICABLE, reason=reason)
        return None

    def _offers(self) -> frozenset[Need]:
        has_file = frozenset({Need.MANIFEST}) if self._manifest else frozenset[Need]()
        return self.target.offers | has_file

    async def _capabilities(self, otherwise: str) -> list[Any]:
        """Return what the plugin asks for; one that does not say is held to everything."""
        try:
            asked = (await self.context.declared()).get("capabilities", [])
        except Violation:
            return [otherwise]
        return asked if isinstance(asked, list) else [otherwise]

    async def _plugin_name(self) -> tuple[str, str]:
        try:
            declared = await self.context.declared()
        except Violation:
            return "unknown", "unknown"
        return str(declared.get("name", "unknown")), str(declared.get("version", "unknown"))
