"""The command: its exit codes, its list, and what it refuses."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from mosaiclife_plugin_contract import VERSION, all_checks
from mosaiclife_plugin_contract.cli import main
from mosaiclife_plugin_contract.targets.process import free_port
from tests.support.contract import BARE, PLUGINS, ROOT

KIT = ROOT / "sdk/contract"


def start(folder: str) -> str:
    return f"{sys.executable} {PLUGINS / folder / 'plugin.py'}"


def test_a_plugin_that_conforms_is_0(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The report names the plugin, and the file holds the same as JSON."""
    file = tmp_path / "report.json"
    chosen = ["--only", "MAN-*", "--manifest", str(BARE / "plugin.yaml"), "--report", str(file)]

    assert main(["run", "--start", start("bare"), *chosen]) == 0

    words = capsys.readouterr().out
    assert words.startswith("bare 0.2.0 (process: ")
    assert words.endswith("success: 6 pass\n")
    checks = json.loads(file.read_text())["checks"]
    assert {(check["id"], check["outcome"]) for check in checks} == {
        (check.id, "pass") for check in all_checks() if check.id.startswith("MAN-")
    }


def test_a_plugin_that_breaks_a_must_is_1(capsys: pytest.CaptureFixture[str]) -> None:
    """One violation is enough."""
    assert main(["run", "--start", start("null"), "--only", "HLT-3"]) == 1
    assert "failure: 1 fail" in capsys.readouterr().out


@pytest.mark.parametrize("strict", [False, True])
def test_a_should_binds_only_when_strict(strict: bool) -> None:
    """The bare plugin describes no API: so much is allowed, but not under --strict."""
    chosen = ["--only", "API-3", *(["--strict"] if strict else [])]

    assert main(["run", "--start", start("bare"), *chosen]) == int(strict)


def test_nobody_there_is_3(capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong address is not a broken plugin."""
    assert main(["run", f"http://127.0.0.1:{free_port()}"]) == 3
    assert "cannot be reached" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "http://x", "--only", "NOT-*"], "no check is called NOT-*"),
        (["run", "http://x", "--without", "wings"], "no such feature: wings"),
        (["run", "http://x", "--manifest", "/no/such/file"], "--manifest /no/such/file"),
        (["run", "--asgi", "no_such_module:app"], "--asgi no_such_module:app"),
        (["run", "--start", "true", "--env", "A"], "write KEY=VALUE"),
        (["explain", "MAN-99"], "there is no check MAN-99"),
    ],
)
def test_usage_is_2(
    arguments: Sequence[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What makes no sense is said in one line, before anything is called."""
    assert main(arguments) == 2

    words = capsys.readouterr().err
    assert says in words
    assert words.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["run"], ["run", "http://x", "--start", "y"], ["walk"]])
def test_no_or_two_targets_are_2(arguments: Sequence[str]) -> None:
    """There is exactly one plugin to a run."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2


def test_list_and_explain_know_every_check(capsys: pytest.CaptureFixture[str]) -> None:
    """Each rule can be looked up by the id that a report shows."""
    assert main(["list"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in listed] == [check.id for check in all_checks()]

    for check in all_checks():
        assert main(["explain", check.id]) == 0
        assert check.text in capsys.readouterr().out


def test_module_and_installed_command_are_one() -> None:
    """`python -m` and `mosaic-contract` do the same."""
    module = [sys.executable, "-m", "mosaiclife_plugin_contract", "explain", "WHK-1"]
    command = [str(Path(sys.executable).with_name("mosaic-contract")), "explain", "WHK-1"]

    outputs = {
        subprocess.run(one, capture_output=True, check=True, env=dict(os.environ)).stdout
        for one in (module, command)
    }

    assert len(outputs) == 1


def test_a_wheel_carries_the_schemas(tmp_path: Path) -> None:
    """One schema: what is shipped is what lies in `sdk/schema/`."""
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory"]
    subprocess.run([*build, str(tmp_path)], cwd=KIT, check=True, capture_output=True)

    (wheel,) = tmp_path.glob("*.whl")
    assert f"-{VERSION}-" in wheel.name
    with zipfile.ZipFile(wheel) as archive:
        for name in ("plugin.schema.json", "error.schema.json"):
            shipped = archive.read(f"mosaiclife_plugin_contract/schema/{name}")
            assert shipped == (ROOT / "sdk/schema" / name).read_bytes()
