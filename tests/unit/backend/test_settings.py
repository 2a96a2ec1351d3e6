"""Settings: a bad value stops the start with its name and never with its secret."""

import errno
import os
from pathlib import Path

import pytest

from mosaiclife_plugin_sdk import SettingsError, find_manifest, load_manifest, read_settings
from plugin_analytics.errors import FolderClosed
from plugin_analytics.model.calendar import zone_names
from plugin_analytics.settings import Settings

MANIFEST = load_manifest(find_manifest({}))


def settings(**environ: str) -> Settings:
    return read_settings(Settings, MANIFEST, {"SELF_REGISTER": "false", **environ})


def test_database_lies_in_the_data_folder() -> None:
    """Without a URL the embedded database is a file in DATA_DIR."""
    assert settings(DATA_DIR="/x").database.parent == Path("/x")
    assert settings(DATABASE_URL="sqlite:////y/z.db").database == Path("/y/z.db")


@pytest.mark.parametrize("url", ["mysql://root:hunter2@db/x", "sqlite:///", "hunter2"])
def test_other_databases_are_refused_without_their_password(url: str) -> None:
    """The line names the key and the form, and repeats nothing."""
    with pytest.raises(SettingsError, match=r"^DATABASE_URL: .*sqlite:///") as refused:
        _ = settings(DATABASE_URL=url).database

    assert "hunter2" not in str(refused.value)


def test_unknown_zone_is_refused() -> None:
    """REPORTING_TIMEZONE is the name of a zone."""
    assert settings(REPORTING_TIMEZONE="Asia/Kolkata").zone(zone_names()).key == "Asia/Kolkata"
    with pytest.raises(SettingsError, match="REPORTING_TIMEZONE: 'Mars/Base'"):
        settings(REPORTING_TIMEZONE="Mars/Base").zone(zone_names())


def test_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    """In development a key appears beside the data, mode 0600, and stays."""
    mine = settings(DATA_DIR=str(tmp_path / "data"))

    first = mine.key()

    assert mine.key() == first
    assert len(first) >= 32
    (file,) = (tmp_path / "data").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def test_given_key_leaves_no_file(tmp_path: Path) -> None:
    """An operator's key is used as it is."""
    given = settings(DATA_DIR=str(tmp_path), PSEUDONYM_KEY="k" * 32)

    assert given.key() == b"k" * 32
    assert list(tmp_path.iterdir()) == []


def test_short_or_missing_key_is_refused(tmp_path: Path) -> None:
    """A weak key, or a key file that is not there, is not replaced by one of our own."""
    for environ in (
        {"PSEUDONYM_KEY": "short"},
        {"PSEUDONYM_KEY_FILE": str(tmp_path / "missing")},
    ):
        with pytest.raises(SettingsError, match="PSEUDONYM_KEY: "):
            settings(DATA_DIR=str(tmp_path), **environ).key()


def test_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """DATA_DIR below a file cannot be made."""
    (tmp_path / "file").touch()

    with pytest.raises(SettingsError, match="DATA_DIR: "):
        settings(DATA_DIR=str(tmp_path / "file" / "data")).key()


def test_half_a_key_is_never_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full while the key is written leaves nothing, and the next try makes one."""

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as away:
        away.setattr(os, "fsync", full)
        with pytest.raises(FolderClosed, match=r"^DATA_DIR: .*No space left"):
            settings(DATA_DIR=str(tmp_path)).key()
    assert list(tmp_path.iterdir()) == []

    assert len(settings(DATA_DIR=str(tmp_path)).key()) >= 32
