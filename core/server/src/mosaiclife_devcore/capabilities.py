"""Approve what a manifest asks for, one capability at a time (spec §13)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mosaiclife_devcore.errors import PermissionDenied
from mosaiclife_plugin_sdk import CAPABILITIES

EVERYTHING = "*"


@dataclass(frozen=True, slots=True)
class Approval:
    """What a plugin may do, and what it asked for in vain."""

    granted: tuple[str, ...] = ()
    refused: tuple[dict[str, str], ...] = ()

    def require(self, capability: str) -> None:
        """Refuse a call that needs a capability which was not granted."""
        if capability not in self.granted:
            raise PermissionDenied(f"this needs the capability {capability}, which is not granted")


def approve(asked: Iterable[str], allowed: Sequence[str]) -> Approval:
    """Split *asked* into what policy grants and what it refuses, each with the reason."""
    reasons = {name: _objection(name, allowed) for name in asked}
    return Approval(
        granted=tuple(name for name, reason in reasons.items() if reason is None),
        refused=tuple(
            {"capability": name, "reason": reason} for name, reason in reasons.items() if reason
        ),
    )


def _objection(name: str, allowed: Sequence[str]) -> str | None:
    if name not in CAPABILITIES:
        return f"unknown; known are {', '.join(CAPABILITIES)}"
    if EVERYTHING in allowed or name in allowed:
        return None
    return "this core's policy does not allow it for this plugin"
