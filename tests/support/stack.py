"""The whole house as processes: a development core and the plugin, wired to each other."""

import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from mosaiclife_plugin_sdk import load_manifest, new_secret
from tests.support.processes import ServerProcess, eventually, free_port

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = load_manifest(ROOT / "plugin.yaml")


@dataclass
class Stack:
    """A core and a plugin on free loopback ports, with throw-away tokens."""

    folder: Path
    feed: bool = False
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    webhook_secret: str = field(default_factory=new_secret)
    core_port: int = field(default_factory=free_port)
    plugin_port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        """Prepare both processes without starting them."""
        self.core = ServerProcess(
            "mosaiclife_devcore", self._core_environment(), self.folder / "core.log"
        )
        self.plugin = ServerProcess(
            "plugin_analytics", self._plugin_environment(), self.folder / "plugin.log"
        )

    @property
    def id(self) -> str:
        """Return the plugin's id as the manifest gives it."""
        return MANIFEST.name

    @property
    def core_url(self) -> str:
        """Return the origin that a browser opens."""
        return f"http://127.0.0.1:{self.core_port}"

    @property
    def plugin_url(self) -> str:
        """Return the origin that core calls."""
        return f"http://127.0.0.1:{self.plugin_port}"

    def start(self) -> "Stack":
        """Start core and plugin and wait until core shows the plugin's interface."""
        self.core.start()
        self.plugin.start()
        self.wait_until_ready()
        return self

    def stop(self) -> None:
        """Stop both processes, the plugin first."""
        self.plugin.stop()
        self.core.stop()

    def wait_until_ready(self) -> None:
        """Wait until core's list holds the plugin as Ready with an interface to load."""
        try:
            eventually(self._shown, within=30, what="the plugin's readiness")
        except AssertionError as late:
            raise AssertionError(
                f"{late}\n--- core\n{self.core.tail()}\n--- plugin\n{self.plugin.tail()}"
            ) from None

    def plugins(self) -> list[dict[str, Any]]:
        """Return core's list of plugins; empty while core is away."""
        try:
            answer = httpx.get(f"{self.core_url}/api/plugins", timeout=5)
        except httpx.TransportError:
            return []
        records: list[dict[str, Any]] = answer.raise_for_status().json()["data"]
        return records

    def legacies(self) -> list[dict[str, Any]]:
        """Return the legacies of the person that the development core signs in."""
        answer = httpx.get(f"{self.core_url}/api/session", timeout=5).raise_for_status()
        legacies: list[dict[str, Any]] = answer.json()["data"]["legacies"]
        return legacies

    def proxied(self, path: str, **params: str) -> dict[str, Any]:
        """Return the body of a plugin's route as the browser gets it through core."""
        url = f"{self.core_url}/api/plugins/{self.id}/proxy{path}"
        body: dict[str, Any] = httpx.get(url, params=params, timeout=10).raise_for_status().json()
        return body

    def _shown(self) -> bool:
        return any(
            record["id"] == self.id and record["state"] == "Ready" and record["ui"]
            for record in self.plugins()
        )

    def _core_environment(self) -> dict[str, str]:
        entry = {
            "tokens": [self.token],
            "webhookSecrets": [self.webhook_secret],
            "urls": [self.plugin_url],
            "capabilities": ["*"],
        }
        return {
            "CORE_PORT": str(self.core_port),
            "CORE_PLUGINS": json.dumps({self.id: entry}),
            "CORE_FEED": "on" if self.feed else "off",
            "CORE_FEED_SECONDS": "0.5",
            "CORE_RATE_LIMITS": "off",
            "CORE_WEB_DIR": str(ROOT / "core" / "web" / "dist"),
        }

    def _plugin_environment(self) -> dict[str, str]:
        return {
            "CORE_BASE_URL": self.core_url,
            "HOST": "127.0.0.1",
            "PORT": str(self.plugin_port),
            "PLUGIN_PUBLIC_URL": self.plugin_url,
            "PLUGIN_MANIFEST": str(ROOT / "plugin.yaml"),
            "UI_BUNDLE_DIR": str(ROOT / "ui" / "dist"),
            "DATA_DIR": str(self.folder / "data"),
            "REG_TOKEN": self.token,
            "WEBHOOK_SECRETS": self.webhook_secret,
            "REGISTER_INTERVAL_SECONDS": "1",
            "DRAIN_SECONDS": "0.2",
        }
