"""Stand in for the plugin while there is no place to keep anything."""

import asyncio
from collections.abc import Callable
from typing import Any

from litestar import HttpMethod, route

from mosaiclife_plugin_sdk import CheckFailed, Manifest, PluginApp
from plugin_analytics.errors import FolderClosed, StoreUnavailable

RETRY_SECONDS = 5


@route(
    "/data/{rest:path}",
    http_method=[HttpMethod.GET, HttpMethod.POST],
    status_code=200,
    include_in_schema=False,
)
async def resting() -> Any:
    """Say that no report can be made now."""
    raise StoreUnavailable(retry_after=RETRY_SECONDS)


class Standby(PluginApp):
    """Up, red and honest: it takes no deliveries and reports nothing until the folder opens.

    The process that would end here would be started again and again, and tell nobody why.
    """

    def __init__(self, manifest: Manifest, check_folder: Callable[[], None]) -> None:
        """Wait until *check_folder* no longer raises `FolderClosed`."""
        super().__init__(manifest)
        self.routes = (resting,)
        self.checks = {"store": self._check_store}
        self._check_folder = check_folder

    async def _check_store(self) -> None:
        """Fail with the reason; once there is none, ask to be built anew as the whole plugin."""
        try:
            await asyncio.to_thread(self._check_folder)
        except FolderClosed as closed:
            raise CheckFailed(str(closed)) from closed
        self.start_again = True
        raise CheckFailed("the folder for the data has opened; starting again")
