"""What reaches a plugin through core's proxy, and what never does (design: The wire)."""

from collections.abc import Iterator

import pytest

from mosaiclife_plugin_sdk import decode_user_context
from tests.support.bare_plugin import BarePlugin, as_json
from tests.support.cores import SAME_ORIGIN, Core, assert_problem, make_ready, running_core


@pytest.fixture(scope="module")
def house() -> Iterator[tuple[Core, BarePlugin]]:
    """Share one core and one plugin: these tests change neither, but for what `plugin` clears."""
    with BarePlugin() as plugin, running_core(plugin, plugin_timeout_ms=300) as core:
        make_ready(core, plugin)
        yield core, plugin


@pytest.fixture
def core(house: tuple[Core, BarePlugin]) -> Core:
    return house[0]


@pytest.fixture
def plugin(house: tuple[Core, BarePlugin]) -> BarePlugin:
    house[1].calls.clear()
    house[1].answers.clear()
    return house[1]


def test_core_says_who_asks_whatever_the_browser_claims(core: Core, plugin: BarePlugin) -> None:
    """Token, tenant, person, request id, trace and time are core's word alone."""
    claimed = {
        "authorization": "Bearer stolen",
        "cookie": "session=1",
        "x-tenant-id": "another",
        "x-user-context": "e30",
        "x-request-id": "mine",
        "x-request-timeout-ms": "999999",
        "traceparent": "00-" + "1" * 32 + "-" + "2" * 16 + "-01",
        "x_tenant_id": "another",
        "x-forwarded-for": "10.0.0.1",
        "webhook-signature": "v1,x",
        "connection": "x-hop",
        "x-hop": "drop me",
        "accept-language": "sv",
        "if-none-match": '"abc"',
    }

    response = core.get("/api/plugins/bare/proxy/v1/data?b=2&a=1", headers=claimed)

    call = plugin.received("/v1/data")[0]
    assert call.path == "/v1/data?b=2&a=1"
    assert call.headers["authorization"] == "Bearer bare-token"
    assert call.headers["x-tenant-id"] == "family-lindqvist"
    assert call.headers["x-request-id"] == response.headers["x-request-id"] != "mine"
    assert call.headers["x-request-timeout-ms"] == "300"
    assert "1" * 32 not in call.headers["traceparent"]
    assert decode_user_context(call.headers["x-user-context"]).operator
    kept = {"accept-language": "sv", "if-none-match": '"abc"'}
    assert kept.items() <= call.headers.items()
    gone = {"cookie", "x-forwarded-for", "webhook-signature", "x-hop", "x_tenant_id"}
    assert gone.isdisjoint(call.headers)


def test_only_the_roles_in_question_travel(core: Core, plugin: BarePlugin) -> None:
    """A call about one legacy carries the role in that one; a stranger's id carries none."""
    legacies = core.get("/api/session").json()["data"]["legacies"]
    core.get("/api/plugins/bare/proxy/v1/one", params={"legacyId": legacies[1]["id"]})
    core.get("/api/plugins/bare/proxy/v1/none", params={"legacyId": "somebody-elses"})

    one, none = plugin.received("/v1/one")[0], plugin.received("/v1/none")[0]
    assert decode_user_context(one.headers["x-user-context"]).legacies == {
        legacies[1]["id"]: "creator"
    }
    assert decode_user_context(none.headers["x-user-context"]).legacies == {}


@pytest.mark.parametrize(
    "path",
    [
        "/healthz",
        "/metrics",
        "/v10/data",
        "/v1/../metrics",
        "/v1/%2e%2e/metrics",
        "/v1/%2E%2e%2fmetrics",
        "/v1/..%5cmetrics",
        "/v1/%252e%252e/metrics",
        "/v1//metrics",
        "//elsewhere.test/v1",
        "/v1/x%00y",
        "/v1/x%0d%0ay",
        "/http://elsewhere.test/v1/x",
    ],
)
def test_no_path_leaves_the_base_path(core: Core, plugin: BarePlugin, path: str) -> None:
    """However a path is spelled, nothing outside `basePath` is reached."""
    response = core.get(f"http://core.test/api/plugins/bare/proxy{path}")

    assert response.status_code in {400, 404}
    assert {call.path for call in plugin.calls} <= {"/readyz", "/mf/remoteEntry.js"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://elsewhere.test"},
        {"origin": "null"},
        {"origin": "http://core.test:81"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none", "origin": "http://core.test"},
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_an_unsafe_call_of_another_page_is_refused(
    core: Core, plugin: BarePlugin, method: str, headers: dict[str, str]
) -> None:
    """What changes something must come from core's own page."""
    response = core.request(method, "/api/plugins/bare/proxy/v1/change", headers=headers)

    assert_problem(response, 403, "PERMISSION_DENIED")
    assert plugin.received("/v1/change") == []


@pytest.mark.parametrize("headers", [SAME_ORIGIN, {"sec-fetch-site": "same-origin"}])
def test_an_unsafe_call_of_our_own_page_arrives_whole(
    core: Core, plugin: BarePlugin, headers: dict[str, str]
) -> None:
    """Method, type and body reach the plugin as they were sent."""
    content = {"content-type": "application/json", **headers}
    core.post("/api/plugins/bare/proxy/v1/change", content=b'{"a": 1}', headers=content)

    call = plugin.received("/v1/change")[0]
    assert (call.method, call.body) == ("POST", b'{"a": 1}')
    assert call.headers["content-type"] == "application/json"


def test_an_answer_cannot_be_cores_page(core: Core, plugin: BarePlugin) -> None:
    """A plugin's page, cookie, redirect or cross-origin word does not speak as core."""
    headers = {
        "content-type": "text/html",
        "set-cookie": "session=2",
        "etag": '"7"',
        "location": "http://elsewhere.test/",
        "access-control-allow-origin": "*",
        "server": "bare",
        "content-security-policy": "default-src *",
        "clear-site-data": "*",
    }
    plugin.answers["/v1/page"] = [(302, headers, b"<script>alert(1)</script>")]

    response = core.get("/api/plugins/bare/proxy/v1/page", follow_redirects=False)

    assert response.status_code == 302
    assert response.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["etag"] == '"7"'
    forbidden = {"set-cookie", "location", "access-control-allow-origin", "server"}
    assert forbidden.isdisjoint(response.headers)


def test_a_plugins_cookie_travels_nowhere(core: Core, plugin: BarePlugin) -> None:
    """Core's client forgets cookies at once, for this plugin and for every other."""
    plugin.answers["/v1/cookie"] = [(200, {"set-cookie": "a=b; Path=/"}, b"{}")]
    core.get("/api/plugins/bare/proxy/v1/cookie")
    core.get("/api/plugins/bare/proxy/v1/after")

    assert "cookie" not in plugin.received("/v1/after")[0].headers


def test_statuses_and_errors_pass_through(core: Core, plugin: BarePlugin) -> None:
    """A refusal of the plugin is the plugin's own, with the pause it asks for."""
    plugin.answers["/v1/busy"] = [
        as_json({"error": {"code": "RATE_LIMITED"}}, 429, retry_after="9")
    ]
    plugin.answers["/v1/same"] = [(304, {"etag": '"7"'}, b"")]

    busy = core.get("/api/plugins/bare/proxy/v1/busy")

    assert (busy.status_code, busy.headers["retry-after"]) == (429, "9")
    assert core.get("/api/plugins/bare/proxy/v1/same").status_code == 304


def test_a_token_that_the_plugin_does_not_know_is_not_the_persons_fault(
    core: Core, plugin: BarePlugin
) -> None:
    """Core's own 401 becomes 503: signing in again would not help."""
    plugin.answers["/v1/locked"] = [as_json({}, 401)]

    assert_problem(core.get("/api/plugins/bare/proxy/v1/locked"), 503, "SERVICE_UNAVAILABLE")


def test_a_slow_plugin_is_504(core: Core, plugin: BarePlugin) -> None:
    """A plugin past its time is given up (spec §8.1)."""
    assert_problem(core.get("/api/plugins/bare/proxy/v1/slow"), 504, "TIMEOUT")


def test_an_unknown_plugin_is_404_and_an_unregistered_one_too(core: Core) -> None:
    """The proxy leads to plugins, and nowhere else."""
    assert_problem(core.get("/api/plugins/nobody/proxy/v1/x"), 404, "PLUGIN_UNKNOWN")


def test_an_encoded_plugin_id_is_refused(core: Core) -> None:
    """An id spelled with percent signs cannot shift where the plugin's path begins."""
    response = core.get("http://core.test/api/plugins/b%61re/proxy/v1/x")

    assert_problem(response, 404, "RESOURCE_NOT_FOUND")


def test_a_third_partys_delivery_is_forwarded_byte_for_byte(core: Core, plugin: BarePlugin) -> None:
    """Core hands on the raw body and the signature, and adds token and tenant."""
    headers = {"webhook-id": "m1", "webhook-signature": "v1,x", "webhook-timestamp": "1"}
    body = b'{ "events" : [] }'

    core.post("/api/events/webhook/bare", content=body, headers={**headers, "cookie": "a=b"})

    call = plugin.received("/v1/webhooks/ingest")[0]
    assert call.body == body
    assert headers.items() <= call.headers.items()
    assert call.headers["x-tenant-id"] == "family-lindqvist"
    assert "cookie" not in call.headers
