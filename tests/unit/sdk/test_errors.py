"""The tree of errors: codes, statuses and messages that callers rely on."""

import inspect

import msgspec
import pytest

from mosaiclife_plugin_sdk import errors

ANSWERS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, errors.PluginError) and not kind.__name__.startswith("_")
]


@pytest.mark.parametrize("kind", ANSWERS, ids=lambda kind: kind.__name__)
def test_docstring_is_the_default_message(kind: type[errors.PluginError]) -> None:
    """An error without words of its own says its docstring, and has a code and a status."""
    error = kind()

    assert error.message == kind.__doc__
    assert error.code == kind.code
    assert 400 <= error.status < 600


def test_every_answer_stands_in_the_tree() -> None:
    """The drawing at the top of the module is the tree."""
    assert errors.__doc__ is not None
    for kind in ANSWERS:
        assert f"{kind.__name__} " in errors.__doc__, kind
        assert f"{kind.status} {kind.code}" in errors.__doc__ or kind is errors.PluginError


def test_finer_code_stays_with_its_instance() -> None:
    """A call may name a finer code without changing the class for others."""
    error = errors.PermissionDenied(code="LEGACY_ACCESS_DENIED")

    assert (error.code, error.status) == ("LEGACY_ACCESS_DENIED", 403)
    assert errors.PermissionDenied().code == "PERMISSION_DENIED"


def test_headers_say_what_to_do_next() -> None:
    """A refusal tells how to come back: with a bearer, or later."""
    assert errors.AuthInvalid().headers == {"WWW-Authenticate": "Bearer"}
    assert errors.ServiceUnavailable(retry_after=7).headers == {"Retry-After": "7"}


def test_validation_error_is_split_into_path_and_reason() -> None:
    """Msgspec's text becomes a field and a message, below the root that the caller names."""

    class Row(msgspec.Struct):
        size: int

    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.json.decode(b'[{"size": "x"}]', type=list[Row])

    assert errors.detail_of(caught.value, "$.rows") == {
        "field": "$.rows[0].size",
        "message": "Expected `int`, got `str`",
    }
