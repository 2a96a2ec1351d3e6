"""Describe the query parameters for `/schema/openapi.json`; `params` is what reads them."""

from collections.abc import Iterable
from dataclasses import dataclass

from litestar.openapi.spec import OpenAPIFormat, OpenAPIType, Operation, Parameter, Schema

from plugin_analytics.http.params import (
    DEFAULT_LIMIT,
    ITEMS,
    MAX_CURSOR,
    MAX_LIMIT,
    MAX_METRICS,
    OVERVIEW,
    QUARANTINE,
    REASONS,
    TIMESERIES,
    WEEK_STARTS,
)
from plugin_analytics.model.calendar import INTERVALS, MAX_YEARS
from plugin_analytics.model.catalogue import KINDS, METRICS

_TEXT = OpenAPIType.STRING
_DATE = Schema(type=_TEXT, format=OpenAPIFormat.DATE)
_SCHEMAS = {
    "legacyId": ("The legacy; without it, the whole tenant.", Schema(type=_TEXT, max_length=64)),
    "period": (
        f"`all`, `year`, `<n>d` or `<n>mo` of at most {MAX_YEARS} years, up to today.",
        Schema(type=_TEXT, examples=["all", "30d", "12mo", "year"]),
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
    "kind": ("Only entries of this kind.", Schema(type=_TEXT, enum=list(KINDS))),
    "reason": ("Only what was set aside for this.", Schema(type=_TEXT, enum=list(REASONS))),
    "limit": (
        "How many entries a page has.",
        Schema(type=OpenAPIType.INTEGER, minimum=1, maximum=MAX_LIMIT, default=DEFAULT_LIMIT),
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
ItemsOperation = _described(ITEMS)
QuarantineOperation = _described(QUARANTINE)
