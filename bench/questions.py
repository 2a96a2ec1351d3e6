"""List what readers ask: each report for a small family, a large circle and the whole tenant."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from bench.events import World

OPERATOR = {"sub": "bench", "operator": True}


@dataclass(frozen=True)
class Question:
    """One call of the data API."""

    name: str
    path: str
    viewer: dict[str, Any] | None = None
    method: str = "GET"
    body: str | None = None

    def wire(self) -> list[Any]:
        """Return what the sending process needs of it."""
        return [self.method, self.path, self.viewer, self.body]


OVERVIEWS = (
    {"period": "30d"},
    {"period": "12mo"},
    {"period": "all"},
    {"period": "12mo", "compare": "previous_year"},
)
SERIES = (
    {"metric": "stories", "period": "30d", "interval": "day"},
    {"metric": "stories", "period": "12mo", "interval": "month"},
    {"metric": "hearts", "period": "all", "interval": "month"},
    {"metric": "storytellers", "period": "12mo", "interval": "week"},
    {"metric": "storytellers", "period": "all", "interval": "quarter"},
    {"metric": "stories,responses,hearts,media", "period": "12mo", "interval": "day"},
    {"metric": "stories", "period": "12mo", "interval": "month", "compare": "previous_period"},
    {"metric": "stories", "period": "12mo", "interval": "month", "breakdown": "origin"},
    {"metric": "reactions", "period": "all", "interval": "quarter", "breakdown": "reaction"},
)
PASSING = {"metric": "stories", "period": "since_passing", "axis": "since_passing"}
# The interface asks in the zone of whoever looks; the counts are in that of the tenant.
ABROAD = "America/New_York"
FROM_ABROAD = (
    ("overview", {"period": "12mo"}),
    ("timeseries", {"metric": "stories", "period": "12mo", "interval": "month"}),
    ("timeseries", {"metric": "storytellers", "period": "12mo", "interval": "week"}),
)
FRESHNESS = "/v1/data/overview?period=30d"
RUNS = "/v1/jobs/runs"


def questions(world: World) -> list[Question]:
    """Return every question that the bench asks."""
    asked = []
    for scope, legacy in (("small", world.small), ("busiest", world.busiest), ("tenant", None)):
        name = None if legacy is None else legacy.id
        asked += [_get("overview", scope, name, query) for query in OVERVIEWS]
        asked += [_get("timeseries", scope, name, query) for query in SERIES]
        asked += [
            _get(report, scope, name, {**query, "timezone": ABROAD})
            for report, query in FROM_ABROAD
        ]
        if name is not None:
            asked.append(_get("timeseries", scope, name, PASSING))
    return [*asked, *_others(world.busiest.id)]


def runs_of(job: str, limit: int) -> str:
    """Return where the newest runs of a job of the instance are read."""
    return f"{RUNS}?{urlencode({'job': job, 'scope': 'instance', 'limit': limit})}"


def _get(report: str, scope: str, legacy: str | None, query: dict[str, str]) -> Question:
    words = " ".join(value for key, value in query.items() if key != "axis")
    viewer = None if legacy is None else {"sub": "bench", "legacies": {legacy: "creator"}}
    wanted = query if legacy is None else {"legacyId": legacy, **query}
    path = f"/v1/data/{report}?{urlencode(wanted)}"
    return Question(f"{report} {scope} {words}", path, viewer)


def _others(legacy: str) -> list[Question]:
    several = [
        {"id": "a", "path": "/data/overview", "params": {"legacyId": legacy, "period": "12mo"}},
        {
            "id": "b",
            "path": "/data/timeseries",
            "params": {"legacyId": legacy, "metric": "stories", "interval": "month"},
        },
        {"id": "c", "path": "/data/items", "params": {}},
    ]
    viewer = {"sub": "bench", "legacies": {legacy: "creator"}}
    body = json.dumps({"queries": several})
    return [
        Question("items", "/v1/data/items"),
        Question("quality", "/v1/data/quality", OPERATOR),
        Question("query of three", "/v1/data/query", viewer, "POST", body),
    ]
