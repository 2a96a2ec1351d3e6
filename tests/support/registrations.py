"""The body with which a plugin registers, as small as core accepts it."""

from typing import Any

SERVICE_URL = "http://127.0.0.1:7001"


def registration_body(name: str = "tiny", **manifest: Any) -> dict[str, Any]:
    """Return a registration; *manifest* changes members of its manifest."""
    return {
        "manifest": {
            "name": name,
            "version": "1.0.0",
            "compat": {"core": ">=2.1 <3.0"},
            "ui": {"mode": "ModuleFederation", "remotePath": "/mf/remoteEntry.js"},
            "endpoints": {"basePath": "/v1"},
            "health": {"livenessPath": "/healthz", "readinessPath": "/readyz"},
            **manifest,
        },
        "serviceUrl": SERVICE_URL,
        "ui": {"remoteUrl": f"{SERVICE_URL}/mf/remoteEntry.js"},
    }
