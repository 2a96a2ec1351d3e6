"""Write whole HTTP requests ahead of time, so that sending one costs a copy."""

import itertools
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from bench.events import TENANT
from mosaiclife_plugin_sdk import UserContext, encode_user_context, sign

BATCH = 500
LARGEST_BODY = 1 << 20


@dataclass(frozen=True)
class Sender:
    """Whoever the plugin believes to be core."""

    host: str
    token: str
    secret: str
    name: str = "d"
    _numbers: Iterator[int] = field(default_factory=itertools.count, repr=False)

    def delivery(self, events: Iterable[bytes], *, single: bool = False) -> bytes:
        """Return a signed request; its timestamp is now, so it has to leave within minutes."""
        body = b"".join(events) if single else b'{"events":[' + b",".join(events) + b"]}"
        webhook_id, moment = f"{self.name}{next(self._numbers)}", int(time.time())
        proof = {
            "Content-Type": "application/json",
            "webhook-id": webhook_id,
            "webhook-timestamp": str(moment),
            "webhook-signature": sign(self.secret, webhook_id, moment, body),
        }
        return self._request("POST", "/v1/webhooks/ingest", proof, body)

    def question(
        self, method: str, path: str, viewer: UserContext, body: bytes | None = None
    ) -> bytes:
        """Return a request as core makes it for *viewer*."""
        asking = {"X-User-Context": encode_user_context(viewer)}
        if body is not None:
            asking["Content-Type"] = "application/json"
        return self._request(method, path, asking, body or b"")

    def plain(self, method: str, path: str) -> bytes:
        """Return a request of core on its own behalf."""
        return self._request(method, path, {}, b"")

    def _request(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
        every = {
            "Host": self.host,
            "Authorization": f"Bearer {self.token}",
            "X-Tenant-ID": TENANT,
            **headers,
        }
        if method != "GET":
            every["Content-Length"] = str(len(body))
        head = "".join(f"{name}: {value}\r\n" for name, value in every.items())
        return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def batches(
    sender: Sender, events: Iterable[bytes], size: int = BATCH
) -> Iterator[tuple[int, bytes]]:
    """Yield (events, request) for each *size* of *events*; a size of one sends them bare."""
    pending = iter(events)
    while batch := list(itertools.islice(pending, size)):
        yield len(batch), sender.delivery(batch, single=size == 1)
