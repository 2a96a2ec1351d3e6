"""The check that ships in the image, before a plugin that is well and before one that is not."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mosaiclife_plugin_check.__main__ import main
from mosaiclife_plugin_sdk.frame.remote import integrity_of
from tests.support.answers import Answers, answering

ENTRY = b"var plugin_two_words;"
MANIFEST = b'{"name": "two-words", "version": "1.0.0", "ui": {"remotePath": "/mf/remoteEntry.js"}}'
WELL = {
    "/healthz": (200, b"{}"),
    "/readyz": (200, b"{}"),
    "/manifest": (200, MANIFEST),
    "/metrics": (200, b'plugin_info{name="two-words"} 1\n'),
    "/mf/remoteEntry.js": (200, ENTRY),
    "/mf/integrity.json": (200, json.dumps({"remoteEntry.js": integrity_of(ENTRY)}).encode()),
}
LOOKS = ["/healthz", "/readyz", "/manifest", "/metrics", "remote"]


@pytest.fixture
def answers() -> Answers:
    return dict(WELL)


@pytest.fixture
def url(answers: Answers) -> Iterator[str]:
    """Serve *answers* on a port of its own."""
    with answering(answers) as url:
        yield url


def test_a_plugin_that_is_well_passes(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Five things are looked at, and each is told in a line."""
    assert main([url, "--version", "1.0.0"], {}) == 0
    assert capsys.readouterr().out.splitlines() == [f"ok      {look}" for look in LOOKS]


@pytest.mark.parametrize(
    ("path", "answer", "words"),
    [
        ("/healthz", (500, b"broken"), "/healthz: /healthz answered 500, not 200: broken"),
        ("/readyz", (503, b'{"a":\n1}'), 'answered 503, not 200: {"a": 1}'),
        ("/manifest", (200, b"<html>"), "/manifest is not JSON"),
        ("/manifest", (200, b"[]"), "/manifest is not a JSON object"),
        ("/manifest", (200, b"{}"), "/manifest: names no version"),
        ("/manifest", (200, b'{"version": "0.9.0"}'), "/manifest: names version 0.9.0, not 1.0.0"),
        ("/manifest", (200, b'{"version": "1.0.0"}'), "names no plugin or no path for it"),
        ("/metrics", (200, b"welcome"), "/metrics: holds no plugin_info"),
        ("/mf/remoteEntry.js", (404, b""), "remote: /mf/remoteEntry.js answered 404"),
        ("/mf/remoteEntry.js", (200, b""), "is not the container plugin_two_words"),
        ("/mf/remoteEntry.js", (200, ENTRY + b"evil()"), "is not what integrity.json says"),
        ("/mf/integrity.json", (200, b"{}"), "is not what integrity.json says"),
        ("/mf/integrity.json", (500, b""), "remote: /mf/integrity.json answered 500"),
    ],
)
def test_each_fault_is_found_and_told(
    url: str,
    answers: Answers,
    capsys: pytest.CaptureFixture[str],
    path: str,
    answer: tuple[int, bytes],
    words: str,
) -> None:
    """One thing that is wrong fails the whole, and the other looks are taken all the same."""
    answers[path] = answer

    assert main([url, "--version", "1.0.0"], {}) == 1
    told = capsys.readouterr().out
    assert words in told
    assert len(told.splitlines()) == len(LOOKS)


def test_a_bundle_without_hashes_is_no_fault(url: str, answers: Answers) -> None:
    """A remote written by hand lists none; one that lists them must keep them."""
    del answers["/mf/integrity.json"]

    assert main([url], {}) == 0


def test_the_remote_may_lie_elsewhere(url: str, answers: Answers) -> None:
    """A setting may move its path, and a CDN is not the plugin's business."""
    answers["/ui/entry.js"] = answers.pop("/mf/remoteEntry.js")

    assert main([url], {}) == 1
    assert main([url, "--remote", "/ui/entry.js"], {}) == 0
    assert main([url, "--without-remote"], {}) == 0


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
