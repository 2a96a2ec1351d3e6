"""A plugin that does nothing passes nothing: no check is satisfied by silence."""

from collections.abc import Iterator

import pytest

from mosaiclife_plugin_contract import Check, Kit, Level, Limits, Need, Outcome, all_checks
from tests.support.contract import BARE, manifest_in, plugin_at

LIMITS = Limits(check=2, start=20, patience=0.1)
MUSTS = [check for check in all_checks() if check.level is Level.MUST]


@pytest.fixture(scope="module")
def null() -> Iterator[Kit]:
    with Kit(plugin_at("null"), LIMITS) as kit:
        yield kit


@pytest.fixture(scope="module")
def null_with_manifest() -> Iterator[Kit]:
    with Kit(plugin_at("null"), LIMITS, manifest_in(BARE)) as kit:
        yield kit


@pytest.mark.parametrize("check", [one for one in MUSTS if Need.MANIFEST not in one.needs])
def test_every_must_fails(null: Kit, check: Check) -> None:
    """A server that answers 404 to everything fails each MUST, and the kit itself never fails."""
    assert null.run(check).outcome is Outcome.FAIL


@pytest.mark.slow
@pytest.mark.parametrize("check", MUSTS)
def test_a_manifest_beside_it_does_not_help(null_with_manifest: Kit, check: Check) -> None:
    """Knowing what the plugin should be, each check still looks at what it is."""
    wanted = {Outcome.NOT_APPLICABLE} if check.id == "TEN-2" else {Outcome.FAIL}

    assert null_with_manifest.run(check).outcome in wanted
