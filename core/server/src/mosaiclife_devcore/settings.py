"""Read the environment once, into one frozen value (design: Settings)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from mosaiclife_plugin_sdk import sign
from mosaiclife_plugin_sdk.allowlist import parse_target
from mosaiclife_plugin_sdk.errors import EgressRefused

LOG_LEVELS = ("debug", "info", "warn", "error")
RESERVED_IDS = {"register"}
SWITCH = {"on": True, "off": False}


class SettingsError(Exception):
    """One line that names the variable and what it may hold."""


class Grant(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What the operator allows one plugin: its tokens, addresses, capabilities and secrets."""

    tokens: tuple[str, ...]
    webhook_secrets: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ("*",)
    secrets: dict[str, str] = {}
    # Hosts of the manifest's egressAllow that may lie in this core's own network, as host:port.
    private_egress: tuple[str, ...] = ()


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that may differ between two runs of the core."""

    host: str = "127.0.0.1"
    port: int = 8080
    version: str = "2.1.0"
    plugins: dict[str, Grant] = {}
    web_dir: Path | None = None
    schema_file: Path | None = None
    plugin_backend_url: str | None = None
    plugin_remote_url: str | None = None
    feed: bool = True
    seed: int = 7
    feed_seconds: float = 2.0
    scheduler: bool = True
    egress: bool = True
    egress_port: int = 0
    egress_url: str | None = None
    rate_limits: bool = False
    log_level: Literal["debug", "info", "warn", "error"] = "info"
    plugin_timeout_ms: int = 5000
    poll_seconds: float = 1.0
    steady_poll_seconds: float = 5.0
    heartbeat_seconds: float = 15.0
    otel_endpoint: str | None = None


def read_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Build the settings from *environ*, or raise `SettingsError` with one line."""
    values: dict[str, Any] = {
        "plugins": read_grants(environ),
        "web_dir": _path(environ, "CORE_WEB_DIR"),
        "schema_file": _path(environ, "CORE_PLUGIN_SCHEMA"),
        "feed": _switch(environ, "CORE_FEED", default=True),
        "scheduler": _switch(environ, "CORE_SCHEDULER", default=True),
        "egress": _switch(environ, "CORE_EGRESS", default=True),
        "egress_port": int(_number(environ, "CORE_EGRESS_PORT", 0, low=0, high=65535)),
        "egress_url": environ.get("CORE_EGRESS_URL") or None,
        "rate_limits": _switch(environ, "CORE_RATE_LIMITS", default=False),
        "log_level": _choice(environ, "LOG_LEVEL", LOG_LEVELS, "info"),
        "port": int(_number(environ, "CORE_PORT", 8080, low=1, high=65535)),
        "seed": int(_number(environ, "CORE_SEED", 7, low=0, high=2**31)),
        "feed_seconds": _number(environ, "CORE_FEED_SECONDS", 2.0, low=0.05, high=86400),
        "host": environ.get("CORE_HOST", "127.0.0.1"),
        "version": environ.get("CORE_VERSION", "2.1.0"),
        "plugin_backend_url": environ.get("PLUGIN_BACKEND_URL") or None,
        "plugin_remote_url": environ.get("PLUGIN_REMOTE_URL") or None,
        "otel_endpoint": environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or None,
    }
    return Settings(**values)


def read_grants(environ: Mapping[str, str]) -> dict[str, Grant]:
    """Read the plugins that this core knows, from CORE_PLUGINS or from CORE_PLUGINS_FILE."""
    key, text = "CORE_PLUGINS", environ.get("CORE_PLUGINS", "")
    if not text and (name := environ.get("CORE_PLUGINS_FILE")):
        key, text = "CORE_PLUGINS_FILE", _read(Path(name))
    try:
        grants = msgspec.json.decode(text or "{}", type=dict[str, Grant])
    except msgspec.MsgspecError as error:
        raise SettingsError(f"{key} is not JSON of plugin id to grant: {error}") from error
    for plugin_id, grant in grants.items():
        _check_grant(key, plugin_id, grant)
    return grants


def _check_grant(key: str, plugin_id: str, grant: Grant) -> None:
    if plugin_id.startswith("-") or plugin_id in RESERVED_IDS:
        raise SettingsError(f"{key}: {plugin_id!r} is reserved and cannot be a plugin's id")
    if not grant.tokens or not all(grant.tokens):
        raise SettingsError(f"{key}: {plugin_id!r} needs at least one token, and none may be empty")
    for secret in grant.webhook_secrets:
        _check_secret(key, plugin_id, secret)
    for url in grant.urls:
        if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
            raise SettingsError(f"{key}: {plugin_id!r} allows {url!r}, which is no http(s) origin")
    for entry in grant.private_egress:
        _check_target(key, plugin_id, entry)


def _check_secret(key: str, plugin_id: str, secret: str) -> None:
    try:
        sign(secret, "probe", 0, b"")
    except ValueError as error:
        raise SettingsError(f"{key}: {plugin_id!r}: {error}") from error


def _check_target(key: str, plugin_id: str, entry: str) -> None:
    try:
        parse_target(entry)
    except EgressRefused as error:
        raise SettingsError(f"{key}: {plugin_id!r}: privateEgress: {error}") from error


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise SettingsError(f"CORE_PLUGINS_FILE cannot be read: {error.strerror}") from error


def _path(environ: Mapping[str, str], key: str) -> Path | None:
    return Path(environ[key]) if environ.get(key) else None


def _switch(environ: Mapping[str, str], key: str, *, default: bool) -> bool:
    return SWITCH[_choice(environ, key, tuple(SWITCH), "on" if default else "off")]


def _choice(environ: Mapping[str, str], key: str, allowed: tuple[str, ...], default: str) -> str:
    value = environ.get(key, default).lower()
    if value not in allowed:
        raise SettingsError(f"{key} is {value!r}; it may be {', '.join(allowed)}")
    return value


def _number(
    environ: Mapping[str, str], key: str, default: float, *, low: float, high: float
) -> float:
    text = environ.get(key, "")
    try:
        value = float(text or default)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise SettingsError(f"{key} is {text!r}; it may be a number from {low:g} to {high:g}")
    return value
