"""The frame with a tiny plugin, in process: every rule of the wire that needs no core."""

import datetime as dt
import gzip
import hashlib
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as prometheus
from prometheus_client.registry import Collector

from mosaiclife_plugin_sdk import (
    SERVICE,
    Delivery,
    UserContext,
    encode_user_context,
    new_secret,
    sign,
    utc_now,
)
from mosaiclife_plugin_sdk.frame import create_app
from mosaiclife_plugin_sdk.stores import Recorded, memory_stores
from tests.support.bundles import write_bundle
from tests.support.processes import eventually
from tests.support.tiny_plugin import TinyPlugin, settings

ROOT = Path(__file__).parents[2]
ERROR = jsonschema_rs.validator_for(
    msgspec.json.decode((ROOT / "sdk/schema/error.schema.json").read_bytes())
)
TOKEN, SECRET = "secret-token-1", new_secret()
VIEWER = encode_user_context(UserContext(sub="u-1", operator=True, legacies={"l": "creator"}))
BEARER = {"Authorization": f"Bearer {TOKEN}"}
SIGNED_IN = {**BEARER, "X-Tenant-ID": "family-a", "X-User-Context": VIEWER}


@pytest.fixture
def plugin() -> TinyPlugin:
    return TinyPlugin()


@pytest.fixture
def client(plugin: TinyPlugin, tmp_path: Path) -> Iterator[TestClient[Litestar]]:
    write_bundle(tmp_path, "entry" * 100, chunk="chunk")
    read = settings(plugin.manifest, tmp_path, WEBHOOK_SECRETS=SECRET, API_TIMEOUT_MS="300")
    with TestClient(create_app(plugin, read), raise_server_exceptions=False) as opened:
        yield opened


def assert_problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Hold an answer against the one error shape, and return its error."""
    assert response.status_code == status, response.text
    ERROR.validate(response.json())
    error: dict[str, Any] = response.json()["error"]
    assert error["code"] == code
    assert error["requestId"] == response.headers["x-request-id"]
    return error


# The required endpoints.


def test_probes_answer_without_a_bearer(client: TestClient[Litestar]) -> None:
    """Alive needs nothing; ready names every check and tells the state (spec §8.2)."""
    assert client.get("/healthz").json()["data"] == {"status": "alive"}
    ready = client.get("/readyz")

    assert ready.status_code == 200
    names = {check["name"] for check in ready.json()["data"]["checks"]}
    assert names == {"ui", "scheduler", "store"}
    assert "core" in ready.json()["data"]


def test_red_check_makes_readiness_503_with_its_name(
    client: TestClient[Litestar], plugin: TinyPlugin
) -> None:
    """A failing dependency is named; the process stays alive."""
    plugin.healthy = False
    response = client.get("/readyz")

    error = assert_problem(response, 503, "SERVICE_UNAVAILABLE")
    assert error["details"] == [{"field": "store", "message": "the test says so"}]
    assert client.get("/healthz").status_code == 200


def test_a_reservation_is_told_and_calls_may_come(
    client: TestClient[Litestar], plugin: TinyPlugin
) -> None:
    """Degraded is 200 with the check and its reason named, and a state of its own."""
    plugin.reservation = "2 days differ"
    answer = client.get("/readyz")

    assert answer.status_code == 200
    data = answer.json()["data"]
    assert data["status"] == "degraded"
    assert {"name": "store", "ok": True, "reason": "2 days differ"} in data["checks"]


def test_manifest_is_the_normal_form(client: TestClient[Litestar], plugin: TinyPlugin) -> None:
    """GET /manifest is what registration sends, and may be cached by its ETag."""
    response = client.get("/manifest")

    assert response.json() == plugin.manifest.normalised()
    again = client.get("/manifest", headers={"If-None-Match": response.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_metrics_parse_in_both_formats(client: TestClient[Litestar]) -> None:
    """Every required family is there, whichever text format is asked for (spec §14)."""
    client.get("/healthz")
    wanted = {
        "plugin_http_requests",
        "plugin_http_request_duration_seconds",
        "plugin_errors",
        "plugin_queue_depth",
        "plugin_job_runs",
        "plugin_job_duration_seconds",
        "plugin_events",
        "plugin_state",
        "plugin_info",
        "process_cpu_seconds",
        "process_resident_memory_bytes",
    }
    plain = client.get("/metrics").text
    rich = client.get("/metrics", headers={"Accept": "application/openmetrics-text"}).text

    assert wanted <= {family.name for family in prometheus(plain)}
    assert wanted <= {family.name for family in openmetrics(rich)}  # type: ignore[no-untyped-call]


def test_a_figure_that_is_long_in_coming_holds_up_no_request(tmp_path: Path) -> None:
    """What a plugin reads from its store for a scrape is read beside the loop."""
    asked, told = threading.Event(), threading.Event()

    class Slow(Collector):
        def collect(self) -> Iterator[Metric]:
            asked.set()
            told.wait(20)
            yield GaugeMetricFamily("slow", "Comes late.", 1)

    write_bundle(tmp_path, "entry")
    plugin = TinyPlugin()
    read = settings(plugin.manifest, tmp_path, API_TIMEOUT_MS="20000")
    with TestClient(create_app(plugin, read)) as client, ThreadPoolExecutor(1) as pool:
        told.set()  # registering asks once
        plugin.metrics.registry.register(Slow())
        asked.clear()
        told.clear()
        scrape = pool.submit(client.get, "/metrics")
        assert asked.wait(10)
        alive = client.get("/healthz")
        waited = not scrape.done()
        told.set()

        assert (alive.status_code, waited) == (200, True)
        assert "slow 1.0" in scrape.result(10).text


def test_metrics_know_templates_only(client: TestClient[Litestar]) -> None:
    """Fifty ids are one series, and a path of nobody's is `unmatched`."""
    for number in range(50):
        client.get(f"/v1/notes/{number}", headers=SIGNED_IN)
        client.get(f"/nowhere/{number}")
    text = client.get("/metrics").text
    routes = {
        sample.labels["route"]: sample.value
        for family in prometheus(text)
        for sample in family.samples
        if sample.name == "plugin_http_requests_total"
    }

    assert routes == {"/v1/notes/{note_id}": 50, "unmatched": 50}
    assert 'le="0.2"' in text


def test_queue_depth_is_asked_at_the_scrape(
    client: TestClient[Litestar], plugin: TinyPlugin
) -> None:
    """A declared queue shows its present depth."""
    assert 'plugin_queue_depth{queue="inbox"} 0.0' in client.get("/metrics").text
    deliver(client)
    assert 'plugin_queue_depth{queue="inbox"} 1.0' in client.get("/metrics").text


def test_register_needs_the_bearer(client: TestClient[Litestar]) -> None:
    """POST /register is token-gated and answers the state."""
    assert_problem(client.post("/register"), 401, "AUTH_REQUIRED")
    response = client.post("/register", headers=BEARER)

    assert response.status_code == 202
    assert response.json()["data"]["state"] in ("Ready", "Degraded")


def test_openapi_describes_the_plugin(client: TestClient[Litestar]) -> None:
    """The document is OpenAPI 3.1 and covers the routes under the base path."""
    document = client.get("/schema/openapi.json").json()

    assert document["openapi"].startswith("3.1")
    assert {"/v1/notes", "/v1/webhooks/ingest", "/v1/jobs/run"} <= set(document["paths"])
    delivery = document["paths"]["/v1/webhooks/ingest"]["post"]
    assert delivery["requestBody"]["required"] is True
    assert {header["name"] for header in delivery["parameters"]} == {
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
    }


# Who may call.


def every_route(app: Litestar) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, route.path_format, dict(handler.opt))
        for route in app.routes
        for handler in route.route_handlers  # type: ignore[union-attr]
        for method in getattr(handler, "http_methods", [])
        if method != "OPTIONS"
    ]


def test_every_route_is_closed_unless_it_says_public(client: TestClient[Litestar]) -> None:
    """Walk the router: without a bearer only the contract's open endpoints answer (design §4)."""
    seen_open = set()
    for method, path, opt in every_route(client.app):
        response = client.request(method, path.replace("{", "").replace("}", ""))
        if opt.get("public"):
            seen_open.add(path)
            assert response.status_code != 401, path
        else:
            assert_problem(response, 401, "AUTH_REQUIRED")
            assert response.headers["www-authenticate"] == "Bearer"

    assert {path for path in seen_open if not path.startswith("/schema")} == {
        "/healthz",
        "/readyz",
        "/metrics",
        "/manifest",
        "/mf/{name}",
    }


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer secret-token",
        "Bearer secret-token-12",
        "Basic secret-token-1",
        "secret-token-1",
        "Bearer secret-token-1 x",
        "Bearer é",
    ],
)
def test_wrong_bearer_is_refused(client: TestClient[Litestar], header: str) -> None:
    """Only the whole token in the right scheme opens the door."""
    headers = {**SIGNED_IN, "Authorization": header.encode("utf-8").decode("latin-1")}
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]

    assert_problem(client.get("/v1/notes", headers=httpx.Headers(raw)), 401, "AUTH_INVALID")


def test_tenant_and_viewer_are_demanded(client: TestClient[Litestar]) -> None:
    """Without a tenant 400, without a viewer 403, with a malformed one 400 (design: Tenancy)."""
    assert_problem(client.get("/v1/notes", headers=BEARER), 400, "INVALID_FORMAT")
    tenant = {**BEARER, "X-Tenant-ID": "family-a"}
    assert_problem(client.get("/v1/notes", headers=tenant), 403, "PERMISSION_DENIED")
    odd = {**tenant, "X-User-Context": "e30"}
    assert_problem(client.get("/v1/notes", headers=odd), 400, "INVALID_FORMAT")


def test_two_tenants_in_one_call_are_refused(client: TestClient[Litestar]) -> None:
    """A header that stands twice could be read in two ways."""
    doubled = [*SIGNED_IN.items(), ("X-Tenant-ID", "family-b")]

    assert_problem(client.get("/v1/notes", headers=doubled), 400, "INVALID_FORMAT")


def test_handler_gets_tenant_and_viewer(client: TestClient[Litestar]) -> None:
    """What core says about the caller reaches the handler by name."""
    data = client.get("/v1/notes", headers=SIGNED_IN).json()["data"]

    assert data == {"tenant": "family-a", "sub": "u-1", "limit": 20}


def test_service_scope_reads_too(client: TestClient[Litestar]) -> None:
    """Core itself, said to be the service, is a viewer without a name."""
    headers = {**SIGNED_IN, "X-User-Context": encode_user_context(SERVICE)}

    assert client.get("/v1/notes", headers=headers).json()["data"]["sub"] is None


# Bodies.


def test_success_has_data_and_meta(client: TestClient[Litestar]) -> None:
    """A request id that came is kept, and stands in header and body."""
    response = client.get("/v1/notes", headers={**SIGNED_IN, "X-Request-ID": "req-7"})

    assert response.json()["meta"]["requestId"] == "req-7"
    assert response.headers["x-request-id"] == "req-7"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.json()["meta"]["timestamp"].endswith("Z")


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "<script>"])
def test_odd_request_id_is_replaced(client: TestClient[Litestar], given: str) -> None:
    """Text that could break a log or a page is not echoed."""
    response = client.get("/healthz", headers={"X-Request-ID": given})

    assert response.headers["x-request-id"] not in ("", given)


def test_etag_saves_the_body(client: TestClient[Litestar]) -> None:
    """A caller whose copy still holds gets 304 and nothing else, also with a weak tag."""
    tag = client.get("/v1/notes", headers=SIGNED_IN).headers["etag"]

    for offered in (tag, f'"x", W/{tag}', "*"):
        response = client.get("/v1/notes", headers={**SIGNED_IN, "If-None-Match": offered})
        assert (response.status_code, response.content) == (304, b"")
    other = client.get("/v1/notes", headers={**SIGNED_IN, "If-None-Match": '"other"'})
    assert other.status_code == 200


def post(
    client: TestClient[Litestar], content: bytes, kind: str | None = "application/json"
) -> Any:
    headers = SIGNED_IN if kind is None else {**SIGNED_IN, "Content-Type": kind}
    return client.post("/v1/notes", headers=headers, content=content)


def test_good_body_is_read(client: TestClient[Litestar]) -> None:
    """JSON comes in and goes out."""
    response = post(client, b'{"text":"hello"}', "application/json; charset=utf-8")

    assert (response.status_code, response.json()["data"]) == (201, {"text": "hello", "stars": 0})


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        (b'{"text":', "application/json", 400, "INVALID_FORMAT"),
        (b"\xff", "application/json", 400, "INVALID_FORMAT"),
        (b"text=a", "application/x-www-form-urlencoded", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b'{"text":"a"}', None, 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b'{"text":7}', "application/json", 422, "VALIDATION_FAILED"),
        (b'{"text":"a","more":1}', "application/json", 422, "VALIDATION_FAILED"),
        (b'{"text":"' + b"a" * (1 << 20) + b'"}', "application/json", 413, "PAYLOAD_TOO_LARGE"),
    ],
    ids=["cut", "not utf-8", "form", "untyped", "wrong type", "unknown field", "large"],
)
def test_bad_body_has_its_status(
    client: TestClient[Litestar], content: bytes, kind: str | None, status: int, code: str
) -> None:
    """Each way a body can be wrong has one status and one code."""
    assert_problem(post(client, content, kind), status, code)


def test_validation_names_the_place(client: TestClient[Litestar]) -> None:
    """A body's fault is named by JSON path, a parameter's by source and name."""
    body = assert_problem(post(client, b'{"text":7}'), 422, "VALIDATION_FAILED")
    query = assert_problem(
        client.get("/v1/notes?limit=many", headers=SIGNED_IN), 422, "VALIDATION_FAILED"
    )

    assert body["details"] == [{"field": "$.text", "message": "Expected `str`, got `int`"}]
    assert query["details"][0]["field"] == "query.limit"


def test_unknown_path_and_method_have_the_one_shape(client: TestClient[Litestar]) -> None:
    """404 and 405 come from no handler and yet look like every error; 405 says what is allowed."""
    assert_problem(client.get("/nowhere"), 404, "RESOURCE_NOT_FOUND")
    wrong = client.delete("/healthz")
    assert_problem(wrong, 405, "METHOD_NOT_ALLOWED")
    assert wrong.headers["allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/healthz", "GET, HEAD, OPTIONS"),
        ("/v1/notes", "GET, HEAD, OPTIONS, POST"),
        ("/v1/notes/7", "GET, HEAD, OPTIONS"),
        ("/v1/jobs/runs/7", "DELETE, GET, HEAD, OPTIONS"),
        ("/register", "OPTIONS, POST"),
    ],
)
def test_options_and_405_name_every_method(
    client: TestClient[Litestar], path: str, methods: str
) -> None:
    """A route says the same of itself whether it is asked or misused."""
    asked = client.options(path)

    assert (asked.status_code, asked.content, asked.headers["allow"]) == (204, b"", methods)
    assert client.patch(path, headers=SIGNED_IN).headers["allow"] == methods


def test_options_of_nothing_is_404(client: TestClient[Litestar]) -> None:
    """What does not exist allows nothing."""
    answer = client.options("/nowhere")

    assert_problem(answer, 404, "RESOURCE_NOT_FOUND")
    assert "allow" not in answer.headers


def test_head_is_get_without_a_body(client: TestClient[Litestar]) -> None:
    """HEAD answers wherever GET does."""
    response = client.head("/manifest")

    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["etag"]


def test_crash_is_a_plain_500(client: TestClient[Litestar]) -> None:
    """A bug tells the caller nothing of code, path or secret, and is counted."""
    response = client.get("/v1/broken", headers=SIGNED_IN)

    assert_problem(response, 500, "INTERNAL")
    assert "secret" not in response.text
    assert "RuntimeError" not in response.text
    assert 'plugin_errors_total{kind="internal"} 1.0' in client.get("/metrics").text


# Time.


@pytest.mark.parametrize("asked", ["100", "60000", None])
def test_work_past_its_time_is_504(client: TestClient[Litestar], asked: str | None) -> None:
    """The caller may shorten the limit and never lengthen it (300 ms here)."""
    headers = SIGNED_IN if asked is None else {**SIGNED_IN, "X-Request-Timeout-Ms": asked}
    begun = utc_now()
    response = client.get("/v1/slow?seconds=5", headers=headers)

    assert_problem(response, 504, "TIMEOUT")
    assert (utc_now() - begun) < dt.timedelta(seconds=2)


@pytest.mark.parametrize("asked", ["0", "-5", "soon", "1.5", ""])
def test_odd_time_limit_is_a_bad_request(client: TestClient[Litestar], asked: str) -> None:
    """A limit that is no positive number of milliseconds is refused, not guessed."""
    response = client.get("/healthz", headers={"X-Request-Timeout-Ms": asked})

    assert_problem(response, 400, "INVALID_FORMAT")


# Deliveries.


def deliver(
    client: TestClient[Litestar],
    body: bytes = b'{"events":[]}',
    webhook_id: str = "msg-1",
    headers: Mapping[str, str] = {},
) -> httpx.Response:
    """Deliver *body*, well signed; *headers* change what is sent, `-` leaves one out."""
    now = int(utc_now().timestamp())
    signed = {
        **BEARER,
        "X-Tenant-ID": "family-a",
        "Content-Type": "application/json",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(now),
        "webhook-signature": sign(SECRET, webhook_id, now, body),
    }
    kept = {name: value for name, value in {**signed, **headers}.items() if value != "-"}
    return client.post("/v1/webhooks/ingest", content=body, headers=kept)


def test_delivery_reaches_the_plugin(client: TestClient[Litestar], plugin: TinyPlugin) -> None:
    """A proven delivery is handed on with its raw body, and its handler's value is the data."""
    response = deliver(client, b"\xff raw", headers={"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})

    assert (response.status_code, response.json()["data"]) == (200, {"count": 1})
    taken = plugin.taken[0]
    assert (taken.id, taken.tenant, taken.body) == ("msg-1", "family-a", b"\xff raw")
    assert taken.traceparent is not None


def test_repeated_delivery_gets_the_recorded_answer(
    client: TestClient[Litestar], plugin: TinyPlugin
) -> None:
    """The same id is handled once for each tenant, and answered alike every time (design §4)."""
    answers = [deliver(client).json()["data"] for _ in range(3)]
    other = deliver(client, headers={"X-Tenant-ID": "family-b"}).json()["data"]

    assert answers == [{"count": 1}] * 3
    assert other == {"count": 2}


def test_plugin_may_record_its_answers_itself(
    client: TestClient[Litestar], plugin: TinyPlugin
) -> None:
    """What a handler has recorded in its own transaction is the answer, asked for every time."""

    async def take(delivery: Delivery) -> Recorded:
        plugin.taken.append(delivery)
        return Recorded(
            tenant=delivery.tenant,
            webhook_id=delivery.id,
            status=200,
            data=b'{"kept":true}',
            recorded_at=utc_now(),
        )

    plugin.webhook, plugin.records_deliveries = take, True
    answers = [deliver(client).json()["data"] for _ in range(2)]

    assert answers == [{"kept": True}] * 2
    assert len(plugin.taken) == 2


@pytest.mark.parametrize(
    "fault",
    [
        {"webhook-signature": "v1,abc"},
        {"webhook-signature": "-"},
        {"webhook-id": "other"},
        {"webhook-timestamp": "1"},
        {"webhook-timestamp": "-"},
    ],
    ids=["signature", "no signature", "id", "old", "no time"],
)
def test_unproven_delivery_is_401_with_one_message(
    client: TestClient[Litestar], plugin: TinyPlugin, fault: dict[str, str]
) -> None:
    """A forger learns nothing from the answer, and the plugin sees nothing."""
    error = assert_problem(deliver(client, headers=fault), 401, "AUTH_INVALID")

    assert error["message"] == "The delivery's signature is not valid."
    assert plugin.taken == []


def test_delivery_whose_id_has_a_dot_is_401(
    client: TestClient[Litestar], plugin: TinyPlugin
) -> None:
    """What is signed must have one reading; the answer says no more than to any forger."""
    error = assert_problem(deliver(client, webhook_id="msg.1"), 401, "AUTH_INVALID")

    assert error["message"] == "The delivery's signature is not valid."
    assert plugin.taken == []


def test_refused_delivery_is_not_recorded(client: TestClient[Litestar], plugin: TinyPlugin) -> None:
    """An error is no answer to repeat: the sender's next try is handled anew."""
    assert_problem(
        deliver(client, headers={"Content-Type": "text/plain"}), 415, "UNSUPPORTED_MEDIA_TYPE"
    )
    assert deliver(client).status_code == 200
    assert len(plugin.taken) == 1


# The remote.


def test_entry_is_revalidated_and_hashed_files_are_not(
    client: TestClient[Litestar], tmp_path: Path
) -> None:
    """The plain entry is asked for each time, what stands under a hash never again (design §7)."""
    plain = client.get("/mf/remoteEntry.js")
    version = hashlib.sha256(plain.content).hexdigest()[:16]
    hashed = client.get(f"/mf/{version}/chunk.js")

    assert plain.headers["cache-control"] == "no-cache"
    assert plain.headers["content-type"].startswith("text/javascript")
    assert "immutable" in hashed.headers["cache-control"]
    for response in (plain, hashed):
        assert response.headers["access-control-allow-origin"] == "*"
        assert response.headers["x-content-type-options"] == "nosniff"
    tag = {"If-None-Match": plain.headers["etag"]}
    assert client.get("/mf/remoteEntry.js", headers=tag).status_code == 304


def test_entry_is_sent_packed_to_whom_takes_it(client: TestClient[Litestar]) -> None:
    """Gzip was made once, when the bundle was taken over."""
    with client.stream(
        "GET", "/mf/remoteEntry.js", headers={"Accept-Encoding": "gzip"}
    ) as response:
        packed = b"".join(response.iter_raw())
    plain = client.get("/mf/remoteEntry.js", headers={"Accept-Encoding": "gzip;q=0"})

    assert gzip.decompress(packed) == b"entry" * 100 == plain.content
    assert "content-encoding" not in plain.headers


@pytest.mark.parametrize(
    "path",
    ["/mf/gone.js", "/mf/plugin.yaml", "/mf/0123456789abcdef/chunk.js", "/mf/../plugin.yaml"],
)
def test_only_files_of_the_bundle_are_served(client: TestClient[Litestar], path: str) -> None:
    """What the build did not promise does not exist."""
    assert_problem(client.get(path), 404, "RESOURCE_NOT_FOUND")


# Jobs and life.


def test_job_runs_through_the_frame(client: TestClient[Litestar]) -> None:
    """A declared job is started and watched over HTTP, and counted when it ends."""
    run = client.post("/v1/jobs/run", headers=SIGNED_IN, json={"name": "tidy"})
    assert run.status_code == 202
    where = f"/v1/jobs/runs/{run.json()['data']['runId']}"

    def ended() -> Any:
        data = client.get(where, headers=SIGNED_IN).json()["data"]
        return data if data["state"] == "succeeded" else None

    assert eventually(ended)["result"] == {"tidied": 1}
    assert (
        'plugin_job_runs_total{job="tidy",outcome="succeeded"} 1.0' in client.get("/metrics").text
    )


def test_old_answers_are_forgotten(tmp_path: Path) -> None:
    """The running frame drops answers to deliveries that no sender repeats any more."""
    plugin = TinyPlugin()
    plugin.stores = stores = memory_stores()
    week = dt.timedelta(days=8)
    old = Recorded(
        tenant="family-a",
        webhook_id="old",
        status=200,
        data=b"{}",
        recorded_at=utc_now() - week,
    )
    stores.deliveries.put(old)
    with TestClient(create_app(plugin, settings(plugin.manifest, tmp_path))):
        eventually(lambda: stores.deliveries.get("family-a", "old") is None, within=5)


def test_hooks_frame_the_life_of_the_process(tmp_path: Path) -> None:
    """on_start comes before the first request, on_stop after the last (spec §15.1)."""
    plugin = TinyPlugin()
    with TestClient(create_app(plugin, settings(plugin.manifest, tmp_path))) as opened:
        assert plugin.calls == ["start"]
        assert_problem(opened.get("/readyz"), 503, "SERVICE_UNAVAILABLE")

    assert plugin.calls == ["start", "stop"]
