"""The frame as a process: settings, registration, drain, logs, traces, and raw HTTP."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from mosaiclife_plugin_sdk import SERVICE, encode_user_context
from mosaiclife_plugin_sdk.testing import FakeCore
from tests.support.bundles import write_bundle
from tests.support.processes import CLEAN, eventually, free_port

ROOT = Path(__file__).parents[2]
TOKEN = "secret-token-1"
SIGNED_IN = {
    "Authorization": f"Bearer {TOKEN}",
    "X-Tenant-ID": "family-a",
    "X-User-Context": encode_user_context(SERVICE),
}


def launch(out: Any, **environ: str) -> subprocess.Popen[bytes]:
    """Start the tiny plugin as its own process."""
    kept = {key: os.environ[key] for key in CLEAN if key in os.environ}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.tiny_plugin"],
        cwd=ROOT,
        env={**kept, "PLUGIN_MANIFEST": "plugin.yaml", **environ},
        stdout=out,
        stderr=subprocess.STDOUT,
    )


class Running:
    """A plugin process that is ready."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process = process
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._log = log

    def lines(self) -> list[dict[str, Any]]:
        """Return what it has logged; every line must be JSON."""
        return [json.loads(line) for line in self._log.read_text().splitlines()]

    def status(self, path: str) -> int:
        """Return the status of a GET, 0 when nobody listens."""
        try:
            return httpx.get(self.url + path, headers=SIGNED_IN, timeout=5).status_code
        except httpx.TransportError:
            return 0


@contextmanager
def plugin(folder: Path, **environ: str) -> Iterator[Running]:
    """Run the tiny plugin, with a bundle in *folder*, until the block ends."""
    write_bundle(folder / "dist", "entry")
    port, log = free_port(), folder / "plugin.log"
    base = {
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "SELF_REGISTER": "false",
        "REG_TOKEN": TOKEN,
        "DRAIN_SECONDS": "0.5",
        "UI_BUNDLE_DIR": str(folder / "dist"),
    }
    with log.open("ab") as out:
        process = launch(out, **{**base, **environ})
        running = Running(process, port, log)
        try:
            eventually(lambda: running.status("/readyz") == 200, what="readiness")
            yield running
        finally:
            process.kill()
            process.wait()


def test_term_drains_and_exits_0(tmp_path: Path) -> None:
    """SIGTERM turns readiness red while requests are still taken and finished (design: Stop)."""
    with plugin(tmp_path, DRAIN_SECONDS="1") as running, ThreadPoolExecutor() as pool:
        under_way = pool.submit(running.status, "/v1/slow?seconds=1.5")
        time.sleep(0.3)
        running.process.send_signal(signal.SIGTERM)
        eventually(lambda: running.status("/readyz") == 503, within=1, what="red readiness")

        assert running.status("/healthz") == 200
        assert running.status("/v1/notes") == 200
        assert under_way.result() == 200
        assert running.process.wait(timeout=10) == 0
        assert running.status("/healthz") == 0


def test_term_lets_a_running_job_finish(tmp_path: Path) -> None:
    """A job that runs when SIGTERM comes succeeds before the process exits with 0."""
    with plugin(tmp_path, DRAIN_SECONDS="0.2") as running:
        started = httpx.post(
            f"{running.url}/v1/jobs/run", json={"name": "linger"}, headers=SIGNED_IN
        )
        assert started.status_code == 202
        running.process.send_signal(signal.SIGTERM)

        assert running.process.wait(timeout=10) == 0
        finished = [line for line in running.lines() if line["msg"] == "job finished"]
        assert [(line["job"], line["state"]) for line in finished] == [("linger", "succeeded")]


def test_second_signal_ends_at_once(tmp_path: Path) -> None:
    """Whoever asks twice does not wait for the drain."""
    with plugin(tmp_path, DRAIN_SECONDS="30") as running:
        running.process.send_signal(signal.SIGTERM)
        eventually(lambda: running.status("/readyz") == 503, within=5, what="red readiness")
        running.process.send_signal(signal.SIGTERM)

        assert running.process.wait(timeout=3) == 128 + signal.SIGTERM


@pytest.mark.parametrize(
    ("environ", "line"),
    [
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL: 'loud' is not one of debug, info, warn, error"),
        ({"PORT": "x"}, "PORT: 'x' is not a whole number of at least 0 and of at most 65535"),
    ],
    ids=["level", "port"],
)
def test_bad_setting_is_exit_2_with_one_line(environ: Mapping[str, str], line: str) -> None:
    """A bad environment stops the start, and the one line says what to do (design §4)."""
    process = launch(subprocess.PIPE, SELF_REGISTER="false", **environ)
    output, _ = process.communicate(timeout=30)

    assert process.returncode == 2
    assert output.decode() == line + "\n"


def test_log_lines_are_json_with_the_specified_fields(tmp_path: Path) -> None:
    """Each line has the seven fields, carries the caller's trace, and shows no secret (spec §8.5)."""
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    with plugin(tmp_path, LOG_LEVEL="debug") as running:
        headers = {**SIGNED_IN, "traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
        httpx.get(running.url + "/v1/broken", headers=headers)
        # The access line follows the answer.
        eventually(lambda: [line for line in running.lines() if line.get("path") == "/v1/broken"])
        lines = running.lines()

    fields = ["timestamp", "level", "plugin.name", "plugin.version", "trace_id", "span_id", "msg"]
    assert all(list(line)[:7] == fields for line in lines)
    ours = [line for line in lines if line["trace_id"] == trace]
    assert {"request", "request failed"} <= {line["msg"] for line in ours}
    assert len({line["span_id"] for line in ours}) == 1
    assert TOKEN not in json.dumps(lines)


def test_plugin_waits_for_core_and_registers(tmp_path: Path) -> None:
    """The plugin is ready without core, and registered once core is there (spec §10)."""
    with plugin(tmp_path, SELF_REGISTER="true", CORE_BASE_URL=f"http://127.0.0.1:{free_port()}"):
        pass  # ready although nobody answers at CORE_BASE_URL

    with FakeCore(token=TOKEN) as core:
        environ = {"SELF_REGISTER": "true", "CORE_BASE_URL": core.url}
        with plugin(tmp_path, **environ, PLUGIN_PUBLIC_URL="http://plugin.test:7001") as running:
            body = core.wait_for(lambda fake: fake.registrations)[0]
            eventually(lambda: 'state="Ready"} 1.0' in httpx.get(running.url + "/metrics").text)
            entry = httpx.get(running.url + "/mf/remoteEntry.js")
            version = body["ui"]["remoteUrl"].split("/")[-2]
            hashed = httpx.get(f"{running.url}/mf/{version}/remoteEntry.js")

    assert body["manifest"]["name"] == "tiny"
    assert body["serviceUrl"] == "http://plugin.test:7001"
    assert body["ui"]["remoteUrl"] == f"http://plugin.test:7001/mf/{version}/remoteEntry.js"
    assert body["ui"]["integrity"].startswith("sha384-")
    assert set(body["sdk"]) == {"backend", "frontend"}
    assert hashed.content == entry.content == b"entry"
    sent = next(asked for asked in core.asked if asked.path.endswith("/register"))
    assert sent.headers["traceparent"].startswith("00-")


def test_new_bundle_is_registered_at_once(tmp_path: Path) -> None:
    """A rebuilt remote reaches core without waiting for the next renewal."""
    with (
        FakeCore(token=TOKEN) as core,
        plugin(tmp_path, SELF_REGISTER="true", CORE_BASE_URL=core.url),
    ):
        first = core.wait_for(lambda fake: fake.registrations)[0]
        write_bundle(tmp_path / "dist", "another entry")
        core.wait_for(lambda fake: fake.registrations[-1]["ui"] != first["ui"], within=5)


RAW = {
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "bad host": b"GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n",
    "empty host": b"GET /healthz HTTP/1.1\r\nHost:\r\n\r\n",
    "asterisk": b"GET * HTTP/1.1\r\nHost: a\r\n\r\n",
    "two lengths": b"POST /register HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "length and chunked": b"POST /register HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "space before colon": b"GET /healthz HTTP/1.1\r\nHost : a\r\n\r\n",
}


def speak(port: int, raw: bytes) -> bytes:
    """Send *raw* and return the beginning of the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as peer:
        peer.sendall(raw)
        return peer.recv(4096)


def test_unclear_requests_are_refused_and_nothing_is_boasted(tmp_path: Path) -> None:
    """What two readers could read differently is 400; the good request has no server banner."""
    with plugin(tmp_path) as running:
        answers = {name: speak(running.port, raw) for name, raw in RAW.items()}
        good = speak(running.port, b"GET /healthz HTTP/1.1\r\nHost: a:80\r\n\r\n")
        whole = speak(running.port, b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")

    assert {name: answer[:12] for name, answer in answers.items()} == dict.fromkeys(
        RAW, b"HTTP/1.1 400"
    )
    assert good.startswith(b"HTTP/1.1 200")
    assert whole.startswith(b"HTTP/1.1 200")
    assert b"allow: DELETE, GET, HEAD, OPTIONS, POST\r\n" in whole
    assert b"\r\nserver:" not in good.lower()


def test_oversize_body_gets_its_answer(tmp_path: Path) -> None:
    """A client that sends first and reads later learns of 413, and meets no reset connection."""
    signed_in = "".join(f"{name}: {value}\r\n" for name, value in SIGNED_IN.items())
    head = f"POST /v1/notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{signed_in}"
    with plugin(tmp_path) as running:
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", running.port), timeout=10) as client:
                client.sendall(f"{head}Content-Length: {4 << 20}\r\n\r\n".encode())
                client.sendall(b" " * (4 << 20))

                assert client.recv(100).startswith(b"HTTP/1.1 413 ")


def test_spans_reach_a_collector(tmp_path: Path) -> None:
    """With an OTLP endpoint the server span arrives, below the caller's trace (spec §14)."""
    seen, arrived = bytearray(), threading.Event()
    trace = bytes.fromhex("4bf92f3577b34da6a3ce929d0e0e4736")

    with socket.create_server(("127.0.0.1", 0)) as collector:

        def collect() -> None:
            peer, _ = collector.accept()
            with peer:
                peer.settimeout(5)
                while trace not in seen:
                    seen.extend(peer.recv(65536) or b"")
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                arrived.set()

        thread = threading.Thread(target=collect, daemon=True)
        thread.start()
        endpoint = f"http://127.0.0.1:{collector.getsockname()[1]}"
        with plugin(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint) as running:
            httpx.get(
                running.url + "/v1/notes",
                headers={**SIGNED_IN, "traceparent": f"00-{trace.hex()}-00f067aa0ba902b7-01"},
            )
            running.process.send_signal(signal.SIGTERM)
            assert arrived.wait(20)
        thread.join(5)

    assert b"POST /v1/traces" in seen
