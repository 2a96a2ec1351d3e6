"""Say how long the kit waits."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Seconds: for a whole check, for a start, and to see that something does *not* happen."""

    check: float = 20.0
    start: float = 20.0
    patience: float = 2.0

    @property
    def request(self) -> float:
        """Return how long one answer may take; a check has time for a few."""
        return min(5.0, self.check / 4)
