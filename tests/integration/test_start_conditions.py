"""The plugin's process when its surroundings are not as they should be (design §4: Registration)."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from mosaiclife_plugin_sdk import SERVICE, encode_user_context
from mosaiclife_plugin_sdk.testing import Answer, FakeCore, garbage, hang_up, refusal
from tests.support.bundles import write_bundle
from tests.support.processes import CLEAN, ServerProcess, eventually, free_port

ROOT = Path(__file__).parents[2]
TOKEN = "secret-token-1"


class Started:
    """A process of the shipped plugin, and what can be seen of it from outside."""

    def __init__(self, process: ServerProcess, url: str) -> None:
        self.process = process
        self.url = url

    def get(self, path: str) -> httpx.Response | None:
        """Return the answer, None while nobody listens."""
        try:
            return httpx.get(self.url + path, timeout=5)
        except httpx.TransportError:
            return None

    def status(self, path: str) -> int:
        """Return the status of a GET, 0 while nobody listens."""
        answer = self.get(path)
        return answer.status_code if answer is not None else 0

    def outlook(self) -> dict[str, Any]:
        """Return what the readiness probe says in its body."""
        answer = self.get("/readyz")
        found: dict[str, Any] = answer.json()["data"] if answer is not None else {}
        return found

    def lines(self) -> list[dict[str, Any]]:
        """Return the log; every line of it is JSON."""
        return [json.loads(line) for line in self.process.log.read_text().splitlines()]

    def says(self, part: str) -> bool:
        """Tell whether some line of the log holds *part*."""
        return any(part in json.dumps(line) for line in self.lines())


@contextmanager
def started(folder: Path, core: str, *, bundle: bool = True, **environ: str) -> Iterator[Started]:
    """Run `python -m plugin_analytics` until the block ends; it must leave no traceback."""
    (folder / "dist").mkdir(exist_ok=True)
    if bundle:
        write_bundle(folder / "dist", "entry")
    port = free_port()
    base = {
        "CORE_BASE_URL": core,
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "REG_TOKEN": TOKEN,
        "PLUGIN_MANIFEST": str(ROOT / "plugin.yaml"),
        "UI_BUNDLE_DIR": str(folder / "dist"),
        "DATA_DIR": str(folder / "data"),
        "DRAIN_SECONDS": "0",
    }
    process = ServerProcess("plugin_analytics", {**base, **environ}, folder / "plugin.log")
    process.start()
    try:
        plugin = Started(process, f"http://127.0.0.1:{port}")
        eventually(lambda: plugin.status("/healthz") == 200, what="the start")
        yield plugin
        assert process.running
        assert "Traceback" not in process.log.read_text()
    finally:
        process.stop()


def test_wrong_token_is_said_and_waited_out(tmp_path: Path) -> None:
    """Core does not know the token: the plugin stays up, asks no more, and says why."""
    with FakeCore(token="another-token") as core, started(tmp_path, core.url) as plugin:
        eventually(lambda: plugin.says("core refuses the registration"), what="the line")
        tried = len(core.asked)

        assert plugin.status("/readyz") == 200
        assert plugin.outlook()["state"] == "Registering"
        assert "401" in plugin.outlook()["reason"]
        assert len(core.asked) == tried
        assert not plugin.says(TOKEN)


def test_no_token_is_no_start_error(tmp_path: Path) -> None:
    """A Secret that is not there yet is waited for, and nobody is let in meanwhile."""
    with started(tmp_path, f"http://127.0.0.1:{free_port()}", REG_TOKEN="") as plugin:
        eventually(lambda: plugin.outlook().get("reason") == "REG_TOKEN is missing")

        assert plugin.status("/readyz") == 200
        assert plugin.status("/v1/data/items") == 401


def test_no_core_is_waited_for(tmp_path: Path) -> None:
    """Nobody listens at CORE_BASE_URL: ready all the same, and the state says what is missing."""
    with started(tmp_path, f"http://127.0.0.1:{free_port()}") as plugin:
        eventually(lambda: plugin.says("core cannot be reached"), what="the line")

        assert plugin.status("/readyz") == 200
        assert plugin.outlook()["state"] == "Registering"


@pytest.mark.parametrize(
    ("answer", "said", "again"),
    [
        (refusal(409, "PLUGIN_INCOMPATIBLE", "core is too old"), "core is too old", False),
        (refusal(503, "SERVICE_UNAVAILABLE", "core is starting"), "core is starting", True),
        (garbage(), "core's answer is no registration", True),
        (hang_up(), "core cannot be reached", True),
        pytest.param(*(Answer(delay=30), "core cannot be reached", True), marks=pytest.mark.slow),
    ],
    ids=["409", "503", "garbage", "hang up", "never"],
)
def test_odd_answers_of_core_are_survived(
    tmp_path: Path, answer: Any, said: str, again: bool
) -> None:
    """A refusal for good ends the tries, any other fault does not; both are told in the log."""
    with FakeCore(token=TOKEN) as core:
        core.script("register", *[answer] * 1000)
        with started(tmp_path, core.url) as plugin:
            eventually(lambda: plugin.outlook().get("reason"), what="a reason")
            assert said in plugin.outlook()["reason"]
            assert plugin.says(said)
            assert plugin.status("/readyz") == 200
            tries = len(core.asked)
            if again:
                eventually(lambda: len(core.asked) > tries, what="another try")
            else:
                time.sleep(1)
                assert len(core.asked) == tries


def test_missing_bundle_turns_readiness_red(tmp_path: Path) -> None:
    """Without the remote the plugin lives and is not ready; when the remote comes it is."""
    core = f"http://127.0.0.1:{free_port()}"
    with started(tmp_path, core, bundle=False) as plugin:
        red = {check["name"] for check in plugin.outlook()["checks"] if not check["ok"]}
        assert (plugin.status("/readyz"), red) == (503, {"ui"})
        write_bundle(tmp_path / "dist", "entry")
        eventually(lambda: plugin.status("/readyz") == 200, what="readiness")


def closed_folder(folder: Path) -> Path:
    """Return a folder in which nothing can be created, root or not."""
    if os.geteuid() == 0:
        return Path("/sys/kernel")
    folder.mkdir()
    folder.chmod(0o500)
    return folder


def test_read_only_data_folder_is_waited_out(tmp_path: Path) -> None:
    """The plugin stays up and red, loses nothing, and works by itself once it can write."""
    data = tmp_path / "data"
    data.symlink_to(closed_folder(tmp_path / "closed"))
    core = f"http://127.0.0.1:{free_port()}"
    signed_in = {"Authorization": f"Bearer {TOKEN}", "X-Tenant-ID": "family-a"}
    signed_in["X-User-Context"] = encode_user_context(SERVICE)
    with started(tmp_path, core) as plugin:
        assert plugin.status("/readyz") == 503
        [store] = [check for check in plugin.outlook()["checks"] if check["name"] == "store"]
        assert store["reason"].startswith("DATA_DIR: cannot be written: ")
        assert plugin.says("nothing can be kept")
        report = httpx.get(f"{plugin.url}/v1/data/overview", headers=signed_in)
        assert (report.status_code, report.headers["Retry-After"]) == (503, "5")

        data.unlink()
        data.mkdir()
        eventually(lambda: plugin.status("/readyz") == 200, what="readiness")
        report = httpx.get(f"{plugin.url}/v1/data/overview", headers=signed_in)
        assert report.status_code == 200


def run_once(**environ: str) -> tuple[int, str]:
    """Run the plugin until it ends by itself; return its exit code and all that it wrote."""
    kept = {key: os.environ[key] for key in CLEAN if key in os.environ}
    base = {"PLUGIN_MANIFEST": str(ROOT / "plugin.yaml"), "SELF_REGISTER": "false", "PORT": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "plugin_analytics"],
        env={**kept, **base, **environ},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("key", ["", "k" * 43], ids=["own key", "given key"])
@pytest.mark.parametrize("place", ["a-file", "a-file/below", "/proc/none"])
def test_data_folder_that_cannot_be_written_is_one_line(
    tmp_path: Path, place: str, key: str
) -> None:
    """Without a place to keep anything the start ends: exit code 2, the key and the reason."""
    # A file in the way, and a file system that takes nothing, stop root as well.
    (tmp_path / "a-file").write_text("in the way")
    code, output = run_once(DATA_DIR=str(tmp_path / place), PSEUDONYM_KEY=key)

    assert (code, output.count("\n")) == (2, 1), output
    assert output.startswith("DATA_DIR: cannot be written: ")


def test_bad_log_level_is_one_line(tmp_path: Path) -> None:
    """Exit code 2, the key, and what is allowed."""
    code, output = run_once(LOG_LEVEL="loud", DATA_DIR=str(tmp_path))

    assert (code, output) == (2, "LOG_LEVEL: 'loud' is not one of debug, info, warn, error\n")
