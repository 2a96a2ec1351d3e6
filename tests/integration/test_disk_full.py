"""A disk that fills while the plugin runs: refused in time, told, and forgotten once there is room.

A real process on a real file system, filled to the last byte by a ballast file or by the plugin
itself. Needs the right to mount.
"""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from mosaiclife_plugin_sdk import SERVICE
from tests.support.events import reader_headers
from tests.support.outages import (
    assert_batches_are_whole,
    assert_nothing_is_lost,
    running,
    senders_of,
    why_red,
)
from tests.support.processes import eventually
from tests.support.senders import TOKEN, Sender, delivering, status, stored, stories
from tests.support.volumes import MIB, Volume, volume


def run_job(url: str) -> httpx.Response:
    headers = reader_headers(TOKEN, SERVICE)
    return httpx.post(f"{url}/v1/jobs/run", headers=headers, json={"name": "rollup.refresh"})


def runs(url: str) -> list[dict[str, Any]]:
    answer = httpx.get(
        f"{url}/v1/jobs/runs?limit=100&scope=instance", headers=reader_headers(TOKEN, SERVICE)
    )
    found: list[dict[str, Any]] = answer.raise_for_status().json()["data"]
    return found


def active(url: str) -> list[dict[str, Any]]:
    return [run for run in runs(url) if run["state"] in {"queued", "running"}]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ext4", "tmpfs"])
def test_full_disk_loses_nothing_and_needs_no_restart(tmp_path: Path, kind: str) -> None:
    """503 at once, red after the grace, reports all the while; with room again all goes on."""
    with volume(tmp_path / "data", kind) as disk, running(tmp_path) as (url, _):
        senders = senders_of(url)
        with delivering(senders):
            eventually(lambda: all(one.acknowledged for one in senders), what="the first events")
            disk.fill()
            eventually(lambda: all(one.put_off > 1 for one in senders), what="a 503 for each")
            eventually(lambda: status(url, "/readyz") == 503, within=5, what="a red probe")

            assert re.search("full|no room", why_red(url))
            assert status(url, "/healthz") == 200
            assert status(url, "/v1/data/overview?period=all") == 200
            assert run_job(url).status_code in {409, 503}
            assert_batches_are_whole(tmp_path, senders)

            before = [len(one.acknowledged) for one in senders]
            disk.free()
            eventually(lambda: status(url, "/readyz") == 200, within=5, what="a green probe")
            eventually(
                lambda: all(
                    len(one.acknowledged) > count
                    for one, count in zip(senders, before, strict=True)
                ),
                what="ingest going on",
            )

        assert_nothing_is_lost(url, tmp_path, senders)
        assert {(run["error"] or "")[:16] for run in runs(url)} <= {"", "StoreUnavailable"}
        eventually(lambda: not active(url), what="the end of every run")


def grown(disk: Volume) -> None:
    disk.remount(f"size={128 * MIB}")


@pytest.mark.slow
def test_disk_that_the_plugin_fills_itself_is_red_until_there_is_room(tmp_path: Path) -> None:
    """What is left for small writes makes no green probe; a larger volume does."""
    with volume(tmp_path / "data", "tmpfs", size=10 * MIB) as disk, running(tmp_path) as (url, _):
        senders = senders_of(url)
        with delivering(senders):
            eventually(lambda: any(one.put_off > 1 for one in senders), what="a full disk")
            eventually(lambda: status(url, "/readyz") == 503, within=5, what="a red probe")
            seen = [status(url, "/readyz") for _ in range(50)]
            assert_batches_are_whole(tmp_path, senders)
            grown(disk)
            eventually(lambda: status(url, "/readyz") == 200, within=5, what="a green probe")

        assert set(seen) == {503}
        assert_nothing_is_lost(url, tmp_path, senders)


@pytest.mark.parametrize(
    "written",
    [pytest.param(False, id="empty"), pytest.param(True, id="written", marks=pytest.mark.slow)],
)
def test_start_on_a_full_disk_is_waited_out(tmp_path: Path, written: bool) -> None:
    """Up and red; what comes is put off; with room the same process opens its database."""
    with volume(tmp_path / "data", "ext4") as disk:
        senders: list[Sender] = []
        if written:
            with running(tmp_path) as (url, _):
                senders = senders_of(url)
                with delivering(senders):
                    eventually(lambda: all(one.acknowledged for one in senders))
        disk.fill()
        with running(tmp_path) as (url, _):
            fresh = senders_of(url)
            for one in [*senders, *fresh]:
                one.url = url
            for n, one in enumerate(fresh):
                one.name = f"later{n}"
            with delivering(fresh):
                eventually(lambda: all(one.put_off for one in fresh), what="a 503 for each")
                assert "No space left" in why_red(url)
                assert status(url, "/v1/data/overview") == 503
                disk.free()
                eventually(lambda: status(url, "/readyz") == 200, what="a green probe")
                eventually(lambda: all(one.acknowledged for one in fresh), what="ingest")
            both = [*senders, *fresh]
            everything = {each for one in both for each in one.acknowledged}
            eventually(lambda: stories(url) >= len(everything), what="counting everything")
        held = stored(tmp_path)
        assert not [each for each in everything if held[each] != 1]
