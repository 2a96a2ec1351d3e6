"""Deliver signed batches of events to a plugin, as core does: again when it asks for patience."""

import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec

from mosaiclife_plugin_sdk import sign

OUTCOMES = ("accepted", "duplicate", "conflict", "ignored", "quarantined")
TRIES = 8  # in a row, for one batch
PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 30.0
TIMEOUT_SECONDS = 60.0
BUSY = frozenset({429, 503})
Wait = Callable[[float], None]
Tell = Callable[[str], None]


class Undelivered(Exception):
    """A plugin did not take a batch; the message says why, and what helps."""


@dataclass(frozen=True)
class Recipient:
    """A plugin's address, and the words by which it knows core."""

    url: str
    token: str
    secret: str


@dataclass
class Outcomes:
    """What became of the events so far."""

    events: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, answer: Mapping[str, Any]) -> None:
        """Take in the data of one answer."""
        for outcome in OUTCOMES:
            self.counts[outcome] += answer[outcome]
            self.events += answer[outcome]
        self.reasons.update(
            f"{result['status']} {result['code']}"
            for result in answer["results"]
            if result.get("code")
        )


class Courier:
    """Brings batches of one tenant to one plugin."""

    def __init__(
        self,
        recipient: Recipient,
        tenant: str,
        http: httpx.Client,
        *,
        wait: Wait = time.sleep,
        tell: Tell = print,
    ) -> None:
        self._recipient = recipient
        self._tenant = tenant
        self._http = http
        self._wait = wait
        self._tell = tell
        self.outcomes = Outcomes()

    def bring(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Deliver *events* as one batch, and note what became of them."""
        body = msgspec.json.encode({"events": events})
        delivery = f"seed_{uuid.uuid4().hex}"
        answer = self._send(delivery, body)
        for tries in range(1, TRIES):
            if answer is not None and answer.status_code not in BUSY:
                break
            self._be_patient(answer, tries)
            answer = self._send(delivery, body)
        if answer is None or answer.status_code in BUSY:
            raise Undelivered(_given_up(self._recipient, answer))
        self.outcomes.add(_taken(answer))

    def _send(self, delivery: str, body: bytes) -> httpx.Response | None:
        """Send a batch; nothing comes back when nobody answers."""
        to, moment = self._recipient, int(time.time())
        headers = {
            "authorization": f"Bearer {to.token}",
            "content-type": "application/json",
            "x-tenant-id": self._tenant,
            "webhook-id": delivery,
            "webhook-timestamp": str(moment),
            "webhook-signature": sign(to.secret, delivery, moment, body),
        }
        try:
            return self._http.post(
                f"{to.url.rstrip('/')}/v1/webhooks/ingest", content=body, headers=headers
            )
        except httpx.TransportError:
            return None

    def _be_patient(self, answer: httpx.Response | None, tries: int) -> None:
        asked = "" if answer is None else answer.headers.get("retry-after", "")
        seconds = float(asked) if asked.isascii() and asked.isdigit() else PAUSE_SECONDS * tries
        seconds = min(seconds, LONGEST_PAUSE_SECONDS)
        said = "it does not answer" if answer is None else f"it answers {_words(answer)}"
        self._tell(f"seed: {said}; again in {seconds:.0f} s")
        self._wait(seconds)


def _taken(answer: httpx.Response) -> Mapping[str, Any]:
    """Return the data of an answer that took the batch."""
    if answer.status_code == httpx.codes.OK:
        data: Mapping[str, Any] = answer.json()["data"]
        return data
    if answer.status_code in {401, 403}:
        raise Undelivered(
            f"the plugin does not accept this token or secret ({_words(answer)}): "
            "REG_TOKEN and WEBHOOK_SECRETS must be those that it was started with"
        )
    raise Undelivered(f"the plugin refused a batch: {_words(answer)}")


def _words(answer: httpx.Response) -> str:
    """Return the status and the message of an answer."""
    try:
        return f"{answer.status_code}: {answer.json()['error']['message']}"
    except (ValueError, KeyError, TypeError):
        return str(answer.status_code)


def _given_up(recipient: Recipient, answer: httpx.Response | None) -> str:
    if answer is None:
        return f"nobody answers at {recipient.url}: is the plugin running?"
    return f"gave up after {TRIES} tries, the last answer was {_words(answer)}"
