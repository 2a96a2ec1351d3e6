"""Keep and put back copies of the data from the command line: `python -m plugin_analytics backup`.

Exit codes: 0 when it is done, 2 with one line when it is not, and then nothing has changed.
"""

import sqlite3
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mosaiclife_plugin_sdk import ManifestError, SettingsError, find_manifest, load_manifest
from mosaiclife_plugin_sdk.frame import read_settings
from plugin_analytics.app import back_up, restore
from plugin_analytics.errors import FolderClosed
from plugin_analytics.settings import Settings

FAILED = 2
USAGE = (
    "usage: python -m plugin_analytics [backup [FILE] | restore FILE [--force]];"
    " without a command it serves"
)


def run(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Do what *arguments* ask for; return the exit code."""
    try:
        print(_command(arguments)(_settings(environ)))  # noqa: T201  # what the caller waits for
    except (SettingsError, ManifestError, FolderClosed) as error:
        return _fail(str(error))
    except (OSError, sqlite3.Error) as error:
        return _fail(f"{arguments[0]}: {error}")
    return 0


def _command(arguments: Sequence[str]) -> Callable[[Settings], str]:
    """Return what the arguments mean."""
    match arguments:
        case ["backup"]:
            return lambda settings: _backup(settings, None)
        case ["backup", file] if not file.startswith("-"):
            return lambda settings: _backup(settings, Path(file))
        case ["restore", file] if not file.startswith("-"):
            return lambda settings: _restore(settings, Path(file), force=False)
        case ["restore", file, "--force"] | ["restore", "--force", file]:
            return lambda settings: _restore(settings, Path(file), force=True)
        case _:
            raise SettingsError(USAGE)


def _backup(settings: Settings, file: Path | None) -> str:
    made = back_up(settings, file)
    return f"{made}: {made.stat().st_size} bytes; the pseudonym key is not in it, keep that apart"


def _restore(settings: Settings, file: Path, *, force: bool) -> str:
    before = restore(settings, file, force=force)
    kept = f"; what was there before is {before.name}" if before.exists() else ""
    return f"{settings.database}: restored from {file.name}{kept}"


def _settings(environ: Mapping[str, str]) -> Settings:
    return read_settings(Settings, load_manifest(find_manifest(environ)), environ)


def _fail(words: str) -> int:
    sys.stderr.write(" ".join(words.split()) + "\n")
    return FAILED
