"""Know what each legacy lets the plugin count (`plugin_permission.*`).

Where nobody has said anything, what is done by name before the circle counts, and what is only
observed does not. Once somebody has, that decides.
"""

from collections.abc import Mapping
from typing import NamedTuple

from plugin_analytics.model.families import TYPES, Sensitivity
from plugin_analytics.model.families.permissions import GRANTED, Permission

NOTHING: frozenset[str] = frozenset()


class Grant(NamedTuple):
    """What was said last for a legacy; `types` is None where every type is allowed."""

    at: int
    id: str
    types: frozenset[str] | None

    def allows(self, name: str) -> bool:
        """Tell whether events of the type *name* may be kept."""
        return self.types is None or name in self.types


Grants = Mapping[str, Grant]


def grant_of(name: str, at: int, event_id: str, payload: Permission) -> Grant:
    """Return what a permission event says; types may be spelled as anybody spells them."""
    if name != GRANTED:
        return Grant(at, event_id, NOTHING)
    events = True if payload.permissions is None else payload.permissions.webhook_events
    if isinstance(events, bool):
        return Grant(at, event_id, None if events else NOTHING)
    return Grant(at, event_id, frozenset(TYPES[each].name for each in events if each in TYPES))


class Standing:
    """What is known of a tenant's grants, and what the present call has added to it."""

    def __init__(self, known: Grants) -> None:
        """Begin with what is *known*, which stays as it is."""
        self._known = known
        self._said: dict[str, Grant] = {}

    def say(self, legacy: str, grant: Grant) -> bool:
        """Let *grant* stand unless a later one does, whatever came first; tell whether it does."""
        standing = self._of(legacy)
        if standing is not None and grant[:2] <= standing[:2]:
            return False
        self._said[legacy] = grant
        return True

    def closed(self, legacies: tuple[str, ...], name: str, sensitivity: Sensitivity) -> list[str]:
        """Return those of *legacies* whose events of a type must not be kept."""
        if sensitivity is Sensitivity.CONTROL:
            return []  # what takes data away needs nobody's leave
        if not self._known and not self._said:
            return list(legacies) if sensitivity is Sensitivity.OBSERVED else []
        return [each for each in legacies if not self._allows(each, name, sensitivity)]

    def decided(self, legacy: str) -> bool:
        """Tell whether anybody has said anything for *legacy*."""
        return self._of(legacy) is not None

    def _allows(self, legacy: str, name: str, sensitivity: Sensitivity) -> bool:
        grant = self._of(legacy)
        if grant is None:
            return sensitivity is not Sensitivity.OBSERVED
        return grant.allows(name)

    def _of(self, legacy: str) -> Grant | None:
        return self._said.get(legacy) or self._known.get(legacy)
