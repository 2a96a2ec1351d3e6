"""The check that ships in the image, before a plugin that is well and before one that is not."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mosaiclife_plugin_check.__main__ import main

ENTRY = b"var container = {};"
WELL = {
    "/healthz": (200, b"{}"),
    "/readyz": (200, b"{}"),
    "/manifest": (200, b'{"version": "1.0.0", "ui": {"remotePath": "/mf/remoteEntry.js"}}'),
    "/metrics": (200, b"# TYPE up gauge\nup 1\n"),
    "/mf/remoteEntry.js": (200, ENTRY),
}
Answers = dict[str, tuple[int, bytes]]


@pytest.fixture
def answers() -> Answers:
    return dict(WELL)


@pytest.fixture
def url(answers: Answers) -> Iterator[str]:
    """Serve *answers* on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers.get(self.path, (404, b"nothing"))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_plugin_that_is_well_passes(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Five things are looked at, and told."""
    entry = tmp_path / "remoteEntry.js"
    entry.write_bytes(ENTRY)

    assert main([url, "--version", "1.0.0", "--entry", str(entry)], {}) == 0
    assert capsys.readouterr().out.count("ok  ") == 5


@pytest.mark.parametrize(
    ("path", "answer", "words"),
    [
        ("/healthz", (500, b"broken"), "/healthz: answered 500, not 200: broken"),
        ("/readyz", (503, b'{"a":\n1}'), '/readyz: answered 503, not 200: {"a": 1}'),
        ("/manifest", (200, b"<html>"), "/manifest: is not JSON"),
        ("/manifest", (200, b"[]"), "/manifest: is not a JSON object"),
        ("/manifest", (200, b"{}"), "/manifest: names no version"),
        ("/manifest", (200, b'{"version": "0.9.0"}'), "/manifest: names version 0.9.0, not 1.0.0"),
        ("/manifest", (200, b'{"version": "1.0.0"}'), "entry: the manifest names no path for it"),
        ("/metrics", (200, b"welcome"), "/metrics: holds no metric"),
        ("/mf/remoteEntry.js", (404, b""), "entry: answered 404"),
        ("/mf/remoteEntry.js", (200, b""), "entry: /mf/remoteEntry.js is empty"),
        ("/mf/remoteEntry.js", (200, b"evil()"), "entry: /mf/remoteEntry.js differs from"),
    ],
)
def test_each_fault_is_found_and_told(
    url: str,
    answers: Answers,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    path: str,
    answer: tuple[int, bytes],
    words: str,
) -> None:
    """One thing that is wrong fails the whole, in words that say where."""
    entry = tmp_path / "remoteEntry.js"
    entry.write_bytes(ENTRY)
    answers[path] = answer

    assert main([url, "--version", "1.0.0", "--entry", str(entry)], {}) == 1
    assert words in capsys.readouterr().out


def test_only_some_paths_may_be_asked_for(url: str, answers: Answers) -> None:
    """A health check looks at readiness alone."""
    answers["/metrics"] = (500, b"")

    assert main([url, "--only", "/readyz"], {}) == 0
    assert main([url, "--only", "/readyz", "--only", "/metrics"], {}) == 1


def test_the_port_of_the_environment_is_the_usual_one(url: str) -> None:
    """In the container the same variable decides where the plugin listens and where it is asked."""
    assert main(["--only", "/readyz"], {"PORT": url.rpartition(":")[2]}) == 0


def test_nobody_there_is_a_fault(capsys: pytest.CaptureFixture[str]) -> None:
    """A closed port is told like any other fault."""
    assert main(["http://127.0.0.1:1", "--only", "/readyz"], {}) == 1
    assert "FAILED  /readyz: no answer" in capsys.readouterr().out


@pytest.mark.parametrize("address", ["localhost:7001", "ftp://host", "http://", "http://host:x"])
def test_an_address_that_leads_nowhere_is_refused(address: str) -> None:
    """Exit code 2 sets a wrong command apart from a plugin that is not well."""
    with pytest.raises(SystemExit) as refused:
        main([address], {})

    assert refused.value.code == 2


def test_nothing_but_the_standard_library_is_imported() -> None:
    """The check starts fast, and does not depend on what it looks at."""
    folder = Path(sys.modules["mosaiclife_plugin_check"].__file__ or "").parent.parent
    code = (
        f"import json, sys; sys.path.insert(0, {str(folder)!r});"
        "before = set(sys.modules); import mosaiclife_plugin_check.__main__;"
        "print(json.dumps([n.partition('.')[0] for n in set(sys.modules) - before]))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True
    )
    foreign = set(json.loads(done.stdout)) - sys.stdlib_module_names

    assert foreign == {"mosaiclife_plugin_check"}
