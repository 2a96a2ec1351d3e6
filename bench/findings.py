"""Collect what a run finds out: figures, what they hold for, what could not be measured."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Findings:
    """Everything that a run has to tell."""

    figures: dict[str, Any] = field(default_factory=dict)
    conditions: dict[str, dict[str, Any]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    growth: list[dict[str, Any]] = field(default_factory=list)
    steps: dict[str, float] = field(default_factory=dict)  # how many seconds each has taken

    def found(self, key: str, value: Any) -> None:
        """Keep a figure."""
        self.figures[key] = value

    def found_part(self, key: str, part: str, value: Any) -> None:
        """Keep one of several figures that share a key."""
        self.figures.setdefault(key, {})[part] = value

    def hold(self, name: str, **conditions: Any) -> None:
        """Keep under which conditions something was measured."""
        self.conditions.setdefault(name, {}).update(conditions)

    def skip(self, name: str, reason: str) -> None:
        """Keep why something was not measured."""
        self.skipped[name] = reason
