"""The core's forward proxy: each plugin to its own hosts, and to nothing inside (spec §13)."""

import base64
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from mosaiclife_devcore.addresses import is_public
from mosaiclife_plugin_sdk import AllowList, EgressClient, EgressRules
from mosaiclife_plugin_sdk.egress import Route
from tests.support.bare_plugin import BarePlugin
from tests.support.cores import SAME_ORIGIN, Core, grant_for, running_core
from tests.support.processes import free_port
from tests.support.recorder import Recorder, recording

TOKEN = "bare-token"
BEARER = f"Bearer {TOKEN}"


class Out:
    """A core with one registered plugin, and the host that the plugin may call."""

    def __init__(self, core: Core, plugin: BarePlugin, friend: Recorder, away: str) -> None:
        self.core, self.plugin, self.friend, self.away = core, plugin, friend, away
        self.port: int = core.app.state.egress.port

    def register(self, *entries: str, capabilities: tuple[str, ...] = ("http:outbound",)) -> Any:
        """Register with these hosts; return core's answer."""
        network = {"network": {"egressAllow": list(entries)}}
        manifest = self.plugin.manifest(capabilities=list(capabilities), permissions=network)
        body = {**self.plugin.registration(), "manifest": manifest}
        headers = {"authorization": BEARER}
        answer = self.core.post("/api/plugins/register", json=body, headers=headers)
        return answer.raise_for_status().json()["data"]

    def say(self, raw: str) -> tuple[int, dict[str, str], bytes]:
        """Send *raw* to the proxy and return status, headers and body of what comes back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as peer:
            peer.sendall(raw.replace("\n", "\r\n").encode("latin-1"))
            return _read(peer)


def _read(peer: socket.socket) -> tuple[int, dict[str, str], bytes]:
    answer = b""
    while chunk := peer.recv(65536):
        answer += chunk
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = [line.split(": ", 1) for line in lines]
    headers = {name.lower(): value for name, value in pairs}
    return int(first.split()[1]), headers, body


@pytest.fixture(scope="module")
def house() -> Iterator[Out]:
    with recording() as friend, BarePlugin() as plugin:
        away = f"127.0.0.1:{free_port()}"
        inside = (entry(friend), f"localhost:{friend.port}", away)
        grants = {"bare": grant_for(plugin, private_egress=inside)}
        with running_core(plugins=grants) as core:
            yield Out(core, plugin, friend, away)


@pytest.fixture
def out(house: Out) -> Out:
    """Share one core; the plugin is as if it had just registered with its friend."""
    house.core.put("/api/plugins/bare/enable", headers=SAME_ORIGIN).raise_for_status()
    house.friend.heard.clear()
    house.friend.answer = lambda _heard: (200, {"X-Kind": "friend"}, b"hello")
    house.register(entry(house.friend))
    return house


def entry(friend: Recorder) -> str:
    return f"127.0.0.1:{friend.port}"


def test_way_out_is_offered_with_its_capability(out: Out) -> None:
    """Registration names the proxy as the plugin can reach it; without the capability, none."""
    assert out.register()["egressProxyUrl"] == f"http://core.test:{out.port}"
    assert "egressProxyUrl" not in out.register(capabilities=())


def test_sdk_client_goes_through(out: Out) -> None:
    """The SDK's own client reaches the friend by the proxy: method, path, query, body, headers."""
    route = Route(f"http://127.0.0.1:{out.port}", TOKEN)
    rules = EgressRules(AllowList([entry(out.friend)]), lambda _name: True, lambda: route)
    with EgressClient(rules) as client:
        url = f"{out.friend.url}/a%2Fb?c=d"
        answers = [client.post(url, content=b"x" * 100_000, headers={"X-Own": "1"}) for _ in "ab"]

    assert [(answer.status_code, answer.text) for answer in answers] == [(200, "hello")] * 2
    heard = out.friend.heard[0]
    assert (heard.method, heard.target, len(heard.body)) == ("POST", "/a%2Fb?c=d", 100_000)
    assert heard.all("host") == [entry(out.friend)]
    assert heard.all("x-own") == ["1"]
    assert heard.all("proxy-authorization") == []


def test_headers_for_the_proxy_stay_there(out: Out) -> None:
    """What is said from hop to hop, and the plugin's token, end at the proxy."""
    status, headers, body = out.say(
        f"GET http://{entry(out.friend)}/ HTTP/1.1\nHost: elsewhere\nProxy-Authorization: {BEARER}\n"
        "Connection: x-private, close\nX-Private: 1\nX-Kept: 2\nTE: trailers\n\n"
    )

    assert (status, headers["x-kind"], body) == (200, "friend", b"hello")
    names = {name.lower() for name, _ in out.friend.heard[0].headers}
    assert "x-kept" in names
    assert not names & {"x-private", "te", "proxy-authorization"}
    assert out.friend.heard[0].all("host") == [entry(out.friend)]


def test_connect_carries_bytes_both_ways(out: Out) -> None:
    """A tunnel is opened to the judged address, with what was sent too early."""
    with socket.create_connection(("127.0.0.1", out.port), timeout=5) as peer:
        early = "GET /through HTTP/1.0\r\n\r\n"
        target = entry(out.friend)
        peer.sendall(
            f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n"
            f"Proxy-Authorization: {BEARER}\r\n\r\n{early}".encode()
        )
        status, headers, rest = _read(peer)

    assert status == 200
    assert "content-length" not in headers
    assert rest.endswith(b"hello")
    assert out.friend.heard[0].target == "/through"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Proxy-Authorization: Bearer other\n",
        "Proxy-Authorization: Basic !!\n",
        f"Authorization: {BEARER}\n",
        f"Proxy-Authorization: {BEARER}\nProxy-Authorization: {BEARER}\n",
    ],
    ids=["none", "wrong", "garbled", "other header", "two"],
)
@pytest.mark.parametrize("method", ["GET", "CONNECT"])
def test_only_plugins_may_pass(out: Out, method: str, header: str) -> None:
    """Without a token that core issued the proxy says how to show one, and calls nobody."""
    target = entry(out.friend) if method == "CONNECT" else f"http://{entry(out.friend)}/"
    status, headers, body = out.say(f"{method} {target} HTTP/1.1\nHost: a\n{header}\n")

    assert status == 407
    assert headers["proxy-authenticate"] == "Bearer, Basic"
    assert set(json.loads(body)["error"]) == {
        *("code", "message", "details", "requestId", "timestamp")
    }
    assert out.friend.heard == []


def test_basic_will_do(out: Out) -> None:
    """Clients that know no Bearer give the token as the password in the proxy's URL."""
    word = base64.b64encode(f"bare:{TOKEN}".encode()).decode()
    status, _, _ = out.say(
        f"GET http://{entry(out.friend)}/ HTTP/1.1\nHost: a\nProxy-Authorization: Basic {word}\n\n"
    )

    assert status == 200


def ask(out: Out, target: str) -> tuple[int, str]:
    """Ask for *target* in both forms; both must be judged alike."""
    head = f"HTTP/1.1\nHost: a\nProxy-Authorization: {BEARER}\n\n"
    plain = out.say(f"GET http://{target}/ {head}")
    tunnel = out.say(f"CONNECT {target} {head}")
    assert plain[0] == tunnel[0], (plain, tunnel)
    assert plain[1]["proxy-status"] == "mosaiclife-core"
    return plain[0], json.loads(plain[2])["error"]["code"]


def test_only_hosts_of_the_manifest_are_called(out: Out) -> None:
    """Another port, another name, another spelling: 403, or 400 when it is no host at all."""
    port = out.friend.port
    for other in (f"127.0.0.1:{out.port}", f"localhost:{port}", f"127.1:{port}", "a.test:80"):
        assert ask(out, other) == (403, "PERMISSION_DENIED")
    for odd in (f"[::1]:{port}", f"127.0.0.1.:{port}", "a_b:80", "a.test:99999"):
        assert ask(out, odd) == (400, "INVALID_FORMAT")
    assert out.friend.heard == []


def test_own_network_needs_the_operators_word(out: Out) -> None:
    """A manifest cannot open core's own network by naming it, under a name of the world or not."""
    with recording() as inside:
        for name in ("127.0.0.1", "localhost"):
            out.register(f"{name}:{inside.port}")
            assert ask(out, f"{name}:{inside.port}") == (403, "PERMISSION_DENIED")
        assert inside.heard == []


def test_capability_and_kill_switch_close_the_way(out: Out) -> None:
    """Without http:outbound, and for a plugin that is switched off, nothing leaves."""
    out.register(entry(out.friend), capabilities=())
    assert ask(out, entry(out.friend)) == (403, "PERMISSION_DENIED")
    out.register(entry(out.friend))
    out.core.put("/api/plugins/bare/disable", headers=SAME_ORIGIN).raise_for_status()
    assert ask(out, entry(out.friend)) == (403, "PLUGIN_DISABLED")
    assert out.friend.heard == []


@pytest.mark.parametrize(
    "line",
    [
        "GET / HTTP/1.1",
        "GET https://a.test/ HTTP/1.1",
        "GET http://user@a.test/ HTTP/1.1",
        "GET ftp://a.test/ HTTP/1.1",
        "CONNECT a.test HTTP/1.1",
        "CONNECT http://a.test/ HTTP/1.1",
        "GET  HTTP/1.1",
        "nonsense",
    ],
)
def test_other_forms_are_bad_requests(out: Out, line: str) -> None:
    """Neither absolute form nor CONNECT: 400, and the core lives on."""
    assert out.say(f"{line}\nHost: a\nProxy-Authorization: {BEARER}\n\n")[0] == 400
    assert out.core.get("/api/session").status_code == 200


def test_host_that_is_away_is_503(out: Out) -> None:
    """A refused connection and an unknown name are answers too."""
    out.register(out.away, "nowhere.invalid:80")

    assert ask(out, out.away) == (503, "SERVICE_UNAVAILABLE")
    assert ask(out, "nowhere.invalid:80") == (503, "SERVICE_UNAVAILABLE")


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
        *("0.0.0.0", "224.0.0.1", "255.255.255.255", "192.0.2.1", "::", "::1", "fe80::1%eth0"),
        *("fc00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "2001:0:a00:1::"),
        *("ff02::1", "2001:db8::1"),
    ],
)
def test_inner_addresses_are_not_public(address: str) -> None:
    """No private, special or translated range passes for the world."""
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1"]
)
def test_addresses_of_the_world_are_public(address: str) -> None:
    """The world stays reachable."""
    assert is_public(address)


def test_core_without_a_way_out_offers_none() -> None:
    """An operator may leave egress to the cluster."""
    with BarePlugin() as plugin, running_core(plugin, egress=False) as core:
        manifest = plugin.manifest(capabilities=["http:outbound"])
        body = {**plugin.registration(), "manifest": manifest}
        answer = core.post(
            "/api/plugins/register", json=body, headers={"authorization": BEARER}
        ).json()["data"]

    assert "egressProxyUrl" not in answer
    assert core.app.state.egress.port == 0
