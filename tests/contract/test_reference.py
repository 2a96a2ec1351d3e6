"""The reference plugin keeps the contract: each check of the kit is a test of ours."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mosaiclife_plugin_contract import Check, Kit, Need, Outcome, all_checks
from mosaiclife_plugin_contract.targets import AsgiTarget, ProcessTarget
from plugin_analytics.app import build
from tests.support.bundles import write_bundle
from tests.support.contract import LIMITS, ROOT, manifest_in

# What an app in our own process cannot show: its output is ours, and its end would be.
PROCESS_ONLY = {Need.PROCESS, Need.LOGS}


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Point the plugin to its manifest and to a bundle that needs no build."""
    bundle: Path = tmp_path_factory.mktemp("bundle")
    write_bundle(bundle, "var container = {};")
    return {"PLUGIN_MANIFEST": str(ROOT / "plugin.yaml"), "UI_BUNDLE_DIR": str(bundle)}


@pytest.fixture(scope="module")
def process(environ: dict[str, str]) -> Iterator[Kit]:
    target = ProcessTarget([sys.executable, "-m", build.__module__.partition(".")[0]], environ)
    with Kit(target, LIMITS, manifest_in(ROOT)) as kit:
        yield kit


@pytest.fixture(scope="module")
def in_process(environ: dict[str, str]) -> Iterator[Kit]:
    target = AsgiTarget(build, environ={**environ, "LOG_LEVEL": "error"})
    with Kit(target, LIMITS, manifest_in(ROOT)) as kit:
        yield kit


@pytest.mark.parametrize("check", all_checks())
def test_as_a_process(process: Kit, check: Check) -> None:
    """The plugin passes as it is shipped, and no check is left out."""
    result = process.run(check)

    assert result.outcome is Outcome.PASS, result.violation or result.reason


@pytest.mark.parametrize("check", all_checks())
def test_in_process(in_process: Kit, check: Check) -> None:
    """The app passes in our own process; what cannot be seen there is said, and not passed."""
    result = in_process.run(check)

    wanted = Outcome.NOT_TESTABLE if check.needs & PROCESS_ONLY else Outcome.PASS
    assert result.outcome is wanted, result.violation or result.reason
