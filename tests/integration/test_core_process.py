"""The core as a process: what it prints, streams and leaves behind."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from typing import Any

import httpx
import pytest

from tests.support.bare_plugin import BarePlugin
from tests.support.cores import SECRET, wait_for
from tests.support.processes import ServerProcess, eventually, free_port


def environment(port: int, plugin: BarePlugin, **changes: str) -> dict[str, str]:
    entry = {"tokens": [plugin.token], "webhookSecrets": [SECRET], "urls": [plugin.url]}
    return {
        "CORE_PORT": str(port),
        "CORE_PLUGINS": json.dumps({plugin.name: entry}),
        "CORE_FEED": "off",
        **changes,
    }


@pytest.fixture
def plugin() -> Iterator[BarePlugin]:
    with BarePlugin() as plugin:
        yield plugin


@pytest.fixture
def process(plugin: BarePlugin, tmp_path: Path) -> Iterator[tuple[ServerProcess, httpx.Client]]:
    port = free_port()
    process = ServerProcess("mosaiclife_devcore", environment(port, plugin), tmp_path / "core.log")
    process.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=5) as client:
            eventually(lambda: answers(client), what="the core's start")
            yield process, client
            # The streams end before their client closes.
            process.stop()
    finally:
        process.kill()


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/api/session").is_success
    except httpx.TransportError:
        return False


PAGES_STREAM = "/api/events/stream"


def listen(client: httpx.Client, path: str, headers: dict[str, str] | None = None) -> Queue[Any]:
    """Follow a stream in a thread; its messages arrive in the queue, and None at its end."""
    queue: Queue[Any] = Queue()

    def follow() -> None:
        with client.stream("GET", path, headers=headers, timeout=30) as stream:
            for line in stream.iter_lines():
                if line.startswith(":"):
                    queue.put(line)
                if line.startswith("data: "):
                    queue.put(json.loads(line.removeprefix("data: ")))
        queue.put(None)

    threading.Thread(target=follow, daemon=True).start()
    assert queue.get(timeout=5) == ": open"
    if path == PAGES_STREAM:
        assert queue.get(timeout=5) == {"type": "core.heartbeat", "seconds": 15.0}
    return queue


def test_a_page_hears_of_plugins_and_of_events(
    process: tuple[ServerProcess, httpx.Client], plugin: BarePlugin
) -> None:
    """A registration and a published event reach an open page; a topic reaches its subscriber."""
    _, client = process
    page = listen(client, PAGES_STREAM)
    plugin.register(client).raise_for_status()
    assert page.get(timeout=5) == {"type": "plugin.changed", "id": "bare"}
    wait_for(client, plugin, "Ready")

    token = {"authorization": f"Bearer {plugin.token}"}
    subscriber = listen(client, "/api/plugins/-/events/bare.said", token)
    for topic in ("bare.other", "bare.said"):
        event = {"topic": topic, "payload": {"a": 1}}
        client.post("/api/plugins/-/events", json=event, headers=token).raise_for_status()

    assert subscriber.get(timeout=5) == {"type": "bare.said", "payload": {"a": 1}}
    heard = iter(lambda: page.get(timeout=5)["type"], "bare.said")
    assert "bare.other" in list(heard)


def test_a_signal_ends_open_streams_and_leaves_with_zero(
    process: tuple[ServerProcess, httpx.Client],
) -> None:
    """SIGTERM stops a core with an open page at once, and is no failure."""
    server, client = process
    page = listen(client, PAGES_STREAM)

    assert server.stop(within=4) == 0
    assert page.get(timeout=5) is None


def test_neither_tokens_nor_secrets_are_logged(
    process: tuple[ServerProcess, httpx.Client], plugin: BarePlugin
) -> None:
    """The log tells of a registration, in JSON, and holds nothing that opens a door."""
    server, client = process
    plugin.register(client).raise_for_status()
    wait_for(client, plugin, "Ready")
    server.stop()

    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    assert "plugin_ready" in {line["msg"] for line in lines}
    assert plugin.token not in server.log.read_text()
    assert SECRET not in server.log.read_text()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("CORE_PORT", "http"),
        ("CORE_FEED", "maybe"),
        ("LOG_LEVEL", "loud"),
        ("CORE_PLUGINS", "{"),
        ("CORE_PLUGINS", '{"register": {"tokens": ["x"]}}'),
        ("CORE_PLUGIN_SCHEMA", "no/such/file.json"),
    ],
)
def test_a_bad_setting_is_one_line_and_exit_code_two(
    plugin: BarePlugin, tmp_path: Path, key: str, value: str
) -> None:
    """The line names the variable, so that nobody reads a traceback."""
    bad = environment(free_port(), plugin, **{key: value})
    process = ServerProcess("mosaiclife_devcore", bad, tmp_path / "core.log")
    process.start()
    try:
        eventually(lambda: not process.running, what="the end of the process")
    finally:
        code = process.kill()

    [line] = process.log.read_text().splitlines()
    assert key in line
    assert code == 2
