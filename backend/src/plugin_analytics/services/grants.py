"""Remember what each tenant allows and has had erased, so that no delivery asks the store for it."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from plugin_analytics.model.erasure import NO_HASHES, Ask, Graves, Hashes, Tombs
from plugin_analytics.model.events import Event
from plugin_analytics.model.grants import Grant, Standing
from plugin_analytics.store.base import Store


class _Page(NamedTuple):
    """What is known of one tenant."""

    grants: dict[str, Grant]
    tombs: Tombs


class GrantBook:
    """The grants and tombstones of every tenant that has delivered since the start."""

    def __init__(self, store: Store, hashes: Hashes = NO_HASHES) -> None:
        """Read from *store* when a tenant delivers for the first time."""
        self._store = store
        self._hashes = hashes
        self._pages: dict[str, _Page] = {}
        self._loading = asyncio.Lock()
        self.heard = 0  # how often anything was learnt that later events are judged by

    def at_hand(self, tenant: str) -> tuple[Standing, Graves] | None:
        """Return the same if no store need be asked for it."""
        page = self._pages.get(tenant)
        return None if page is None else self._of(tenant, page)

    async def standing(self, tenant: str) -> tuple[Standing, Graves]:
        """Return what is known for *tenant*, for one call to add to."""
        page = self._pages.get(tenant)
        if page is None:
            async with self._loading:
                page = self._pages.get(tenant)
                if page is None:
                    page = self._pages[tenant] = await asyncio.to_thread(self._read, tenant)
        return self._of(tenant, page)

    def read(self, tenant: str) -> tuple[Standing, Graves]:
        """Return what the store says now, from any thread."""
        return self._of(tenant, self._read(tenant))

    def learn(self, tenant: str, events: Iterable[Event], asks: Sequence[Ask] = ()) -> bool:
        """Take over what stored *events* have said; tell whether anything must be forgotten."""
        page = self._pages.get(tenant)
        asked, granted = list(asks), False
        for event in events:
            if event.ask is not None:
                asked.append(event.ask)
            granted = granted or event.grant is not None
            if event.grant is not None and page is not None:
                (legacy,) = event.legacies
                standing = page.grants.get(legacy)
                if standing is None or event.grant[:2] > standing[:2]:
                    page.grants[legacy] = event.grant
        if page is not None:
            for ask in asked:
                page.tombs.add(ask.kind, ask.hash, ask.at)
        self.heard += bool(asked) or granted
        return bool(asked)

    def forget(self, tenant: str | None = None) -> None:
        """Read a tenant (or all) anew when it next delivers."""
        self.heard += 1
        if tenant is None:
            self._pages.clear()
        else:
            self._pages.pop(tenant, None)

    def _read(self, tenant: str) -> _Page:
        return _Page(dict(self._store.grants(tenant)), self._store.tombs(tenant))

    def _of(self, tenant: str, page: _Page) -> tuple[Standing, Graves]:
        return Standing(page.grants), Graves(tenant, page.tombs, self._hashes)
