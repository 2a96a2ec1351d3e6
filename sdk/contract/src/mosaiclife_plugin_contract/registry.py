"""Know every check: one function each, under the rule's number."""

import importlib
import pkgutil
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from mosaiclife_plugin_contract.context import Context
from mosaiclife_plugin_contract.needs import Need

__all__ = ["Check", "Level", "Need", "all_checks", "check"]

Run = Callable[[Context], Awaitable[None]]


class Level(StrEnum):
    """How binding a rule is."""

    MUST = "MUST"
    SHOULD = "SHOULD"


@dataclass(frozen=True)
class Check:
    """One rule of the contract, and how to look for it."""

    id: str
    title: str
    text: str
    spec: str
    level: Level
    profile: str
    feature: str | None
    needs: frozenset[Need]
    run: Run

    @property
    def label(self) -> str:
        """Return the name under which a test report shows the check."""
        return f"{self.id} [§{self.spec}]"

    @property
    def order(self) -> tuple[str, int]:
        """Return a key that puts `MAN-2` before `MAN-10`."""
        family, _, number = self.id.partition("-")
        return family, int(number)


_ID = re.compile(r"[A-Z]{3}-[1-9][0-9]*")
_checks: dict[str, Check] = {}


def check(
    id: str,  # noqa: A002 - a rule has an id
    *,
    spec: str,
    level: Level = Level.MUST,
    profile: str = "backend",
    feature: str | None = None,
    needs: set[Need] | None = None,
) -> Callable[[Run], Run]:
    """Register a function as the check of rule *id*; its docstring states the rule."""

    def register(run: Run) -> Run:
        text = " ".join((run.__doc__ or "").split())
        if not _ID.fullmatch(id) or not text:
            raise ValueError(f"{id}: a check has an id such as MAN-2, and a docstring")
        if id in _checks and _checks[id].run.__qualname__ != run.__qualname__:
            raise ValueError(f"{id} is the id of two checks")
        title = text.partition(". ")[0].rstrip(".")
        wanted = frozenset(needs or ())
        _checks[id] = Check(id, title, text, spec, level, profile, feature, wanted, run)
        return run

    return register


def all_checks() -> tuple[Check, ...]:
    """Return every check of the kit, in the order of their ids."""
    package = importlib.import_module("mosaiclife_plugin_contract.checks")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return tuple(sorted(_checks.values(), key=lambda known: known.order))
