"""Forgetting over the real API: who may ask, what is answered, and that a kill -9 breaks no promise."""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar.testing import TestClient

from mosaiclife_plugin_sdk import SERVICE, UserContext
from plugin_analytics.app import build
from plugin_analytics.model.pseudonyms import Pseudonyms
from tests.integration.test_backend_app import (
    MEMBER,
    STEWARD,
    TOKEN,
    House,
    environment,
)
from tests.support import senders
from tests.support.events import (
    TENANT,
    body_of,
    delivery_headers,
    event,
    reaction,
    reader_headers,
    story,
)
from tests.support.processes import ServerProcess, eventually, free_port

CANARY = "canary-person"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Run the whole plugin in this process."""
    app, _ = build(environment(tmp_path))
    with TestClient(app) as client:
        yield House(client)


def call(
    house: House, method: str, path: str, viewer: UserContext | None = STEWARD, tenant: str = TENANT
) -> httpx.Response:
    headers = (
        {"Authorization": f"Bearer {TOKEN}", "X-Tenant-ID": tenant}
        if viewer is None
        else reader_headers(TOKEN, viewer, tenant)
    )
    return house.client.request(method, f"/v1/data{path}", headers=headers)


def receipts(house: House) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = call(house, "GET", "/erasures").json()["data"]
    return found


def finished(house: House, number: int) -> list[dict[str, Any]] | None:
    found = receipts(house)
    done = [each for each in found if each["state"] == "done"]
    return found if len(done) == number == len(found) else None


def test_a_person_sees_and_takes_back_what_is_held(house: House) -> None:
    """`GET /data/me` counts it, `DELETE` answers 202 with a receipt, and soon nothing is left."""
    house.deliver([story("s1", "l1", by="user:ben"), reaction("s1", "l1", by="user:ben")])
    seen = call(house, "GET", "/me", MEMBER)
    again = house.client.get(
        "/v1/data/me",
        headers={**reader_headers(TOKEN, MEMBER), "If-None-Match": seen.headers["ETag"]},
    )
    asked = call(house, "DELETE", "/me", MEMBER)
    eventually(lambda: finished(house, 1), what="forgetting")
    after = call(house, "GET", "/me", MEMBER).json()["data"]

    assert seen.json()["data"]["events"] == {"story.created": 1, "story_reaction.toggled": 1}
    assert again.status_code == 304
    assert asked.status_code == 202
    assert asked.json()["data"] == {
        "receiptId": asked.json()["data"]["receiptId"],
        "state": "pending",
    }
    assert after["events"] == {}
    assert [each["id"] for each in after["receipts"]] == [asked.json()["data"]["receiptId"]]
    assert house.metrics() == {"stories": 1}


@pytest.mark.parametrize(
    ("method", "path", "viewer", "status", "code"),
    [
        ("GET", "/me", SERVICE, 403, "PERMISSION_DENIED"),
        ("DELETE", "/me", SERVICE, 403, "PERMISSION_DENIED"),
        ("GET", "/me", UserContext(operator=True), 400, "INVALID_FORMAT"),
        ("GET", "/me", None, 403, "PERMISSION_DENIED"),
        ("DELETE", "/me", None, 403, "PERMISSION_DENIED"),
        ("GET", "/me?x=1", MEMBER, 422, "VALIDATION_FAILED"),
        ("DELETE", "/me?x=1", MEMBER, 422, "VALIDATION_FAILED"),
        ("DELETE", "", MEMBER, 403, "PERMISSION_DENIED"),
        ("DELETE", "", STEWARD, 422, "VALIDATION_FAILED"),
        ("DELETE", "?confirm=other", STEWARD, 422, "VALIDATION_FAILED"),
        ("DELETE", f"?confirm={TENANT}&confirm={TENANT}", STEWARD, 422, "VALIDATION_FAILED"),
        ("GET", "/erasures", MEMBER, 403, "PERMISSION_DENIED"),
        ("GET", "/erasures?limit=0", STEWARD, 422, "VALIDATION_FAILED"),
        ("GET", "/erasures?cursor=AAAA", STEWARD, 400, "INVALID_FORMAT"),
    ],
)
def test_whoever_may_not_or_asks_wrongly_is_refused(  # one column for each
    house: House, method: str, path: str, viewer: UserContext | None, status: int, code: str
) -> None:
    """And nothing is asked for by it."""
    answer = call(house, method, path, viewer)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert receipts(house) == []


def test_a_tenant_is_emptied_by_who_says_its_name(house: House) -> None:
    """The steward and the service may; afterwards nothing is left but the receipt, and it counts anew."""
    house.deliver([story("s1", "l1"), story("s2", "l2", by="user:ben")])
    asked = call(house, "DELETE", f"?confirm={TENANT}", SERVICE)
    eventually(lambda: finished(house, 1), what="emptying")
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
    house.deliver([story("s3", "l1", at=now)])

    assert asked.status_code == 202
    assert house.metrics("") == {"stories": 1, "storytellers": 1}


def test_receipts_are_paged(house: House) -> None:
    """The newest first, each once, of the own tenant only."""
    for number in range(5):
        house.deliver([event("user.deleted", {"user_id": f"p{number}"})])
    eventually(lambda: finished(house, 5), what="forgetting")
    pages: list[list[str]] = []
    cursor: str | None = ""
    while cursor is not None:
        body = call(house, "GET", f"/erasures?limit=2{cursor}").json()
        pages.append([each["id"] for each in body["data"]])
        following = body["meta"]["pagination"]["nextCursor"]
        cursor = following and f"&cursor={following}"

    assert [len(page) for page in pages] == [2, 2, 1]
    assert len({each for page in pages for each in page}) == 5
    assert call(house, "GET", "/erasures", tenant="other").json()["data"] == []


def test_no_log_line_names_who_is_forgotten(
    house: House, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither as core calls them nor by their pseudonym; the queue is told in the metrics."""
    house.deliver(
        [story("s1", "l1", by=f"user:{CANARY}"), event("user.deleted", {"user_id": CANARY})]
    )
    eventually(lambda: finished(house, 1), what="forgetting")
    empty = 'plugin_queue_depth{queue="erasure"} 0.0'
    # The job looks at what is left once the last wish is done.
    eventually(lambda: empty in house.client.get("/metrics").text, what="an empty queue")
    metrics = house.client.get("/metrics").text
    out = "".join(capfd.readouterr())
    pseudonym = Pseudonyms(b"k" * 32)(TENANT, f"user:{CANARY}").hex()

    for text in (out, metrics):
        assert CANARY not in text
        assert pseudonym not in text


def test_what_was_acknowledged_is_forgotten_after_a_kill(tmp_path: Path) -> None:
    """Kill -9 between the answer and the job: the next process keeps the promise."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = ServerProcess(
        "plugin_analytics", senders.environment(tmp_path, port), tmp_path / "log"
    )
    process.start()
    eventually(lambda: senders.alive(url), what="the process answering")
    told = [story(f"s{n}", "l1", by=f"user:p{n % 2}") for n in range(200)]
    gone = event("user.deleted", {"user_id": "p0"})
    for body in (body_of(told), body_of([gone])):
        headers = delivery_headers(senders.TOKEN, senders.SECRET, body)
        answer = httpx.post(f"{url}/v1/webhooks/ingest", content=body, headers=headers)
        assert answer.status_code == 200
    process.kill()
    waiting = open_wishes(tmp_path)

    process.start()
    try:
        eventually(lambda: not open_wishes(tmp_path), within=20, what="keeping the promise")
        eventually(lambda: senders.stories(url) == 100, within=20, what="counting the rest")
    finally:
        process.stop()
    print(f"{waiting} wishes were open when the process was killed")


def open_wishes(folder: Path) -> int:
    (file,) = folder.rglob("plugin.db")
    with sqlite3.connect(file) as connection:
        query = "SELECT COUNT(*) FROM erasure WHERE finished_at IS NULL"
        return int(connection.execute(query).fetchone()[0])
