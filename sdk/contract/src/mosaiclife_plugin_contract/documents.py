"""Take a decoded document apart without trusting its shape."""

from typing import Any, TypeVar

from mosaiclife_plugin_contract.violation import Violation, shown

T = TypeVar("T")

WORDS = {"dict": "an object", "list": "an array", "str": "a string"}


def member(document: Any, kind: type[T], where: str, *steps: str) -> T:
    """Return the member under *steps*, which must be there and of this *kind*."""
    found = document
    for step in steps:
        found = found.get(step) if isinstance(found, dict) else None
    if not isinstance(found, kind):
        place = ".".join(steps) or "it"
        wanted = WORDS.get(kind.__name__, kind.__name__)
        raise Violation(f"{where}: {place} is {wanted}", shown(document), wanted)
    return found
