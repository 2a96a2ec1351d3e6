"""Know every event type that the plugin reads, by the family that owns it.

A family is one file here, found by its name; a new type is a line in one.
"""

from importlib import import_module
from pkgutil import iter_modules

from plugin_analytics.model.families.base import (
    WHOLE_TENANT,
    Act,
    EventType,
    Fact,
    Family,
    Payload,
    Sensitivity,
)


def _family(module: str) -> Family:
    family: Family = import_module(f"{__name__}.{module}").FAMILY
    return family


FAMILIES: tuple[Family, ...] = tuple(
    _family(found.name) for found in iter_modules(__path__) if found.name != "base"
)
BY_NAME = {family.name: family for family in FAMILIES}
BY_TYPE = {kind.name: family for family in FAMILIES for kind in family.types}
# Every spelling of every type; what is stored and counted is the type's one name.
TYPES = {
    spelling: kind for family in FAMILIES for kind in family.types for spelling in kind.spellings()
}

__all__ = [
    "BY_NAME",
    "BY_TYPE",
    "FAMILIES",
    "TYPES",
    "WHOLE_TENANT",
    "Act",
    "EventType",
    "Fact",
    "Family",
    "Payload",
    "Sensitivity",
]
