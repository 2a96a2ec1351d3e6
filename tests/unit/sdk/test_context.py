"""Tenant, viewer and time left."""

import base64

import pytest

from mosaiclife_plugin_sdk import (
    SERVICE,
    BadRequest,
    UserContext,
    decode_user_context,
    encode_user_context,
    parse_tenant,
    time_left,
)
from mosaiclife_plugin_sdk.context import limit_time


@pytest.mark.parametrize(
    "context",
    [
        SERVICE,
        UserContext(sub="u-1"),
        UserContext(
            sub="\u00fcmit", operator=True, timezone="Europe/Oslo", legacies={"a": "admin"}
        ),
    ],
)
def test_context_survives_its_header(context: UserContext) -> None:
    """What core encodes, the plugin reads, to the last field."""
    header = encode_user_context(context)

    assert decode_user_context(header) == context
    assert header.isascii()
    assert "=" not in header


def test_padding_is_accepted() -> None:
    """A core in another language may keep the padding of base64."""
    padded = base64.urlsafe_b64encode(b'{"sub":"u"}').decode()

    assert decode_user_context(padded).sub == "u"


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"{}",
        b'{"sub":""}',
        b'{"sub":1}',
        b'{"scope":"root"}',
        b'{"sub":"u","legacies":[]}',
        b'{"scope":"user"}',
        b'{"sub":"u","operator":"yes"}',
        b"\xff",
        b'{"sub":',
    ],
)
def test_malformed_context_is_a_bad_request(document: bytes) -> None:
    """A context that cannot be read, or names nobody, is 400 and never a default."""
    with pytest.raises(BadRequest):
        decode_user_context(base64.urlsafe_b64encode(document).decode())


@pytest.mark.parametrize("header", ["%%%", "a", "\u00e9\u00e9\u00e9\u00e9", "ey J9", "{}"])
def test_header_that_is_no_base64url_is_a_bad_request(header: str) -> None:
    """Text that is not base64url is refused whole, not decoded around its junk."""
    with pytest.raises(BadRequest):
        decode_user_context(header)


@pytest.mark.parametrize("text", ["", "a b", "a/b", "x" * 65, "a\n", "\u00e9"])
def test_tenant_that_is_no_id_is_a_bad_request(text: str) -> None:
    """A tenant id is opaque, and still only letters, digits, - and _."""
    with pytest.raises(BadRequest):
        parse_tenant(text)


def test_stranger_has_no_role() -> None:
    """A legacy that core did not name gives no role."""
    viewer = UserContext(sub="u", legacies={"known": "admirer"})

    assert viewer.role_in("known") == "admirer"
    assert viewer.role_in("unknown") is None


def test_time_left_is_known_inside_the_limit_only() -> None:
    """Work inside a limit can ask how long it may go on; outside nobody set one."""
    assert time_left() is None
    with limit_time(5):
        inside = time_left()
    assert inside is not None
    assert 4 < inside <= 5
    assert time_left() is None
