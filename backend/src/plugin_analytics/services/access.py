"""Decide who may read what: members their legacies, stewards the sums of a tenant (design §4)."""

from mosaiclife_plugin_sdk import PermissionDenied, UserContext
from plugin_analytics.errors import LegacyAccessDenied
from plugin_analytics.model.families import WHOLE_TENANT

KEEPERS = frozenset({"creator", "admin"})
MEMBERS = frozenset({"advocate", "admirer"})


def demand_steward(viewer: UserContext) -> None:
    """Refuse whoever neither runs the instance nor speaks for it."""
    if not (viewer.operator or viewer.is_service):
        raise PermissionDenied("Only a steward may see this.")


def readable_scope(viewer: UserContext, legacy_id: str | None) -> str:
    """Return the scope that *viewer* may read, or raise.

    A steward sees a tenant from outside, never into a family: an operator without a role in a
    legacy is a stranger there.
    """
    if legacy_id is None:
        if viewer.operator or viewer.is_service:
            return WHOLE_TENANT
        raise PermissionDenied("Only a steward may read the whole tenant; name a legacy.")
    if viewer.role_in(legacy_id) not in KEEPERS | MEMBERS:
        raise LegacyAccessDenied
    return legacy_id
