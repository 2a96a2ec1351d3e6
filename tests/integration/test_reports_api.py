"""The data API over the real ASGI app: breakdown, quality, several questions at once, any nonsense."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litestar.testing import TestClient

from mosaiclife_plugin_sdk import SERVICE, UserContext
from plugin_analytics.app import build
from plugin_analytics.http.params import BREAKDOWN, OVERVIEW, QUALITY, TIMESERIES
from plugin_analytics.http.query import MAX_QUERIES
from tests.integration.test_backend_app import (
    MEMBER,
    STEWARD,
    TOKEN,
    House,
    assert_problem,
    environment,
)
from tests.support.events import TENANT, event, reader_headers, story

REPORTS = ("overview", "timeseries", "breakdown", "quality", "items")
STRANGER = UserContext(sub="eve", legacies={"l9": "creator"})


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Return one running plugin for all that only reads."""
    app, _ = build(environment(tmp_path_factory.mktemp("reports")))
    with TestClient(app, base_url="http://plugin.test") as client:
        house = House(client)
        passing = {"death_date": "2026-01-15", "death_date_precision": "day"}
        house.deliver(
            [
                story("s1", "l1", origin="prompt"),
                story("s2", "l1", origin="manual", by="user:ben"),
                event("legacy.created", {"legacy_id": "l1", **passing}),
            ]
        )
        house.metrics()
        yield house


def several(house: House, body: Any, viewer: UserContext = MEMBER) -> Any:
    return house.client.post(
        "/v1/data/query", json=body, headers=reader_headers(TOKEN, viewer, TENANT)
    )


def one(name: str, path: str, **params: Any) -> dict[str, Any]:
    return {"id": name, "path": f"/data/{path}", "params": params}


def test_several_questions_at_once(house: House) -> None:
    """Each answer is that of a call of its own, in the order of the questions."""
    queries = [
        one("b", "timeseries", legacyId="l1", metric=["stories", "hearts"], period="12mo"),
        one("a", "overview", legacyId="l1"),
        one("c", "items", limit=3),
        one("d", "breakdown", legacyId="l1", dimension="origin"),
    ]

    answers = several(house, {"queries": queries}).json()["data"]

    assert [(each["id"], each["status"]) for each in answers] == [(n, 200) for n in "bacd"]
    for query, answer in zip(queries, answers, strict=True):
        pairs = urlencode(query["params"], doseq=True)
        alone = house.ask(f"{query['path'].removeprefix('/data/')}?{pairs}", MEMBER).json()
        assert answer["body"]["data"] == alone["data"]
        assert answer["body"]["meta"].keys() == alone["meta"].keys()


def test_a_bad_question_fails_alone(house: House) -> None:
    """Nonsense, a stranger's legacy, what only stewards see: each has its own status and error."""
    queries = [
        one("nonsense", "timeseries", legacyId="l1", metric="views"),
        one("foreign", "overview", legacyId="l2"),
        one("steward", "quality"),
        one("tampered", "items", cursor="AAAA"),
        one("good", "overview", legacyId="l1"),
    ]

    answers = several(house, {"queries": queries}).json()["data"]

    found = [(each["status"], each["body"].get("error", {}).get("code")) for each in answers]
    assert found == [
        (422, "VALIDATION_FAILED"),
        (403, "LEGACY_ACCESS_DENIED"),
        (403, "PERMISSION_DENIED"),
        (400, "INVALID_FORMAT"),
        (200, None),
    ]
    error = answers[0]["body"]["error"]
    assert error["details"][0]["field"] == "query.metric"
    assert set(error) == {"code", "message", "details", "requestId", "timestamp"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "$"),
        ({"queries": []}, "$.queries"),
        ({"queries": [one(f"q{n}", "items") for n in range(MAX_QUERIES + 1)]}, "$.queries"),
        ({"queries": [one("a", "items"), one("a", "items")]}, "$.queries[1].id"),
        ({"queries": [one("a", "items"), one("b", "webhooks")]}, "$.queries[1].path"),
        ({"queries": [one("a", "query")]}, "$.queries[0].path"),
        ({"queries": [{"id": "a", "path": 7}]}, "$.queries[0].path"),
        ({"queries": [{"path": "/data/items"}]}, "$.queries[0]"),
        ({"queries": [{**one("a", "items"), "method": "PUT"}]}, "$.queries[0]"),
        ({"queries": [one("", "items")]}, "$.queries[0].id"),
        ({"queries": [one("a", "items", limit=1.5)]}, "$.queries[0].params[...]"),
        ({"queries": 7}, "$.queries"),
        ([], "$"),
    ],
)
def test_questions_that_cannot_be_told_apart(house: House, body: Any, field: str) -> None:
    """A body that is not clear is refused whole, and the JSON path says where."""
    error = assert_problem(several(house, body), 422, "VALIDATION_FAILED")

    assert error["details"][0]["field"] == field


def test_breakdown_goes_on_by_its_cursor(house: House) -> None:
    """Page by page over HTTP; a forged cursor and that of another query are a 400."""
    first = house.ask("breakdown?legacyId=l1&limit=1", MEMBER).json()
    cursor = first["meta"]["pagination"]["nextCursor"]
    rest = house.ask(f"breakdown?legacyId=l1&cursor={cursor}", MEMBER).json()

    assert first["data"] + rest["data"] == [
        {"value": "manual", "count": 1},
        {"value": "prompt", "count": 1},
    ]
    for query in (f"metric=media&cursor={cursor}", "cursor=AAAA", f"cursor={cursor[:-2]}"):
        assert_problem(house.ask(f"breakdown?legacyId=l1&{query}", MEMBER), 400, "INVALID_FORMAT")


def test_who_may_see_which_report(house: House) -> None:
    """Members their legacies, stewards the tenant and the health of its data, strangers nothing."""
    for report in ("overview", "timeseries", "breakdown"):
        for role in ("creator", "admin", "advocate", "admirer"):
            member = UserContext(sub="m", legacies={"l1": role})
            assert house.ask(f"{report}?legacyId=l1", member).status_code == 200
        for viewer in (STRANGER, UserContext(sub="o", operator=True), SERVICE):
            refused = house.ask(f"{report}?legacyId=l1", viewer)
            assert_problem(refused, 403, "LEGACY_ACCESS_DENIED")
        assert_problem(house.ask(report, MEMBER), 403, "PERMISSION_DENIED")
    assert_problem(house.ask("quality", MEMBER), 403, "PERMISSION_DENIED")
    assert house.ask("quality", STEWARD).json()["data"]["outcomes"]["accepted"] == 3
    assert house.ask("quality", SERVICE).status_code == 200


def test_the_passing_of_a_legacy_is_an_axis(house: House) -> None:
    """The series begins on the day, and marks what is remembered."""
    data = house.ask("timeseries?legacyId=l1&period=since_passing&interval=month", MEMBER).json()

    assert data["data"]["buckets"][0]["start"] == "2026-01-15"
    assert data["data"]["buckets"][0]["offset"] == 0
    assert data["data"]["annotations"][0] == {"date": "2026-01-15", "kind": "passing", "years": 0}
    refused = house.ask("timeseries?axis=since_passing", STEWARD)
    error = assert_problem(refused, 422, "VALIDATION_FAILED")
    assert error["details"][0]["field"] == "query.axis"


def test_an_unchanged_report_is_not_sent_again(house: House) -> None:
    """Every report has a tag that its reader can come back with."""
    for report in ("overview?legacyId=l1", "breakdown?legacyId=l1", "items"):
        first = house.ask(report, MEMBER)
        assert house.ask(report, MEMBER, tag=first.headers["etag"]).status_code == 304


NAMES = sorted(OVERVIEW | TIMESERIES | BREAKDOWN | QUALITY | {"kind", "x", ""})
WORDS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            *("l1", "all", "since_passing", "30d", "12mo", "9999d", "120mo", "2026-01-01"),
            *("2026-02-30", "1900-01-01", "2200-12-31", "custom", "previous_period", "none"),
            *("previous_year", "stories", "tellings", "storytellers", "origin", "kind", "prompt"),
            *("UTC", "Asia/Kolkata", "Pacific/Apia", "day", "week", "auto", "1", "100", "-1"),
        ]
    ),
)
QUERIES = st.lists(st.tuples(st.sampled_from(NAMES), WORDS), max_size=6)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
ANY = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize("report", REPORTS)
@given(pairs=QUERIES)
@ANY
def test_any_query_string_is_answered_or_refused(
    house: House, report: str, pairs: list[tuple[str, str]]
) -> None:
    """Never a 5xx; and a 422 names each parameter that is wrong."""
    viewer = UserContext(sub="ada", operator=True, legacies={"l1": "creator"})
    answer = house.ask(f"{report}?{urlencode(pairs)}", viewer)

    assert answer.status_code in {200, 400, 403, 422}, (pairs, answer.text)
    if answer.status_code == 422:
        fields = [detail["field"] for detail in answer.json()["error"]["details"]]
        assert fields
        assert all(field.startswith("query.") for field in fields)


@pytest.mark.parametrize("report", REPORTS)
@given(raw=st.text(alphabet="%&=+;?#[]aZ0 é/", max_size=24))
@ANY
def test_any_raw_query_is_answered_or_refused(house: House, report: str, raw: str) -> None:
    """Whatever stands behind the question mark."""
    answer = house.ask(f"{report}?{raw.replace('#', '')}")

    assert answer.status_code in {200, 400, 403, 422}, answer.text


@given(
    body=JSON
    | st.fixed_dictionaries(
        {
            "queries": st.lists(
                st.fixed_dictionaries(
                    {
                        "id": JSON | st.text(alphabet="abc", min_size=1, max_size=3),
                        "path": JSON | st.sampled_from([f"/data/{name}" for name in REPORTS]),
                        "params": JSON | st.dictionaries(st.sampled_from(NAMES), WORDS),
                    }
                ),
                max_size=4,
            )
        }
    )
)
@ANY
def test_any_body_is_answered_or_refused(house: House, body: Any) -> None:
    """Never a 5xx, neither as a whole nor within."""
    answer = several(house, body, STEWARD)

    assert answer.status_code in {200, 415, 422}, answer.text
    assert (answer.status_code == 415) == (body is None)  # None sends no body
    if answer.status_code == 200:
        assert {each["status"] for each in answer.json()["data"]} <= {200, 400, 403, 422}


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b"[" * 10_000, b'{"queries": [' + b"1," * 9])
def test_what_is_no_json_is_a_400(house: House, raw: bytes) -> None:
    """A body that cannot be read is told from one that cannot be used."""
    headers = {**reader_headers(TOKEN, MEMBER), "Content-Type": "application/json"}
    answer = house.client.post("/v1/data/query", content=raw, headers=headers)

    assert_problem(answer, 422 if raw == b"" else 400, answer.json()["error"]["code"])
