"""Remember each tenant's grants, so that no delivery has to ask the store for them."""

import asyncio
from collections.abc import Iterable

from plugin_analytics.model.events import Event
from plugin_analytics.model.grants import Grant, Standing
from plugin_analytics.store.base import Store


class GrantBook:
    """The grants of every tenant that has delivered since the start."""

    def __init__(self, store: Store) -> None:
        """Read from *store* when a tenant delivers for the first time."""
        self._store = store
        self._books: dict[str, dict[str, Grant]] = {}
        self._loading = asyncio.Lock()

    async def standing(self, tenant: str) -> Standing:
        """Return what is known for *tenant*, for one call to add to."""
        if tenant not in self._books:
            async with self._loading:
                if tenant not in self._books:
                    book = await asyncio.to_thread(self._store.grants, tenant)
                    self._books[tenant] = dict(book)
        return Standing(self._books[tenant])

    def learn(self, tenant: str, events: Iterable[Event]) -> None:
        """Take over what stored *events* have said."""
        book = self._books[tenant]
        for event in events:
            if event.grant is not None:
                (legacy,) = event.legacies
                standing = book.get(legacy)
                if standing is None or event.grant[:2] > standing[:2]:
                    book[legacy] = event.grant
