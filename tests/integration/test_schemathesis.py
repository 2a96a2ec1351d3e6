"""The API against its own description: generated calls, every check, a fixed seed (design §9)."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from mosaiclife_plugin_sdk import SERVICE, encode_user_context, new_secret
from tests.support.bundles import write_bundle
from tests.support.processes import CLEAN, ServerProcess, eventually, free_port

ROOT = Path(__file__).parents[2]
TOKEN, SECRET = "secret-token-1", new_secret()
EXAMPLES, SEED = 50, 1

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def plugin(tmp_path: Path) -> Iterator[str]:
    """Run `python -m plugin_analytics` and give its origin."""
    write_bundle(tmp_path / "dist", "entry")
    url = f"http://127.0.0.1:{(port := free_port())}"
    environment = {
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "SELF_REGISTER": "false",
        "REG_TOKEN": TOKEN,
        "WEBHOOK_SECRETS": SECRET,
        "PLUGIN_MANIFEST": str(ROOT / "plugin.yaml"),
        "UI_BUNDLE_DIR": str(tmp_path / "dist"),
        "DATA_DIR": str(tmp_path / "data"),
        "LOG_LEVEL": "error",
    }
    process = ServerProcess("plugin_analytics", environment, tmp_path / "plugin.log")
    process.start()
    try:
        eventually(lambda: ready(url), what="the plugin's readiness")
        yield url
    finally:
        process.stop()


def ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=2).is_success
    except httpx.TransportError:
        return False


def test_api_does_what_it_describes(plugin: str, tmp_path: Path) -> None:
    """No generated call finds a fault, a status or a body that the description does not name."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli"),
        *("--config-file", str(ROOT / "tests/support/schemathesis.toml")),
        *("run", f"{plugin}/schema/openapi.json"),
        *("-H", f"Authorization: Bearer {TOKEN}"),
        *("-H", "X-Tenant-ID: family-a"),
        *("-H", f"X-User-Context: {encode_user_context(SERVICE)}"),
        *("--max-examples", str(EXAMPLES), "--seed", str(SEED)),
        *("--continue-on-failure", "--generation-database", "none", "--no-color"),
        *("--request-timeout", "10", "--report-dir", str(tmp_path)),
    ]
    kept = {key: os.environ[key] for key in CLEAN if key in os.environ}
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={
            **kept,
            "PYTHONPATH": str(ROOT),
            "SCHEMATHESIS_HOOKS": "tests.support.schemathesis_hooks",
            "WEBHOOK_SECRET": SECRET,
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
