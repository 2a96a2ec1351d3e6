"""The whole plugin over its real ASGI app: signed deliveries in, reports out, one SQLite file."""

import base64
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar.testing import TestClient

from mosaiclife_plugin_sdk import SERVICE, UserContext, new_secret
from plugin_analytics.app import build
from plugin_analytics.http.params import BREAKDOWN, ITEMS, OVERVIEW, QUALITY, TIMESERIES
from tests.support.events import (
    TENANT,
    body_of,
    delivery_headers,
    event,
    media,
    reaction,
    reader_headers,
    response,
    story,
)
from tests.support.processes import eventually
from tests.support.samples import read_samples

TOKEN = "token-of-this-test-and-no-other"
SECRET = new_secret()
STEWARD = UserContext(sub="ada", operator=True, legacies={"l1": "creator"})
MEMBER = UserContext(sub="ben", legacies={"l1": "admirer"})


class House:
    """A running plugin, and the two things that core does with it."""

    def __init__(self, client: TestClient[Any]) -> None:
        self.client = client

    def deliver(
        self, events: Sequence[Mapping[str, Any]], *, body: bytes | None = None, **headers: Any
    ) -> httpx.Response:
        content = body_of(events) if body is None else body
        signed = delivery_headers(TOKEN, SECRET, content, **headers)
        return self.client.post("/v1/webhooks/ingest", content=content, headers=signed)

    def ask(
        self, path: str, viewer: UserContext = STEWARD, tenant: str = TENANT, tag: str = ""
    ) -> httpx.Response:
        return self.client.get(
            f"/v1/data/{path}",
            headers={**reader_headers(TOKEN, viewer, tenant), "If-None-Match": tag},
        )

    def metrics(self, query: str = "?legacyId=l1", tenant: str = TENANT) -> dict[str, int]:
        """Return the metrics that are not zero, once nothing is waiting to be counted."""
        answer = eventually(lambda: self._settled(query, tenant), what="counting")
        return {each["metric"]: each["value"] for each in answer["metrics"] if each["value"]}

    def _settled(self, query: str, tenant: str) -> Any:
        body = self.ask(f"overview{query}", tenant=tenant).json()
        return None if body["meta"]["freshness"]["dirtyDays"] else body["data"]


def environment(folder: Path, **more: str) -> dict[str, str]:
    return {
        "SELF_REGISTER": "false",
        "CORE_BASE_URL": "http://127.0.0.1:9",
        "CORE_TOKEN": TOKEN,
        "WEBHOOK_SECRETS": SECRET,
        "PSEUDONYM_KEY": "k" * 32,
        "DATA_DIR": str(folder / "data"),
        "UI_BUNDLE_DIR": str(folder),
        **more,
    }


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Return what starts the plugin on this test's folder; all are stopped at the end."""
    open_clients: list[TestClient[Any]] = []

    def begin(**more: str) -> House:
        while open_clients:
            open_clients.pop().__exit__(None, None, None)
        app, _ = build(environment(tmp_path, **more))
        client = TestClient(app, base_url="http://plugin.test")
        open_clients.append(client.__enter__())
        return House(client)

    yield begin
    while open_clients:
        open_clients.pop().__exit__(None, None, None)


@pytest.fixture
def house(start: Callable[..., House]) -> House:
    """Return a plugin with an empty database."""
    return start()


def assert_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Hold an answer to the one shape of errors, and return it."""
    error: dict[str, Any] = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code), answer.text
    assert set(error) == {"code", "message", "details", "requestId", "timestamp"}
    return error


def list_quarantine(
    house: House, viewer: UserContext, query: str = "", tenant: str = TENANT
) -> httpx.Response:
    headers = reader_headers(TOKEN, viewer, tenant)
    return house.client.get(f"/v1/webhooks/quarantine{query}", headers=headers)


def test_signed_delivery_becomes_a_number(house: House) -> None:
    """What core signs and sends is in the overview of its legacy, and of the tenant."""
    answer = house.deliver(
        [
            story("s1", "l1", "l2"),
            response("r1", "l1", by="user:ben"),
            reaction("s1", "l1", "candle"),
            media("m1", "l1"),
            event("weather.changed", {}),
        ]
    )

    assert answer.status_code == 200
    data = answer.json()["data"]
    assert (data["accepted"], data["ignored"]) == (4, 1)
    expected = {"stories": 1, "storytellers": 2, "responses": 1, "candles": 1, "media": 1}
    assert house.metrics() == house.metrics("") == expected


def test_repeated_delivery_gets_the_first_answer(house: House) -> None:
    """The same webhook-id is answered as before and counted once, also after a restart."""
    events = [story("s1", "l1")]

    first, second = (house.deliver(events, delivery_id="d1").json()["data"] for _ in range(2))

    assert first == second
    assert first["accepted"] == 1
    assert house.deliver(events, delivery_id="d2").json()["data"]["duplicate"] == 1
    assert house.metrics() == {"stories": 1, "storytellers": 1}


def test_repeated_delivery_stores_nothing_of_another_body(house: House) -> None:
    """What came under a used webhook-id was never acknowledged, so nothing of it is kept."""
    first = house.deliver([story("s1", "l1")], delivery_id="d1").json()["data"]
    broken = {**story("s3", "l1"), "payload": {}}

    assert house.deliver([story("s2", "l1"), broken], delivery_id="d1").json()["data"] == first

    assert house.metrics() == {"stories": 1, "storytellers": 1}
    listed = house.client.get("/v1/webhooks/quarantine", headers=reader_headers(TOKEN, STEWARD))
    assert (listed.status_code, listed.json()["data"]) == (200, [])


def test_restart_loses_nothing(start: Callable[..., House]) -> None:
    """Counts, recorded answers and what was not counted yet are there after a restart."""
    first = start().deliver([story("s1", "l1")], delivery_id="d1").json()["data"]

    again = start()

    assert again.deliver([story("s1", "l1")], delivery_id="d1").json()["data"] == first
    assert again.metrics() == {"stories": 1, "storytellers": 1}


def test_single_envelope_is_a_delivery(house: House) -> None:
    """A body may be one event."""
    body = json.dumps(story("s1", "l1")).encode()

    assert house.deliver([], body=body).json()["data"]["accepted"] == 1


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "INVALID_FORMAT"),
        (b'{"events": 7}', "application/json", 400, "INVALID_FORMAT"),
        (b"[" * 50_000, "application/json", 400, "INVALID_FORMAT"),
        (b"{}" + b" " * 1024 * 1024, "application/json", 413, "PAYLOAD_TOO_LARGE"),
        (body_of([{}] * 501), "application/json", 413, "PAYLOAD_TOO_LARGE"),
        (b"{}", "text/plain", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b"[]", "application/cloudevents+json", 400, "INVALID_FORMAT"),
        (b"{}", "application/cloudevents-batch+json", 400, "INVALID_FORMAT"),
        (
            b"[" + b"{}," * 500 + b"{}]",
            "application/cloudevents-batch+json",
            413,
            "PAYLOAD_TOO_LARGE",
        ),
    ],
)
def test_bad_delivery_has_its_own_status(
    house: House, body: bytes, content_type: str, status: int, code: str
) -> None:
    """Well-signed bodies that cannot be taken are told apart, and none is a 5xx."""
    headers = {**delivery_headers(TOKEN, SECRET, body), "Content-Type": content_type}

    answer = house.client.post("/v1/webhooks/ingest", content=body, headers=headers)

    assert_problem(answer, status, code)


def test_cloudevents_are_deliveries(house: House) -> None:
    """Single and batched CloudEvents are signed and answered like any other delivery."""
    told = story("s1", "l1")
    cloud = {
        "specversion": "1.0",
        "id": told["id"],
        "source": "core",
        "type": told["type"],
        "time": told["occurred_at"],
        "data": told["payload"],
    }

    def send(body: Any, kind: str) -> Any:
        content = json.dumps(body).encode()
        headers = {**delivery_headers(TOKEN, SECRET, content), "Content-Type": kind}
        return house.client.post("/v1/webhooks/ingest", content=content, headers=headers).json()

    single = send(cloud, "application/cloudevents+json")["data"]
    batch = send([cloud, {**cloud, "id": "e2"}], "application/cloudevents-batch+json")["data"]

    assert single["accepted"] == 1
    assert (batch["accepted"], batch["duplicate"]) == (1, 1)
    assert house.deliver([{**told, "actor_id": None}]).json()["data"]["duplicate"] == 1


def test_an_event_source_may_ask_before_it_delivers(house: House) -> None:
    """The handshake of CloudEvents is answered; who does not ask gets the plain answer."""
    asked = house.client.options(
        "/v1/webhooks/ingest", headers={"WebHook-Request-Origin": "events.example"}
    )
    plain = house.client.options("/v1/webhooks/ingest")

    assert (asked.status_code, plain.status_code) == (204, 204)
    assert asked.headers["webhook-allowed-origin"] == "*"
    assert asked.headers["webhook-allowed-rate"] == "120"
    assert "webhook-allowed-origin" not in plain.headers
    assert {"POST", "OPTIONS"} <= set(plain.headers["allow"].split(", "))


def test_unsigned_delivery_is_refused(house: House) -> None:
    """A bearer alone does not make a delivery."""
    body = body_of([story("s1", "l1")])
    headers = delivery_headers(TOKEN, new_secret(), body)

    answer = house.client.post("/v1/webhooks/ingest", content=body, headers=headers)

    assert answer.status_code == 401
    assert house.metrics() == {}


def test_only_the_own_tenant_is_written_and_read(house: House) -> None:
    """Two tenants use the same ids and never meet."""
    house.deliver([story("s1", "l1", id="e1")])
    house.deliver([story("s1", "l1", id="e1", tenant="other")], tenant="other")
    foreign = house.deliver([story("s2", "l1", tenant="other")]).json()["data"]

    assert foreign["results"][0]["code"] == "TENANT_MISMATCH"
    assert house.metrics() == house.metrics(tenant="other") == {"stories": 1, "storytellers": 1}
    assert house.metrics(tenant="third") == {}


def test_who_may_read_what(house: House) -> None:
    """A member reads the legacy, a steward the sums, and a stranger gets one answer."""
    assert house.ask("overview?legacyId=l1", MEMBER).status_code == 200
    assert house.ask("overview", STEWARD).status_code == 200
    assert house.ask("overview", SERVICE).status_code == 200
    assert_problem(house.ask("overview", MEMBER), 403, "PERMISSION_DENIED")
    for path in ("overview", "timeseries"):
        for legacy in ("l2", "nobody-knows"):
            for viewer in (MEMBER, STEWARD, SERVICE):
                answer = house.ask(f"{path}?legacyId={legacy}", viewer)
                assert_problem(answer, 403, "LEGACY_ACCESS_DENIED")


def test_report_carries_what_it_was_made_of(house: House) -> None:
    """`meta` names zone, range, privacy, freshness and definition."""
    house.deliver([story("s1", "l1", at="2026-03-01T20:00:00Z")])
    house.metrics()

    meta = house.ask("timeseries?legacyId=l1&from=2026-03-01&to=2026-04-01&interval=month").json()[
        "meta"
    ]

    assert meta["timezone"] == "UTC"
    assert meta["range"] == {"from": "2026-03-01", "to": "2026-04-01"}
    assert meta["privacy"] == {"class": "shared", "k": None, "window": "month", "rounded": False}
    assert meta["definition"] == "stories.v1"
    assert meta["freshness"]["watermark"].endswith("Z")
    assert {"requestId", "timestamp"} <= set(meta)


def test_zone_of_the_viewer_moves_the_day(house: House) -> None:
    """The same instant is another day elsewhere."""
    house.deliver([story("s1", "l1", at="2026-03-01T20:00:00Z")])
    house.metrics()
    query = "timeseries?legacyId=l1&from=2026-03-01&to=2026-03-03&interval=day"

    here, there = (
        [bar["values"] for bar in house.ask(query + zone).json()["data"]["buckets"]]
        for zone in ("", "&timezone=Asia/Kolkata")
    )

    assert (here, there) == ([[1], [0]], [[0], [1]])


def test_reporting_timezone_is_the_default(start: Callable[..., House]) -> None:
    """REPORTING_TIMEZONE decides the days when nobody asks for others."""
    house = start(REPORTING_TIMEZONE="Asia/Kolkata")
    house.deliver([story("s1", "l1", at="2026-03-01T20:00:00Z")])
    house.metrics()

    query = "timeseries?legacyId=l1&from=2026-03-01&to=2026-03-03&interval=day"
    answer = house.ask(query).json()

    assert [bar["values"] for bar in answer["data"]["buckets"]] == [[0], [1]]
    assert answer["meta"]["timezone"] == "Asia/Kolkata"


def test_etag_spares_the_second_answer(house: House) -> None:
    """An unchanged report is a 304; a new event changes its tag."""
    first = house.ask("overview?legacyId=l1&period=all")
    tag = first.headers["etag"]

    same = house.ask("overview?legacyId=l1&period=all", tag=tag)
    assert (same.status_code, same.content) == (304, b"")

    house.deliver([story("s1", "l1")])
    house.metrics()
    changed = house.ask("overview?legacyId=l1&period=all", tag=tag)
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


def test_catalogue_in_pages(house: House) -> None:
    """Cursors lead through the whole catalogue, and a forged one is a 400."""
    ids, query = [], "items?limit=4"
    while query:
        body = house.ask(query).json()
        ids += [item["id"] for item in body["data"]]
        cursor = body["meta"]["pagination"]["nextCursor"]
        query = f"items?limit=4&cursor={cursor}" if cursor else ""

    assert {"stories", "overview", "timeseries"} <= set(ids)
    assert len(ids) == len(set(ids))
    assert_problem(house.ask("items?cursor=AAAA"), 400, "INVALID_FORMAT")


@pytest.mark.parametrize(
    "query",
    [
        "overview?period=x",
        "overview?from=2026-01-01",
        "overview?timezone=%00",
        "overview?timezone=%ff",
        "overview?legacyId=%ff%fe",
        "overview?legacyId=a&legacyId=b",
        "overview?=",
        "overview?%zz=1",
        "overview?unknown=1",
        "timeseries?metric=",
        "timeseries?interval=day&from=2016-01-01&to=2026-12-31",
        "timeseries?period=10y",
        "items?limit=0",
        "items?limit=99999999999999999999",
        "items?kind=person",
        "items?cursor=",
    ],
)
def test_bad_query_is_a_422_with_its_field(house: House, query: str) -> None:
    """No query ends in a 500, and the answer says what is wrong."""
    error = assert_problem(house.ask(query), 422, "VALIDATION_FAILED")

    assert all(detail["field"].startswith("query.") for detail in error["details"])
    assert error["details"]


def test_more_buckets_than_allowed(house: House) -> None:
    """Ten years by the day are 3,653 buckets and fine; a longer range is refused."""
    fine = house.ask("timeseries?interval=day&from=2016-01-01&to=2026-01-01&legacyId=l1")

    assert fine.status_code == 200
    assert len(fine.json()["data"]["buckets"]) == 3653


def test_what_was_set_aside_is_for_stewards(house: House) -> None:
    """Whoever runs the instance sees reason and field; a member does not, nor another tenant."""
    house.deliver([story("s1", "l1", visibility="odd"), {}])

    page = list_quarantine(house, STEWARD, "?limit=1").json()
    rest = list_quarantine(house, SERVICE, f"?cursor={page['meta']['pagination']['nextCursor']}")

    found = [*page["data"], *rest.json()["data"]]
    assert sorted(each["field"] for each in found) == ["$", "$.payload.visibility"]
    assert set(found[0]) == {"id", "type", "reason", "field", "receivedAt", "retryable"}
    assert list_quarantine(house, STEWARD, tenant="other").json()["data"] == []
    assert_problem(list_quarantine(house, MEMBER), 403, "PERMISSION_DENIED")
    assert_problem(list_quarantine(house, STEWARD, "?limit=0"), 422, "VALIDATION_FAILED")
    assert_problem(list_quarantine(house, STEWARD, "?cursor=AAAA"), 400, "INVALID_FORMAT")


def test_quarantine_is_tried_again_when_asked(house: House) -> None:
    """The job is there to be run by hand, and says what came of it."""
    house.deliver([story("s1", "l1", at="2999-01-01T00:00:00Z")])

    headers = reader_headers(TOKEN, SERVICE)
    del headers["X-Tenant-ID"]
    started = house.client.post(
        "/v1/jobs/run", json={"name": "quarantine.retry"}, headers=headers
    ).json()["data"]

    def result() -> Any:
        run = house.client.get(f"/v1/jobs/runs/{started['runId']}", headers=headers).json()
        return run["data"] if run["data"]["state"] == "succeeded" else None

    assert eventually(result, what="the retry")["result"] == {"taken": 0, "forgotten": 0}


def test_openapi_lists_what_is_read(house: House) -> None:
    """The description names every parameter that a route reads, and no other."""
    paths = house.client.get("/schema/openapi.json").json()["paths"]

    described = {
        path: {parameter["name"] for parameter in paths[f"/v1/data/{path}"]["get"]["parameters"]}
        for path in ("overview", "timeseries", "breakdown", "quality", "items")
    }

    assert described == {
        "overview": OVERVIEW,
        "timeseries": TIMESERIES,
        "breakdown": BREAKDOWN,
        "quality": QUALITY,
        "items": ITEMS,
    }


def test_events_are_counted_for_operators(house: House) -> None:
    """`/metrics` tells what became of events, and strangers cannot fill it with names."""
    house.deliver([story("s1", "l1"), *(event(f"odd.kind{n}", {}) for n in range(100))])

    text = house.client.get("/metrics").text

    assert 'plugin_events_total{outcome="accepted",type="story.created"} 1.0' in text
    assert text.count('outcome="ignored"') <= 2 * 65 + 2
    assert 'plugin_queue_depth{queue="ingest"}' in text


def test_nothing_about_a_person_is_in_the_database(house: House, tmp_path: Path) -> None:
    """Neither names nor texts nor ids of people are anywhere in the files."""
    canaries = [b"canary-title", b"canary-user", b"canary@mail", b"canary-text", b"203.0.113.77"]
    house.deliver(
        [
            story("s1", "l1", by="user:canary-user", title="canary-title", text="canary-text"),
            story("s2", "l1", visibility="canary-text"),
            story(
                "s3", "l1", at="2999-01-01T00:00:00Z", email="canary@mail", by="user:canary-user"
            ),
            *(sample["event"] for sample in read_samples("events/v1").values()),
        ]
    )
    house.metrics()

    held = b"".join(file.read_bytes() for file in (tmp_path / "data").iterdir() if file.is_file())

    assert b"s1" in held
    for canary in canaries:
        assert canary not in held
        assert base64.b64encode(canary).rstrip(b"=") not in held


def test_readiness_names_the_store(house: House) -> None:
    """The store is one of the checks by name."""
    checks = house.client.get("/readyz").json()["data"]["checks"]

    assert {check["name"]: check["ok"] for check in checks}["store"]


def test_two_answers_of_one_moment(house: House) -> None:
    """A report never claims a bucket complete that has not ended."""
    today = time.strftime("%Y-%m-%d", time.gmtime())

    buckets = house.ask("timeseries?legacyId=l1&period=2d&interval=day").json()["data"]["buckets"]

    assert [bucket["complete"] for bucket in buckets] == [True, False]
    assert buckets[-1]["start"] == today
