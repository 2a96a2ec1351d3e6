"""Access: members read their legacies, stewards a tenant from outside, strangers nothing."""

import pytest

from mosaiclife_plugin_sdk import SERVICE, PermissionDenied, UserContext
from plugin_analytics.services.access import readable_scope


def viewer(*, operator: bool = False, **legacies: str) -> UserContext:
    return UserContext(sub="ada", operator=operator, legacies=legacies)


@pytest.mark.parametrize("role", ["creator", "admin", "advocate", "admirer"])
def test_every_member_reads_the_legacy(role: str) -> None:
    """Each of the four roles may read what the circle shares."""
    assert readable_scope(viewer(l1=role), "l1") == "l1"


@pytest.mark.parametrize(
    "stranger",
    [viewer(), viewer(l2="creator"), viewer(l1="owner"), viewer(operator=True), SERVICE],
)
def test_strangers_get_one_answer(stranger: UserContext) -> None:
    """No role, a role elsewhere, an unknown role, a steward, a service: all the same 403."""
    with pytest.raises(PermissionDenied) as refused:
        readable_scope(stranger, "l1")

    assert refused.value.code == "LEGACY_ACCESS_DENIED"


def test_tenant_totals_are_for_stewards_and_services() -> None:
    """A member without that office is refused, with the platform's own code."""
    assert readable_scope(viewer(operator=True), None) == ""
    assert readable_scope(SERVICE, None) == ""
    with pytest.raises(PermissionDenied) as refused:
        readable_scope(viewer(l1="creator"), None)
    assert refused.value.code == "PERMISSION_DENIED"
