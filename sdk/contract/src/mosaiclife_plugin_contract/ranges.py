"""Read version ranges by the contract's grammar (spec §5), and say what is wrong with one."""

import re

_NUMBER = r"(?:0|[1-9][0-9]*)"
_WORD = r"[0-9A-Za-z-]+"
_PRE = rf"(?:{_NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_FULL = rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-{_PRE}(?:\.{_PRE})*)?(?:\+{_WORD}(?:\.{_WORD})*)?"
_COMPARATOR = re.compile(rf"(?:>=|<=|>|<|=)?(?:{_FULL}|{_NUMBER}(?:\.{_NUMBER})?)")
_VERSION = re.compile(_FULL)


def is_version(text: str) -> bool:
    """Tell whether *text* is SemVer `MAJOR.MINOR.PATCH`."""
    return _VERSION.fullmatch(text) is not None


def range_fault(text: str) -> str | None:
    """Return what is wrong with a range, or None; an operator may stand off its version."""
    words = re.sub(r"(>=|<=|>|<|=)\s+", r"\1", text).split()
    if not words:
        return "it is empty"
    wrong = [word for word in words if not _COMPARATOR.fullmatch(word)]
    return f"{wrong[0]!r} is no comparator of the grammar" if wrong else None
