"""Signatures of deliveries: Standard Webhooks over raw bytes, and no foreign exception ever."""

import base64
import hashlib
import hmac
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as some

from mosaiclife_plugin_sdk import WebhookRejected, new_secret, sign, verify
from mosaiclife_plugin_sdk.webhooks import is_secret

# The example of the Standard Webhooks specification.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID, NOW, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
PUBLISHED = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
OTHER = "whsec_" + base64.b64encode(b"another secret of some length").decode()


def headers(signature: str, webhook_id: str = ID, timestamp: str = str(NOW)) -> dict[str, str]:
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": signature,
    }


def test_signature_is_the_published_one() -> None:
    """The example of the Standard Webhooks specification comes out to the letter."""
    assert sign(SECRET, ID, NOW, BODY) == PUBLISHED


def test_signature_matches_an_independent_hmac() -> None:
    """A signature is HMAC-SHA256 of id, timestamp and raw body, joined by dots."""
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    digest = hmac.new(key, b"i.7.\xff\x00", hashlib.sha256).digest()

    assert sign(SECRET, "i", 7, b"\xff\x00") == "v1," + base64.b64encode(digest).decode()


@pytest.mark.parametrize("age", [-300, 0, 300])
def test_good_delivery_is_accepted_within_the_window(age: int) -> None:
    """A good signature up to five minutes off is accepted, and says id and time."""
    assert verify([SECRET], headers(PUBLISHED), BODY, now=NOW + age) == (ID, NOW)


@pytest.mark.parametrize(
    "signature",
    [
        f"v1,junk {PUBLISHED}",
        f"v1,  {PUBLISHED}",
        f"{PUBLISHED}  v1,a,b",
        f"v1a,{PUBLISHED[3:]} {PUBLISHED}",
        f"v2,abc {PUBLISHED}",
    ],
)
def test_good_signature_counts_beside_junk(signature: str) -> None:
    """During a rotation several signatures stand side by side; one good one is enough."""
    assert verify([SECRET], headers(signature), BODY, now=NOW).id == ID


def test_every_live_secret_is_tried() -> None:
    """A delivery signed with the old or the new secret is accepted while both live."""
    assert verify([OTHER, "not base64!", SECRET], headers(PUBLISHED), BODY, now=NOW).id == ID


def test_id_with_a_dot_is_rejected_though_well_signed() -> None:
    """Moved to the other side of a dot, a part of the body or the id would have the same signature."""
    dotted = ID + ".1"
    with pytest.raises(WebhookRejected):
        verify([SECRET], headers(sign(SECRET, dotted, NOW, BODY), dotted), BODY, now=NOW)


@pytest.mark.parametrize(
    "bad",
    [
        headers(""),
        headers("v1,"),
        headers("v1"),
        headers("abc"),
        headers("v1,a,b"),
        headers("v1,!!!x"),
        headers("v1,\u00e9"),
        headers(PUBLISHED[:-2] + "A="),
        headers(PUBLISHED[3:]),
        headers(PUBLISHED.replace("v1", "v1a")),
        headers(PUBLISHED.replace("v1", "V1")),
        headers(sign(OTHER, ID, NOW, BODY)),
        headers(PUBLISHED, webhook_id=ID + "x"),
        headers(PUBLISHED, webhook_id=""),
        headers(PUBLISHED, webhook_id="a b"),
        headers(PUBLISHED, timestamp=str(NOW + 1)),
        headers(PUBLISHED, timestamp=f"{NOW}.0"),
        headers(PUBLISHED, timestamp=f"+{NOW}"),
        headers(PUBLISHED, timestamp=f" {NOW}"),
        headers(PUBLISHED, timestamp="1_614265330"),
        headers(PUBLISHED, timestamp="\u0661" * 10),
        headers(PUBLISHED, timestamp="9" * 400),
        headers(PUBLISHED, timestamp="nan"),
        headers(PUBLISHED, timestamp=""),
        {name: value for name, value in headers(PUBLISHED).items() if name != "webhook-id"},
        {},
    ],
)
def test_fault_in_headers_is_rejected(bad: Mapping[str, str]) -> None:
    """Whatever is wrong with the headers, the answer is a rejection."""
    with pytest.raises(WebhookRejected):
        verify([SECRET], bad, BODY, now=NOW)


@pytest.mark.parametrize("age", [-301, 301])
def test_delivery_outside_the_window_is_rejected(age: int) -> None:
    """A good signature that is too old, or from the future, is a replay."""
    with pytest.raises(WebhookRejected):
        verify([SECRET], headers(PUBLISHED), BODY, now=NOW + age)


def test_no_secret_admits_nobody() -> None:
    """A plugin without a usable secret rejects everything, also what an empty key would sign."""
    empty = hmac.digest(b"", f"{ID}.{NOW}.".encode() + BODY, hashlib.sha256)
    forged = headers("v1," + base64.b64encode(empty).decode())

    for secrets in ([], ["whsec_"], ["not base64!"]):
        with pytest.raises(WebhookRejected):
            verify(secrets, forged, BODY, now=NOW)


@given(
    body=some.binary(max_size=64), signature=some.text(max_size=80), moment=some.text(max_size=20)
)
def test_nothing_but_a_rejection_escapes(body: bytes, signature: str, moment: str) -> None:
    """No input makes the verifier raise an exception of another kind, or accept."""
    with pytest.raises(WebhookRejected):
        verify([SECRET], headers(signature, timestamp=moment), body, now=NOW)


@given(body=some.binary(max_size=64), flip=some.integers(min_value=0, max_value=7))
def test_changed_body_is_rejected(body: bytes, flip: int) -> None:
    """A signature vouches for the raw bytes: one flipped bit, and it does not."""
    changed = bytes([body[0] ^ (1 << flip), *body[1:]]) if body else b"\0"
    with pytest.raises(WebhookRejected):
        verify([SECRET], headers(sign(SECRET, ID, NOW, body)), changed, now=NOW)


def test_new_secrets_are_usable_and_differ() -> None:
    """A made secret signs, and no two are alike."""
    made = {new_secret() for _ in range(8)}

    assert len(made) == 8
    assert all(is_secret(secret) for secret in made)


def test_unusable_secret_does_not_sign() -> None:
    """Signing with something that is no key is a mistake of the caller, and said."""
    with pytest.raises(ValueError, match="whsec_"):
        sign("whsec_", ID, NOW, BODY)
