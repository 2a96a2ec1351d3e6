"""The way out of a plugin, against real servers on the loopback (design §4: Egress)."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.testing import TestClient

from mosaiclife_plugin_sdk import (
    SERVICE,
    AllowList,
    AsyncEgressClient,
    CapabilityMissing,
    CoreClient,
    EgressClient,
    EgressRefused,
    EgressRules,
    encode_user_context,
    parse_manifest,
)
from mosaiclife_plugin_sdk.egress import Route
from mosaiclife_plugin_sdk.frame import create_app, ok
from mosaiclife_plugin_sdk.testing import FakeCore
from tests.support.processes import eventually
from tests.support.recorder import Heard, Recorder, recording
from tests.support.tiny_plugin import MANIFEST, TinyPlugin, settings

Call = Callable[..., httpx.Response]


@pytest.fixture
def friend() -> Iterator[Recorder]:
    """Serve the host that the manifest allows."""
    with recording() as recorder:
        yield recorder


@pytest.fixture
def stranger() -> Iterator[Recorder]:
    """Serve one that it does not."""
    with recording() as recorder:
        yield recorder


def rules(*entries: str, granted: bool = True, route: Route | None = None) -> EgressRules:
    return EgressRules(AllowList(entries), lambda _name: granted, lambda: route or Route())


@pytest.fixture(params=["sync", "async"])
def call(request: pytest.FixtureRequest) -> Call:
    """Return a caller of either client, so that one suite holds for both."""

    def sync(held: EgressRules, method: str, url: str, **options: Any) -> httpx.Response:
        with EgressClient(held) as client:
            return client.request(method, url, **options)

    def asynchronous(held: EgressRules, method: str, url: str, **options: Any) -> httpx.Response:
        async def once() -> httpx.Response:
            async with AsyncEgressClient(held) as client:
                return await client.request(method, url, **options)

        return asyncio.run(once())

    return sync if request.param == "sync" else asynchronous


def entry(recorder: Recorder) -> str:
    return f"127.0.0.1:{recorder.port}"


def test_an_allowed_host_is_called(call: Call, friend: Recorder) -> None:
    """Method, path, body and headers arrive as they were given."""
    answer = call(rules(entry(friend)), "POST", f"{friend.url}/a?b=c", content=b"body")

    assert answer.status_code == 200
    assert (friend.heard[0].method, friend.heard[0].target) == ("POST", "/a?b=c")
    assert friend.heard[0].body == b"body"


def test_another_port_is_another_host(call: Call, friend: Recorder, stranger: Recorder) -> None:
    """An entry names one port, and a name is not its address."""
    for url in (stranger.url, f"http://localhost:{friend.port}"):
        with pytest.raises(EgressRefused):
            call(rules(entry(friend)), "GET", url)
    assert stranger.heard == friend.heard == []


def test_without_the_capability_nobody_is_called(call: Call, friend: Recorder) -> None:
    """The list says where, the capability whether at all."""
    with pytest.raises(CapabilityMissing, match="http:outbound"):
        call(rules(entry(friend), granted=False), "GET", friend.url)
    assert friend.heard == []


def test_a_redirect_is_judged_like_a_call(call: Call, friend: Recorder, stranger: Recorder) -> None:
    """A friend cannot send the plugin to a stranger; to itself it can."""
    friend.answer = redirect_to(stranger.url)
    with pytest.raises(EgressRefused):
        call(rules(entry(friend)), "GET", friend.url, follow_redirects=True)
    assert stranger.heard == []

    friend.answer = redirect_to(f"{friend.url}/end", last="/end")
    answer = call(rules(entry(friend)), "GET", friend.url, follow_redirects=True)
    assert (answer.status_code, friend.heard[-1].target) == (200, "/end")


def redirect_to(url: str, last: str = "") -> Callable[[Heard], Any]:
    return lambda heard: (200, {}, b"") if heard.target == last else (302, {"Location": url}, b"")


def test_no_redirect_is_followed_unasked(call: Call, friend: Recorder) -> None:
    """The answer of the first host is the answer."""
    friend.answer = redirect_to(f"{friend.url}/end")

    assert call(rules(entry(friend)), "GET", friend.url).status_code == 302
    assert len(friend.heard) == 1


TRICKS = [
    "http://{friend}@{stranger}/",
    "http://user:word@{friend}/",
    "http://{stranger}\\@{friend}/",
    "http://{friend}%2e/",
    "http://127.0.0.1.:{port}/",
    "http://127.1:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://[::1]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://127.0.0.1/",
    "https://127.0.0.1/",
    "http://127.0.0.1:0/",
    "ftp://{friend}/",
    "file:///etc/hosts",
    "/relative",
]


@pytest.mark.parametrize("trick", TRICKS)
def test_other_spellings_lead_nowhere(
    call: Call, friend: Recorder, stranger: Recorder, trick: str
) -> None:
    """What only looks like an allowed address, or is one in disguise, opens no socket."""
    url = trick.format(friend=entry(friend), stranger=entry(stranger), port=friend.port)
    with pytest.raises((EgressRefused, httpx.InvalidURL)):
        call(rules(entry(friend)), "GET", url)
    assert stranger.heard == friend.heard == []


def test_case_makes_no_difference(call: Call, friend: Recorder) -> None:
    """A host is the same in capitals, in the list and in the call."""
    answer = call(rules(f"LocalHost:{friend.port}"), "GET", f"HTTP://LOCALHOST:{friend.port}/")

    assert answer.status_code == 200


def test_no_header_and_no_extension_sends_it_elsewhere(call: Call, friend: Recorder) -> None:
    """A Host header of another name is refused, and httpx's own detours are taken away."""
    with pytest.raises(EgressRefused, match="Host"):
        call(rules(entry(friend)), "GET", friend.url, headers={"Host": "elsewhere.test"})
    detours = {"target": b"http://elsewhere.test/", "sni_hostname": "elsewhere.test"}
    call(rules(entry(friend)), "GET", f"{friend.url}/here", extensions=detours)

    assert [heard.target for heard in friend.heard] == ["/here"]


def test_no_cookie_comes_back(friend: Recorder) -> None:
    """What one answer sets does not travel with the next call, here or to core."""
    friend.answer = lambda _heard: (202, {"Set-Cookie": "a=b; Path=/"}, b'{"data":{}}')
    with EgressClient(rules(entry(friend))) as client:
        client.get(friend.url)
        client.get(friend.url)
    with CoreClient(friend.url, "token") as core:
        core.publish_event("a", {})
        core.publish_event("a", {})

    assert len(friend.heard) == 4
    assert [heard.all("cookie") for heard in friend.heard] == [[]] * 4


def test_environment_names_no_proxy(
    call: Call, friend: Recorder, stranger: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The way out is core's to say, not a variable's."""
    monkeypatch.setenv("HTTP_PROXY", stranger.url)

    assert call(rules(entry(friend)), "GET", friend.url).status_code == 200
    assert stranger.heard == []


def test_offered_proxy_is_the_only_way(call: Call, friend: Recorder, stranger: Recorder) -> None:
    """With a proxy the call goes there in absolute form, with the plugin's token and no other."""
    held = rules(entry(friend), route=Route(stranger.url, "token-1"))
    call(held, "GET", f"{friend.url}/a")

    assert friend.heard == []
    assert stranger.heard[0].target == f"{friend.url}/a"
    assert stranger.heard[0].all("proxy-authorization") == ["Bearer token-1"]


# In the frame.

TOKEN = "secret-token-1"
SIGNED_IN = {
    "Authorization": f"Bearer {TOKEN}",
    "X-Tenant-ID": "family-a",
    "X-User-Context": encode_user_context(SERVICE),
}


@get("/outside")
async def call_outside(
    request: Request[Any, Any, Any], egress: NamedDependency[AsyncEgressClient], url: FromQuery[str]
) -> Response[Any]:
    """Call *url* and return its status."""
    return ok(request, (await egress.get(url)).status_code)


class Outgoing(TinyPlugin):
    """A plugin that may call one host."""

    routes = (call_outside,)

    def __init__(self, friend: Recorder) -> None:
        """Ask for the capability and the host."""
        asked = {
            "capabilities": [*MANIFEST["capabilities"], "http:outbound"],
            "permissions": {"network": {"egressAllow": [entry(friend)]}},
        }
        super().__init__(parse_manifest({**MANIFEST, **asked}))


def test_frame_waits_for_cores_word(friend: Recorder, tmp_path: Path) -> None:
    """Before core has answered nothing leaves; then both clients do what core granted."""
    with FakeCore(token=TOKEN) as core:
        core.refused = ["http:outbound"]
        plugin = Outgoing(friend)
        environ = {"SELF_REGISTER": "true", "CORE_BASE_URL": core.url}
        app = create_app(plugin, settings(plugin.manifest, tmp_path, **environ))
        with pytest.raises(CapabilityMissing):
            plugin.egress.client.get(friend.url)
        with TestClient(app) as opened:
            core.wait_for(lambda fake: fake.registrations)
            with pytest.raises(CapabilityMissing):
                plugin.egress.client.get(friend.url)
            core.refused = []
            opened.post("/register", headers=SIGNED_IN)
            eventually(lambda: len(core.registrations) > 1 and called(plugin, friend))

    assert friend.heard[0].all("traceparent")


def called(plugin: TinyPlugin, friend: Recorder) -> bool:
    try:
        return plugin.egress.client.get(friend.url).status_code == 200
    except CapabilityMissing:
        return False


def test_static_configuration_needs_no_word(friend: Recorder, tmp_path: Path) -> None:
    """With SELF_REGISTER=false the manifest alone decides; a handler gets the client by name."""
    plugin = Outgoing(friend)
    with TestClient(create_app(plugin, settings(plugin.manifest, tmp_path))) as opened:
        answer = opened.get("/v1/outside", params={"url": friend.url}, headers=SIGNED_IN)
        assert called(plugin, friend)

    assert answer.json()["data"] == 200
    assert len(friend.heard) == 2
