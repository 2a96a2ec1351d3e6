"""The W3C's own trace context cases, through the edge and the client of the frame (studies 3.1)."""

import http.client
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from mosaiclife_plugin_sdk.frame.propagation import MAX_MEMBERS
from tests.support.fan_out import fan_out
from tests.support.recorder import Heard, Recorder, recording
from tests.support.serving import served

FILE = "trace-context.json"
pytestmark = pytest.mark.skipif(
    not os.environ.get("PLUGIN_VECTORS"), reason="PLUGIN_VECTORS names no folder of vectors"
)


def cases() -> list[dict[str, Any]]:
    folder = os.environ.get("PLUGIN_VECTORS", "")
    path = Path(folder) / FILE
    if not folder or not path.is_file():
        return []
    known: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cases"]
    return known


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    with served(fan_out(), lifespan=False) as url:
        yield url


@pytest.fixture
def callee() -> Iterator[Recorder]:
    with recording() as recorder:
        yield recorder


def send(service: str, headers: list[list[str]], *callees: Recorder) -> None:
    """Call the service with exactly *headers*: doubled ones, odd case and white space and all."""
    body = json.dumps([{"url": callee.url, "arguments": []} for callee in callees]).encode()
    peer = http.client.HTTPConnection(urlsplit(service).netloc, timeout=10)
    peer.putrequest("POST", "/")
    for name, value in [*headers, ["Content-Length", str(len(body))]]:
        peer.putheader(name, value)
    peer.endheaders(body)
    assert peer.getresponse().status == 200
    peer.close()


def sent_parent(heard: Heard) -> list[str]:
    """Return the parts of the one `traceparent` that went out."""
    (parent,) = heard.all("traceparent")
    version, trace, span, flags = parent.split("-")
    assert (version, len(trace), len(span), len(flags)) == ("00", 32, 16, 2)
    assert set(trace) != {"0"}
    assert set(span) != {"0"}
    return [trace, span, flags]


def members(values: list[str]) -> list[str]:
    return [part.strip() for value in values for part in value.split(",") if part.strip()]


def test_the_cases_are_there() -> None:
    """The file that this layer reads holds what it held when the layer was written."""
    assert len(cases()) == 74


@pytest.mark.parametrize("case", cases(), ids=[f"case-{number}" for number in range(len(cases()))])
def test_headers_go_through_as_the_recommendation_says(
    service: str, callee: Recorder, case: dict[str, Any]
) -> None:
    """A good parent is continued by a new span and its state kept; a bad one is never continued."""
    send(service, case["headers"], callee)
    trace, span, flags = sent_parent(callee.heard[0])
    given = [value for name, value in case["headers"] if name.lower() == "traceparent"]
    state = [value for name, value in case["headers"] if name.lower() == "tracestate"]
    sent = members(callee.heard[0].all("tracestate"))

    if case["is_traceparent_valid"]:
        _, its_trace, its_span, its_flags = given[0].strip().split("-")[:4]
        assert trace == its_trace
        assert span != its_span
        assert int(flags, 16) == int(its_flags, 16) & 3
    else:
        assert all(trace not in value for value in given)
    # The file calls 33 well-formed members valid; the recommendation drops more than 32 (§3.3.1.1).
    if case.get("is_tracestate_valid") and len(members(state)) <= MAX_MEMBERS:
        assert sent
        assert_kept(members(state), sent)
    else:
        assert sent == []


def assert_kept(given: list[str], sent: list[str]) -> None:
    """Every key is there once, with its first value, in the order in which it came."""
    first = dict(reversed([member.split("=", 1) for member in given]))
    keys = list(dict.fromkeys(member.split("=", 1)[0] for member in given))
    assert sent == [f"{key}={first[key]}" for key in keys]


def test_each_call_has_a_span_of_its_own(service: str) -> None:
    """Calls made for one request share its trace, and no two share a parent."""
    parent = ["traceparent", f"00-{'1' * 32}-{'2' * 16}-01"]
    with recording() as one, recording() as two:
        send(service, [parent], one, two, one)
        sent = [sent_parent(heard) for heard in [*one.heard, *two.heard]]

    assert {trace for trace, _, _ in sent} == {"1" * 32}
    assert len({span for _, span, _ in sent}) == 3


def test_two_requests_without_a_parent_are_two_traces(service: str, callee: Recorder) -> None:
    """Nothing of one request leaks into the next."""
    state = ["tracestate", "foo=1"]
    send(service, [["traceparent", f"00-{'1' * 32}-{'2' * 16}-01"], state], callee)
    send(service, [], callee)
    send(service, [], callee)
    traces = [sent_parent(heard)[0] for heard in callee.heard]

    assert len(set(traces)) == 3
    assert [heard.all("tracestate") for heard in callee.heard] == [["foo=1"], [], []]
