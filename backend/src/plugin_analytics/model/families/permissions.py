"""Keep `plugin_permission.*`: which legacies let the plugin count, and what."""

from typing import Annotated

import msgspec
from msgspec import Meta

from plugin_analytics.model.families.base import (
    EventType,
    Family,
    Identifier,
    OfOneLegacy,
    Sensitivity,
)

GRANTED, REVOKED = "plugin_permission.granted", "plugin_permission.revoked"
Name = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9._-]{1,100}\Z")]


class Scopes(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a keeper has allowed; `webhook_events` is yes, no, or the types."""

    webhook_events: bool | Annotated[list[Name], Meta(max_length=100)] = True


class Permission(OfOneLegacy, frozen=True, kw_only=True):
    """What is kept of a grant: never who gave it."""

    legacy_id: Identifier
    plugin_id: Name | None = None
    permissions: Scopes | None = None


FAMILY = Family(
    name="permission",
    types=(
        EventType(GRANTED, Permission, Sensitivity.CONTROL),
        EventType(REVOKED, Permission, Sensitivity.CONTROL),
    ),
)
