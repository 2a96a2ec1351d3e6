"""Read the environment once, into a frozen struct (design: Settings).

A field is a variable: `core_base_url` is CORE_BASE_URL. Its type says what may stand there, and
the manifest's `configSchema` adds default, `enum`, `minimum` and `maximum`.
"""

from __future__ import annotations

import re
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

import msgspec

from mosaiclife_plugin_sdk.errors import SettingsError
from mosaiclife_plugin_sdk.manifest import Manifest, find_manifest
from mosaiclife_plugin_sdk.webhooks import is_demo_secret, is_secret

T = TypeVar("T", bound="FrameSettings")

Seconds = Annotated[float, msgspec.Meta(ge=0)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]

_WORDS_FOR_TRUE_AND_FALSE = {
    **dict.fromkeys(("true", "1", "yes", "on"), True),
    **dict.fromkeys(("false", "0", "no", "off"), False),
}


class Secret:
    """One or more secret words from a variable, or from a file that is read again on change."""

    __slots__ = ("_file", "_seen", "_values")

    def __init__(self, text: str | None = None, *, file: Path | None = None) -> None:
        self._file = file
        self._seen: tuple[int, int, int] | None = None
        self._values: tuple[str, ...] = tuple((text or "").split())

    @property
    def values(self) -> tuple[str, ...]:
        """Return every word that is valid now; several are separated by spaces."""
        if self._file is not None:
            self._reload(self._file)
        return self._values

    @property
    def last(self) -> tuple[str, ...]:
        """Return the words of the last reading, without looking at the file again."""
        return self._values

    @property
    def value(self) -> str | None:
        """Return the first word, the one to send, or None when there is none yet."""
        return next(iter(self.values), None)

    @property
    def is_file(self) -> bool:
        """Tell whether the words come from a file, which may be empty or missing now."""
        return self._file is not None

    def __bool__(self) -> bool:
        return bool(self.values)

    def __repr__(self) -> str:
        return "Secret(***)"

    def _reload(self, file: Path) -> None:
        """Read the file when it is another one; keep the last words while it cannot be read."""
        try:
            status = file.stat()
            mark = (status.st_ino, status.st_mtime_ns, status.st_size)
            if mark != self._seen:
                self._values = tuple(file.read_text("utf-8").split())
                self._seen = mark
        except (OSError, UnicodeDecodeError):
            # A rotation swaps the file under us; the last good words stay valid until it is back.
            return


class FrameSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the frame itself wants to know; a plugin's own settings are a subclass."""

    core_base_url: str | None = None
    core_api_prefix: str = "/api"
    self_register: bool = True
    reg_token: Secret = Secret()
    core_token: Secret = Secret()
    webhook_secrets: Secret = Secret()
    register_interval_seconds: Annotated[float, msgspec.Meta(gt=0)] = 15.0
    plugin_public_url: str = ""
    ui_remote_path: str = "/mf/remoteEntry.js"
    ui_remote_url: str | None = None
    ui_bundle_dir: Path = Path("ui/dist")
    host: str = "0.0.0.0"  # noqa: S104  # a container listens for its cluster; HOST narrows it
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 7001
    log_level: Literal["debug", "info", "warn", "error"] = "info"
    api_timeout_ms: Annotated[int, msgspec.Meta(ge=1)] = 5000
    drain_seconds: Seconds = 2.0
    stop_grace_seconds: Seconds = 10.0
    store_grace_seconds: Seconds = 10.0
    access_log_sample: Share = 1.0
    trace_sample: Share = 1.0
    otel_exporter_otlp_endpoint: str | None = None
    demo_mode: bool = False

    @property
    def public_url(self) -> str:
        """Return the URL at which core reaches this process."""
        return (self.plugin_public_url or f"http://127.0.0.1:{self.port}").rstrip("/")

    @property
    def call_tokens(self) -> tuple[str, ...]:
        """Return the tokens with which core may call this plugin."""
        return self.core_token.values or self.reg_token.values


def read_settings(cls: type[T], manifest: Manifest, environ: Mapping[str, str]) -> T:
    """Build *cls* from *environ*; a `SettingsError` is one line naming key and allowed set."""
    schema: Mapping[str, Any] = manifest.config_schema.get("properties", {})
    hints = typing.get_type_hints(cls, include_extras=True)
    given: dict[str, Any] = {}
    for field in msgspec.structs.fields(cls):
        key = field.name.upper()
        rules = schema.get(key, {})
        if hints[field.name] is Secret:
            given[field.name] = _secret(key, environ)
        elif (text := environ.get(key, "")) != "":
            given[field.name] = _checked(key, _value(key, text, hints[field.name], rules), rules)
        elif "default" in rules:
            given[field.name] = _value(key, str(rules["default"]), hints[field.name], rules)
    given.setdefault("ui_bundle_dir", _bundle_beside_manifest(environ))
    given.setdefault("ui_remote_path", manifest.ui.remote_path)
    settings = cls(**given)
    _judge_whole(settings)
    return settings


def _secret(key: str, environ: Mapping[str, str]) -> Secret:
    text, file = environ.get(key), environ.get(f"{key}_FILE")
    if text and file:
        raise SettingsError(f"{key}: set {key} or {key}_FILE, not both")
    return Secret(file=Path(file)) if file else Secret(text)


def _value(key: str, text: str, kind: Any, rules: Mapping[str, Any]) -> Any:
    if kind is bool:
        if text.lower() not in _WORDS_FOR_TRUE_AND_FALSE:
            raise SettingsError(f"{key}: {text!r} is not one of true, false")
        return _WORDS_FOR_TRUE_AND_FALSE[text.lower()]
    if kind is Path:
        return Path(text)
    try:
        return msgspec.convert(text, kind, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{key}: {text!r} is not {_allowed(kind, rules)}") from error


def _checked(key: str, value: Any, rules: Mapping[str, Any]) -> Any:
    """Hold *value* against the part of JSON Schema that a setting needs."""
    low, high = rules.get("minimum"), rules.get("maximum")
    refused = (
        ("enum" in rules and value not in rules["enum"])
        or ("pattern" in rules and not re.search(rules["pattern"], str(value)))
        or (low is not None and value < low)
        or (high is not None and value > high)
    )
    if refused:
        raise SettingsError(f"{key}: {value!r} is not {_allowed(type(value), rules)}")
    return value


def _allowed(kind: Any, rules: Mapping[str, Any]) -> str:
    if typing.get_origin(kind) is Annotated:
        kind, *metas = typing.get_args(kind)
        rules = {**_meta_rules(metas), **rules}
    words = rules.get("enum") or typing.get_args(kind)
    if words and all(isinstance(word, str) for word in words):
        return "one of " + ", ".join(words)
    if "pattern" in rules:
        return f"text of the form {rules['pattern']}"
    limits = [f"{word} {rules[key]}" for key, word in _LIMITS.items() if key in rules]
    return " ".join([_KINDS.get(kind, "a usable value"), " and ".join(limits)]).rstrip()


def _meta_rules(metas: list[Any]) -> dict[str, Any]:
    """Return the limits that a field's own type sets, in the words of JSON Schema."""
    return {
        rule: limit
        for meta in metas
        for rule, limit in (
            ("minimum", meta.ge),
            ("exclusiveMinimum", meta.gt),
            ("maximum", meta.le),
        )
        if limit is not None
    }


_LIMITS = {
    "minimum": "of at least",
    "exclusiveMinimum": "greater than",
    "maximum": "of at most",
}
_KINDS: dict[Any, str] = {int: "a whole number", float: "a number", str: "text"}


def _bundle_beside_manifest(environ: Mapping[str, str]) -> Path:
    return find_manifest(environ).parent / "ui" / "dist"


def _judge_whole(settings: FrameSettings) -> None:
    """Refuse what only shows when the values stand side by side."""
    if settings.self_register and not settings.core_base_url:
        raise SettingsError(
            "CORE_BASE_URL: is missing; the URL of core, or SELF_REGISTER=false to do without"
        )
    for key in ("core_base_url", "plugin_public_url", "ui_remote_url"):
        text = getattr(settings, key)
        if text and (urlsplit(text).scheme not in ("http", "https") or not urlsplit(text).netloc):
            raise SettingsError(f"{key.upper()}: {text!r} is not an http or https URL")
    if not all(is_secret(secret) for secret in settings.webhook_secrets.values):
        raise SettingsError("WEBHOOK_SECRETS: holds a word that is not whsec_ and base64")
    if not settings.demo_mode:
        _refuse_demo_secrets(settings)


def _refuse_demo_secrets(settings: FrameSettings) -> None:
    """Refuse the words that stand in files which everybody may read."""
    for field in msgspec.structs.fields(settings):
        secret = getattr(settings, field.name)
        if isinstance(secret, Secret) and any(map(is_demo_secret, secret.values)):
            raise SettingsError(
                f"{field.name.upper()}: begins with demo-only-, and everybody knows it;"
                " take one of your own, or set DEMO_MODE=true for a demonstration"
            )
