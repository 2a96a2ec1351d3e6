"""A plugin without our SDK keeps the contract: the kit tests the contract, not the reference."""

import ast
from collections.abc import Iterator

import pytest

from mosaiclife_plugin_contract import Check, Kit, Level, Need, Outcome, all_checks
from mosaiclife_plugin_contract.targets import UrlTarget
from tests.support.contract import BARE, LIMITS, manifest_in, plugin_at

# It describes no API, which is a SHOULD, and so names no data route either.
OTHERWISE = {"API-3": Outcome.FAIL, "TEN-2": Outcome.NOT_APPLICABLE}
STARTED_BY_US = {Need.START, Need.CORE, Need.PROCESS, Need.LOGS}


@pytest.fixture(scope="module")
def process() -> Iterator[Kit]:
    with Kit(plugin_at("bare"), LIMITS, manifest_in(BARE)) as kit:
        yield kit


@pytest.fixture(scope="module")
def by_url(process: Kit) -> Iterator[Kit]:
    """Give the running plugin's address and secrets to a second kit, and nothing more."""
    plugin = process.context.plugin
    known = plugin.credentials
    target = UrlTarget(plugin.public_url, known.call_token, known.webhook_secrets)
    with Kit(target, LIMITS, manifest_in(BARE)) as kit:
        yield kit


@pytest.mark.parametrize("check", all_checks())
def test_as_a_process(process: Kit, check: Check) -> None:
    """It passes every MUST of the backend."""
    result = process.run(check)

    wanted = OTHERWISE.get(check.id, Outcome.PASS)
    assert result.outcome is wanted, result.violation or result.reason
    assert result.outcome is not Outcome.FAIL or check.level is Level.SHOULD


@pytest.mark.parametrize("check", all_checks())
def test_by_url(by_url: Kit, check: Check) -> None:
    """What a URL alone cannot show is not testable, and everything else comes out as before."""
    result = by_url.run(check)

    hidden = check.needs & STARTED_BY_US
    wanted = Outcome.NOT_TESTABLE if hidden else OTHERWISE.get(check.id, Outcome.PASS)
    assert result.outcome is wanted, result.violation or result.reason


def test_it_knows_nothing_of_our_packages() -> None:
    """Only the standard library and a reader of YAML are imported."""
    tree = ast.parse((BARE / "plugin.py").read_text())
    imported = {
        name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
    }
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert not {name for name in imported if name.startswith(("mosaiclife", "plugin", "tests"))}
    assert not imported & {"httpx", "msgspec", "litestar"}
