"""The newcomer's walk: a fresh clone, the README's command, a page that follows edits."""

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Watched
from tests.support.processes import CLEAN, eventually, free_port
from tests.support.stack import MANIFEST, ROOT

PASSED_ON = (*CLEAN, "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "PIP_CERT", "REQUESTS_CA_BUNDLE")
pytestmark = pytest.mark.slow


@dataclass
class DevSession:
    """`./just dev` in a clone, with the lines that it printed."""

    clone: Path
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def url(self) -> str:
        """Return the one URL that the command printed; empty until then."""
        assert self.process.poll() is None, "\n".join(self.lines[-40:])
        match = re.search(r"http://127\.0\.0\.1:\d+/", "\n".join(self.lines))
        return match[0].rstrip("/") if match else ""

    def interrupt(self) -> int:
        """Press Ctrl-C and return the exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(timeout=20)


def read_lines(session: DevSession) -> None:
    """Collect the command's output as it comes."""
    assert session.process.stdout
    for line in session.process.stdout:
        session.lines.append(line.rstrip())


@pytest.fixture
def dev(tmp_path: Path) -> Iterator[DevSession]:
    """Clone the checkout's last commit and start `./just dev` there."""
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    kept = {key: os.environ[key] for key in PASSED_ON if key in os.environ}
    process = subprocess.Popen(
        ["./just", "dev"],
        cwd=clone,
        env={**kept, "CORE_PORT": str(free_port()), "PORT": str(free_port())},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    session = DevSession(clone, process)
    reader = threading.Thread(target=read_lines, args=(session,), daemon=True)
    reader.start()
    with process:
        yield session
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        reader.join(timeout=10)


def processes_in(folder: Path) -> list[str]:
    """Return the command lines of the processes whose working directory lies in a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").resolve().is_relative_to(folder):
                found.append((entry / "cmdline").read_text().replace("\0", " "))
        except OSError:  # it ended while we looked
            continue
    return found


@pytest.mark.timeout(900)
def test_dev_shows_living_data_and_follows_edits(
    dev: DevSession, watched: Watched, record_testsuite_property: Callable[[str, object], None]
) -> None:
    """One command gives a page with growing numbers; edits show; Ctrl-C leaves nothing."""
    url = eventually(dev.url, within=600, every=0.5, what="the printed URL")
    legacy = httpx.get(f"{url}/api/session").json()["data"]["legacies"][0]["id"]
    page = watched.page
    page.goto(f"{url}/legacies/{legacy}")
    panel = page.get_by_test_id(f"{MANIFEST.name}-panel")
    expect(panel).to_be_visible(timeout=20_000)

    def total() -> int:
        base = f"{url}/api/plugins/{MANIFEST.name}/proxy/v1/data/overview"
        answer = httpx.get(base, timeout=10)
        return sum(m["value"] for m in answer.json()["data"]["metrics"]) if answer.is_success else 0

    first = eventually(total, within=30, what="data")
    eventually(lambda: total() > first, within=30, every=0.5, what="growth")

    page.evaluate("window.__sameDocument = true")
    copy = dev.clone / "ui" / "src" / "copy.ts"
    words = copy.read_text()
    assert "Remembering" in words
    started = time.monotonic()
    copy.write_text(words.replace("Remembering", "Keeping close"))
    expect(panel).to_contain_text("Keeping close", timeout=20_000)
    record_testsuite_property("ui_edit_seen_after_s", round(time.monotonic() - started, 1))
    assert page.evaluate("window.__sameDocument") is True

    manifest = dev.clone / "plugin.yaml"
    manifest.write_text(
        manifest.read_text().replace("title: Analytics\nversion", "title: Numbers\nversion")
    )
    started = time.monotonic()
    eventually(
        lambda: any(
            p.get("title") == "Numbers" for p in httpx.get(f"{url}/api/plugins").json()["data"]
        ),
        within=30,
        every=0.2,
        what="the backend's restart",
    )
    record_testsuite_property("backend_edit_in_force_after_s", round(time.monotonic() - started, 1))
    assert watched.violations() == []

    assert dev.interrupt() in (0, 130)
    eventually(lambda: not processes_in(dev.clone), within=5, what="the end of every process")
