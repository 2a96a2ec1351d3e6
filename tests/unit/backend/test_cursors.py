"""Cursors: opaque, bound to their query, and of no use to a forger."""

import pytest

from plugin_analytics.errors import CursorInvalid
from plugin_analytics.model.cursors import Cursors

CURSORS = Cursors(b"k" * 32)
QUERY = ("items", "tenant", None)


def test_cursor_returns_what_it_stands_after() -> None:
    """A cursor leads back to its place."""
    assert CURSORS.read(QUERY, CURSORS.make(QUERY, "hearts")) == "hearts"


@pytest.mark.parametrize("other", [("items", "other", None), ("items", "tenant", "metric")])
def test_cursor_of_another_query_is_refused(other: tuple[str | None, ...]) -> None:
    """Neither another tenant nor another filter can use it."""
    with pytest.raises(CursorInvalid):
        CURSORS.read(other, CURSORS.make(QUERY, "hearts"))


@pytest.mark.parametrize("text", ["", "AAAA", "é", "a", "====", "A" * 500, "hearts"])
def test_invented_cursor_is_refused(text: str) -> None:
    """What was not made here is a 400, never an error of ours."""
    with pytest.raises(CursorInvalid):
        CURSORS.read(QUERY, text)


def test_changed_cursor_is_refused() -> None:
    """One changed character anywhere is enough."""
    good = CURSORS.make(QUERY, "hearts")

    for place, letter in enumerate(good[:-1]):
        forged = good[:place] + ("A" if letter != "A" else "B") + good[place + 1 :]
        with pytest.raises(CursorInvalid):
            CURSORS.read(QUERY, forged)


def test_cursor_of_another_key_is_refused() -> None:
    """A cursor does not outlive the key."""
    with pytest.raises(CursorInvalid):
        Cursors(b"x" * 32).read(QUERY, CURSORS.make(QUERY, "hearts"))
