"""`verify-release` before an installed release that is right, and before each way of being wrong."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mosaiclife_plugin_sdk import load_manifest
from mosaiclife_plugin_sdk.frame.remote import integrity_of
from tests.support.answers import Answers, answering
from tools.verify_release import REMEDIES, main
from tools.workspace import ROOT

PLUGIN = load_manifest(ROOT / "plugin.yaml")
ENTRY = f"var plugin_{PLUGIN.name};".encode()
FILES = {"remoteEntry.js": ENTRY, "panel.1a2b.js": b"export const panel = 1;"}
LISTING = {name: integrity_of(body) for name, body in FILES.items()}
RECORD: dict[str, Any] = {
    "id": PLUGIN.name,
    "version": PLUGIN.version,
    "state": "Ready",
    "ui": {"entryUrl": "/mf/it/abc/remoteEntry.js", "integrity": LISTING["remoteEntry.js"]},
}
CORE = f"/api/plugins/{PLUGIN.name}"
LOOKS = ["/healthz", "/readyz", "/manifest", "/metrics", "remote", "files", "bundle"]
LOOKS += ["core's record", "core's copy"]


def text(body: object) -> bytes:
    return json.dumps(body).encode()


def told(**changed: object) -> bytes:
    """Return a manifest, but for some of its fields."""
    usual = {
        "name": PLUGIN.name,
        "version": PLUGIN.version,
        "ui": {"remotePath": "/mf/remoteEntry.js"},
    }
    return text({**usual, **changed})


def record(**changed: object) -> bytes:
    """Return core's answer about the plugin, but for some of its fields."""
    return text({"data": {**RECORD, **changed}})


@pytest.fixture
def answers() -> Answers:
    """Plugin, CDN and core in one: their paths differ."""
    return {
        "/healthz": (200, b"{}"),
        "/readyz": (200, b"{}"),
        "/manifest": (200, told()),
        "/metrics": (200, b"plugin_info{} 1"),
        **{f"/mf/{name}": (200, body) for name, body in FILES.items()},
        "/mf/integrity.json": (200, text(LISTING)),
        CORE: (200, record()),
        "/mf/it/abc/remoteEntry.js": (200, ENTRY),
    }


@pytest.fixture
def url(answers: Answers) -> Iterator[str]:
    """Serve *answers* on a port of its own."""
    with answering(answers) as origin:
        yield origin


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A folder with the bundle that was built here."""
    (tmp_path / "integrity.json").write_bytes(text(LISTING))
    return tmp_path


def test_a_release_that_is_right_passes(
    url: str, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nine things are looked at, a line each; what was not looked at is said."""
    assert main([url, "--bundle", str(bundle), "--core", url]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ", 1)[1].strip().partition(": ")[0] for line in lines[:9]] == LOOKS
    assert f"ok      remote: {LISTING['remoteEntry.js']}" in lines
    assert "ok      files: 2 as integrity.json says" in lines
    assert lines[-2].startswith("not looked at  signatures of image and chart")
    assert lines[-1] == "9 passed, 0 failed"


def test_what_was_not_asked_for_is_named(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A pass that says less than it might is told apart from one that says all."""
    assert main([url]) == 0

    told_lines = capsys.readouterr().out
    assert "not looked at  whether the remote is the one built here: --bundle ui/dist" in told_lines
    assert "not looked at  what core knows and serves: --core URL" in told_lines
    assert "6 passed, 0 failed" in told_lines


OTHER = integrity_of(b"other")
WRONG = [
    ("/healthz", (500, b""), "/healthz: /healthz answered 500", "/healthz"),
    ("/readyz", (503, b"store"), "/readyz: /readyz answered 503, not 200: store", "/readyz"),
    ("/manifest", (200, told(version="0.9.0")), "/manifest: names version 0.9.0", "/manifest"),
    ("/manifest", (200, told(name="other")), "is that of 'other', not of", "remote"),
    ("/manifest", (200, told(ui={})), "remote: /manifest names no remotePath", "remote"),
    ("/manifest", (200, b"<html>"), "remote: /manifest is not JSON", "remote"),
    ("/manifest", (200, b"[]"), "remote: /manifest is not a JSON object", "remote"),
    ("/metrics", (200, b"welcome"), "/metrics: holds no plugin_info", "/metrics"),
    ("/mf/remoteEntry.js", (404, b""), "remote: /mf/remoteEntry.js answered 404", "remote"),
    ("/mf/remoteEntry.js", (200, b""), "is not the container plugin_", "remote"),
    ("/mf/remoteEntry.js", (200, ENTRY + b"!"), "and integrity.json says sha384-", "remote"),
    ("/mf/integrity.json", (404, b""), "remote: /mf/integrity.json answered 404", "remote"),
    ("/mf/integrity.json", (200, b"{}"), "and integrity.json says nothing", "remote"),
    ("/mf/panel.1a2b.js", (404, b""), "files: /mf/panel.1a2b.js answered 404", "files"),
    ("/mf/panel.1a2b.js", (200, b"x"), "files: panel.1a2b.js is sha384-", "files"),
    (
        "/mf/integrity.json",
        (200, text({"remoteEntry.js": LISTING["remoteEntry.js"]})),
        "bundle: other files than in",
        "bundle",
    ),
    (CORE, (404, b""), "/api/plugins/", "core's record"),
    (CORE, (200, b"{}"), "holds no record", "core's record"),
    (CORE, (200, record(ui=None)), "core's record: shows no remote", "core's record"),
    (
        CORE,
        (200, record(state="Degraded", reason="no store")),
        "core's record: is Degraded, not Ready: no store",
        "core's record",
    ),
    (CORE, (200, record(version="0.9.0")), "record: names version 0.9.0", "core's record"),
    (
        CORE,
        (200, record(ui={**RECORD["ui"], "integrity": OTHER})),
        f"core's record: names {OTHER} for the entry",
        "core's record",
    ),
    ("/mf/it/abc/remoteEntry.js", (404, b""), "core's copy: /mf/it/abc", "core's copy"),
    ("/mf/it/abc/remoteEntry.js", (200, b"old"), "holds other bytes than", "core's copy"),
]


@pytest.mark.parametrize(
    ("path", "answer", "words", "subject"), WRONG, ids=[words for _, _, words, _ in WRONG]
)
def test_each_fault_is_told_with_its_cause_and_remedy(
    url: str,
    answers: Answers,
    bundle: Path,
    path: str,
    answer: tuple[int, bytes],
    words: str,
    subject: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The line names what is wrong, the next one what to do, and the exit code is 1."""
    answers[path] = answer

    assert main([url, "--bundle", str(bundle), "--core", url]) == 1

    lines = capsys.readouterr().out.splitlines()
    (at,) = [at for at, line in enumerate(lines) if line.startswith(f"FAILED  {subject}: ")]
    assert words in lines[at]
    assert lines[at + 1] == f"        remedy: {REMEDIES[subject]}"


def test_a_remote_on_a_cdn_is_looked_at_there(
    url: str, answers: Answers, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its listing beside it, whatever the plugin itself would serve."""
    for name in (*FILES, "integrity.json"):
        answers[f"/cdn/{name}"] = answers.pop(f"/mf/{name}")

    assert main([url]) == 1
    assert main([url, "--remote", f"{url}/cdn/remoteEntry.js"]) == 0
    answers["/cdn/panel.1a2b.js"] = (200, b"cached long ago")
    assert main([url, "--remote", f"{url}/cdn/remoteEntry.js"]) == 1
    assert "purge the CDN" in capsys.readouterr().out


def test_a_bundle_that_is_not_there_is_a_fault(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its path is named."""
    assert main([url, "--bundle", str(tmp_path / "none")]) == 1
    assert "cannot be read: No such file or directory" in capsys.readouterr().out


def test_nobody_there_is_told_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    """A closed port is no matter of the release."""
    assert main(["http://127.0.0.1:1"]) == 1
    assert "remedy: is the address right" in capsys.readouterr().out


def test_an_address_that_leads_nowhere_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 sets a wrong command apart from a release that is not right."""
    assert main(["localhost:7001"]) == 2
    assert "is not of the form http://host:port" in capsys.readouterr().err


def test_another_version_may_be_wanted(url: str) -> None:
    """Whoever installs an older release names it."""
    assert main([url, "--version", "0.9.0"]) == 1
    assert main([url, "--version", PLUGIN.version]) == 0
