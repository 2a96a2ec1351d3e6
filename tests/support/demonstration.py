"""Look at a demonstration that runs, whatever runs it: what core says, and what the plugin counts."""

from dataclasses import dataclass
from typing import Any

import httpx

from tests.support.chart import MANIFEST
from tests.support.processes import eventually

PATIENCE_SECONDS = 90


@dataclass(frozen=True)
class Demonstration:
    """Where a browser finds core, and where Prometheus finds the plugin."""

    core_url: str
    plugin_url: str

    def asked(self, path: str, **params: str) -> httpx.Response:
        """Ask core, as a browser does behind the port-forward that the notes tell of."""
        return httpx.get(self.core_url + path, params=params, timeout=10).raise_for_status()

    def record(self) -> dict[str, Any]:
        """Wait until core would load the plugin's interface, and return what it knows of it."""
        return eventually(self._shown, within=PATIENCE_SECONDS, what="the plugin's readiness")

    def _shown(self) -> dict[str, Any]:
        records = self.asked("/api/plugins").json()["data"]
        ready = [one for one in records if one["state"] == "Ready" and one["ui"]]
        return dict(ready[0]) if ready else {}

    def events(self, outcome: str) -> float:
        """Return how many events have ended so since the plugin's process began."""
        text = httpx.get(f"{self.plugin_url}/metrics", timeout=10).text
        lines = [line for line in text.splitlines() if line.startswith("plugin_events_total{")]
        return sum(float(line.split()[-1]) for line in lines if f'outcome="{outcome}"' in line)

    def wait_for_events(self) -> None:
        """Wait for the history, and then for what happens after it."""
        before = self.wait_for("accepted", beyond=0)
        self.wait_for("accepted", beyond=before)

    def wait_for(self, outcome: str, *, beyond: float) -> float:
        """Wait until more events than that have ended so, and return how many."""
        what = f"an event that is {outcome}"
        eventually(lambda: self.events(outcome) > beyond, within=PATIENCE_SECONDS, what=what)
        return self.events(outcome)

    def wait_for_a_report(self) -> str:
        """Wait until a report through core counts something, and return the legacy it is about."""
        (first, *_) = self.asked("/api/session").json()["data"]["legacies"]
        legacy: str = first["id"]
        eventually(lambda: self._total(legacy), within=PATIENCE_SECONDS, what="a counted report")
        return legacy

    def _total(self, legacy: str) -> int:
        path = f"/api/plugins/{MANIFEST.name}/proxy/v1/data/overview"
        metrics = self.asked(path, legacyId=legacy).json()["data"]["metrics"]
        return sum(metric["value"] or 0 for metric in metrics)

    def remote(self) -> httpx.Response:
        """Return the remote's entry as core serves it, from core's own origin."""
        entry = self.record()["ui"]["entryUrl"]
        assert entry.startswith(f"/mf/{MANIFEST.name}/")
        return self.asked(entry)
