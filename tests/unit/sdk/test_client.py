"""CoreClient and AsyncCoreClient against a real HTTP server."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mosaiclife_plugin_sdk import (
    AsyncCoreClient,
    CapabilityMissing,
    CoreClient,
    CoreRefused,
    CoreUnreachable,
    Job,
)
from mosaiclife_plugin_sdk.testing import FakeCore, garbage, hang_up, refusal
from tests.support.registrations import registration_body

CAPABILITIES = ["events:publish", "jobs:schedule", "secrets:read"]
BODY = registration_body(capabilities=CAPABILITIES, secrets=["KEY"])


@pytest.fixture
def core() -> Iterator[FakeCore]:
    with FakeCore(scheduler=True, secrets={"KEY": "hush"}) as fake:
        yield fake


@pytest.fixture(params=["sync", "async"])
def call(request: pytest.FixtureRequest, core: FakeCore) -> Callable[..., Any]:
    """Return a caller of either client's methods, so that one suite holds for both."""

    def sync(method: str, *arguments: Any) -> Any:
        with CoreClient(core.url, core.token) as client:
            return getattr(client, method)(*arguments)

    async def in_loop(method: str, *arguments: Any) -> Any:
        async with AsyncCoreClient(core.url, core.token) as client:
            return await getattr(client, method)(*arguments)

    def asynchronous(method: str, *arguments: Any) -> Any:
        return asyncio.run(in_loop(method, *arguments))

    return sync if request.param == "sync" else asynchronous


def test_registration_is_read(call: Callable[..., Any], core: FakeCore) -> None:
    """Core's answer comes back as a value: id, version, what was granted, who fires."""
    core.refused = ["events:publish"]
    answer = call("register", BODY)

    assert (answer.id, answer.core.version, answer.scheduler) == ("tiny", "2.1.0", True)
    assert answer.capabilities.refused[0].capability == "events:publish"
    assert core.registrations == [BODY]


def test_the_specified_calls_reach_core(call: Callable[..., Any], core: FakeCore) -> None:
    """publish_event, register_job and fetch_secret do what spec §15.1 says."""
    call("register", BODY)
    spec = Job("tidy", "Tidies.", run=print, schedule="@daily").spec()

    assert call("publish_event", "tiny.done", {"n": 1}) is None
    assert call("register_job", spec) is None
    assert call("fetch_secret", "KEY") == "hush"

    assert core.events == [("tiny.done", {"n": 1})]
    assert core.jobs == {"tidy": spec}
    call("remove_job", "tidy")
    assert core.jobs == {}


def test_refusal_carries_what_core_said(call: Callable[..., Any], core: FakeCore) -> None:
    """Code, status, message, details and Retry-After of an error are there to be acted upon."""
    details = [{"field": "compat.core", "message": "core 2.0.3 does not satisfy >=2.1 <3.0"}]
    core.script("register", refusal(409, "PLUGIN_INCOMPATIBLE", details=details, retry_after=7))
    with pytest.raises(CoreRefused) as caught:
        call("register", BODY)

    assert (caught.value.status, caught.value.code) == (409, "PLUGIN_INCOMPATIBLE")
    assert caught.value.details == details
    assert caught.value.retry_after == 7


@pytest.mark.parametrize("answer", [hang_up(), garbage()], ids=["hang up", "garbage"])
def test_broken_answer_is_our_error(call: Callable[..., Any], core: FakeCore, answer: Any) -> None:
    """A connection that ends and a page instead of JSON are CoreUnreachable, nothing foreign."""
    core.script("register", answer)
    with pytest.raises(CoreUnreachable):
        call("register", BODY)


def test_nobody_listening_is_our_error() -> None:
    """A port that refuses is CoreUnreachable too, and so is no URL at all."""
    for url in ("http://127.0.0.1:9", ""):
        with CoreClient(url, "t") as client, pytest.raises(CoreUnreachable):
            client.publish_event("a", {})


def test_missing_capability_fails_before_a_socket_opens(core: FakeCore) -> None:
    """A call that the manifest does not ask for never leaves the process (design §4)."""
    with CoreClient(core.url, core.token) as client:
        client.protocol.permit = lambda capability: capability == "secrets:read"
        with pytest.raises(CapabilityMissing, match="events:publish"):
            client.publish_event("a", {})
        with pytest.raises(CapabilityMissing, match="jobs:schedule"):
            client.register_job({"name": "a"})

    assert core.asked == []


def test_token_is_read_at_each_call(core: FakeCore) -> None:
    """A rotated token is used without a new client."""
    tokens = iter(["old", core.token])
    with CoreClient(core.url, lambda: next(tokens)) as client:
        with pytest.raises(CoreRefused):
            client.register(BODY)
        client.register(BODY)


def test_unknown_plugin_is_noticed(core: FakeCore) -> None:
    """A core that has forgotten the plugin makes the client say so, once per call."""
    noticed = threading.Event()
    with CoreClient(core.url, core.token) as client:
        client.protocol.on_unknown = noticed.set
        with pytest.raises(CoreRefused):
            client.publish_event("a", {})

    assert noticed.is_set()


def test_registration_itself_does_not_ask_for_registration(core: FakeCore) -> None:
    """PLUGIN_UNKNOWN in answer to a registration must not start a loop."""
    core.script("register", refusal(404, "PLUGIN_UNKNOWN"))
    noticed = threading.Event()
    with CoreClient(core.url, core.token) as client:
        client.protocol.on_unknown = noticed.set
        with pytest.raises(CoreRefused):
            client.register(BODY)

    assert not noticed.is_set()


def test_prefix_is_a_setting(core: FakeCore) -> None:
    """Core's alias /api/v1, or another prefix, is reached by a setting."""
    core.prefix = "/api/v1"
    with CoreClient(core.url, core.token, api_prefix="/api/v1/") as client:
        client.register(BODY)

    assert core.asked[0].path == "/api/v1/plugins/register"
