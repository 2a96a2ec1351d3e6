"""The command line of `seed`: what it takes, and what it says to the rest."""

import io
import json
from pathlib import Path

import pytest

from tools import seed, session
from tools.courier import OUTCOMES, Outcomes


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--profile", "family"), "choose from"),
        (("--faults", "typo"), "'typo' is no fault; there are all, none, duplicates"),
        (("--faults", "late=2"), "a number from 0 to 1"),
        (("--events", "7"), "a number from 1000 to 50000000"),
        (("--tenant", "a b"), "1 to 64 letters"),
        (("--until", "2999-01-01"), "a day from 2001 to today"),
        (("--until", "soon"), "a day as YYYY-MM-DD"),
        (("--to", "localhost"), "http://"),
        (("--to", "http://x", "--out", "y"), "not allowed with"),
        (("--seed", "x"), "invalid int value"),
    ],
)
def test_a_bad_argument_ends_with_the_allowed_set(
    arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Code 2, and one line that says what is possible."""
    with pytest.raises(SystemExit) as ended:
        seed.main(arguments)

    assert ended.value.code == 2
    assert words in capsys.readouterr().err


def test_what_is_not_said_is_the_demonstration() -> None:
    """A demo of seed 7 without faults, until today, for the tenant of the development core."""
    options = seed.parse([])

    assert (options.profile.name, options.seed, options.faults) == ("demo", 7, {})
    assert (options.tenant, options.ids, options.out, options.to) == (
        *("family-lindqvist", "random", None, None),
    )
    assert seed.parse(["--profile", "stress", "--events", "20000"]).profile.people == 10


def test_files_are_written_and_hold_what_they_say(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One envelope in a line, and queries with the data that must come back."""
    asked = ("--events", "1000", "--faults", "poison", "--out", str(tmp_path))

    assert seed.main(asked) == 0
    events = [json.loads(line) for line in (tmp_path / "events.ndjson").read_text().splitlines()]
    truth = json.loads((tmp_path / "oracle.json").read_text())
    overview = truth["reports"][0]["data"]["metrics"]
    assert len(events) > 1000
    assert truth["tenant"] == "family-lindqvist"
    assert {each["metric"]: each["value"] for each in overview}["stories"] > 20
    assert f"{len(events):,} events in " in capsys.readouterr().out


def test_the_oracles_file_can_be_left_out(tmp_path: Path) -> None:
    """A stream of many millions is written without it."""
    seed.main(["--events", "1000", "--no-oracle", "--out", str(tmp_path)])

    assert [path.name for path in tmp_path.iterdir()] == ["events.ndjson"]


def test_a_folder_that_cannot_be_written_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No trace, but the system's own words."""
    (tmp_path / "file").touch()

    assert seed.main(["--out", str(tmp_path / "file")]) == 1
    assert capsys.readouterr().err.startswith("seed: ")


def test_nothing_to_deliver_to_is_said_with_the_ways_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where no plugin runs, the three ways are named."""
    monkeypatch.setattr(session.Processes.__init__, "__defaults__", (tmp_path,))

    assert seed.main([]) == 1
    words = capsys.readouterr().err
    assert "./just dev" in words
    assert "--to URL" in words
    assert "--out FOLDER" in words


def test_progress_is_told_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line every few seconds where there is no terminal; nothing in between."""
    stream = io.StringIO()
    progress = seed.Progress(1000, stream=stream)
    monkeypatch.setattr(type(progress._watch), "seconds", property(lambda self: 10.0))
    progress(500)
    progress(600)

    assert stream.getvalue() == "500 of about 1,000 events, 50 a second, 10 s left\n"


def test_the_summary_names_every_outcome() -> None:
    """Also those that did not happen, and the reasons of what was not taken."""
    outcomes = Outcomes()
    outcomes.add(
        {
            "accepted": 1200,
            "duplicate": 3,
            "conflict": 0,
            "ignored": 0,
            "quarantined": 1,
            "results": [{"status": "quarantined", "code": "SCHEMA"}],
        }
    )
    words = seed.summary(outcomes, 2.0, stopped=False).splitlines()

    assert words[0] == "delivered 1,204 events in 2.0 s (602 a second)"
    assert [line.split()[0] for line in words[1:6]] == list(OUTCOMES)
    assert words[-1] == "    quarantined SCHEMA: 1"
