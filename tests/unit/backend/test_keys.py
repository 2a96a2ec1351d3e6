"""What an event is known by: one key for one event, and keys in the order of ids that grow."""

import uuid
from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from plugin_analytics.model.keys import KEY, event_key

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
moments = st.integers(0, (1 << 48) - 1)  # milliseconds
rests = st.integers(0, (1 << 80) - 1)


def uuid7(moment: int, rest: int) -> str:
    """Write a moment and 74 other bits as RFC 9562 does."""
    bits = rest & ((1 << 74) - 1)
    high, low = bits >> 62, bits & ((1 << 62) - 1)
    return str(uuid.UUID(int=moment << 80 | 7 << 76 | high << 64 | 2 << 62 | low))


def ulid(moment: int, rest: int) -> str:
    """Write a moment and 80 other bits in Crockford's alphabet."""
    number = moment << 80 | rest
    return "".join(_CROCKFORD[number >> 5 * place & 31] for place in reversed(range(26)))


def key(event_id: str, tenant: str = "t", source: str = "core") -> bytes:
    """Return the key of an event of one tenant and source."""
    return event_key(tenant, source, event_id)


@given(st.text(max_size=60), st.text(max_size=10), st.text(max_size=10))
def test_key_has_one_length_whatever_the_id(event_id: str, tenant: str, source: str) -> None:
    """An id may be anything; its key is sixteen bytes, and the same each time."""
    found = event_key(tenant, source, event_id)
    assert len(found) == KEY
    assert found == event_key(tenant, source, event_id)


@given(st.tuples(*[st.text("ab:1", max_size=4)] * 3), st.tuples(*[st.text("ab:1", max_size=4)] * 3))
def test_keys_differ_where_anything_does(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    """Neither tenant, source nor id can borrow letters from its neighbour."""
    assert (event_key(*one) == event_key(*other)) == (one == other)


@given(st.lists(st.tuples(moments, rests), min_size=2, max_size=8), st.sampled_from([uuid7, ulid]))
def test_keys_follow_the_time_of_the_ids(made: list[tuple[int, int]], write: object) -> None:
    """Of UUIDv7 and ULID, later milliseconds have larger keys."""
    assert callable(write)
    in_order = sorted(made)
    for (earlier, first), (later, second) in pairwise(in_order):
        if earlier < later:
            assert key(write(earlier, first)) < key(write(later, second))


@given(moments, rests, rests)
def test_ids_of_one_moment_have_keys_of_their_own(moment: int, first: int, second: int) -> None:
    """The moment alone decides nothing."""
    one, other = ulid(moment, first), ulid(moment, second)
    assert (key(one) == key(other)) == (one == other)
    assert key(one, tenant="other") != key(one) != key(one, source="other")


def test_what_only_looks_like_an_id_with_a_moment_is_hashed() -> None:
    """A random UUID, and words of the same lengths, have no moment at their head."""
    now = int(datetime(2026, 11, 22, tzinfo=UTC).timestamp() * 1000)
    assert key(uuid7(now, 1))[:6] == now.to_bytes(6, "big") == key(ulid(now, 1))[:6]
    assert key(ulid(now, 1).lower())[:6] == now.to_bytes(6, "big")
    for odd in (str(uuid.UUID(int=now << 80 | 4 << 76)), "U" * 26, "z" * 14 + "7" + "z" * 21):
        assert key(odd)[:6] != now.to_bytes(6, "big")
        assert len(key(odd)) == KEY
