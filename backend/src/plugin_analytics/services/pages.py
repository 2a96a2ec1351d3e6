"""Say what every answer of a service looks like, and how a list goes on."""

from typing import Any, NamedTuple

import msgspec


class Report(NamedTuple):
    """An answer, and what stands beside it in `meta`."""

    data: Any
    meta: dict[str, Any]


class Pagination(msgspec.Struct, frozen=True, rename="camel"):
    """How to go on."""

    limit: int
    has_more: bool
    next_cursor: str | None
