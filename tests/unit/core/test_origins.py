"""Which addresses a plugin may name."""

import pytest

from mosaiclife_devcore.errors import PermissionDenied, ValidationFailed
from mosaiclife_devcore.origins import check_url, origin_of, own_origins


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://plugin", "http://plugin:80"),
        ("https://PLUGIN.example/x?y=1", "https://plugin.example:443"),
        ("http://[::1]:7001/mf/remoteEntry.js", "http://[::1]:7001"),
    ],
)
def test_an_origin_has_one_spelling(url: str, origin: str) -> None:
    """Case, path and a default port make no other origin."""
    assert origin_of(url) == origin


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1", "localhost"])
def test_a_core_on_loopback_knows_all_its_names(host: str) -> None:
    """Whichever name a plugin uses for core's own port, it is core."""
    own = own_origins(host, 8080)

    assert {"http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080"} <= own


def test_cores_own_origin_is_refused_even_when_it_is_allowed() -> None:
    """An operator's slip does not open core to itself."""
    with pytest.raises(PermissionDenied, match="own origin"):
        check_url("http://core:1/x", "$.serviceUrl", ["http://core:1"], ["http://core:1"])


@pytest.mark.parametrize(
    "url",
    [
        "http://a:1#f",
        "http://a b:1",
        "http:///x",
        "http://a:port",
        "http://a:99999",
        "javascript:x",
    ],
)
def test_an_address_that_is_none_is_refused_with_its_field(url: str) -> None:
    """A malformed address is the caller's mistake, named by place."""
    with pytest.raises(ValidationFailed) as caught:
        check_url(url, "$.serviceUrl", ["http://a:1"], [])

    assert caught.value.details[0]["field"] == "$.serviceUrl"
