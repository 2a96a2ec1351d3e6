"""The development core as an application under test, with its health gate in a hurry."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from litestar import Litestar
from litestar.testing import TestClient

from mosaiclife_devcore import Grant, Settings, create_core
from mosaiclife_plugin_sdk import new_secret
from tests.support.bare_plugin import BarePlugin
from tests.support.processes import eventually

ORIGIN = "http://core.test"
SAME_ORIGIN = {"origin": ORIGIN}
SECRET = new_secret()

Core = TestClient[Litestar]


def grant_for(plugin: BarePlugin, **changes: Any) -> Grant:
    """Return what an operator would allow *plugin*."""
    values = {"tokens": (plugin.token,), "urls": (plugin.url,), "webhook_secrets": (SECRET,)}
    return Grant(**{**values, **changes})


@contextmanager
def running_core(*plugins: BarePlugin, **changes: Any) -> Iterator[Core]:
    """Run a core that knows *plugins*; *changes* are settings."""
    values = {
        "plugins": {plugin.name: grant_for(plugin) for plugin in plugins},
        "feed": False,
        "poll_seconds": 0.03,
        "steady_poll_seconds": 0.03,
    }
    settings = Settings(**{**values, **changes})
    with TestClient(create_core(settings), base_url=ORIGIN) as core:
        yield core


def make_ready(core: Core, plugin: BarePlugin) -> dict[str, Any]:
    """Register a listening *plugin*, wait until pages may use it, and return its record."""
    plugin.register(core).raise_for_status()
    return wait_for(core, plugin, "Ready")


def record(core: httpx.Client, plugin: BarePlugin) -> dict[str, Any]:
    """Return core's record of *plugin* as pages see it."""
    records: list[dict[str, Any]] = core.get("/api/plugins").json()["data"]
    return next(entry for entry in records if entry["id"] == plugin.name)


def wait_for(core: httpx.Client, plugin: BarePlugin, state: str) -> dict[str, Any]:
    """Wait until the plugin is in *state*, and return its record."""
    eventually(lambda: record(core, plugin)["state"] == state, within=5, what=f"the state {state}")
    return record(core, plugin)


def assert_problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Assert the one error shape, and return the error."""
    error: dict[str, Any] = response.json()["error"]
    assert (response.status_code, error["code"]) == (status, code), response.text
    assert set(error) == {"code", "message", "details", "requestId", "timestamp"}
    assert error["requestId"] == response.headers["x-request-id"]
    return error
