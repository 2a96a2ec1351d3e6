"""The bundle in memory: whole or not at all, two versions kept."""

import hashlib
import os
from pathlib import Path

import pytest

from mosaiclife_plugin_sdk import CheckFailed
from mosaiclife_plugin_sdk.frame.remote import Bundle, read_snapshot
from tests.support.bundles import write_bundle


def version(entry: str) -> str:
    return hashlib.sha256(entry.encode()).hexdigest()[:16]


def test_whole_bundle_is_taken_over(tmp_path: Path) -> None:
    """A folder whose files are what integrity.json says becomes the present version."""
    write_bundle(tmp_path, "entry", chunk="x")
    bundle = Bundle(tmp_path)
    bundle.refresh()

    assert bundle.current is not None
    assert bundle.current.hash == version("entry")
    assert set(bundle.current.files) == {"remoteEntry.js", "chunk.js", "integrity.json"}


def test_half_written_build_keeps_the_version_before(tmp_path: Path) -> None:
    """While a build writes, the old version is served; when it is whole, the new one."""
    changes: list[str] = []
    bundle = Bundle(tmp_path, on_change=lambda: changes.append("changed"))
    write_bundle(tmp_path, "one", chunk="x")
    bundle.refresh()

    (tmp_path / "remoteEntry.js").write_text("two")
    bundle.refresh()
    assert bundle.current is not None
    assert bundle.current.hash == version("one")

    write_bundle(tmp_path, "two", chunk="y")
    bundle.refresh()
    assert bundle.current.hash == version("two")
    assert changes == ["changed", "changed"]


def test_two_versions_are_kept(tmp_path: Path) -> None:
    """An open tab finds the chunks of the version before the present one, not older ones."""
    bundle = Bundle(tmp_path)
    for entry in ("one", "two", "three"):
        write_bundle(tmp_path, entry)
        bundle.refresh()

    assert bundle.find(version("three")) is bundle.current
    assert bundle.find(version("two")) is not None
    assert bundle.find(version("one")) is None


def test_same_bundle_written_again_changes_nothing(tmp_path: Path) -> None:
    """A rebuild with the same bytes is no new version."""
    changes: list[str] = []
    bundle = Bundle(tmp_path, on_change=lambda: changes.append("changed"))
    for _ in range(2):
        write_bundle(tmp_path, "one")
        os.utime(tmp_path / "remoteEntry.js")
        bundle.refresh()

    assert changes == ["changed"]


@pytest.mark.parametrize("promise", ["{}", "[]", "not json", '{"remoteEntry.js": "sha384-x"}'])
def test_folder_without_a_good_promise_is_no_bundle(tmp_path: Path, promise: str) -> None:
    """Without an integrity.json that holds, nothing is served."""
    write_bundle(tmp_path, "entry")
    (tmp_path / "integrity.json").write_text(promise)

    assert read_snapshot(tmp_path) is None


def test_promise_cannot_reach_outside_the_folder(tmp_path: Path) -> None:
    """A name with dots in integrity.json reads no file of the machine."""
    secret = tmp_path / "secret"
    secret.write_text("hush")
    write_bundle(tmp_path / "dist", "entry", **{"../secret": "hush"})

    assert read_snapshot(tmp_path / "dist") is None


@pytest.mark.anyio
async def test_missing_bundle_is_a_red_check(tmp_path: Path) -> None:
    """Readiness says what to do when there is no bundle, and is content when there is one."""
    bundle = Bundle(tmp_path)
    with pytest.raises(CheckFailed, match="build the UI"):
        await bundle.check()

    write_bundle(tmp_path)
    bundle.refresh()
    await bundle.check()
