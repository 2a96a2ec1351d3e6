"""Judge version ranges as npm does, within the grammar that the contract allows (spec §5).

The grammar: `>= > <= < =` before a full or partial version, comparators joined by spaces;
a bare version means `=`. Everything else, the empty string too, is refused with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from mosaiclife_plugin_sdk.errors import RangeError

_NUMBER = r"(?:0|[1-9][0-9]*)"
_PRE_ID = rf"(?:{_NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_TAIL = rf"(?:-(?P<pre>{_PRE_ID}(?:\.{_PRE_ID})*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
_VERSION = re.compile(rf"(?P<core>{_NUMBER}\.{_NUMBER}\.{_NUMBER}){_TAIL}")
_COMPARATOR = re.compile(
    rf"(?P<op>>=|>|<=|<|=)?(?:(?P<core>{_NUMBER}\.{_NUMBER}\.{_NUMBER}){_TAIL}"
    rf"|(?P<partial>{_NUMBER}(?:\.{_NUMBER})?))"
)
_GAP_AFTER_OPERATOR = re.compile(r"(>=|<=|>|<|=)\s+")

PreRelease = tuple[tuple[bool, int, str], ...]


class Version(NamedTuple):
    """A SemVer version whose order is tuple order; build metadata takes no part in it."""

    core: tuple[int, int, int]
    released: bool
    pre: PreRelease


class Bound(NamedTuple):
    """One side of a range."""

    op: str
    version: Version


def parse_version(text: str) -> Version:
    """Read `MAJOR.MINOR.PATCH[-pre][+build]`."""
    match = _VERSION.fullmatch(text)
    if match is None:
        raise RangeError(f"{text!r} is not a version MAJOR.MINOR.PATCH")
    return _version(match["core"], match["pre"])


def parse_range(text: str) -> list[Bound]:
    """Read a range into the bounds that must all hold."""
    if not text.strip():
        raise RangeError("an empty range says nothing: write a bound such as '>=2.1 <3.0'")
    words = _GAP_AFTER_OPERATOR.sub(r"\1", text).split()
    return [bound for word in words for bound in _bounds(word, text)]


def satisfies(range: str, version: str) -> bool:  # noqa: A002 - the name in the contract
    """Tell whether *version* lies in *range*.

    As in npm, a pre-release is admitted only by a bound that names a pre-release of the very
    same MAJOR.MINOR.PATCH: `>=2.1 <3.0` refuses 3.0.0-beta.1.
    """
    bounds, candidate = parse_range(range), parse_version(version)
    if not all(_holds(bound, candidate) for bound in bounds):
        return False
    return candidate.released or any(
        not bound.version.released
        and bound.version.core == candidate.core
        and bound.version.pre != _LOWEST
        for bound in bounds
    )


def check_compat(ranges: Mapping[str, str], versions: Mapping[str, str]) -> list[dict[str, str]]:
    """Return one `{field, message}` for each party of *versions* that its range shuts out."""
    return [
        {"field": f"compat.{party}", "message": f"{party} {version} does not satisfy {wanted}"}
        for party, version in versions.items()
        if (wanted := ranges.get(party)) is not None and not satisfies(wanted, version)
    ]


# Below every real pre-release of the same core: npm writes this end of a partial bound as `-0`.
_LOWEST: PreRelease = ()


def _bounds(word: str, whole: str) -> Iterator[Bound]:
    match = _COMPARATOR.fullmatch(word)
    if match is None:
        raise RangeError(
            f"{word!r} in {whole!r} is no comparator: write >= > <= < = before a version, "
            "and spaces between comparators"
        )
    operator = match["op"] or "="
    if match["core"]:
        yield Bound(operator, _version(match["core"], match["pre"]))
    else:
        yield from _partial_bounds(operator, match["partial"])


def _partial_bounds(operator: str, partial: str) -> Iterator[Bound]:
    first, after = _span(partial)
    match operator:
        case ">=":
            yield Bound(">=", _release(first))
        case ">":
            yield Bound(">=", _release(after))
        case "<":
            yield Bound("<", Version(first, False, _LOWEST))
        case "<=":
            yield Bound("<", Version(after, False, _LOWEST))
        case _:
            yield Bound(">=", _release(first))
            yield Bound("<", Version(after, False, _LOWEST))


def _span(partial: str) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Return the first release that *partial* covers, and the first beyond it."""
    numbers = [int(number) for number in partial.split(".")]
    if len(numbers) == 1:
        return (numbers[0], 0, 0), (numbers[0] + 1, 0, 0)
    return (numbers[0], numbers[1], 0), (numbers[0], numbers[1] + 1, 0)


def _release(core: tuple[int, int, int]) -> Version:
    return Version(core, True, ())


def _version(core: str, pre: str | None) -> Version:
    major, minor, patch = (int(number) for number in core.split("."))
    if pre is None:
        return _release((major, minor, patch))
    identifiers = tuple(_identifier(part) for part in pre.split("."))
    return Version((major, minor, patch), False, identifiers)


def _identifier(text: str) -> tuple[bool, int, str]:
    """Return a sort key: numbers before words, numbers by value (SemVer 2.0 §11)."""
    return (False, int(text), "") if text.isdigit() else (True, 0, text)


def _holds(bound: Bound, candidate: Version) -> bool:
    match bound.op:
        case ">=":
            return candidate >= bound.version
        case ">":
            return candidate > bound.version
        case "<=":
            return candidate <= bound.version
        case "<":
            return candidate < bound.version
        case _:
            return candidate == bound.version
