"""Settings: read once, checked against the manifest, refused in one line (design: Settings)."""

import base64
from pathlib import Path

import pytest

from mosaiclife_plugin_sdk import (
    FrameSettings,
    Manifest,
    Secret,
    SettingsError,
    load_manifest,
    new_secret,
    read_settings,
)

ROOT = Path(__file__).parents[3]
LEAST = {"CORE_BASE_URL": "http://core.test", "PLUGIN_MANIFEST": str(ROOT / "plugin.yaml")}


class OwnSettings(FrameSettings, frozen=True, kw_only=True):
    """Settings of a plugin: the frame's and one of its own."""

    reporting_timezone: str = "nowhere"


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return load_manifest(ROOT / "plugin.yaml")


def read(manifest: Manifest, **environ: str) -> OwnSettings:
    return read_settings(OwnSettings, manifest, {**LEAST, **environ})


def test_defaults_come_from_the_manifest(manifest: Manifest) -> None:
    """The default in configSchema is the one that counts."""
    settings = read(manifest)

    assert settings.reporting_timezone == "UTC"
    assert settings.api_timeout_ms == 5000
    assert settings.ui_bundle_dir == ROOT / "ui" / "dist"
    assert settings.public_url == "http://127.0.0.1:7001"


def test_values_get_their_types(manifest: Manifest) -> None:
    """Text of the environment becomes numbers, switches and paths."""
    settings = read(
        manifest, PORT="8001", SELF_REGISTER="off", DRAIN_SECONDS="0.5", UI_BUNDLE_DIR="x"
    )

    assert settings.port == 8001
    assert settings.self_register is False
    assert settings.drain_seconds == 0.5
    assert settings.ui_bundle_dir == Path("x")


def test_empty_variable_is_no_variable(manifest: Manifest) -> None:
    """Compose and Helm hand on unset values as empty text."""
    assert read(manifest, PORT="", LOG_LEVEL="").port == 7001


@pytest.mark.parametrize(
    ("key", "text", "allowed"),
    [
        ("LOG_LEVEL", "loud", "debug, info, warn, error"),
        ("API_TIMEOUT_MS", "99", "at least 100"),
        ("API_TIMEOUT_MS", "5s", "whole number"),
        ("PORT", "70000", "at most 65535"),
        ("PORT", "1.5", "whole number"),
        ("SELF_REGISTER", "perhaps", "true, false"),
        ("DRAIN_SECONDS", "-1", "at least 0"),
        ("ACCESS_LOG_SAMPLE", "2", "at most 1"),
        ("REGISTER_INTERVAL_SECONDS", "0", "greater than 0"),
        ("CORE_BASE_URL", "core:8080", "http or https URL"),
        ("UI_REMOTE_URL", "/mf/x.js", "http or https URL"),
        ("WEBHOOK_SECRETS", "whsec_!", "whsec_ and base64"),
    ],
)
def test_bad_value_is_one_line_with_key_and_allowed_set(
    manifest: Manifest, key: str, text: str, allowed: str
) -> None:
    """An operator reads in one line which variable is wrong and what may stand there."""
    with pytest.raises(SettingsError) as caught:
        read(manifest, **{key: text})

    line = str(caught.value)
    assert line.startswith(f"{key}: ")
    assert allowed in line
    assert "\n" not in line


def test_core_is_needed_only_to_register(manifest: Manifest) -> None:
    """Without CORE_BASE_URL the start is refused, unless the plugin does not register itself."""
    bare = {"PLUGIN_MANIFEST": str(ROOT / "plugin.yaml")}

    with pytest.raises(SettingsError, match="CORE_BASE_URL"):
        read_settings(FrameSettings, manifest, bare)
    static = read_settings(FrameSettings, manifest, {**bare, "SELF_REGISTER": "false"})
    assert static.core_base_url is None


def test_several_words_are_valid_at_once(manifest: Manifest) -> None:
    """During a rotation the first word is sent and every word is accepted."""
    settings = read(manifest, REG_TOKEN="new old")

    assert settings.reg_token.value == "new"
    assert settings.call_tokens == ("new", "old")
    assert read(manifest, REG_TOKEN="a", CORE_TOKEN="b").call_tokens == ("b",)


IN_PUBLIC = "demo-only-known-to-all"
DELIVERIES_IN_PUBLIC = "whsec_" + base64.b64encode(IN_PUBLIC.encode()).decode()


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("REG_TOKEN", IN_PUBLIC),
        ("CORE_TOKEN", f"one-of-our-own {IN_PUBLIC}"),
        ("WEBHOOK_SECRETS", DELIVERIES_IN_PUBLIC),
    ],
)
def test_words_of_a_demonstration_are_refused_in_earnest(
    manifest: Manifest, key: str, text: str
) -> None:
    """What stands in a public file proves nothing about who says it."""
    with pytest.raises(SettingsError, match=f"^{key}: begins with demo-only-") as caught:
        read(manifest, **{key: text})

    assert "DEMO_MODE=true" in str(caught.value)
    assert IN_PUBLIC not in str(caught.value)
    assert read(manifest, DEMO_MODE="true", **{key: text}).demo_mode


def test_a_word_of_a_demonstration_in_a_file_is_refused(manifest: Manifest, tmp_path: Path) -> None:
    """A mounted Secret is read like a variable."""
    (tmp_path / "token").write_text(IN_PUBLIC)

    with pytest.raises(SettingsError, match=r"^REG_TOKEN: begins with demo-only-"):
        read(manifest, REG_TOKEN_FILE=str(tmp_path / "token"))


def test_secret_is_never_printed(manifest: Manifest) -> None:
    """A settings object in a log or a traceback shows no secret."""
    secret = new_secret()

    assert secret not in repr(read(manifest, WEBHOOK_SECRETS=secret, REG_TOKEN="hush-hush"))
    assert "hush-hush" not in repr(read(manifest, REG_TOKEN="hush-hush"))


def test_secret_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    """A rotated token counts at the next look; a file that is gone keeps the last one."""
    file = tmp_path / "token"
    secret = Secret(file=file)
    assert list(secret.values) == []

    file.write_text("first\n")
    assert list(secret.values) == ["first"]

    swapped = tmp_path / "swapped"
    swapped.write_text("other")
    swapped.replace(file)
    assert list(secret.values) == ["other"]

    file.unlink()
    assert list(secret.values) == ["other"]


def test_variable_and_file_together_are_refused(manifest: Manifest) -> None:
    """Two sources of one secret would leave open which one counts."""
    with pytest.raises(SettingsError, match="REG_TOKEN_FILE"):
        read(manifest, REG_TOKEN="a", REG_TOKEN_FILE="/x")
