"""The report: stable, honest about what was not tested, and without secrets."""

import json
from collections.abc import Sequence

import pytest

from mosaiclife_plugin_contract import (
    Check,
    Context,
    Level,
    Outcome,
    Report,
    Result,
    Violation,
    as_document,
    as_text,
)
from mosaiclife_plugin_contract.report import as_json

SECRET = "a-very-secret-word"


async def nothing(_ctx: Context) -> None:
    """Find nothing wrong."""


def rule(name: str, level: Level = Level.MUST) -> Check:
    return Check(
        name, f"Rule {name}", f"Rule {name}.", "9.1", level, "backend", None, frozenset(), nothing
    )


def report(*results: Result, strict: bool = False) -> Report:
    return Report("url", "http://plugin", ("some", "1.0.0"), results, (SECRET,), strict)


def failed(name: str = "MAN-1", level: Level = Level.MUST, saw: str = "") -> Result:
    return Result(
        rule(name, level), Outcome.FAIL, 0.25, Violation("it is so", saw, "this", "do that")
    )


def passed(name: str = "MAN-1") -> Result:
    return Result(rule(name), Outcome.PASS, 0.5)


@pytest.mark.parametrize(
    ("results", "strict", "code", "verdict"),
    [
        ([passed()], False, 0, "success"),
        ([passed(), failed("MAN-2")], False, 1, "failure"),
        ([failed(level=Level.SHOULD)], False, 0, "success"),
        ([failed(level=Level.SHOULD)], True, 1, "failure"),
        ([Result(rule("MAN-1"), Outcome.NOT_TESTABLE, reason="why")], False, 0, "partial"),
        ([Result(rule("MAN-1"), Outcome.SKIPPED, reason="why")], False, 0, "partial"),
        ([failed(), Result(rule("MAN-2"), Outcome.ERROR, reason="why")], False, 4, "failure"),
    ],
    ids=["pass", "fail", "should", "strict", "not testable", "skipped", "error"],
)
def test_verdict_and_exit_code(
    results: Sequence[Result], strict: bool, code: int, verdict: str
) -> None:
    """Only a broken MUST, or a SHOULD when strict, stands against a plugin; a kit fault is a 4."""
    found = report(*results, strict=strict)

    assert found.exit_code == code
    assert as_document(found)["profiles"][0]["result"] == verdict


def test_order_is_by_rule_whatever_ran_first() -> None:
    """Two runs in another order give one report, and MAN-10 comes after MAN-2."""
    results = [passed("MAN-10"), failed("MAN-2"), passed("API-1")]

    one, other = report(*results), report(*reversed(results))

    assert as_json(one) == as_json(other)
    assert as_text(one) == as_text(other)
    assert [entry["id"] for entry in as_document(one)["checks"]] == ["API-1", "MAN-2", "MAN-10"]


def test_violation_is_told_in_full() -> None:
    """A reader sees rule, what was seen, what was expected, and the hint, in both forms."""
    found = report(failed(saw="that"))

    entry = as_document(found)["checks"][0]
    assert entry["violation"] == {
        "rule": "it is so",
        "saw": "that",
        "expected": "this",
        "hint": "do that",
    }
    assert {"rule: it is so", "saw: that", "expected: this", "hint: do that"} <= {
        line.strip() for line in as_text(found).splitlines()
    }


def test_what_was_not_tested_is_not_passed() -> None:
    """The summary counts it apart, and the line says what it would have taken."""
    text = as_text(report(Result(rule("MAN-1"), Outcome.NOT_TESTABLE, reason="needs a process")))

    assert "why: needs a process" in text
    assert text.endswith("partial: 1 not testable")


def test_no_secret_is_shown() -> None:
    """What a plugin has let slip does not stand in the report again."""
    found = report(failed(saw=f"token {SECRET} in the log"))

    for text in (as_text(found), as_json(found)):
        assert SECRET not in text
        assert "token *** in the log" in text


def test_a_secret_that_json_would_escape_is_masked() -> None:
    """Masking comes before encoding, which could spell the word another way."""
    odd = 'se"cret\\word'
    found = Report("url", "x", ("a", "1"), [failed(saw=odd)], (odd,))

    assert json.loads(as_json(found))["checks"][0]["violation"]["saw"] == "***"
