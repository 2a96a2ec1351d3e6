"""A clock that leaps under the running plugin, and back: nothing is lost, nothing stands still.

A real process whose clock `libfaketime` reads from a file; its monotonic time is left alone, as an
operator's wrong hand on the clock leaves it.
"""

import json
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from mosaiclife_plugin_sdk import SERVICE
from tests.support.events import body_of, delivery_headers, reader_headers, story
from tests.support.outages import running, senders_of
from tests.support.processes import ServerProcess, eventually
from tests.support.senders import SECRET, TOKEN, delivering, status, stored, stories

HOURS, DAYS = timedelta(hours=2), timedelta(days=400)
SERVICE_HEADERS = reader_headers(TOKEN, SERVICE)


def library() -> str:
    """Return the path of the library that moves a process's clock."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    if not found:
        pytest.skip("no libfaketime on this machine (Debian: faketime)")
    return str(found[0])


class Hands:
    """What moves the clock of a process."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self.put(timedelta())
        self.environment = {
            "LD_PRELOAD": library(),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def put(self, by: timedelta) -> None:
        """Let the clock go wrong by *by*, from now on."""
        made = self._file.with_suffix(".new")
        made.write_text(f"{by.total_seconds():+.0f}\n")
        made.replace(self._file)


def deliver(url: str, event_id: str, happened: datetime, by: timedelta) -> httpx.Response:
    """Deliver one story, signed by a core whose clock is wrong by *by*."""
    body = body_of([story(event_id, "l1", id=event_id, at=happened.isoformat())])
    moment = int(time.time() + by.total_seconds())
    headers = delivery_headers(TOKEN, SECRET, body, timestamp=moment)
    return httpx.post(f"{url}/v1/webhooks/ingest", content=body, headers=headers)


def leaps_told(process: ServerProcess) -> int:
    return process.log.read_text().count("the clock has leapt")


def slowest_sign_of_life(url: str, seconds: float) -> float:
    """Ask for life for a while; return the longest that an answer took."""
    longest, end = 0.0, time.monotonic() + seconds
    while time.monotonic() < end:
        asked = time.monotonic()
        assert status(url, "/healthz") == 200
        longest = max(longest, time.monotonic() - asked)
        time.sleep(0.05)
    return longest


def scheduled(url: str) -> list[dict[str, Any]]:
    answer = httpx.get(
        f"{url}/v1/jobs/runs?limit=100&scope=instance", headers=SERVICE_HEADERS
    ).raise_for_status()
    return [run for run in answer.json()["data"] if run["trigger"] == "schedule"]


def run_retry(url: str) -> None:
    """Start the job that judges again, and wait for its end."""
    asked = httpx.post(
        f"{url}/v1/jobs/run", headers=SERVICE_HEADERS, json={"name": "quarantine.retry"}
    )
    where = url + asked.raise_for_status().headers["Location"]
    ended: Callable[[], bool] = lambda: (  # noqa: E731
        httpx.get(where, headers=SERVICE_HEADERS).json()["data"]["state"] == "succeeded"
    )
    eventually(ended, what="the end of the retry")


@pytest.mark.slow
@pytest.mark.timeout(200)
@pytest.mark.parametrize(
    ("by", "verdict"),
    [(HOURS, None), (-HOURS, "IN_FUTURE"), (DAYS, "TOO_OLD"), (-DAYS, "IN_FUTURE")],
    ids=["2 h ahead", "2 h behind", "400 d ahead", "400 d behind"],
)
def test_leap_and_back_loses_nothing(tmp_path: Path, by: timedelta, verdict: str | None) -> None:
    """Wrong times are refused or set aside, and taken once the clock is right; jobs go on."""
    hands, now = Hands(tmp_path), datetime.now(UTC)
    with running(tmp_path, **hands.environment) as (url, process):
        senders = senders_of(url)
        with delivering(senders):
            eventually(lambda: all(one.acknowledged for one in senders), what="the first events")
        eventually(lambda: stories(url) > 0, what="counting")

        hands.put(by)
        assert slowest_sign_of_life(url, 5) < 4
        assert deliver(url, "honest", now, timedelta()).status_code == 401
        wrong = deliver(url, "wrong", now - timedelta(days=1 if by > HOURS else 0), by)
        results = wrong.raise_for_status().json()["data"]["results"]
        assert [result["code"] for result in results] == ([verdict] if verdict else [])
        assert status(url, "/readyz") == 200
        eventually(lambda: leaps_told(process) == 1, within=30, what="the leap being told")
        run_retry(url)
        fires = len(scheduled(url))

        hands.put(timedelta())
        eventually(lambda: leaps_told(process) == 2, within=30, what="the way back being told")
        assert deliver(url, "honest", now, timedelta()).status_code == 200
        run_retry(url)
        for one in senders:
            one.enough.clear()
        with delivering(senders):
            time.sleep(1)
        eventually(lambda: len(scheduled(url)) > fires, within=70, every=1, what="the next fire")

        everything = Counter(each for one in senders for each in one.acknowledged)
        everything.update(["wrong", "honest"])
        eventually(lambda: stories(url) == len(everything), what="counting everything")
        assert len(scheduled(url)) < 10
        assert [one.refused for one in senders] == [[]] * len(senders)
    assert stored(tmp_path) == everything
    assert not [line for line in process.log.read_text().splitlines() if is_error(line)]


def is_error(line: str) -> bool:
    """Tell a fault from one of libfaketime's: to a sleep of no time at all it answers EINVAL."""
    return json.loads(line)["level"] == "error" and "time.sleep" not in line
