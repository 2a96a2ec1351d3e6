"""Read query strings into questions; every fault is told at once, by the parameter's name."""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import TypeVar, get_args
from zoneinfo import ZoneInfo

from mosaiclife_plugin_sdk import ValidationFailed
from plugin_analytics.model.calendar import (
    FIRST_YEAR,
    INTERVALS,
    LAST_YEAR,
    MAX_YEARS,
    Interval,
    Period,
    Range,
    WeekStart,
    find_zone,
    parse_date,
    parse_period,
    too_long,
)
from plugin_analytics.model.catalogue import KINDS, METRICS, Kind
from plugin_analytics.model.comparison import Compare
from plugin_analytics.model.dimensions import DIMENSIONS, VALUES
from plugin_analytics.model.events import Reason
from plugin_analytics.model.reports import Axis
from plugin_analytics.services.breakdown import BreakdownQuery
from plugin_analytics.services.me import ErasuresQuery
from plugin_analytics.services.provide import ItemsQuery, OverviewQuery, TimeseriesQuery, Window
from plugin_analytics.services.quality import MAX_DAYS, QualityQuery
from plugin_analytics.services.quarantine import QuarantineQuery
from plugin_analytics.services.view import Comparing

T = TypeVar("T")
Pairs = Sequence[tuple[str, str]]
MAX_METRICS = 4
MAX_LIMIT, DEFAULT_LIMIT = 100, 20
MAX_CURSOR = 512
WEEK_STARTS: tuple[WeekStart, ...] = get_args(WeekStart)
OPEN = ("all", "since_passing")
_LEGACY = re.compile(r"[A-Za-z0-9_-]{1,64}")
COMPARE: tuple[Compare, ...] = get_args(Compare)
AXES: tuple[Axis, ...] = get_args(Axis)
FILTERS: dict[str, str] = {f"filter[{dimension}]": dimension for dimension in VALUES}
_WINDOW = frozenset({"legacyId", "period", "from", "to", "timezone"})
OVERVIEW = _WINDOW | {"compare", "compareFrom", "compareTo"}
TIMESERIES = OVERVIEW | {"metric", "interval", "weekStart", "axis", "breakdown", *FILTERS}
BREAKDOWN = _WINDOW | {"metric", "dimension", "order", "cursor", "limit", *FILTERS}
QUALITY = frozenset({"period", "from", "to", "source", "type"})
ORDERS = ("desc", "asc")
MAX_NAME = 128
ITEMS = frozenset({"cursor", "limit", "kind"})
QUARANTINE = frozenset({"cursor", "limit", "reason"})
ERASURES = frozenset({"cursor", "limit"})
ERASE_TENANT = frozenset({"confirm"})
NOTHING: frozenset[str] = frozenset()
REASONS: tuple[Reason, ...] = get_args(Reason)


class Parameters:
    """The parameters of one request, and what is wrong with them."""

    def __init__(self, pairs: Iterable[tuple[str, str]], known: Iterable[str]) -> None:
        """Collect *pairs*; a name outside *known* is a fault."""
        self._values: dict[str, list[str]] = {}
        self._faults: list[dict[str, str]] = []
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)
        allowed = frozenset(known)
        for name in self._values:
            if name not in allowed:
                named = f"one of {', '.join(sorted(allowed))}" if allowed else "asked for here"
                self.fault(name[:64], f"is not {named}")

    def fault(self, name: str, message: str) -> None:
        """Note that a parameter cannot be used."""
        self._faults.append({"field": f"query.{name}", "message": message})

    def all(self, name: str) -> list[str]:
        """Return every value of a parameter."""
        return self._values.get(name, [])

    def one(self, name: str) -> str | None:
        """Return the value of a parameter that may stand once."""
        values = self.all(name)
        if len(values) > 1:
            self.fault(name, "stands more than once")
        return values[0] if values else None

    def read(self, name: str, parse: Callable[[str], T | None], allowed: str, default: T) -> T:
        """Return the parsed value, or *default*; what *parse* turns into None is a fault."""
        text = self.one(name)
        if text is None:
            return default
        value = parse(text)
        if value is None:
            self.fault(name, f"is not {allowed}")
            return default
        return value

    def choice(self, name: str, words: tuple[T, ...], default: T) -> T:
        """Return one of *words*."""
        named = {str(word): word for word in words}
        return self.read(name, named.get, "one of " + ", ".join(named), default)

    def check(self) -> None:
        """Refuse the request if anything was wrong."""
        if self._faults:
            raise ValidationFailed("The query is not valid.", details=self._faults)


def read_legacy(parameters: Parameters) -> str | None:
    """Return the legacy in question; None is the whole tenant."""
    return parameters.read("legacyId", _legacy, "an id of at most 64 letters, digits, _ or -", None)


def read_overview(pairs: Iterable[tuple[str, str]]) -> tuple[str | None, OverviewQuery]:
    """Return the legacy and the question."""
    parameters = Parameters(pairs, OVERVIEW)
    legacy = read_legacy(parameters)
    window = _window(parameters, Period("all"))
    query = OverviewQuery(window, _zone(parameters), _comparing(parameters, window, None))
    parameters.check()
    return legacy, query


def read_timeseries(pairs: Iterable[tuple[str, str]]) -> tuple[str | None, TimeseriesQuery]:
    """Return the legacy and the question."""
    parameters = Parameters(pairs, TIMESERIES)
    legacy = read_legacy(parameters)
    window = _window(parameters, Period("mo", 12))
    metrics = _metrics(parameters)
    passed = window.asked is not None and window.asked.unit == "since_passing"
    query = TimeseriesQuery(
        window=window,
        zone=_zone(parameters),
        metrics=metrics,
        interval=_interval(parameters),
        week_start=parameters.choice("weekStart", WEEK_STARTS, "mon"),
        axis=parameters.choice("axis", AXES, "since_passing" if passed else "calendar"),
        comparing=_comparing(parameters, window, "none"),
        breakdown=_breakdown(parameters, metrics),
        only=_filter(parameters, metrics),
    )
    parameters.check()
    return legacy, query


def read_breakdown(pairs: Iterable[tuple[str, str]]) -> tuple[str | None, BreakdownQuery]:
    """Return the legacy and the question."""
    parameters = Parameters(pairs, BREAKDOWN)
    legacy = read_legacy(parameters)
    metric = parameters.choice("metric", tuple(DIMENSIONS), "stories")
    query = BreakdownQuery(
        window=_window(parameters, Period("all")),
        zone=_zone(parameters),
        metric=metric,
        dimension=_dimension(parameters, "dimension", metric) or DIMENSIONS[metric][0],
        ascending=parameters.choice("order", ORDERS, "desc") == "asc",
        limit=_read_limit(parameters),
        cursor=parameters.read("cursor", _cursor, "a cursor", None),
        only=_filter(parameters, (metric,)),
    )
    parameters.check()
    return legacy, query


def read_quality(pairs: Iterable[tuple[str, str]]) -> QualityQuery:
    """Return of which days of arrival, and of which source and type."""
    parameters = Parameters(pairs, QUALITY)
    window = _window(parameters, Period("d", 30))
    if _longest_days(window) > MAX_DAYS:
        name = "period" if window.asked else "to"
        parameters.fault(name, f"makes more than {MAX_DAYS} days of arrival")
    query = QualityQuery(window, _name(parameters, "source"), _name(parameters, "type"))
    parameters.check()
    return query


def _longest_days(window: Window) -> int:
    """Return how many days a window has at most."""
    if window.dates is not None:
        return window.dates.days
    days = {"d": 1, "mo": 30, "year": MAX_DAYS}.get(window.period.unit, MAX_DAYS + 1)
    return days * window.period.length


def _name(parameters: Parameters, name: str) -> str | None:
    allowed = f"a name of at most {MAX_NAME} characters"
    return parameters.read(
        name, lambda text: text if 0 < len(text) <= MAX_NAME else None, allowed, None
    )


def read_items(pairs: Iterable[tuple[str, str]]) -> ItemsQuery:
    """Return which page of the catalogue is asked for."""
    parameters = Parameters(pairs, ITEMS)
    kinds: tuple[Kind | None, ...] = KINDS
    query = ItemsQuery(
        kind=parameters.choice("kind", kinds, None),
        limit=_read_limit(parameters),
        cursor=parameters.read("cursor", _cursor, "a cursor", None),
    )
    parameters.check()
    return query


def read_quarantine(pairs: Iterable[tuple[str, str]]) -> QuarantineQuery:
    """Return which page of what was set aside is asked for."""
    parameters = Parameters(pairs, QUARANTINE)
    reasons: tuple[Reason | None, ...] = REASONS
    query = QuarantineQuery(
        reason=parameters.choice("reason", reasons, None),
        limit=_read_limit(parameters),
        cursor=parameters.read("cursor", _cursor, "a cursor", None),
    )
    parameters.check()
    return query


def read_erasures(pairs: Iterable[tuple[str, str]]) -> ErasuresQuery:
    """Return which page of the receipts is asked for."""
    parameters = Parameters(pairs, ERASURES)
    query = ErasuresQuery(
        limit=_read_limit(parameters),
        cursor=parameters.read("cursor", _cursor, "a cursor", None),
    )
    parameters.check()
    return query


def read_confirmation(pairs: Iterable[tuple[str, str]], tenant: str) -> None:
    """Refuse what does not say once more of which tenant everything is to go."""
    parameters = Parameters(pairs, ERASE_TENANT)
    if parameters.one("confirm") != tenant:
        parameters.fault("confirm", "is not the id of the tenant")
    parameters.check()


def _read_limit(parameters: Parameters) -> int:
    return parameters.read("limit", _limit, f"a number from 1 to {MAX_LIMIT}", DEFAULT_LIMIT)


def _window(parameters: Parameters, default: Period) -> Window:
    """Read `period`, or `from` and `to`; never both."""
    allowed = f"all, year, since_passing, <n>d or <n>mo of at most {MAX_YEARS} years"
    period = parameters.read("period", parse_period, allowed, default)
    if not (parameters.all("from") or parameters.all("to")):
        return Window(period)
    if parameters.all("period"):
        parameters.fault("period", "cannot stand beside from and to")
    return Window(period, _dates(parameters, "from", "to"))


def _dates(parameters: Parameters, first: str, last: str) -> Range | None:
    together = f"is missing: {first} and {last} stand together"
    start, end = (_date(parameters, name, together) for name in (first, last))
    if start is None or end is None:
        return None
    if start >= end:
        parameters.fault(last, f"is not later than {first}")
    elif too_long(Range(start, end)):
        parameters.fault(last, f"is more than {MAX_YEARS} years after {first}")
    return Range(start, end)


def _comparing(parameters: Parameters, window: Window, usual: Compare | None) -> Comparing:
    """Read beside what a report is set; None leaves that to the report."""
    modes: tuple[Compare | None, ...] = COMPARE
    mode = parameters.choice("compare", modes, usual)
    if mode == "custom":
        return Comparing(mode, _dates(parameters, "compareFrom", "compareTo"))
    for name in ("compareFrom", "compareTo"):
        if parameters.all(name):
            parameters.fault(name, "stands only beside compare=custom")
    if mode == "previous_period" and window.asked and window.asked.unit in OPEN:
        parameters.fault("compare", f"has nothing to show: nothing lies before {window.asked.unit}")
    return Comparing(mode)


def _breakdown(parameters: Parameters, metrics: tuple[str, ...]) -> str | None:
    if parameters.all("breakdown") and len(metrics) > 1:
        parameters.fault("breakdown", "tells one metric apart; name one")
        return parameters.one("breakdown")
    return _dimension(parameters, "breakdown", metrics[0])


def _dimension(parameters: Parameters, name: str, metric: str) -> str | None:
    """Return one of the dimensions that *metric* can be told apart by."""
    known: tuple[str | None, ...] = DIMENSIONS.get(metric, ())
    if known:
        return parameters.choice(name, known, None)
    if parameters.one(name) is not None:
        parameters.fault(name, f"cannot tell {metric} apart")
    return None


def _filter(parameters: Parameters, metrics: tuple[str, ...]) -> dict[str, str]:
    """Read `filter[dimension]=value`; every metric must have the dimension."""
    only: dict[str, str] = {}
    for name, dimension in FILTERS.items():
        if not parameters.all(name):
            continue
        for metric in metrics:
            if dimension not in DIMENSIONS.get(metric, ()):
                parameters.fault(name, f"cannot tell {metric} apart")
        only[dimension] = parameters.choice(name, VALUES[dimension], "")
    return only


def _date(parameters: Parameters, name: str, missing: str) -> date | None:
    if not parameters.all(name):
        parameters.fault(name, missing)
    allowed = f"a date as YYYY-MM-DD from {FIRST_YEAR} to {LAST_YEAR}"
    return parameters.read(name, parse_date, allowed, None)


def _zone(parameters: Parameters) -> ZoneInfo | None:
    return parameters.read("timezone", find_zone, "the name of an IANA time zone", None)


def _metrics(parameters: Parameters) -> tuple[str, ...]:
    """Read `metric=a&metric=b` as well as `metric=a,b`."""
    names = [name for text in parameters.all("metric") for name in text.split(",")]
    if any(name not in METRICS for name in names):
        parameters.fault("metric", f"is not one of {', '.join(METRICS)}")
    elif len(set(names)) < len(names):
        parameters.fault("metric", "names a metric twice")
    elif len(names) > MAX_METRICS:
        parameters.fault("metric", f"names more than {MAX_METRICS} metrics")
    return tuple(names) or ("stories",)


def _interval(parameters: Parameters) -> Interval | None:
    words: dict[str, Interval | None] = {word: word for word in INTERVALS}
    words["auto"] = None
    text = parameters.one("interval")
    if text is not None and text not in words:
        parameters.fault("interval", f"is not one of {', '.join(words)}")
    return words.get(text or "auto")


def _legacy(text: str) -> str | None:
    return text if _LEGACY.fullmatch(text) else None


def _limit(text: str) -> int | None:
    usable = text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= MAX_LIMIT
    return int(text) if usable else None


def _cursor(text: str) -> str | None:
    return text if 0 < len(text) <= MAX_CURSOR else None
