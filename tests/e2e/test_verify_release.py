"""`verify-release` against a plugin and a core that run, with the remote that was built here."""

import subprocess
from pathlib import Path

import httpx
import pytest

from tests.support.stack import Stack
from tools.workspace import PYTHON, ROOT

pytestmark = pytest.mark.slow
BUNDLE = ROOT / "ui" / "dist"


def verify(stack: Stack, *more: str | Path) -> tuple[int, str]:
    command: list[str | Path] = [
        PYTHON,
        "-m",
        "tools.verify_release",
        stack.plugin_url,
        "--core",
        stack.core_url,
    ]
    done = subprocess.run([*command, *more], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_what_was_built_here_runs_and_core_serves_it(stack: Stack) -> None:
    """Readiness, version, every file, core's record and core's copy: all as they should be."""
    code, told = verify(stack, "--bundle", BUNDLE)

    assert code == 0, told
    assert "9 passed, 0 failed" in told


def test_another_version_and_a_disabled_plugin_are_found(stack: Stack) -> None:
    """The plugin's word and core's word are both held against what should run."""
    disable = f"{stack.core_url}/api/plugins/{stack.id}/disable"
    httpx.put(disable, headers={"Sec-Fetch-Site": "same-origin"}).raise_for_status()

    code, told = verify(stack, "--version", "99.0.0")

    assert code == 1
    assert "FAILED  /manifest: names version" in told
    assert "FAILED  core's record: is Disabled, not Ready" in told
    assert "Traceback" not in told
