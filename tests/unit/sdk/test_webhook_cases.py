"""The written-out deliveries against `verify`: a rejection or an acceptance, nothing else."""

import pytest

from mosaiclife_plugin_sdk import WebhookRejected, sign, verify
from tests.support.webhook_cases import CASES, NOW, SECRETS, Case


def by_name(case: Case) -> str:
    return case.name


@pytest.mark.parametrize("case", CASES, ids=by_name)
def test_each_delivery_is_judged_as_written(case: Case) -> None:
    """Good signatures are accepted beside whatever stands next to them; all else is rejected."""
    if case.accepted:
        message = verify(case.live, case.headers, case.body, now=NOW)
        assert message.id == case.headers["webhook-id"]
        return
    with pytest.raises(WebhookRejected):
        verify(case.live, case.headers, case.body, now=NOW)


@pytest.mark.parametrize("case", CASES, ids=by_name)
def test_the_signatures_in_the_file_are_computed(case: Case) -> None:
    """Nothing in the file was made by the code that it tests, or typed wrong."""
    assert case.document["signature"] == case.signature()


def test_our_own_signature_is_the_file_s() -> None:
    """What `sign` writes is what the valid delivery carries."""
    valid = next(case for case in CASES if case.name == "valid")
    headers = valid.headers

    made = sign(SECRETS["new"], headers["webhook-id"], NOW, valid.body)
    assert made == headers["webhook-signature"]


def test_the_file_holds_both_sorts() -> None:
    """Every name is its own, and neither sort is missing."""
    names = [case.name for case in CASES]

    assert len(set(names)) == len(names) >= 36
    assert sum(case.accepted for case in CASES) >= 15
    assert sum(not case.accepted for case in CASES) >= 30
