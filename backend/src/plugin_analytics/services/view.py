"""Look at one scope at one moment: what all reports have in common."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from mosaiclife_plugin_sdk import ValidationFailed
from plugin_analytics.clock import Clock, from_micros, rfc3339
from plugin_analytics.model.calendar import Period, Range
from plugin_analytics.model.comparison import (
    Compare,
    Counterpart,
    other_days,
    period_before,
    year_before,
)
from plugin_analytics.model.dimensions import parts_of, value_of
from plugin_analytics.model.erasure import visible
from plugin_analytics.model.families import WHOLE_TENANT
from plugin_analytics.model.life import FAMILY, Life, life_of
from plugin_analytics.model.reports import STORYTELLERS, Cell, Row, rows
from plugin_analytics.model.rollup import DEFINITION, acts_of, subject_key
from plugin_analytics.store.base import Freshness, Store

Filter = Mapping[str, str]


class Window(NamedTuple):
    """What part of time is asked for: a period that ends today, or two dates."""

    period: Period
    dates: Range | None = None

    @property
    def asked(self) -> Period | None:
        """Return the period, unless two dates overrule it."""
        return None if self.dates is not None else self.period


class Comparing(NamedTuple):
    """Beside what a report is set; None is what is usual for it."""

    mode: Compare | None = None
    dates: Range | None = None


class View:
    """One scope in one zone, as of one moment."""

    def __init__(
        self, store: Store, clock: Clock, tenant: str, legacy: str, zone: ZoneInfo
    ) -> None:
        """Read of *store* what belongs to a legacy, or to the whole tenant."""
        self._store = store
        self.scope = tenant, legacy
        self.zone = zone
        self.today = clock().astimezone(zone).date()

    @property
    def legacy_id(self) -> str | None:
        """Return the legacy; None is the whole tenant."""
        return self.scope[1] or None

    def span(self, window: Window) -> Range:
        """Return the dates that are asked for."""
        if window.dates is not None:
            return window.dates
        first = None
        if window.period.unit == "all":
            first = self._store.first_day(*self.scope, self.zone)
        elif window.period.unit == "since_passing":
            first = self.passing("query.period")
        return window.period.range(self.today, first or self.today)

    def beside(self, span: Range, window: Window, comparing: Comparing) -> Counterpart | None:
        """Return the days that *span* is set beside."""
        if comparing.mode in (None, "previous_period"):
            return period_before(span, window.asked)
        if comparing.mode == "previous_year":
            return year_before(span, window.asked)
        return None if comparing.dates is None else other_days(span, comparing.dates)

    def life(self) -> Life:
        """Return the dates of the legacy's life that are known to the day."""
        tenant, legacy = self.scope
        if legacy == WHOLE_TENANT:
            return Life()
        key = subject_key(FAMILY.name, legacy)
        known = self._store.memories(tenant, [key])
        return life_of(visible(FAMILY, acts_of(known[key]))) if key in known else Life()

    def passing(self, field: str) -> date:
        """Return the day of the passing, or refuse the parameter *field* with the reason."""
        if self.legacy_id is None:
            raise _refused(field, "counts from a passing: name a legacy")
        passing = self.life().passing
        if passing is None:
            raise _refused(field, "counts from a passing that is known to the day; here it is not")
        if passing > self.today:
            raise _refused(field, "counts from a passing, which here lies ahead")
        return passing

    def table(
        self, slots: Sequence[Range], metrics: Sequence[str], only: Filter | None = None
    ) -> list[Row]:
        """Count each metric in each of *slots*, which are in order and apart."""
        people: Sequence[int] = ()
        if STORYTELLERS in metrics:
            people = self._store.storytellers(*self.scope, slots, self.zone)
        if only:
            return rows(len(slots), metrics, self._matching(slots, metrics, only))
        return rows(len(slots), metrics, self._cells(slots, metrics), people)

    def cells(self, slots: Sequence[Range], metric: str, only: Filter | None = None) -> list[Cell]:
        """Return what a metric counts in each of *slots*, apart by what it was."""
        return self._matching(slots, (metric,), only or {})

    def table_beside(
        self, parts: Sequence[Range | None], metrics: Sequence[str], only: Filter | None = None
    ) -> list[Row | None]:
        """Count each metric in each of *parts*, which may overlap; None counts as None."""
        found: dict[Range, Row] = {}
        for slots in _apart(sorted({part for part in parts if part is not None})):
            found.update(zip(slots, self.table(slots, metrics, only), strict=True))
        return [None if part is None else found[part] for part in parts]

    def freshness(self) -> Freshness:
        """Tell how far the counts are behind."""
        return self._store.freshness(*self.scope)

    def seq(self) -> int:
        """Return the number of the last event that is counted; 0 before the first."""
        progress = self._store.progress(self.scope[0])
        return progress.seq if progress else 0

    def meta(
        self,
        span: Range,
        definitions: Sequence[str],
        window: str | None = None,
        *,
        fresh: Freshness | None = None,
    ) -> dict[str, Any]:
        """Say what a report was made of, so that it can be trusted and made again."""
        fresh = fresh or self.freshness()
        moment = None if fresh.watermark is None else rfc3339(from_micros(fresh.watermark))
        return {
            "timezone": self.zone.key,
            "range": dates(span),
            "privacy": {"class": "shared", "k": None, "window": window, "rounded": False},
            "freshness": {"watermark": moment, "dirtyDays": fresh.dirty_days},
            "definition": ",".join(f"{name}.{DEFINITION}" for name in definitions),
        }

    def _cells(
        self, slots: Sequence[Range], metrics: Sequence[str], *, kinds: bool = False
    ) -> Sequence[Cell]:
        parts = dict.fromkeys(part for metric in metrics for part in parts_of(metric))
        asked = [part for part in parts if part != STORYTELLERS]
        return self._store.series(*self.scope, slots, self.zone, asked, kinds=kinds)

    def _matching(self, slots: Sequence[Range], metrics: Sequence[str], only: Filter) -> list[Cell]:
        """Return the cells of *metrics*, each of which has every dimension of *only*."""
        return [
            cell
            for cell in self._cells(slots, metrics, kinds=True)
            if all(
                value_of(metric, dimension, cell.metric, cell.kind) == value
                for metric in metrics
                if cell.metric in parts_of(metric)
                for dimension, value in only.items()
            )
        ]


def dates(span: Range) -> dict[str, date]:
    """Write a range as answers do."""
    return {"from": span.start, "to": span.end}


def _apart(parts: Sequence[Range]) -> Iterator[list[Range]]:
    """Deal sorted *parts* into lists in which none overlaps another."""
    left = list(parts)
    while left:
        chosen: list[Range] = []
        for part in left:
            if not chosen or part.start >= chosen[-1].end:
                chosen.append(part)
        left = [part for part in left if part not in set(chosen)]
        yield chosen


def _refused(field: str, reason: str) -> ValidationFailed:
    return ValidationFailed(
        "The query is not valid.", details=[{"field": field, "message": reason}]
    )
