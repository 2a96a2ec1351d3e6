"""A plugin that runs and has done what plugins do, so that its metrics say something."""

from collections.abc import Iterator

import httpx
import pytest

from mosaiclife_plugin_sdk import SERVICE
from tests.support.chart import MANIFEST
from tests.support.events import body_of, delivery_headers, reader_headers, story
from tests.support.processes import ServerProcess, eventually, free_port
from tests.support.senders import SECRET, TOKEN, alive, environment, stories


@pytest.fixture(scope="session")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a process, let it do what plugins do, and return where it is."""
    folder, port = tmp_path_factory.mktemp("plugin"), free_port()
    process = ServerProcess(MANIFEST.container, environment(folder, port), folder / "log")
    process.start()
    url = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: alive(url), within=60, what="the start")
        use(url)
        eventually(lambda: "rollup.refresh" in shown(url), within=60, what="a run of a job")
        yield url
    finally:
        process.stop()


def use(url: str) -> None:
    """Deliver, be refused, read a report, run a job, and let a call take too long."""
    service = reader_headers(TOKEN, SERVICE)
    body = body_of([story(f"s{n}", "l1") for n in range(5)])
    ingest = f"{url}/v1/webhooks/ingest"
    assert httpx.post(ingest, content=body).status_code == 401
    signed = delivery_headers(TOKEN, SECRET, body)
    assert httpx.post(ingest, content=body, headers=signed).status_code == 200
    eventually(lambda: stories(url) == 5, within=60, what="the count")
    assert httpx.get(f"{url}/manifest").status_code == 200
    wanted = {"name": "rollup.verify"}
    assert httpx.post(f"{url}/v1/jobs/run", json=wanted, headers=service).status_code == 202
    hurried = {**service, "X-Request-Timeout-Ms": "1"}
    report = f"{url}/v1/data/overview?period=all"
    eventually(lambda: httpx.get(report, headers=hurried).status_code == 504, what="a timeout")


def shown(url: str) -> str:
    return httpx.get(f"{url}/metrics").raise_for_status().text
