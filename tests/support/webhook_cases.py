"""The deliveries of `sdk/schema/samples/webhook-cases.json`, good and bad."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[2] / "sdk/schema/samples/webhook-cases.json"
HOLE = re.compile(r"\{(?P<secret>\w+)(?P<cut>:cut)?\}")
KNOWN: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
NOW: int = KNOWN["now"]
SECRETS: dict[str, str] = KNOWN["secrets"]


@dataclass(frozen=True)
class Case:
    """One delivery, and what a receiver makes of it."""

    name: str
    document: Mapping[str, Any]

    @property
    def accepted(self) -> bool:
        """Tell whether the signature is good."""
        return bool(self.document["accepted"])

    @property
    def status(self) -> int:
        """Return what the plugin answers."""
        if not self.accepted:
            return 401
        return 200 if self.document.get("readable", True) else 400

    @property
    def live(self) -> list[str]:
        """Return the secrets that the receiver has."""
        return [SECRETS[name] for name in self.document["live"]]

    @property
    def body(self) -> bytes:
        """Return the body as it arrives."""
        return _bytes(self.document["body"])

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers as they arrive."""
        given = {name: self.document[name] for name in ("id", "timestamp", "signature")}
        return {f"webhook-{name}": value for name, value in given.items() if value is not None}

    def signature(self) -> str | None:
        """Compute the header anew, by nothing but HMAC."""
        template: str | None = self.document["header"]
        return None if template is None else HOLE.sub(self._digest, template)

    def _digest(self, hole: re.Match[str]) -> str:
        key = base64.b64decode(SECRETS[hole["secret"]].removeprefix("whsec_"))
        digest = base64.b64encode(hmac.digest(key, self._signed(), hashlib.sha256)).decode()
        return digest.rstrip("=") if hole["cut"] else digest

    def _signed(self) -> bytes:
        told = {**self.document, **self.document.get("signed", {})}
        named = [(told[name] or "").encode() for name in ("id", "timestamp")]
        return b".".join([*named, _bytes(told["body"])])


CASES = [Case(document["name"], document) for document in KNOWN["cases"]]


def _bytes(body: Mapping[str, str]) -> bytes:
    return bytes.fromhex(body["hex"]) if "hex" in body else body["text"].encode()
