"""The written-out deliveries against the whole plugin: never 5xx, and one message for every fault."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar.testing import TestClient

from mosaiclife_plugin_sdk import load_manifest, read_settings
from plugin_analytics.app import create_app
from plugin_analytics.settings import Settings
from tests.support.webhook_cases import CASES, NOW, Case

ROOT = Path(__file__).parents[2]
TOKEN = "token-of-this-test"
ONE_MESSAGE: tuple[str, str, list[object]] = (
    "AUTH_INVALID",
    "The delivery's signature is not valid.",
    [],
)


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file with the secrets that are live: each case writes its own into it."""
    return tmp_path_factory.mktemp("secrets") / "live"


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory, secrets: Path) -> Iterator[TestClient[Any]]:
    """The plugin, at the moment of the cases."""
    folder = tmp_path_factory.mktemp("plugin")
    manifest = load_manifest(ROOT / "plugin.yaml")
    environ = {
        "SELF_REGISTER": "false",
        "CORE_TOKEN": TOKEN,
        "WEBHOOK_SECRETS_FILE": str(secrets),
        "PSEUDONYM_KEY": "k" * 32,
        "DATA_DIR": str(folder),
        "UI_BUNDLE_DIR": str(folder),
        "PLUGIN_MANIFEST": str(ROOT / "plugin.yaml"),
    }
    settings = read_settings(Settings, manifest, environ)
    app = create_app(settings, manifest, clock=lambda: datetime.fromtimestamp(NOW, UTC))
    with TestClient(app) as client:
        yield client


def deliver(plugin: TestClient[Any], case: Case, *, tenant: str) -> httpx.Response:
    headers = {
        "authorization": f"Bearer {TOKEN}",
        "content-type": "application/json",
        "x-tenant-id": tenant,
        **case.headers,
    }
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return plugin.post("/v1/webhooks/ingest", content=case.body, headers=httpx.Headers(raw))


@pytest.mark.parametrize(
    ("number", "case"), list(enumerate(CASES)), ids=[case.name for case in CASES]
)
def test_each_delivery_gets_its_answer(
    plugin: TestClient[Any], secrets: Path, number: int, case: Case
) -> None:
    """A good signature is taken, an unreadable body behind one is 400, all else is one 401."""
    secrets.write_text(" ".join(case.live))

    answer = deliver(plugin, case, tenant=f"family-{number}")

    assert answer.status_code == case.status, answer.text
    if case.status == 401:
        error = answer.json()["error"]
        assert (error["code"], error["message"], error["details"]) == ONE_MESSAGE
