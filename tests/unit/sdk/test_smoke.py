"""The check that `helm test` runs against an installed plugin."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mosaiclife_plugin_sdk.smoke import main

WELL: Mapping[str, tuple[int, bytes]] = {
    "/healthz": (200, b"{}"),
    "/readyz": (200, b"{}"),
    "/manifest": (200, b'{"name": "tiny", "version": "1.2.3"}'),
    "/metrics": (200, b'plugin_info{name="tiny"} 1\n'),
    "/mf/remoteEntry.js": (200, b"var tiny;"),
}
ASKED = ("--version=1.2.3", "--remote=/mf/remoteEntry.js")


@contextmanager
def plugin(**changes: tuple[int, bytes]) -> Iterator[str]:
    """Serve a plugin that is well but for some answers, by the last word of their path."""
    answers = {path: changes.get(path.rpartition("/")[2], was) for path, was in WELL.items()}

    class Answers(BaseHTTPRequestHandler):
        """Says what was laid down for each path."""

        def do_GET(self) -> None:
            status, body = answers.get(self.path, (404, b""))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def test_a_plugin_that_is_well_passes(capsys: pytest.CaptureFixture[str]) -> None:
    """Each look is told in a line."""
    with plugin() as url:
        assert main([url, *ASKED]) == 0

    assert capsys.readouterr().out.splitlines() == [f"ok      {path}" for path in WELL]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"readyz": (503, b"{}")}, "/readyz: answers 503"),
        ({"manifest": (200, b'{"version": "1.2.2"}')}, "1.2.2 runs, 1.2.3 was installed"),
        ({"manifest": (200, b"<html>")}, "/manifest: is no manifest"),
        ({"metrics": (200, b"up 1")}, "/metrics: holds no plugin_info"),
        ({"remoteEntry.js": (200, b"\n")}, "/mf/remoteEntry.js: is empty"),
    ],
    ids=["not ready", "another version", "no manifest", "other metrics", "empty remote"],
)
def test_each_fault_is_told(
    changes: dict[str, tuple[int, bytes]], fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One fault fails the check, and the other looks are taken all the same."""
    with plugin(**changes) as url:
        assert main([url, *ASKED]) == 1

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(WELL)
    assert next(line for line in lines if line.startswith("FAILED")).endswith(fault)


def test_nobody_there_is_a_fault(capsys: pytest.CaptureFixture[str]) -> None:
    """A Service without a pod behind it fails at once, in words."""
    with plugin() as url:
        pass

    assert main([url]) == 1
    assert "FAILED  /healthz: no answer" in capsys.readouterr().out


def test_without_wishes_only_what_every_plugin_has_is_looked_at() -> None:
    """A remote on a CDN, and an image of another version, are left alone."""
    with plugin(**{"remoteEntry.js": (404, b""), "manifest": (200, b'{"version": "9"}')}) as url:
        assert main([url]) == 0
