"""Read the environment once, into one frozen struct (design: Settings)."""

import errno
import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path
from zoneinfo import ZoneInfo

from mosaiclife_plugin_sdk import FrameSettings, Secret, SettingsError
from plugin_analytics.errors import FolderClosed

KEY_CHARACTERS = 32
ROOM_BYTES = 1024 * 1024  # enough to open a database, and to take a delivery
_MAY_RECOVER = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EIO}
_SQLITE = "sqlite:///"
_DATABASE = "plugin.db"
_KEY_FILE = "pseudonym.key"


class Settings(FrameSettings, frozen=True, kw_only=True):
    """What the frame wants to know, and what only this plugin does."""

    data_dir: Path = Path("data")
    database_url: Secret = Secret()
    pseudonym_key: Secret = Secret()
    reporting_timezone: str = "UTC"

    @property
    def database(self) -> Path:
        """Return the file of the embedded database."""
        url = self.database_url.value
        if url is None:
            return self.data_dir / _DATABASE
        if not url.startswith(_SQLITE) or url == _SQLITE:
            # The value may hold a password: it is not repeated.
            raise SettingsError("DATABASE_URL: is not of the form sqlite:///<path>")
        return Path(url.removeprefix(_SQLITE))

    def check_folder(self) -> None:
        """Refuse a folder for the database in which nothing of use can be written.

        A disk that is full or read-only may recover: that is `FolderClosed`. A path that leads
        nowhere will not.
        """
        key = "DATA_DIR" if self.database_url.value is None else "DATABASE_URL"
        folder = self.database.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # Asking for the permission would not see a file system that is mounted read-only.
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(bytes(ROOM_BYTES))
        except OSError as error:
            raise _closed(key, error) from error

    def zone(self, names: frozenset[str]) -> ZoneInfo:
        """Return the zone whose days reports count, one of *names*."""
        if self.reporting_timezone not in names:
            raise SettingsError(
                f"REPORTING_TIMEZONE: {self.reporting_timezone!r} is not an IANA time zone"
            )
        return ZoneInfo(self.reporting_timezone)

    def key(self) -> bytes:
        """Return the pseudonym key; without one, make one beside the data and keep it."""
        given = self.pseudonym_key.value
        if given is None and not self.pseudonym_key.is_file:
            given = _kept_key(self.data_dir / _KEY_FILE)
        if given is None or len(given) < KEY_CHARACTERS:
            raise SettingsError(
                f"PSEUDONYM_KEY: is not a word of at least {KEY_CHARACTERS} characters"
            )
        return given.encode()


def _kept_key(file: Path) -> str:
    """Return the key in *file*, made on the first start, for its owner's eyes only."""
    try:
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            _make_key(file)
    except OSError as error:
        raise _closed("DATA_DIR", error) from error
    return _read_key(file)


def _make_key(file: Path) -> None:
    """Keep a new key in *file*, whole or not at all: half a key would be everybody's key."""
    with tempfile.NamedTemporaryFile("w", dir=file.parent, encoding="ascii") as made:
        made.write(secrets.token_urlsafe(32) + "\n")
        made.flush()
        os.fsync(made.fileno())
        with suppress(FileExistsError):  # of a process that started at the same moment
            os.link(made.name, file)


def _closed(key: str, error: OSError) -> FolderClosed | SettingsError:
    """Return what *error* means for the start: to wait, or to end."""
    kind = FolderClosed if error.errno in _MAY_RECOVER else SettingsError
    return kind(f"{key}: cannot be written: {error.strerror}")


def _read_key(file: Path) -> str:
    try:
        return file.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"DATA_DIR: its {file.name} cannot be read") from error
