"""Know the state of the plugin as the plugin itself sees it (spec §16)."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Literal

import structlog

from mosaiclife_plugin_sdk.frame.health import Monotonic

log = structlog.stdlib.get_logger(__name__)

CORE_SILENCE_SECONDS = 60.0

Standing = Literal["untried", "trying", "accepted", "disabled", "static"]


class State(StrEnum):
    """The five states of the specification."""

    INSTALLED = "Installed"
    REGISTERING = "Registering"
    READY = "Ready"
    DEGRADED = "Degraded"
    DISABLED = "Disabled"


class Lifecycle:
    """What registration and readiness have said last, as one state.

    Installed (not tried) -> Registering -> Ready -> Degraded (a check fails or has a
    reservation, or core has been silent for a minute) -> Disabled. With `SELF_REGISTER=false` core learns of the plugin from
    its own configuration, and only readiness counts.
    """

    def __init__(
        self, *, self_register: bool = True, monotonic: Monotonic = time.monotonic
    ) -> None:
        self._now = monotonic
        self._standing: Standing = "untried" if self_register else "static"
        self._ready = False
        self._heard_at = monotonic()
        self._logged: tuple[State | None, str] = (None, "")
        self.reason = ""
        self.core_version = ""

    @property
    def state(self) -> State:
        """Return the present state."""
        match self._standing:
            case "untried":
                return State.INSTALLED
            case "trying":
                return State.REGISTERING
            case "disabled":
                return State.DISABLED
            case "static":
                return State.READY if self._ready else State.DEGRADED
            case "accepted":
                return State.READY if self._ready and not self.core_is_silent else State.DEGRADED

    @property
    def core_is_silent(self) -> bool:
        """Tell whether core has not answered for a minute."""
        return self._now() - self._heard_at >= CORE_SILENCE_SECONDS

    def first_try(self) -> None:
        """Note that the first registration is under way; later ones change nothing by trying."""
        if self._standing == "untried":
            self.trying()

    def trying(self, reason: str = "") -> None:
        """Note that there is no valid registration, and why."""
        self._change(lambda: self._set("trying", reason))

    def accepted(self, core_version: str) -> None:
        """Note that core has the plugin."""
        self._heard_at = self._now()
        self.core_version = core_version
        self._change(lambda: self._set("accepted", ""))

    def disabled(self, reason: str) -> None:
        """Note that core has switched the plugin off."""
        self._change(lambda: self._set("disabled", reason))

    def core_failed(self, reason: str) -> None:
        """Note that core could not be asked; what it said before still holds."""
        if self._standing in ("accepted", "disabled"):
            self._change(lambda: setattr(self, "reason", reason))
        else:
            self.trying(reason)

    def readiness(self, ready: bool) -> None:
        """Note what the checks say."""
        self._change(lambda: setattr(self, "_ready", ready))

    def outlook(self) -> dict[str, Any]:
        """Return the state as information for a probe's body."""
        core = {"version": self.core_version, "silent": self.core_is_silent}
        return {"state": self.state, "reason": self.reason, "core": core}

    def _set(self, standing: Standing, reason: str) -> None:
        self._standing, self.reason = standing, reason

    def _change(self, change: Callable[[], None]) -> None:
        change()
        self._tell(self.state)

    def _tell(self, state: State) -> None:
        """Write a line when the state has changed, or the reason for it has."""
        before, reason = self._logged
        if (state, self.reason) == (before, reason):
            return
        self._logged = (state, self.reason)
        message = "reason changed" if state == before else "state changed"
        tell = log.warning if self.reason else log.info
        tell(message, state=state, before=before, reason=self.reason)
