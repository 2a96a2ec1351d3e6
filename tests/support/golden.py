"""Ask the engine and the oracle the same questions, as a query string would put them."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec

from mosaiclife_devcore.generator import TELLING, Envelope, Profile, generate, parse_faults
from plugin_analytics.http.params import read_overview, read_timeseries
from tests.oracle import Oracle, Span
from tests.support.events import TENANT
from tests.unit.backend.conftest import NOW, Bench

SMALL = Profile("small", 1_200, 14, 5, 430, TELLING)
# What happens to a stream on its way; who leaves is a matter of its own.
ROUGH = "duplicates,conflicts,late,skew,disorder,poison,flapping,triple,feb-29,year-only,alone"


def stream(
    seed: int, *, faults: str = "none", profile: Profile = SMALL, tenant: str = TENANT
) -> list[Envelope]:
    """Return the events of a small world, up to the day before the bench's present."""
    chosen = parse_faults(faults)
    return list(generate(profile, seed, tenant=tenant, until=NOW.date(), faults=chosen))


def oracle_of(events: Sequence[Envelope], tenant: str = TENANT) -> Oracle:
    """Return what knows the truth about *events*."""
    return Oracle(events, tenant=tenant, now=NOW)


def deliver(bench: Bench, events: Sequence[Envelope], *, batch: int = 500) -> None:
    """Deliver *events* in batches, and count them."""
    for start in range(0, len(events), batch):
        bench.deliver(events[start : start + batch])
    bench.refresh()


def engine_overview(bench: Bench, tenant: str = TENANT, **query: str) -> dict[str, Any]:
    """Return the engine's answer to `GET /data/overview`."""
    legacy, asked = read_overview(query.items())
    report = bench.provide.overview(tenant, legacy or "", asked)
    answer: dict[str, Any] = msgspec.to_builtins(report.data)
    return answer


def engine_timeseries(bench: Bench, tenant: str = TENANT, **query: str) -> dict[str, Any]:
    """Return the engine's answer to `GET /data/timeseries`."""
    legacy, asked = read_timeseries(query.items())
    report = bench.provide.timeseries(tenant, legacy or "", asked)
    answer: dict[str, Any] = msgspec.to_builtins(report.data)
    return answer


def oracle_overview(oracle: Oracle, **query: str) -> dict[str, Any]:
    """Return the oracle's answer to the same query."""
    return oracle.overview(query.get("legacyId", ""), **_window(query, "all"))


def oracle_timeseries(oracle: Oracle, **query: str) -> dict[str, Any]:
    """Return the oracle's answer to the same query."""
    period = query.get("period")
    return oracle.timeseries(
        query.get("legacyId", ""),
        **_window(query, "12mo"),
        metrics=tuple(query.get("metric", "stories").split(",")),
        interval=query.get("interval", "auto"),
        week_start=query.get("weekStart", "mon"),
        axis=query.get("axis", "since_passing" if period == "since_passing" else "calendar"),
        compare=query.get("compare", "none"),
        compare_dates=_days(query, "compareFrom", "compareTo"),
    )


def engine_breakdown(bench: Bench, tenant: str = TENANT, **query: str) -> dict[str, int]:
    """Return what the engine's series say of each value of a dimension, where it is not nought."""
    found = engine_timeseries(bench, tenant, **query)["breakdown"]["series"]
    return {each["value"]: each["total"] for each in found if each["total"]}


def oracle_breakdown(oracle: Oracle, **query: str) -> dict[str, list[int]]:
    """Return what each value of a dimension adds to each bucket, where that is not nothing."""
    columns = [
        oracle.breakdown(
            query["metric"],
            query["breakdown"],
            query.get("legacyId", ""),
            Span(date.fromisoformat(bucket["start"]), date.fromisoformat(bucket["end"])),
            query.get("timezone"),
        )
        for bucket in oracle_timeseries(oracle, **query)["buckets"]
    ]
    return {
        value: [column.get(value, 0) for column in columns]
        for value in {value for column in columns for value in column}
    }


def like(answer: Any, expected: Any) -> Any:
    """Return of *answer* what *expected* speaks of: a later release may say more."""
    if isinstance(expected, dict):
        return {name: like(answer.get(name), value) for name, value in expected.items()}
    if isinstance(expected, list) and len(answer) >= len(expected):
        return [like(each, value) for each, value in zip(answer, expected, strict=False)]
    return answer


def reports(bench: Bench, legacies: Sequence[str], tenant: str = TENANT) -> list[Any]:
    """Return what a reader can see of all scopes, to be compared with the same of another bench."""
    scopes = [{}, *({"legacyId": legacy} for legacy in legacies)]
    months = {"metric": "stories,storytellers,responses,hearts", "period": "all"}
    return [
        [
            engine_overview(bench, tenant, **scope),
            engine_timeseries(bench, tenant, **scope, **months),
        ]
        for scope in scopes
    ]


def _window(query: dict[str, str], default: str) -> dict[str, Any]:
    zone = query.get("timezone")
    if "from" in query:
        return {"period": None, "dates": _days(query, "from", "to"), "zone": zone}
    return {"period": query.get("period", default), "zone": zone}


def _days(query: dict[str, str], first: str, last: str) -> Span | None:
    if first not in query:
        return None
    return Span(date.fromisoformat(query[first]), date.fromisoformat(query[last]))
