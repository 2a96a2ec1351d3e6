"""The closing words of `./just test`."""

from pathlib import Path

import pytest

from tools.test import LAYERS, Layer, Options, Result, choose, count, parse, run_layer, summary

REPORT = """<testsuites><testsuite tests="7" failures="1" errors="1" skipped="2"/>
<testsuite tests="3" failures="0" errors="0"/></testsuites>"""


def options(**changes: object) -> Options:
    plain = {"names": (), "passed_on": (), "everything": False, "rest": False, "seed": 1}
    return Options(**{**plain, **changes})  # type: ignore[arg-type]  # the fields above, by name


def test_counts_are_read_from_the_report(tmp_path: Path) -> None:
    """What neither failed nor was skipped has passed, over all suites of the report."""
    report = tmp_path / "report.xml"
    report.write_text(REPORT)

    assert count(report) == Result("", passed=6, failed=2, skipped=2)


def test_the_last_line_is_the_total() -> None:
    """A reader, or a program, finds the whole result in the last line."""
    words, code = summary([Result("unit", 5), Result("ui", 7, failed=1)], 42, strict=False)

    assert words.splitlines()[-1] == "12 passed, 1 failed"
    assert "SEED=42" in words
    assert code == 1


def test_a_layer_that_cannot_run_is_named_with_its_remedy() -> None:
    """It fails nothing on a newcomer's machine, and everything where nothing may be left out."""
    results = [Result("unit", 5), Result("e2e", lacks="no Chromium: install it")]

    here, code = summary(results, 1, strict=False)
    assert "did not run here: e2e: no Chromium: install it" in here
    assert (here.splitlines()[-1], code) == ("5 passed, 0 failed", 0)

    there, code = summary(results, 1, strict=True)
    assert (there.splitlines()[-1], code) == ("5 passed, 1 failed", 1)


def test_a_layer_without_its_means_is_not_started() -> None:
    """Nothing is run for a layer that lacks something."""
    layer = Layer("e2e", command=lambda *_: ["false"], lacks=lambda: "a browser")

    assert run_layer(layer, options()) == Result("e2e", lacks="a browser")


def test_a_program_that_dies_without_a_report_has_failed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A crash before the first test is never a pass."""
    monkeypatch.setattr("tools.test.REPORTS", tmp_path)

    assert run_layer(Layer("unit", command=lambda *_: ["false"]), options()).failed == 1


@pytest.mark.parametrize(
    ("arguments", "marks"),
    [([], ["-m", "not slow"]), (["--all"], []), (["--all", "--rest"], ["-m", "slow"])],
    ids=["test", "test-all", "rest"],
)
def test_the_tiers_part_the_tests(arguments: list[str], marks: list[str]) -> None:
    """`test` and the rest of `test-all` together are `test-all`, with nothing twice."""
    assert parse(arguments).marks == marks


def test_what_stands_behind_two_dashes_goes_to_pytest() -> None:
    """Layers before, arguments of pytest behind."""
    parsed = parse(["unit", "--", "-k", "rollup"])

    assert (parsed.names, parsed.passed_on) == (("unit",), ("-k", "rollup"))


def test_vectors_are_run_only_when_asked_for() -> None:
    """They lie outside the checkout, so a newcomer's run does not look for them."""
    assert "vectors" not in {layer.name for layer in choose(options())}
    assert [layer.name for layer in choose(options(names=("vectors",)))] == ["vectors"]


def test_a_layer_of_slow_tests_belongs_to_test_all() -> None:
    """`test` leaves it out whole, `test-all` and its rest run it."""
    layer = next(layer for layer in LAYERS if layer.only_slow)

    assert layer not in choose(options())
    assert layer in choose(options(everything=True))
    assert layer in choose(options(everything=True, rest=True))


def test_an_unknown_layer_is_refused_with_the_known_ones() -> None:
    """A typing error runs nothing, and says what there is."""
    with pytest.raises(SystemExit, match=LAYERS[0].name):
        choose(options(names=("untit",)))
