"""The kit outlives what it is pointed at: it ends in time, with words and not with a traceback."""

import time

import pytest

from mosaiclife_plugin_contract import Kit, Limits, Outcome, all_checks
from mosaiclife_plugin_contract.signing import new_secret
from mosaiclife_plugin_contract.targets import UrlTarget
from tests.support.contract import BARE, manifest_in
from tests.support.hostile import BEHAVIOURS, hostile

FEWEST_FAILURES = 12
LIMITS = Limits(check=0.2, start=5, patience=0.02)
# A server that says 200 to everything does answer without a bearer.
TRUE_OF_SOME = {"HLT-3"}


# With a manifest beside it the kit asks more of those who answer at all.
ANSWERS = {"redirect", "not_utf8", "nested", "odd_shapes", "reset", "not_http"}
CASES = [*((name, False) for name in BEHAVIOURS), *((name, True) for name in sorted(ANSWERS))]


@pytest.mark.parametrize(("behaviour", "knows"), CASES)
def test_the_kit_ends_in_time_with_failures(behaviour: str, knows: bool) -> None:
    """Nothing is the kit's own fault, hardly anything passes, and no check outlasts its limit."""
    checks = all_checks()
    began = time.monotonic()
    with hostile(BEHAVIOURS[behaviour]) as url:
        target = UrlTarget(url, "a-token-of-core", (new_secret(),))
        with Kit(target, LIMITS, manifest_in(BARE) if knows else None) as kit:
            results = kit.run_all(checks)
    seconds = time.monotonic() - began

    assert [one.reason for one in results if one.outcome is Outcome.ERROR] == []
    passed = {one.check.id for one in results if one.outcome is Outcome.PASS}
    assert passed <= TRUE_OF_SOME
    assert len([one for one in results if one.outcome is Outcome.FAIL]) >= FEWEST_FAILURES
    assert seconds < LIMITS.check * len(checks) + LIMITS.start
