"""Backup and restore of a real process under load, from the command line."""

import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.processes import CLEAN, ServerProcess, eventually, free_port
from tests.support.senders import Sender, alive, delivering, environment, stored, stories

ROOT = Path(__file__).parents[2]
SENDERS = 2
# Each test starts several processes, one after the other.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def command(
    folder: Path, *arguments: str, before: Sequence[str] = (), **other: str
) -> tuple[int, str, str]:
    """Run a command of the plugin; return its exit code and what it said to whom."""
    kept = {key: os.environ[key] for key in CLEAN if key in os.environ}
    done = subprocess.run(
        [*before, sys.executable, "-m", "plugin_analytics", *arguments],
        env={
            **kept,
            "PLUGIN_MANIFEST": str(ROOT / "plugin.yaml"),
            **environment(folder, 0),
            **other,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return the folder of a plugin that has run, holds a few events, and has stopped."""
    port = free_port()
    process = ServerProcess("plugin_analytics", environment(tmp_path, port), tmp_path / "log")
    process.start()
    try:
        url = f"http://127.0.0.1:{port}"
        eventually(lambda: alive(url), what="the process answering")
        sender = Sender("w", url, random.Random(1), pause=0.05)
        with delivering([sender]):
            eventually(lambda: len(sender.acknowledged) > 5, what="deliveries")
    finally:
        process.stop()
    return tmp_path


def test_what_was_acknowledged_before_a_backup_is_in_it(tmp_path: Path) -> None:
    """Made while events pour in, put back after a kill: nothing from before is missing."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = ServerProcess("plugin_analytics", environment(tmp_path, port), tmp_path / "log")
    process.start()
    eventually(lambda: alive(url), what="the process answering")
    senders = [Sender(f"w{n}", url, random.Random(n), patient=True) for n in range(SENDERS)]
    copy = tmp_path / "copy.db"
    with delivering(senders):
        eventually(lambda: all(len(one.acknowledged) > 500 for one in senders), what="deliveries")
        before = [each for sender in senders for each in sender.acknowledged]
        code, said, wrong = command(tmp_path, "backup", str(copy))
        assert code == 0, wrong
        assert said.startswith(f"{copy}: ")
        during = [each for sender in senders for each in sender.acknowledged]
        time.sleep(0.3)
        refused = command(tmp_path, "restore", str(copy))
        process.kill()
    assert len(during) > len(before), "nothing came in while the copy was made"
    assert (refused[0], refused[2].count("\n")) == (2, 1)
    assert "the plugin is running; stop it, then restore" in refused[2]

    code, said, wrong = command(tmp_path, "restore", str(copy))
    assert code == 0, wrong
    assert "plugin.db.before-restore" in said
    held = stored(tmp_path)
    assert set(before) <= set(held)
    assert set(held.values()) == {1}
    process.start()
    try:
        eventually(lambda: alive(url), what="the process answering")
        eventually(lambda: stories(url) == len(held), within=40, what="counting everything")
    finally:
        process.stop()


def test_a_backup_without_a_name_lies_beside_the_data(home: Path) -> None:
    """It is named by its moment, and the key is not in it."""
    code, said, wrong = command(home, "backup")

    assert code == 0, wrong
    (made,) = (home / "data" / "backups").iterdir()
    assert said.startswith(f"{made}: ")
    assert "the pseudonym key is not in it" in said
    key = (home / "data" / "pseudonym.key").read_text().strip()
    assert key.encode() not in made.read_bytes()
    assert not list((home / "data").glob("plugin.db-*"))


def test_what_cannot_be_done_is_one_line(home: Path, tmp_path: Path) -> None:
    """Exit code 2, the reason, and nothing changed."""
    made = tmp_path / "copy.db"
    assert command(home, "backup", str(made))[0] == 0
    text = tmp_path / "text.db"
    text.write_text("nothing of the kind " * 1000)
    before = stored(home)
    refused = {
        ("backup", str(made)): "is there already",
        ("backup", "--fast"): "usage: ",
        ("backup", str(text / "below.db")): "File exists",
        ("restore",): "usage: ",
        ("restore", str(made), "--quick"): "usage: ",
        ("restore", str(tmp_path / "none.db")): "is not there",
        ("restore", str(text)): "is not a database of this plugin",
        ("serve",): "usage: ",
    }
    for arguments, reason in refused.items():
        code, said, wrong = command(home, *arguments)
        assert (code, said, wrong.count("\n")) == (2, "", 1), (arguments, wrong)
        assert reason in wrong, arguments

    for arguments in (("backup",), ("restore", str(made))):
        code, _, wrong = command(home, *arguments, LOG_LEVEL="loud")
        assert (code, wrong.count("\n")) == (2, 1)
    wrong_key = command(home, "restore", str(made), PSEUDONYM_KEY="x" * 40)
    assert (wrong_key[0], wrong_key[2].split(":")[0]) == (2, "PSEUDONYM_KEY")
    nothing = command(tmp_path / "elsewhere", "backup", PSEUDONYM_KEY="x" * 40)
    assert (nothing[0], "there is nothing to copy" in nothing[2]) == (2, True)
    assert stored(home) == before


def test_an_old_backup_wants_a_word(home: Path, tmp_path: Path) -> None:
    """What may hold what had to be forgotten since is only restored by who says so."""
    made = tmp_path / "copy.db"
    assert command(home, "backup", str(made))[0] == 0
    with closing(sqlite3.connect(made)) as connection:
        long_ago = int((time.time() - 36 * 86_400) * 1_000_000)
        connection.execute(
            "UPDATE setting SET value = CAST(? AS BLOB) WHERE name = 'copied-at'", (str(long_ago),)
        )
        connection.commit()

    code, _, wrong = command(home, "restore", str(made))
    assert (code, "--force" in wrong) == (2, True)
    assert command(home, "restore", str(made), "--force")[0] == 0


def test_a_full_disk_is_one_line(home: Path, tmp_path: Path) -> None:
    """A copy for which there is no room is not there, and the database is as it was."""
    made = tmp_path / "copy.db"
    assert command(home, "backup", str(made))[0] == 0
    blocks = (home / "data" / "plugin.db").stat().st_size // 512 // 2
    before = stored(home)
    # A limit on the size of files stands in for a volume that is full.
    limited = ("sh", "-c", f'ulimit -f {blocks}; exec "$@"', "sh")
    for arguments in (("backup", str(tmp_path / "second.db")), ("restore", str(made))):
        code, _, wrong = command(home, *arguments, before=limited)
        assert (code, wrong.count("\n")) == (2, 1), wrong

    assert not (tmp_path / "second.db").exists()
    assert not list((home / "data").glob("*.restoring"))
    assert stored(home) == before
