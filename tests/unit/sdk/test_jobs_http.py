"""The job routes over HTTP: who may call them, and what core and an operator get back."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from mosaiclife_plugin_sdk import (
    SERVICE,
    Job,
    JobContext,
    Manifest,
    PluginApp,
    UserContext,
    encode_user_context,
)
from mosaiclife_plugin_sdk.frame import create_app, read_settings
from mosaiclife_plugin_sdk.settings import FrameSettings

TOKEN = "token-of-the-test"
MANIFEST = msgspec.convert(
    {
        "name": "letters",
        "version": "1.0.0",
        "compat": {"core": ">=2.1 <3.0"},
        "ui": {"mode": "ModuleFederation", "remotePath": "/mf/remoteEntry.js"},
        "endpoints": {"basePath": "/v1"},
        "health": {"livenessPath": "/healthz", "readinessPath": "/readyz"},
    },
    Manifest,
)
STEWARD = UserContext(sub="user:1", operator=True)
MEMBER = UserContext(sub="user:2", legacies={"l": "creator"})


class Count(msgspec.Struct):
    """Parameters of the test's job."""

    pages: int = 1


class Letters(PluginApp):
    """A plugin with one job of each scope, the instance's one under the test's control."""

    def __init__(self) -> None:
        super().__init__(MANIFEST)
        self.open = threading.Event()
        self.open.set()
        self.jobs = [
            Job("count", "Counts.", self.count, schedule="@daily", params=Count),
            Job("sort", "Sorts.", lambda context: context.tenant, scope="tenant"),
        ]

    def count(self, context: JobContext) -> int:
        while not (self.open.wait(0.005) or context.cancelled()):
            pass
        return int(context.params.pages)


@pytest.fixture
def plugin() -> Letters:
    """A plugin of the test's own."""
    return Letters()


@pytest.fixture
def client(plugin: Letters) -> Iterator[TestClient[Litestar]]:
    """The whole frame around it, asked as core asks: with the token and the service scope."""
    settings = read_settings(
        FrameSettings,
        MANIFEST,
        {"SELF_REGISTER": "false", "CORE_TOKEN": TOKEN, "CORE_BASE_URL": "http://127.0.0.1:9"},
    )
    with TestClient(create_app(plugin, settings), raise_server_exceptions=False) as client:
        client.headers.update(
            {"Authorization": f"Bearer {TOKEN}", "X-User-Context": encode_user_context(SERVICE)}
        )
        yield client
        plugin.open.set()


def start(client: TestClient[Litestar], name: str = "count", **given: Any) -> httpx.Response:
    """Ask for a run; *given* are `params`, `key` (in the body) and headers."""
    headers = given.pop("headers", {})
    return client.post("/v1/jobs/run", json={"name": name, **given}, headers=headers)


def finished(client: TestClient[Litestar], started: httpx.Response, **headers: str) -> Any:
    """Wait for the run of an answer to end and return it."""
    deadline = time.monotonic() + 8
    while time.monotonic() < deadline:
        run = client.get(started.headers["Location"], headers=headers).json()["data"]
        if run["state"] not in ("queued", "running"):
            return run
        time.sleep(0.01)
    raise AssertionError("the run did not end")


def error_of(answer: httpx.Response) -> tuple[int, str, list[str]]:
    """Return what an error says: its status, its code and the fields it names."""
    error = answer.json()["error"]
    return answer.status_code, error["code"], [detail["field"] for detail in error["details"]]


def test_a_job_is_started_and_watched(client: TestClient[Litestar]) -> None:
    """202 with the run, then the run at its address, with its result in the end."""
    answer = start(client, params={"pages": 7})
    assert answer.status_code == 202
    body = answer.json()
    assert body["meta"]["requestId"]
    assert body["data"]["state"] in ("queued", "running")
    assert answer.headers["Location"] == f"/v1/jobs/runs/{body['data']['runId']}"
    run = finished(client, answer)
    assert (run["job"], run["tenantId"], run["state"], run["result"]) == (
        "count",
        None,
        "succeeded",
        7,
    )
    assert run["createdAt"] <= run["startedAt"] <= run["finishedAt"]
    assert run["finishedAt"].endswith("Z")


def test_the_jobs_are_listed(client: TestClient[Litestar]) -> None:
    """Each with its schedule, scope and the JSON Schema of its parameters."""
    count, sort = client.get("/v1/jobs").json()["data"]
    assert (count["name"], count["schedule"], count["scope"]) == ("count", "@daily", "instance")
    assert "pages" in str(count["params"])
    assert (sort["schedule"], sort["scope"], sort["params"]) == (None, "tenant", None)


def test_a_key_in_header_or_body_is_the_same_run(
    client: TestClient[Litestar], plugin: Letters
) -> None:
    """A repeated call is answered 202 with the run that stands, running or ended."""
    plugin.open.clear()
    key = "count@-@2026-06-03T00:00:00Z"
    first = start(client, headers={"Idempotency-Key": key})
    second = start(client, idempotencyKey=key)
    plugin.open.set()
    run = finished(client, first)
    third = start(client, headers={"Idempotency-Key": key}, idempotencyKey=key)
    assert {one.json()["data"]["runId"] for one in (first, second, third)} == {run["runId"]}
    assert {one.status_code for one in (first, second, third)} == {202}
    assert (run["key"], run["trigger"]) == (key, "schedule")


@pytest.mark.parametrize(
    ("header", "body"),
    [("one", "two"), (None, ""), (None, "k" * 256), (None, "tab\t"), (None, "ä")],
)
def test_a_bad_key_is_refused(client: TestClient[Litestar], header: str | None, body: str) -> None:
    """Two keys, none, too long a one or one that no header could carry."""
    headers = {} if header is None else {"Idempotency-Key": header}
    answer = start(client, idempotencyKey=body, headers=headers)
    assert error_of(answer) == (422, "VALIDATION_FAILED", ["$.idempotencyKey"])


def test_a_running_job_is_a_conflict(client: TestClient[Litestar], plugin: Letters) -> None:
    """409 names the run that stands in the way."""
    plugin.open.clear()
    first = start(client)
    answer = start(client)
    assert error_of(answer) == (409, "RESOURCE_CONFLICT", ["$.name"])
    assert first.json()["data"]["runId"] in answer.text


def test_a_run_is_cancelled(client: TestClient[Litestar], plugin: Letters) -> None:
    """DELETE asks, the run ends, and another DELETE changes nothing."""
    plugin.open.clear()
    started = start(client)
    assert client.delete(started.headers["Location"]).status_code == 202
    assert finished(client, started)["state"] == "cancelled"
    assert client.delete(started.headers["Location"]).json()["data"]["state"] == "cancelled"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"name": "other"}, (404, "RESOURCE_NOT_FOUND", [])),
        (
            {"name": "count", "params": {"pages": "x"}},
            (422, "VALIDATION_FAILED", ["$.params.pages"]),
        ),
        ({"name": "count", "params": 3}, (422, "VALIDATION_FAILED", ["$.params"])),
        ({"name": "sort"}, (400, "INVALID_FORMAT", [])),
    ],
)
def test_a_wrong_request_is_refused(
    client: TestClient[Litestar], body: Any, expected: tuple[int, str, list[str]]
) -> None:
    """Unknown job, parameters that do not fit, a tenant job without a tenant."""
    assert error_of(client.post("/v1/jobs/run", json=body)) == expected


@pytest.mark.parametrize("body", [{}, {"name": 3}, [], "count", None])
def test_a_body_that_is_no_request_is_422(client: TestClient[Litestar], body: Any) -> None:
    """The error has the one shape, whatever arrives."""
    headers = {"Content-Type": "application/json"}
    answer = client.post("/v1/jobs/run", content=msgspec.json.encode(body), headers=headers)
    assert error_of(answer)[:2] == (422, "VALIDATION_FAILED")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/jobs"),
        ("POST", "/v1/jobs/run"),
        ("GET", "/v1/jobs/runs"),
        ("GET", "/v1/jobs/runs/x"),
        ("DELETE", "/v1/jobs/runs/x"),
    ],
)
def test_jobs_are_for_core_and_operators(
    client: TestClient[Litestar], method: str, path: str
) -> None:
    """A member is refused, an operator is not; without the token nobody is let in."""

    def ask(context: UserContext, **more: str) -> httpx.Response:
        headers = {"X-User-Context": encode_user_context(context), **more}
        body = {"name": "other"} if method == "POST" else None
        return client.request(method, path, headers=headers, json=body)

    assert error_of(ask(MEMBER))[:2] == (403, "PERMISSION_DENIED")
    assert ask(STEWARD).status_code in (200, 404)
    assert ask(SERVICE, Authorization="Bearer wrong").status_code == 401
    client.headers.pop("X-User-Context")
    assert client.request(method, path, json={"name": "other"}).status_code == 403


def test_an_instance_job_carries_no_tenant(client: TestClient[Litestar]) -> None:
    """An operator's call comes through core's proxy with a tenant; the run is still nobody's."""
    headers = {"X-Tenant-ID": "family-a", "X-User-Context": encode_user_context(STEWARD)}
    answer = start(client, headers=headers)
    assert finished(client, answer, **headers)["tenantId"] is None


def test_a_tenants_runs_are_its_own(client: TestClient[Litestar]) -> None:
    """Another tenant does not see, cancel or list them."""
    mine, theirs = {"X-Tenant-ID": "family-a"}, {"X-Tenant-ID": "family-b"}
    answer = start(client, "sort", headers=mine)
    assert finished(client, answer, **mine)["result"] == "family-a"
    where = answer.headers["Location"]
    for method in ("GET", "DELETE"):
        assert client.request(method, where, headers=theirs).status_code == 404
        assert client.request(method, where).status_code == 404
    assert len(client.get("/v1/jobs/runs", headers=mine).json()["data"]) == 1
    assert client.get("/v1/jobs/runs", headers=theirs).json()["data"] == []
    assert client.get("/v1/jobs/runs").json()["data"] == []


def test_a_listing_says_whose_runs_it_means(client: TestClient[Litestar]) -> None:
    """A call with a tenant lists its runs, and the instance's only when asked for them."""
    mine = {"X-Tenant-ID": "family-a"}
    for name in ("sort", "count"):
        finished(client, start(client, name, headers=mine), **mine)

    def listed(scope: str | None, **headers: str) -> list[str]:
        query = {} if scope is None else {"scope": scope}
        page = client.get("/v1/jobs/runs", params=query, headers=headers).json()
        return [run["job"] for run in page["data"]]

    assert listed(None, **mine) == listed("tenant", **mine) == ["sort"]
    assert listed("instance", **mine) == listed(None) == listed("instance") == ["count"]
    for scope, status in (("tenant", 400), ("all", 422)):
        assert client.get("/v1/jobs/runs", params={"scope": scope}).status_code == status


def test_runs_are_paged(client: TestClient[Litestar]) -> None:
    """Following the cursors meets every run once, newest first, and then ends."""
    started = []
    for _ in range(5):
        answer = start(client)
        finished(client, answer)
        started.append(answer.json()["data"]["runId"])
    found, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = client.get("/v1/jobs/runs", params=query).json()
        found += [run["runId"] for run in page["data"]]
        pagination = page["meta"]["pagination"]
        cursor = pagination["nextCursor"]
        assert pagination == {"limit": 2, "hasMore": cursor is not None, "nextCursor": cursor}
        if cursor is None:
            break
    assert found == started[::-1]
    assert client.get("/v1/jobs/runs", params={"job": "sort"}).json()["data"] == []


@pytest.mark.parametrize("cursor", ["", "x", "%%%", "MDE4", "MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA"])
def test_a_foreign_cursor_is_refused(client: TestClient[Litestar], cursor: str) -> None:
    """A cursor that was not made here is 400, not an empty or a wrong page."""
    answer = client.get("/v1/jobs/runs", params={"cursor": cursor})
    assert error_of(answer)[:2] == (400, "INVALID_FORMAT")


def test_a_cursor_of_another_tenant_is_refused(client: TestClient[Litestar]) -> None:
    """A cursor works where it was made."""
    mine = {"X-Tenant-ID": "family-a"}
    for _ in range(2):
        finished(client, start(client, "sort", headers=mine), **mine)
    page = client.get("/v1/jobs/runs", params={"limit": 1}, headers=mine).json()
    cursor = {"cursor": page["meta"]["pagination"]["nextCursor"]}
    assert client.get("/v1/jobs/runs", params=cursor, headers=mine).status_code == 200
    assert client.get("/v1/jobs/runs", params=cursor).status_code == 400


@pytest.mark.parametrize("limit", ["0", "101", "-1", "many"])
def test_limits_of_a_page(client: TestClient[Litestar], limit: str) -> None:
    """A page has 1 to 100 runs."""
    answer = client.get("/v1/jobs/runs", params={"limit": limit})
    assert error_of(answer)[:2] == (422, "VALIDATION_FAILED")


def test_runs_are_counted(client: TestClient[Litestar]) -> None:
    """A run that ended is in the metrics, by job and outcome."""
    finished(client, start(client))
    wanted = 'plugin_job_runs_total{job="count",outcome="succeeded"} 1.0'
    deadline = time.monotonic() + 5
    while wanted not in client.get("/metrics").text:
        assert time.monotonic() < deadline
        time.sleep(0.01)
