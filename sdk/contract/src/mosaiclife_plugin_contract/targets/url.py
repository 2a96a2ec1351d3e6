"""A plugin that runs already, somewhere: the kit can call it, and nothing else."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from mosaiclife_plugin_contract.calls import Caller
from mosaiclife_plugin_contract.doubles.core import StandInCore
from mosaiclife_plugin_contract.limits import Limits
from mosaiclife_plugin_contract.needs import Need
from mosaiclife_plugin_contract.targets.base import Credentials, Instance


class UrlTarget:
    """What answers at a URL; with core's token and secret more of it can be tested."""

    mode = "url"

    def __init__(
        self, url: str, token: str | None = None, webhook_secrets: tuple[str, ...] = ()
    ) -> None:
        """Test the plugin at *url*."""
        self.name = url.rstrip("/")
        self.credentials = Credentials(token, None, webhook_secrets)
        known = {Need.TOKEN: token, Need.SECRET: token and webhook_secrets}
        self.offers = frozenset(need for need, value in known.items() if value)

    @asynccontextmanager
    async def launch(
        self,
        limits: Limits,
        core: StandInCore | None,  # noqa: ARG002 - the plugin has a core of its own
        environ: Mapping[str, str],  # noqa: ARG002 - and its environment
    ) -> AsyncIterator[Instance]:
        """Call the plugin that runs."""
        call = Caller(self.name, limits.request)
        try:
            yield Instance(call, self.name, self.credentials)
        finally:
            await call.aclose()
