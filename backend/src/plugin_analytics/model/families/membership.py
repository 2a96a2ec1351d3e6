"""Keep `legacy_access_request.*` and `member.*`: who knocks, who comes, who goes."""

from plugin_analytics.model.families.base import (
    EventType,
    Family,
    Identifier,
    OfOneLegacy,
    Sensitivity,
)
from plugin_analytics.model.families.invitations import Role


class AccessRequest(OfOneLegacy, frozen=True, kw_only=True):
    """What is kept of a request: never what was written with it."""

    request_id: Identifier
    role: Role | None = None


class Membership(OfOneLegacy, frozen=True, kw_only=True):
    """What is kept of a change among the members."""

    role: Role | None = None


FAMILY = Family(
    name="membership",
    types=(
        *(
            EventType(f"legacy_access_request.{act}", AccessRequest, Sensitivity.OBSERVED)
            for act in ("submitted", "approved", "declined")
        ),
        *(
            EventType(f"member.{act}", Membership, Sensitivity.OBSERVED)
            for act in ("role_changed", "removed", "left")
        ),
    ),
)
