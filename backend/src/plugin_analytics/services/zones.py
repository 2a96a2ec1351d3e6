"""Know in whose days each tenant's reports count: its own setting, or that of the instance."""

from zoneinfo import ZoneInfo

from plugin_analytics.model.calendar import find_zone
from plugin_analytics.store.base import Store

PREFIX = "zone of "


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
