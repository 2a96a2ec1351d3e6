"""Describe the query parameters for `/schema/openapi.json`; `params` is what reads them."""

from collections.abc import Iterable
from dataclasses import dataclass

from litestar.openapi.spec import OpenAPIFormat, OpenAPIType, Operation, Parameter, Schema

from plugin_analytics.http.params import (
    AXES,
    BREAKDOWN,
    COMPARE,
    DEFAULT_LIMIT,
    ERASE_TENANT,
    ERASURES,
    FILTERS,
    ITEMS,
    MAX_CURSOR,
    MAX_LIMIT,
    MAX_METRICS,
    MAX_NAME,
    ORDERS,
    OVERVIEW,
    QUALITY,
    QUARANTINE,
    REASONS,
    TIMESERIES,
    WEEK_STARTS,
)
from plugin_analytics.model.calendar import INTERVALS, MAX_YEARS
from plugin_analytics.model.catalogue import KINDS, METRICS
from plugin_analytics.model.dimensions import VALUES

_TEXT = OpenAPIType.STRING
_DATE = Schema(type=_TEXT, format=OpenAPIFormat.DATE)
_SCHEMAS = {
    "legacyId": ("The legacy; without it, the whole tenant.", Schema(type=_TEXT, max_length=64)),
    "period": (
        f"`all`, `year`, `since_passing`, `<n>d` or `<n>mo` of at most {MAX_YEARS} years, to today.",
        Schema(type=_TEXT, examples=["all", "30d", "12mo", "year", "since_passing"]),
    ),
    "from": ("The first date, instead of a period.", _DATE),
    "to": ("The date after the last one.", _DATE),
    "timezone": ("The IANA zone whose days are counted.", Schema(type=_TEXT)),
    "metric": (
        "What is counted; several by repetition or commas.",
        Schema(
            type=OpenAPIType.ARRAY,
            items=Schema(type=_TEXT, enum=list(METRICS)),
            max_items=MAX_METRICS,
            unique_items=True,
        ),
    ),
    "interval": ("The length of a bucket.", Schema(type=_TEXT, enum=[*INTERVALS, "auto"])),
    "weekStart": ("The first day of a week.", Schema(type=_TEXT, enum=list(WEEK_STARTS))),
    "axis": (
        "What the buckets are counted from: the calendar, or the passing of the legacy.",
        Schema(type=_TEXT, enum=list(AXES)),
    ),
    "compare": (
        "The days that the report is set beside.",
        Schema(type=_TEXT, enum=list(COMPARE)),
    ),
    "compareFrom": ("The first of those days, beside `compare=custom`.", _DATE),
    "compareTo": ("The date after the last of them.", _DATE),
    "breakdown": (
        "A dimension that the one metric is told apart by.",
        Schema(type=_TEXT, enum=list(VALUES)),
    ),
    "dimension": (
        "What the metric is told apart by; without it, by its first.",
        Schema(type=_TEXT, enum=list(VALUES)),
    ),
    "order": ("Which count comes first.", Schema(type=_TEXT, enum=list(ORDERS))),
    "source": (
        "Only what this source has sent.",
        Schema(type=_TEXT, min_length=1, max_length=MAX_NAME),
    ),
    "type": ("Only events of this type.", Schema(type=_TEXT, min_length=1, max_length=MAX_NAME)),
    **{
        name: (
            f"Only what has this {dimension}.",
            Schema(type=_TEXT, enum=list(VALUES[dimension])),
        )
        for name, dimension in FILTERS.items()
    },
    "kind": ("Only entries of this kind.", Schema(type=_TEXT, enum=list(KINDS))),
    "reason": ("Only what was set aside for this.", Schema(type=_TEXT, enum=list(REASONS))),
    "limit": (
        "How many entries a page has.",
        Schema(type=OpenAPIType.INTEGER, minimum=1, maximum=MAX_LIMIT, default=DEFAULT_LIMIT),
    ),
    "confirm": (
        "The id of the tenant once more.",
        Schema(type=_TEXT, min_length=1, max_length=64),
    ),
    "cursor": (
        "Where the page begins: `nextCursor` of the page before.",
        Schema(type=_TEXT, max_length=MAX_CURSOR),
    ),
}


def _described(names: Iterable[str]) -> type[Operation]:
    """Return a kind of operation that takes the query parameters *names*."""
    parameters = [
        Parameter(name=name, param_in="query", description=text, schema=schema)
        for name, (text, schema) in _SCHEMAS.items()
        if name in names
    ]

    @dataclass
    class Described(Operation):
        def __post_init__(self) -> None:
            self.parameters = [*(self.parameters or []), *parameters]

    return Described


OverviewOperation = _described(OVERVIEW)
TimeseriesOperation = _described(TIMESERIES)
BreakdownOperation = _described(BREAKDOWN)
QualityOperation = _described(QUALITY)
ItemsOperation = _described(ITEMS)
QuarantineOperation = _described(QUARANTINE)
ErasuresOperation = _described(ERASURES)
EraseTenantOperation = _described(ERASE_TENANT)
