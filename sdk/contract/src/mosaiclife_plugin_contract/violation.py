"""Say how a plugin breaks the contract."""

from dataclasses import dataclass
from typing import Any

LONGEST = 400


@dataclass
class Violation(Exception):
    """The plugin breaks a rule: what the rule is, what was seen, what was to be seen."""

    rule: str
    saw: str = ""
    expected: str = ""
    hint: str = ""

    def __str__(self) -> str:
        parts = [("saw", self.saw), ("expected", self.expected), ("hint", self.hint)]
        return "; ".join([self.rule, *(f"{name}: {text}" for name, text in parts if text)])


class Unanswered(Violation):
    """A request that got no answer, or none that ends."""


class Unreachable(Unanswered):
    """Nobody listens there."""


class StartFailed(Violation):
    """The plugin did not come up."""


@dataclass
class NotApplicable(Exception):
    """The plugin declares nothing that the check could look at."""

    reason: str


def expect(
    holds: object, rule: str, *, saw: object = "", expected: object = "", hint: str = ""
) -> None:
    """Raise a `Violation` of *rule* unless it holds."""
    if not holds:
        raise Violation(rule, shown(saw), shown(expected), hint)


def shown(value: Any) -> str:
    """Return *value* as a short text of one line."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    text = " ".join((value if isinstance(value, str) else repr(value)).split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
