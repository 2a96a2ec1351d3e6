"""Know in whose days each tenant's reports count: its own setting, or that of the instance."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

import msgspec
import structlog

from plugin_analytics.model.calendar import find_zone
from plugin_analytics.store.base import Store

PREFIX = "zone of "
log = structlog.stdlib.get_logger(__name__)


class Zones:
    """The reporting zone of every tenant."""

    def __init__(self, store: Store, default: ZoneInfo) -> None:
        """Read settings from *store*; who has none counts in the days of *default*."""
        self._store = store
        self.default = default

    def own(self, tenant: str) -> ZoneInfo | None:
        """Return the zone that a tenant has set; None when it has not, or no zone is called so."""
        value = self._store.setting(PREFIX + tenant)
        return None if value is None else find_zone(value.decode())

    def of(self, tenant: str) -> ZoneInfo:
        """Return the zone in which a tenant's days are counted."""
        return self.own(tenant) or self.default

    def all_own(self) -> Mapping[str, ZoneInfo]:
        """Return the zone of every tenant that has set one."""
        found = {
            name.removeprefix(PREFIX): find_zone(value.decode())
            for name, value in self._store.settings(PREFIX).items()
        }
        return {tenant: zone for tenant, zone in found.items() if zone is not None}

    def change(self, tenant: str, before: ZoneInfo | None, zone: ZoneInfo | None, by: str) -> bool:
        """Set the zone of a tenant, or take it back; False when it was no longer *before*.

        Who did it is told by the office only: no person ever stands in a log.
        """
        stood, value = (None if each is None else each.key.encode() for each in (before, zone))
        if not self._store.replace(PREFIX + tenant, stood, value).result():
            return False
        names = (None if each is None else each.key for each in (before, zone))
        log.info(
            "settings changed",
            tenant=tenant,
            by=by,
            timezone=dict(zip(("before", "after"), names, strict=True)),
        )
        return True


class Preferences(msgspec.Struct, frozen=True, rename="camel"):
    """How the reports of a tenant count: its zone, and what it would be without a setting."""

    timezone: str
    own: bool
    default: str


def preferences(zones: Zones, own: ZoneInfo | None) -> Preferences:
    """Write the settings of a tenant that has set *own*."""
    return Preferences((own or zones.default).key, own is not None, zones.default.key)
