"""Make all counts anew from what is remembered, because somebody asks for it.

Refresh does the same work whenever it finds it begun: both take one piece after another from the
same place, so either may end, and the other goes on.
"""

from collections.abc import Callable

import msgspec

from mosaiclife_plugin_sdk import ValidationFailed
from plugin_analytics.services.rollup import Refresh
from plugin_analytics.store.base import Store

Cancelled = Callable[[], bool]
Progress = Callable[[int, int | None, str], None]


class RebuildParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose counts; without a tenant, everybody's."""

    tenant: str | None = None


class Rebuilt(msgspec.Struct):
    """How many tenants' facts are new, of how many subjects they follow, and days counted."""

    tenants: int = 0
    subjects: int = 0
    days: int = 0


class Rebuild:
    """Begin anew, and work until it is done or somebody asks to stop."""

    def __init__(self, store: Store, refresh: Refresh) -> None:
        """Rebuild the counts of *store* as *refresh* does."""
        self._store = store
        self._refresh = refresh

    def __call__(self, params: RebuildParams, cancelled: Cancelled, progress: Progress) -> Rebuilt:
        """Make anew what *params* ask for."""
        known = [name for name in self._store.tenants() if params.tenant in (None, name)]
        if params.tenant is not None and not known:
            raise ValidationFailed(
                "There is no such tenant.",
                details=[{"field": "$.params.tenant", "message": "nothing is known of it"}],
            )
        done, total = Rebuilt(), sum(map(self._store.subject_count, known))
        for tenant in known:
            if cancelled() or not self._refresh.begin_again(tenant):
                continue
            self._work(tenant, done, total, cancelled, progress)
        return done

    def _work(
        self, tenant: str, done: Rebuilt, total: int, cancelled: Cancelled, progress: Progress
    ) -> None:
        subjects = self._store.subject_count(tenant)
        while (share := self._store.rebuilt_share(tenant)) is not None:
            if cancelled():
                return
            progress(done.subjects + round(subjects * share), total, "subjects")
            self._refresh.rebuild_some(tenant)
        done.tenants += 1
        done.subjects += subjects
        progress(done.subjects, total, "subjects")
        done.days += self._refresh.settle(tenant, cancelled)
