"""Sign what schemathesis sends to the webhook, as core would; it reads this by SCHEMATHESIS_HOOKS."""

import os
import re
import time
import uuid

import requests
import schemathesis
from requests.auth import AuthBase

from mosaiclife_plugin_sdk import sign

PROOF = {
    "webhook-id": r"[\x21-\x2d\x2f-\x7e]{1,256}",
    "webhook-timestamp": r"[0-9]{1,12}",
    "webhook-signature": r"[^\n]*",
}


class Signed(AuthBase):
    """The three headers of the proof over the very bytes that leave."""

    def __call__(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        """Make the proof good, unless a header was left out or spoilt on purpose."""
        if not all(re.fullmatch(form, _text(prepared, name)) for name, form in PROOF.items()):
            return prepared
        body = prepared.body
        raw = body if isinstance(body, bytes) else str(body or "").encode()
        webhook_id, now = uuid.uuid4().hex, int(time.time())
        prepared.headers["webhook-id"] = webhook_id
        prepared.headers["webhook-timestamp"] = str(now)
        prepared.headers["webhook-signature"] = sign(
            os.environ["WEBHOOK_SECRET"], webhook_id, now, raw
        )
        return prepared


def _text(prepared: requests.PreparedRequest, name: str) -> str:
    value = prepared.headers.get(name, "\n")
    return value.decode("latin-1") if isinstance(value, bytes) else value


schemathesis.auth.set_from_requests(  # type: ignore[attr-defined]  # a function with methods
    Signed()
).apply_to(path="/v1/webhooks/ingest")
