"""A rollback lives: what the code of an earlier release says works on the newest database."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory

from plugin_analytics.store import migrations, schema
from plugin_analytics.store.sqlite import SQLiteStore
from tests.support import statements
from tests.support.statements import SAMPLES, Said, main, read_sample, record, replay
from tests.unit.backend.test_sqlite import at_revision


def revisions() -> list[str]:
    """Return every revision, the first first."""
    script = ScriptDirectory(str(Path(migrations.__file__).parent))
    return [one.revision for one in reversed(list(script.walk_revisions()))]


EARLIER = revisions()[:-1]


def answers(said: Sequence[Said]) -> list[tuple[str, list[Any]]]:
    """Return statements with their rows in an order that does not depend on the plan."""
    return [(statement, sorted(rows, key=json.dumps)) for statement, rows in said]


def test_every_revision_but_the_newest_is_frozen() -> None:
    """Whoever adds a revision has kept what the code before it said."""
    assert {file.stem for file in SAMPLES.glob("*.json")} >= set(EARLIER), (
        "check the commit before the new revision out, and run `python -m tests.support.statements`"
    )


@pytest.mark.parametrize("revision", EARLIER)
def test_old_code_works_on_the_newest_database(tmp_path: Path, revision: str) -> None:
    """Every statement of it runs, and reads what it wrote."""
    sample = read_sample(revision)
    assert len(sample) > 300
    at_revision(tmp_path / "new.db", schema.REVISION)

    found = replay(tmp_path / "new.db", [statement for statement, _ in sample])

    assert answers(list(found)) == answers(sample)


@pytest.mark.parametrize("revision", EARLIER)
def test_old_code_comes_back_after_an_upgrade(tmp_path: Path, revision: str) -> None:
    """An old database is migrated and written by new code; then the old code reads and writes."""
    database = tmp_path / "plugin.db"
    said = [statement for statement, _ in read_sample(revision)]
    asked = [statement for statement in said if not _writes(statement)]
    told = [statement for statement in said if statement.startswith("INSERT INTO event")]
    at_revision(database, revision)
    list(replay(database, said))
    before = answers(list(replay(database, asked)))

    SQLiteStore(database).close()

    assert answers(list(replay(database, asked))) == before
    assert len(list(replay(database, told))) == len(told) > 3


def test_the_recorder_hears_the_whole_store(tmp_path: Path) -> None:
    """The session says something to every table that the baseline has."""
    heard = " ".join(record(tmp_path))

    silent = [name for name in schema.metadata.tables if name not in heard]
    assert set(silent) <= {"erasure", "tombstone", "erased_day", "verification", "drift"}


def test_a_release_is_frozen_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What old code said is never written anew by newer code."""
    monkeypatch.setattr(statements, "SAMPLES", tmp_path)
    assert main() == 0
    made = read_sample(schema.REVISION)
    assert len(made) > 300

    assert main() == 1
    assert "frozen once" in capsys.readouterr().err
    assert read_sample(schema.REVISION) == made


def _writes(statement: str) -> bool:
    return statement.lstrip().startswith(("INSERT", "UPDATE", "DELETE"))
