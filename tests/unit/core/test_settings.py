"""The environment becomes settings, or one line that says what is wrong."""

import json
from pathlib import Path

import pytest

from mosaiclife_devcore import SettingsError, read_settings

TOKENS = {"tokens": ["t"]}


def test_an_empty_environment_gives_the_documented_defaults() -> None:
    """Nothing has to be set for a core without plugins."""
    settings = read_settings({})

    assert (settings.host, settings.port, settings.version) == ("127.0.0.1", 8080, "2.1.0")
    assert (settings.feed, settings.seed, settings.feed_seconds) == (True, 7, 2.0)
    assert settings.plugins == {}


def test_plugins_may_come_inline_or_from_a_file(tmp_path: Path) -> None:
    """A Secret is mounted as a file; a developer writes a line."""
    text = json.dumps({"bare": {**TOKENS, "urls": ["http://a:1"], "capabilities": ["db:read"]}})
    (tmp_path / "plugins.json").write_text(text)

    inline = read_settings({"CORE_PLUGINS": text})
    mounted = read_settings({"CORE_PLUGINS_FILE": str(tmp_path / "plugins.json")})

    assert inline.plugins == mounted.plugins
    assert inline.plugins["bare"].urls == ("http://a:1",)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("CORE_PORT", "0", "from 1 to 65535"),
        ("CORE_PORT", "nan", "from 1 to 65535"),
        ("CORE_FEED", "yes", "on, off"),
        ("CORE_FEED_SECONDS", "-1", "from 0.05"),
        ("LOG_LEVEL", "trace", "debug, info, warn, error"),
        ("CORE_PLUGINS", "[]", "not JSON of plugin id to grant"),
        ("CORE_PLUGINS", '{"a": {}}', "tokens"),
        ("CORE_PLUGINS", '{"a": {"tokens": []}}', "at least one token"),
        ("CORE_PLUGINS", '{"a": {"tokens": [""]}}', "none may be empty"),
        ("CORE_PLUGINS", '{"-": {"tokens": ["t"]}}', "reserved"),
        ("CORE_PLUGINS", '{"register": {"tokens": ["t"]}}', "reserved"),
        ("CORE_PLUGINS", '{"a": {"tokens": ["t"], "url": []}}', "url"),
        ("CORE_PLUGINS", '{"a": {"tokens": ["t"], "urls": ["ftp://x"]}}', "http(s)"),
        ("CORE_PLUGINS", '{"a": {"tokens": ["t"], "webhookSecrets": ["whsec_?"]}}', "whsec_"),
        ("CORE_PLUGINS", '{"a": {"tokens": ["t"], "privateEgress": ["x"]}}', "privateEgress"),
        ("CORE_EGRESS_PORT", "65536", "from 0 to 65535"),
        ("CORE_EGRESS", "maybe", "on, off"),
        ("CORE_PLUGINS_FILE", "/no/such/file", "cannot be read"),
    ],
)
def test_a_bad_value_names_its_key_and_what_is_allowed(key: str, value: str, said: str) -> None:
    """One line, no traceback, and no secret in it."""
    with pytest.raises(SettingsError) as caught:
        read_settings({key: value})

    line = str(caught.value)
    assert key in line
    assert said in line
    assert "\n" not in line
