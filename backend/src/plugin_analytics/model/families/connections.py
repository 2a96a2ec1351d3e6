"""Keep `legacy_link.*` and `connection_request.*`: that circles and people have found each other."""

from typing import Literal

from plugin_analytics.model.families.base import (
    EventType,
    Family,
    Identifier,
    OfOneLegacy,
    Payload,
    Sensitivity,
)


class Link(OfOneLegacy, frozen=True, kw_only=True):
    """What is kept of a link between two legacies."""

    link_id: Identifier | None = None
    action: Literal["approve", "reject", "active", "rejected", "revoked"] | None = None


class Connection(Payload, frozen=True, kw_only=True):
    """What is kept of a connection between two people: neither of them."""

    request_id: Identifier | None = None


FAMILY = Family(
    name="connection",
    types=(
        EventType("legacy_link.responded", Link, Sensitivity.OBSERVED),
        EventType("connection_request.accepted", Connection, Sensitivity.OBSERVED),
    ),
)
