"""Answer `POST {basePath}/data/query`: several reports of one moment for the price of one call."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from litestar import Response, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody
from msgspec import Meta, Struct

from mosaiclife_plugin_sdk import PluginError, ValidationFailed
from mosaiclife_plugin_sdk.clock import rfc3339, utc_now
from mosaiclife_plugin_sdk.frame import ok
from mosaiclife_plugin_sdk.frame.bodies import problem, request_id
from plugin_analytics.http.data import AnyRequest, Read, Readers, Tenant, Viewer
from plugin_analytics.http.params import Pairs
from plugin_analytics.services.query import Outcome, Query

MAX_QUERIES = 10
Word = str | int | bool
Id = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9._-]{1,64}\Z", description="Yours to choose.")]


class One(Struct, forbid_unknown_fields=True):
    """One question: the path and the parameters that a call of its own would have."""

    id: Id
    path: str
    params: dict[str, Word | list[Word]] = {}


class Several(Struct, forbid_unknown_fields=True):
    """Up to ten questions."""

    queries: Annotated[list[One], Meta(min_length=1, max_length=MAX_QUERIES)]


def query_route(reads: Mapping[str, Read], query: Query, readers: Readers) -> HTTPRouteHandler:
    """Return the route that asks several of *reads* at once."""

    @post(
        "/data/query",
        status_code=200,
        operation_id="query",
        summary="Several reports of one moment; each has a status of its own",
    )
    async def several(
        request: AnyRequest, data: JSONBody[Several], tenant: Tenant, viewer: Viewer
    ) -> Response[Any]:
        _check(data, reads)
        asks = [partial(reads[one.path], tenant, viewer, _pairs(one)) for one in data.queries]
        outcomes = await readers(partial(query, asks))
        call = request_id(request.scope)
        return ok(
            request,
            [
                {"id": one.id, **_written(outcome, call)}
                for one, outcome in zip(data.queries, outcomes, strict=True)
            ],
        )

    return several


def _check(data: Several, reads: Mapping[str, Read]) -> None:
    """Refuse the call where it is not clear what is asked, or which answer would be whose."""
    faults, seen = [], set()
    for place, one in enumerate(data.queries):
        if one.path not in reads:
            message = f"is not one of {', '.join(reads)}"
            faults.append({"field": f"$.queries[{place}].path", "message": message})
        if one.id in seen:
            message = "stands more than once"
            faults.append({"field": f"$.queries[{place}].id", "message": message})
        seen.add(one.id)
    if faults:
        raise ValidationFailed("The queries are not valid.", details=faults)


def _pairs(one: One) -> Pairs:
    """Return the parameters as a query string would bring them."""
    return [
        (name, _text(word))
        for name, value in one.params.items()
        for word in (value if isinstance(value, list) else [value])
    ]


def _text(word: Word) -> str:
    return str(word).lower() if isinstance(word, bool) else str(word)


def _written(outcome: Outcome, call: str) -> dict[str, Any]:
    """Return the status and the body that a call of its own would have had."""
    if isinstance(outcome, PluginError):
        return {"status": outcome.status, "body": problem(outcome, call)}
    meta = {"requestId": call, "timestamp": rfc3339(utc_now()), **outcome.meta}
    return {"status": 200, "body": {"data": outcome.data, "meta": meta}}
