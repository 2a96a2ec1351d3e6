"""Registration with the core over HTTP: who may, what is checked, what is answered (spec §10)."""

from collections.abc import Iterator

import pytest

from mosaiclife_plugin_sdk import CAPABILITIES
from tests.support.bare_plugin import BarePlugin
from tests.support.cores import SAME_ORIGIN, Core, assert_problem, grant_for, record, running_core


@pytest.fixture(scope="module")
def house() -> Iterator[tuple[Core, BarePlugin]]:
    """Share one core; `core` makes it forget the plugin before each test."""
    tokens = ("bare-token", "next-token")
    with BarePlugin() as plugin:
        grants = {
            "bare": grant_for(plugin, tokens=tokens, capabilities=("events:publish",)),
            "other": grant_for(BarePlugin(name="other", token="other-token")),
        }
        with running_core(plugins=grants) as core:
            yield core, plugin


@pytest.fixture
def core(house: tuple[Core, BarePlugin]) -> Core:
    core = house[0]
    core.delete("/api/plugins/bare", headers=SAME_ORIGIN).raise_for_status()
    return core


@pytest.fixture
def plugin(house: tuple[Core, BarePlugin]) -> BarePlugin:
    plugin = house[1]
    plugin.calls.clear()
    plugin.token = "bare-token"
    return plugin


def test_the_first_registration_is_201_and_each_renewal_200(core: Core, plugin: BarePlugin) -> None:
    """A plugin that renews learns the same as one that comes for the first time."""
    first, again = plugin.register(core), plugin.register(core)

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["data"]["id"] == "bare"
    assert first.json()["data"]["core"] == {"version": "2.1.0"}


def test_both_tokens_of_a_rotation_are_valid(core: Core, plugin: BarePlugin) -> None:
    """While tokens rotate, the old one and the new one name the same plugin."""
    plugin.token = "next-token"

    assert plugin.register(core).status_code == 201


def test_the_alias_prefix_is_the_same_api(core: Core, plugin: BarePlugin) -> None:
    """What /api registers, /api/v1 lists."""
    plugin.register(core)

    assert core.get("/api/v1/plugins/bare").json()["data"]["version"] == "1.0.0"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "AUTH_REQUIRED"),
        ("Basic YTpi", "AUTH_REQUIRED"),
        ("Bearer ", "AUTH_REQUIRED"),
        ("Bearer bare-toke", "AUTH_INVALID"),
        ("Bearer bare-token2", "AUTH_INVALID"),
    ],
)
def test_a_call_without_an_issued_token_is_401(
    core: Core, plugin: BarePlugin, header: str | None, code: str
) -> None:
    """Nothing but a whole token opens the door, and the answer says how to knock."""
    headers = {"authorization": header} if header is not None else {}
    response = core.post("/api/plugins/register", json=plugin.registration(), headers=headers)

    assert_problem(response, 401, code)
    assert response.headers["www-authenticate"] == "Bearer"


def test_a_token_cannot_register_another_id(core: Core, plugin: BarePlugin) -> None:
    """A token is one plugin's: with it another id is refused."""
    plugin.token = "other-token"

    assert_problem(plugin.register(core), 403, "PERMISSION_DENIED")
    assert record(core, plugin)["state"] == "Installed"


def test_capabilities_are_granted_and_refused_one_by_one(core: Core, plugin: BarePlugin) -> None:
    """What policy does not allow is refused with a reason, and the rest is granted."""
    data = plugin.register(core).json()["data"]

    assert data["capabilities"]["granted"] == ["events:publish"]
    refused = data["capabilities"]["refused"]
    assert [entry["capability"] for entry in refused] == ["events:subscribe", "jobs:schedule"]
    assert all("policy" in entry["reason"] for entry in refused)
    assert data["scheduler"] is False
    assert set(data["capabilities"]["granted"]) < set(CAPABILITIES)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"version": 1.4}, "$.manifest.version"),
        ({"version": "1.4"}, "$.manifest.version"),
        ({"health": {"livenessPath": "/healthz"}}, "$.manifest.health"),
        ({"compat": {"core": ""}}, "$.manifest.compat.core"),
        ({"compat": {"core": ">=2.1,<3.0"}}, "$.manifest.compat.core"),
        ({"endpoints": {"basePath": "/"}}, "$.manifest.endpoints.basePath"),
    ],
)
def test_a_bad_manifest_is_422_with_the_path_of_the_fault(
    core: Core, plugin: BarePlugin, change: dict[str, object], field: str
) -> None:
    """The author reads where the manifest is wrong."""
    response = plugin.register(core, manifest=plugin.manifest(**change))

    error = assert_problem(response, 422, "VALIDATION_FAILED")
    assert field in {detail["field"] for detail in error["details"]}


def test_an_incompatible_plugin_is_409_with_the_range(core: Core, plugin: BarePlugin) -> None:
    """Core says which version does not satisfy which range (spec §5)."""
    manifest = plugin.manifest(compat={"core": ">=2.2 <3.0", "backend_sdk": ">=2"})
    response = plugin.register(core, manifest=manifest, sdk={"backend": "1.4.0"})

    error = assert_problem(response, 409, "PLUGIN_INCOMPATIBLE")
    assert {"field": "compat.core", "message": "core 2.1.0 does not satisfy >=2.2 <3.0"} in error[
        "details"
    ]
    assert "compat.backend_sdk" in {detail["field"] for detail in error["details"]}


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("http://127.0.0.1:8080", 403),  # core itself
        ("http://localhost:8080/api", 403),
        ("http://core.test", 403),  # the name by which this call reached core
        ("http://169.254.10.10", 403),
        ("http://bare.evil.test:7001", 403),
        ("file:///etc/hostname", 422),
        ("//127.0.0.1:7001", 422),
        ("http://user:secret@127.0.0.1:7001", 422),
        ("http://127.0.0.1:7001\\@elsewhere.test", 422),
    ],
)
@pytest.mark.parametrize("member", ["serviceUrl", "remoteUrl"])
def test_an_address_outside_the_policy_is_refused(
    core: Core, plugin: BarePlugin, url: str, status: int, member: str
) -> None:
    """No plugin leads core into its own network, by either address."""
    change = {"serviceUrl": url} if member == "serviceUrl" else {"ui": {"remoteUrl": url}}
    response = plugin.register(core, **change)

    error = response.json()["error"]
    assert response.status_code == status, response.text
    assert error["details"][0]["field"].endswith(member)
    assert record(core, plugin)["state"] == "Installed"


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "INVALID_FORMAT"),
        (b"\xff", "application/json", 400, "INVALID_FORMAT"),
        (b"{}", "text/plain", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b'{"manifest": 1}', "application/json", 422, "VALIDATION_FAILED"),
        (b" " * (1 << 20) + b"{}", "application/json", 413, "PAYLOAD_TOO_LARGE"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_in_the_one_shape(
    core: Core, plugin: BarePlugin, body: bytes, content_type: str, status: int, code: str
) -> None:
    """Unreadable, mistyped, wrong and oversized bodies have an answer each."""
    headers = {"authorization": f"Bearer {plugin.token}", "content-type": content_type}

    assert_problem(core.post("/api/plugins/register", content=body, headers=headers), status, code)


def test_a_disabled_plugin_stays_disabled_when_it_registers(core: Core, plugin: BarePlugin) -> None:
    """The kill switch outlives every attempt to come back (spec §16)."""
    plugin.register(core)
    core.put("/api/plugins/bare/disable", headers=SAME_ORIGIN).raise_for_status()

    assert_problem(plugin.register(core), 403, "PLUGIN_DISABLED")
    assert record(core, plugin)["state"] == "Disabled"


def test_a_forgotten_plugin_is_unknown_until_it_registers_again(
    core: Core, plugin: BarePlugin
) -> None:
    """A 404 PLUGIN_UNKNOWN is what makes a plugin register anew."""
    plugin.register(core)
    core.delete("/api/plugins/bare", headers=SAME_ORIGIN).raise_for_status()
    headers = {"authorization": f"Bearer {plugin.token}"}
    event = {"topic": "bare.said", "payload": {}}

    assert_problem(
        core.post("/api/plugins/-/events", json=event, headers=headers), 404, "PLUGIN_UNKNOWN"
    )
    assert plugin.register(core).status_code == 201


def test_the_platform_rate_is_kept_when_it_is_switched_on(plugin: BarePlugin) -> None:
    """The call after the hundred and twentieth in a minute is told when to come back."""
    with running_core(plugin, rate_limits=True) as core:
        answers = [plugin.register(core).status_code for _ in range(120)]
        late = plugin.register(core)

    assert answers == [201, *[200] * 119]
    assert_problem(late, 429, "RATE_LIMITED")
    assert 1 <= int(late.headers["retry-after"]) <= 60
