"""What a check is given: the plugin, a way to start others, and a sense of time."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from mosaiclife_plugin_contract.calls import Caller, Headers
from mosaiclife_plugin_contract.documents import member
from mosaiclife_plugin_contract.doubles.core import Answer, StandInCore
from mosaiclife_plugin_contract.limits import Limits
from mosaiclife_plugin_contract.targets.base import Credentials, Instance, Target

T = TypeVar("T")

POLL_SECONDS = 0.05


@dataclass
class Context:
    """The plugin under test; `plugin` is the instance that checks share and leave as it was."""

    target: Target
    limits: Limits
    plugin: Instance
    manifest_file: Mapping[str, Any] | None = None
    _declared: Mapping[str, Any] | None = field(default=None, repr=False)

    @property
    def call(self) -> Caller:
        """Return what calls the shared instance."""
        return self.plugin.call

    @property
    def credentials(self) -> Credentials:
        """Return what core and plugin share."""
        return self.plugin.credentials

    @property
    def bearer(self) -> Headers:
        """Return the header with which core proves that it is core."""
        return [("authorization", f"Bearer {self.credentials.call_token}")]

    async def served(self) -> dict[str, Any]:
        """Return what `/manifest` answers."""
        reply = await self.call("GET", "/manifest")
        return member(reply.json(), dict, "GET /manifest")

    async def declared(self) -> Mapping[str, Any]:
        """Return plugin.yaml where the kit has it, else what the plugin says it is."""
        if self._declared is None:
            self._declared = self.manifest_file or await self.served()
        return self._declared

    async def path(self, *steps: str) -> str:
        """Return a path that the manifest declares, as in `path("health", "livenessPath")`."""
        return member(await self.declared(), str, "the manifest", *steps)

    async def liveness(self) -> str:
        """Return the path of the liveness probe."""
        return await self.path("health", "livenessPath")

    async def readiness(self) -> str:
        """Return the path of the readiness probe."""
        return await self.path("health", "readinessPath")

    async def below(self, path: str) -> str:
        """Return a path under the base path."""
        return (await self.path("endpoints", "basePath")).rstrip("/") + path

    def core(self, *script: Answer) -> StandInCore:
        """Return a core that answers registrations with *script*, and kindly from then on."""
        return StandInCore(self.credentials.reg_token or "", *script)

    def launch(
        self, core: StandInCore | None, **environ: str
    ) -> AbstractAsyncContextManager[Instance]:
        """Run an instance of its own, before *core*, or before none at all."""
        return self.target.launch(self.limits, core, environ)

    async def eventually(
        self, probe: Callable[[], Awaitable[T]], seconds: float | None = None
    ) -> T:
        """Return the first truthy answer of *probe*, or its last one when time is up."""
        loop = asyncio.get_running_loop()
        until = loop.time() + (self.limits.request if seconds is None else seconds)
        while not (answer := await probe()) and loop.time() < until:  # noqa: ASYNC110
            await asyncio.sleep(POLL_SECONDS)
        return answer

    async def status(self, instance: Instance, path: str, wanted: int) -> bool:
        """Wait until a GET of *path* has the status *wanted*, and tell whether it came."""

        async def has_it() -> bool:
            return (await instance.call("GET", path)).status == wanted

        return await self.eventually(has_it)
