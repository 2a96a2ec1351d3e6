"""The courier of `seed`: signs, is patient when asked, and says what helps."""

from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

from mosaiclife_plugin_sdk import new_secret
from mosaiclife_plugin_sdk.webhooks import verify
from tools.courier import TRIES, Courier, Recipient, Undelivered

SECRET = new_secret()
TO = Recipient("http://plugin.example", "token", SECRET)
TAKEN = {
    "data": {
        "accepted": 1,
        "duplicate": 0,
        "conflict": 0,
        "ignored": 1,
        "quarantined": 1,
        "results": [
            {"index": 1, "status": "ignored"},
            {"index": 2, "status": "quarantined", "code": "SCHEMA"},
        ],
    }
}
BUSY = {"error": {"code": "SERVICE_UNAVAILABLE", "message": "The intake is full."}}


class Plugin:
    """A plugin that gives the answers it was told to, the last one for ever."""

    def __init__(self, *answers: httpx.Response | type[Exception]) -> None:
        self.answers = list(answers)
        self.seen: list[httpx.Request] = []
        self.waited: list[float] = []
        self.said: list[str] = []

    def courier(self) -> Courier:
        http = httpx.Client(transport=httpx.MockTransport(self._answer))
        return Courier(TO, "t1", http, wait=self.waited.append, tell=self.said.append)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, httpx.Response):
            return answer
        raise answer("refused")


def taken() -> httpx.Response:
    return httpx.Response(200, json=TAKEN)


def busy(retry_after: str) -> httpx.Response:
    return httpx.Response(503, json=BUSY, headers={"retry-after": retry_after})


def test_a_batch_is_signed_and_its_outcome_noted() -> None:
    """As core does: bearer, tenant, and a signature over the raw body."""
    plugin = Plugin(taken())
    courier = plugin.courier()
    courier.bring([{"id": "e1"}])
    (request,) = plugin.seen

    assert str(request.url) == "http://plugin.example/v1/webhooks/ingest"
    assert request.headers["authorization"] == "Bearer token"
    assert request.headers["x-tenant-id"] == "t1"
    assert msgspec.json.decode(request.content) == {"events": [{"id": "e1"}]}
    now = int(request.headers["webhook-timestamp"])
    assert verify([SECRET], request.headers, request.content, now=now)
    assert courier.outcomes.events == 3
    assert courier.outcomes.counts["quarantined"] == 1
    assert courier.outcomes.reasons == {"quarantined SCHEMA": 1}


def test_patience_is_had_as_long_as_asked_for() -> None:
    """503 and 429 are waited out, and the same delivery comes again."""
    plugin = Plugin(busy("7"), httpx.Response(429, headers={"retry-after": "900"}), taken())
    plugin.courier().bring([{"id": "e1"}])

    assert plugin.waited == [7.0, 30.0]
    assert plugin.said[0] == "seed: it answers 503: The intake is full.; again in 7 s"
    assert len({request.headers["webhook-id"] for request in plugin.seen}) == 1


def test_a_plugin_that_starts_again_is_waited_for() -> None:
    """A connection that is refused is no end yet."""
    plugin = Plugin(httpx.ConnectError, busy("soon"), taken())
    plugin.courier().bring([{"id": "e1"}])

    assert plugin.waited == [1.0, 2.0]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda: httpx.ConnectError, "nobody answers at http://plugin.example"),
        (lambda: busy("1"), "gave up after 8 tries, the last answer was 503: The intake is full."),
        (lambda: httpx.Response(401), "does not accept this token or secret"),
        (lambda: httpx.Response(404, text="no"), "refused a batch: 404"),
    ],
)
def test_what_cannot_be_delivered_is_said(answer: Callable[[], Any], words: str) -> None:
    """With the cause, and after as many tries as make sense."""
    plugin = Plugin(answer())

    with pytest.raises(Undelivered, match=words):
        plugin.courier().bring([{"id": "e1"}])
    assert len(plugin.seen) in {1, TRIES}
