"""What is prepared ahead of time is a request that the plugin's own check believes."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from bench.deliveries import BATCH, LARGEST_BODY, Sender, batches
from bench.events import Maker, new_world
from mosaiclife_plugin_sdk import SERVICE, decode_user_context, new_secret, verify

SECRET = new_secret()
NOW = datetime.now(UTC)


def sender() -> Sender:
    return Sender("127.0.0.1:7001", "token", SECRET)


def parts(request: bytes) -> tuple[str, dict[str, str], bytes]:
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    pairs = (line.split(": ", 1) for line in lines)
    return first, {name.lower(): value for name, value in pairs}, body


@pytest.mark.parametrize("size", [BATCH, 1])
def test_a_delivery_is_signed_and_fits(size: int) -> None:
    """The SDK verifies it, its length is right, and the largest is below the limit."""
    events = Maker(new_world(), "test").events(size, NOW - timedelta(days=2000), NOW)
    [(number, request)] = batches(sender(), events, size)
    first, headers, body = parts(request)

    assert first == "POST /v1/webhooks/ingest HTTP/1.1"
    assert number == size
    assert verify([SECRET], headers, body, now=time.time()).id == headers["webhook-id"]
    assert int(headers["content-length"]) == len(body) < LARGEST_BODY


def test_each_delivery_has_an_id_of_its_own() -> None:
    """The plugin would answer a repeated one from memory."""
    made = [sender_.delivery([b"{}"]) for sender_ in [sender()] for _ in range(3)]

    assert len({parts(request)[1]["webhook-id"] for request in made}) == 3


def test_the_rest_of_the_events_is_sent_too() -> None:
    """A number that is no multiple of the batch loses nothing."""
    assert [number for number, _ in batches(sender(), [b"{}"] * 5, 2)] == [2, 2, 1]


def test_a_question_says_who_asks() -> None:
    """As core does it, with a body where there is one."""
    first, headers, body = parts(sender().question("POST", "/v1/data/query", SERVICE, b"{}"))

    assert first == "POST /v1/data/query HTTP/1.1"
    assert decode_user_context(headers["x-user-context"]).is_service
    assert (headers["content-length"], body) == ("2", b"{}")
