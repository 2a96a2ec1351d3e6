"""Requests that two readers could read differently, against the shipped command (design §4).

The cases were written for a server that answers 200 at `/`. The plugin has nothing there, so a
request that is well formed proves itself by any answer of the plugin's own: the routes' 404, and
never 400.
"""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.processes import ServerProcess, eventually, free_port

FILE = "http1-raw.json"
ROOT = Path(__file__).parents[2]
WELL_FORMED = {200, 404}

pytestmark = pytest.mark.skipif(
    not os.environ.get("PLUGIN_VECTORS"), reason="PLUGIN_VECTORS names no folder of vectors"
)


def vectors() -> list[dict[str, Any]]:
    folder = os.environ.get("PLUGIN_VECTORS", "")
    path = Path(folder) / FILE
    if not folder or not path.is_file():
        return []
    known: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["vectors"]
    return known


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Run `python -m plugin_analytics` and give its port."""
    folder, port = tmp_path_factory.mktemp("plugin"), free_port()
    environment = {
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "SELF_REGISTER": "false",
        "REG_TOKEN": "secret-token-1",
        "PLUGIN_MANIFEST": str(ROOT / "plugin.yaml"),
        "DATA_DIR": str(folder / "data"),
        "DRAIN_SECONDS": "0",
        "LOG_LEVEL": "error",
    }
    process = ServerProcess("plugin_analytics", environment, folder / "plugin.log")
    process.start()
    try:
        eventually(lambda: alive(port), what="the plugin's start")
        yield port
    finally:
        process.stop()


def alive(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=2).is_success
    except httpx.TransportError:
        return False


def exchange(port: int, raw: bytes) -> tuple[int | None, bool]:
    """Send *raw*; return the first answer's status, and whether the server hung up after it."""
    answer, closed = b"", False
    with socket.create_connection(("127.0.0.1", port), timeout=1) as peer:
        try:
            peer.sendall(raw)
            while chunk := peer.recv(65536):
                answer += chunk
                if b"\r\n\r\n" in answer:
                    peer.settimeout(0.3)
            closed = True
        except TimeoutError:
            pass  # it waits for more: the connection is open
        except ConnectionError:
            closed = True
    status = int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else None
    return status, closed


def test_the_vectors_are_there() -> None:
    """The file that this layer reads holds what it held when the layer was written."""
    assert len(vectors()) == 54


@pytest.mark.parametrize("vector", vectors(), ids=[vector["id"] for vector in vectors()])
def test_raw_request_is_judged_as_http_says(port: int, vector: dict[str, Any]) -> None:
    """Doubt is 400 or, where the case allows it, a closed connection; clear requests are served."""
    raw = vector["req"].replace("{ctx.HostHeader}", f"127.0.0.1:{port}").encode("latin-1")
    status, closed = exchange(port, raw)

    if vector["want"] == 400:
        assert status == 400 or (vector["close"] and closed and status is None), (status, closed)
    else:
        assert status in WELL_FORMED, (status, closed)
    assert alive(port)
