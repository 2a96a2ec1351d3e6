"""Say what is being done and how long it will take, without flooding a log."""

import sys
import time
from collections.abc import Sequence
from typing import NamedTuple, TextIO

QUIET_SECONDS = 5.0


class Step(NamedTuple):
    """A piece of the run, and a guess at its seconds."""

    title: str
    seconds: float


class Progress:
    """Tell one step after the other; on a terminal the newest line is written over."""

    def __init__(self, steps: Sequence[Step], out: TextIO = sys.stdout) -> None:
        """Know all *steps* ahead, to say what is left."""
        self._steps = list(steps)
        self._out = out
        self._done = 0
        self._began = time.monotonic()
        self._told = 0.0
        self._open = False

    def step(self, title: str) -> None:
        """Begin the step called *title*."""
        left = spoken(sum(step.seconds for step in self._steps[self._done :]))
        gone = spoken(time.monotonic() - self._began)
        self._done += 1
        number = f"[{self._done}/{len(self._steps)}]"
        self._line(f"{number} {title} (after {gone}, about {left} to go)")

    def part(self, text: str) -> None:
        """Say how far a long step has come; where lines stay, only now and then."""
        now = time.monotonic()
        if self._out.isatty():
            self._out.write(f"\r\x1b[K      {text}")
            self._out.flush()
            self._open = True
        elif now - self._told >= QUIET_SECONDS:
            self._line(f"      {text}")
            self._told = now

    def note(self, text: str) -> None:
        """Say what has come of a step."""
        self._line(f"      {text}")

    def _line(self, text: str) -> None:
        self._out.write(("\r\x1b[K" if self._open else "") + text + "\n")
        self._out.flush()
        self._open = False


def amount(done: int, whole: int, seconds: float) -> str:
    """Say how far a count has come, how fast, and how long the rest will take."""
    speed = done / seconds if seconds else 0.0
    rest = spoken((whole - done) / speed) if speed else "unknown"
    return f"{done:,} of {whole:,} · {speed:,.0f}/s · {rest} left"


def spoken(seconds: float) -> str:
    """Write a duration as a person says it."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
