"""Starting the real process: it serves, it refuses a bad environment in one line, it ends with 0."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from mosaiclife_plugin_sdk import new_secret
from tests.support.processes import CLEAN, ServerProcess, eventually, free_port

MODULE = "plugin_analytics"


def environment(folder: Path, **more: str) -> dict[str, str]:
    return {
        "SELF_REGISTER": "false",
        "CORE_TOKEN": "token-of-this-test",
        "WEBHOOK_SECRETS": new_secret(),
        "DATA_DIR": str(folder / "data"),
        "HOST": "127.0.0.1",
        "PORT": str(free_port()),
        "DRAIN_SECONDS": "0",
        **more,
    }


def refused(environ: Mapping[str, str]) -> str:
    """Return the one line with which the process ends by 2."""
    kept = {key: os.environ[key] for key in CLEAN if key in os.environ}
    ended = subprocess.run(
        [sys.executable, "-m", MODULE],
        env={**kept, **environ},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    lines = ended.stderr.strip().splitlines()
    assert (ended.returncode, len(lines)) == (2, 1), ended.stderr
    return lines[0]


def serve(folder: Path, environ: Mapping[str, str]) -> ServerProcess:
    """Start the process and wait until it answers."""
    process = ServerProcess(MODULE, environ, folder / "plugin.log")
    process.start()
    url = f"http://127.0.0.1:{environ['PORT']}/healthz"

    def answers() -> bool:
        try:
            return httpx.get(url).is_success
        except httpx.TransportError:
            return False

    eventually(answers, what=f"{MODULE} answering")
    return process


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"PORT": "x"}, ("PORT", "whole number")),
        ({"REPORTING_TIMEZONE": "Mars/Base"}, ("REPORTING_TIMEZONE", "IANA")),
        ({"DATABASE_URL": "mysql://u:hunter2@h/d"}, ("DATABASE_URL", "sqlite:///<path>")),
        ({"PSEUDONYM_KEY": "short"}, ("PSEUDONYM_KEY", "32")),
        ({"LOG_LEVEL": "loud"}, ("LOG_LEVEL", "debug, info, warn, error")),
    ],
)
def test_bad_value_ends_the_start(
    tmp_path: Path, change: dict[str, str], words: tuple[str, ...]
) -> None:
    """One line names the variable and what it may be, and repeats no password."""
    line = refused(environment(tmp_path, **change))

    assert line.startswith(words[0])
    assert words[1] in line
    assert "hunter2" not in line


def test_wrong_pseudonym_key_ends_the_start(tmp_path: Path) -> None:
    """A key that would give everybody a second identity is refused, with the remedy."""
    environ = environment(tmp_path, PSEUDONYM_KEY="k" * 32)
    assert serve(tmp_path, environ).stop() == 0

    line = refused({**environ, "PSEUDONYM_KEY": "x" * 32})

    assert line.startswith("PSEUDONYM_KEY: ")
    assert "former key" in line


@pytest.mark.slow
def test_second_writer_is_refused(tmp_path: Path) -> None:
    """Two processes on one database: the second says so and ends; the first serves on."""
    environ = environment(tmp_path)
    first = serve(tmp_path, environ)
    try:
        line = refused({**environ, "PORT": str(free_port())})
        assert first.running
    finally:
        assert first.stop() == 0

    assert "another process writes" in line
