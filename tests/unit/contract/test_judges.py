"""The kit's small judges against references of other people: ranges, signatures, documents."""

import pytest

from mosaiclife_plugin_contract import Violation, schemas
from mosaiclife_plugin_contract.checks.webhooks import CASES
from mosaiclife_plugin_contract.documents import member
from mosaiclife_plugin_contract.ranges import is_version, range_fault
from mosaiclife_plugin_contract.signing import new_secret, signature
from mosaiclife_plugin_sdk import RangeError, sign
from mosaiclife_plugin_sdk.compat import parse_range


def test_signature_is_the_published_one() -> None:
    """The example of the Standard Webhooks specification comes out to the letter."""
    found = signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )

    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_two_signers_agree() -> None:
    """Kit and SDK share no line of code and sign alike."""
    secret = new_secret()

    assert signature(secret, "id", 7, b"\xff\x00") == sign(secret, "id", 7, b"\xff\x00")


RANGES = [
    *(">=2.1 <3.0", "2", "=2.1.0", "> 1 <= 2.0.0-rc.1+build", "  >=1  ", "0.0.0", ">=1.2.3-0a"),
    *("", " ", "*", "x", "1.x", "^1.2", "~1.2", ">=2.1,<3.0", "1 - 2", "1 || 2", "latest", "==2.1"),
    *("~=2.1", "!=2.2.0", ">=02.1", ">=2.1 foo", ">=1.2.3.4", "v1.2.3", "1.2.3-01", ">=", "> >1"),
]


@pytest.mark.parametrize("text", RANGES)
def test_two_grammars_agree(text: str) -> None:
    """Kit and SDK read the grammar of the contract alike."""
    try:
        parse_range(text)
        readable = True
    except RangeError:
        readable = False

    assert (range_fault(text) is None) is readable


@pytest.mark.parametrize("text", ["1.2", "1", "01.2.3", "1.2.3-", "1.2.3 ", "v1.2.3", ""])
def test_what_is_no_version(text: str) -> None:
    """A version has three numbers without leading zeros."""
    assert not is_version(text)


def test_there_are_36_cases_with_names_of_their_own() -> None:
    """The table is whole: deliveries to accept, to reject, and to call unreadable."""
    assert len({case.name for case in CASES}) == len(CASES) == 36
    assert {case.status for case in CASES} == {200, 401, 400}


def test_schemas_name_the_place() -> None:
    """A fault in a manifest is told with the path to it."""
    found = schemas.faults("plugin", {"name": "x", "ui": {"mode": "Iframe"}})

    assert any(fault.startswith("$.ui.mode: ") for fault in found)
    assert schemas.faults("error", {"error": {}})
    assert schemas.schema_fault({"type": "no such type"})
    assert schemas.schema_fault({"type": "object"}) is None
    assert schemas.value_faults({"properties": {"A": {"minimum": 3}}}, {"A": 1}) != []


@pytest.mark.parametrize("document", [None, 7, [], {"a": None}, {"a": {"b": 1}}])
def test_a_document_of_another_shape_is_a_violation(document: object) -> None:
    """Whatever a plugin answers, taking it apart raises nothing but violations."""
    with pytest.raises(Violation, match=r"a\.b is a string"):
        member(document, str, "it", "a", "b")
