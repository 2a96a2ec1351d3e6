"""Keep `invitation.*`: that somebody was asked to come, never whom the mail went to."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from plugin_analytics.model.families.base import (
    EventType,
    Family,
    Identifier,
    OfOneLegacy,
    Sensitivity,
)

Role = Literal["creator", "admin", "advocate", "admirer"]


class Invitation(OfOneLegacy, frozen=True, kw_only=True):
    """What is kept of an invitation; that it has expired follows from its date."""

    invitation_id: Identifier
    role: Role | None = None
    invite_mode: Literal["user_id", "email"] | None = None
    expires_at: Annotated[datetime, Meta(tz=True)] | None = None


FAMILY = Family(
    name="invitation",
    types=tuple(
        EventType(f"invitation.{act}", Invitation, Sensitivity.SHARED)
        for act in ("created", "accepted", "revoked")
    ),
)
