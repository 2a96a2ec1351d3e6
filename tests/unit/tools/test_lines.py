"""Lines of the children, as a person reads them."""

import json

import pytest

from tools.lines import WIDTH, condense


def line(**record: object) -> str:
    return json.dumps({"timestamp": "2026-01-01T00:00:00Z", "level": "info", **record}) + "\n"


def test_a_json_line_becomes_words() -> None:
    """The message first, then what it carries, without what the prefix says."""
    said = line(msg="job finished", **{"plugin.name": "x", "trace_id": "0" * 32}, job="a", ms=3)

    assert condense(said) == "job finished job=a ms=3"


def test_a_warning_says_so() -> None:
    """Level info goes without saying, the others do not."""
    assert condense(line(msg="late", level="warn")) == "WARN: late"


def test_other_lines_stay_as_they_are() -> None:
    """A trace or a compiler's message is not touched; an empty line is dropped."""
    assert condense("  at line 3\n") == "  at line 3"
    assert condense("{not json\n") == "{not json"
    assert condense("\n") is None


@pytest.mark.parametrize("path", ["/readyz", "/metrics", "/mf/remoteEntry.js"])
def test_successful_probes_are_left_out(path: str) -> None:
    """What repeats each second would hide the rest, unless it fails."""
    assert condense(line(msg="request", path=path, status=200)) is None
    assert condense(line(msg="request", path=path, status=503)) is not None


def test_the_end_of_a_long_value_is_kept() -> None:
    """The last lines of a trace say what happened."""
    shown = condense(line(msg="failed", exception="x" * WIDTH + "KeyError: 'id'"))

    assert shown is not None
    assert shown.endswith("KeyError: 'id'")
    assert len(shown) < WIDTH + 50
