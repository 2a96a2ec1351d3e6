"""A plugin in this process, by its ASGI app: the fastest way, without a process to look at."""

import asyncio
import importlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from mosaiclife_plugin_contract.calls import Caller
from mosaiclife_plugin_contract.doubles.core import StandInCore
from mosaiclife_plugin_contract.limits import Limits
from mosaiclife_plugin_contract.needs import Need
from mosaiclife_plugin_contract.targets.base import Credentials, Instance, Surroundings, scratch
from mosaiclife_plugin_contract.violation import StartFailed, shown

Message = MutableMapping[str, Any]
App = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]
Factory = Callable[[Mapping[str, str]], Any]

PORT = 7001
URL = f"http://127.0.0.1:{PORT}"


def factory_named(name: str) -> Factory:
    """Import `package.module:function`."""
    module, _, function = name.partition(":")
    found: Factory = getattr(importlib.import_module(module), function)
    return found


class AsgiTarget:
    """An app made by a factory, which takes the environment instead of reading it."""

    mode = "asgi"

    def __init__(
        self, factory: Factory, name: str = "", environ: Mapping[str, str] | None = None
    ) -> None:
        """Test what *factory* returns: the app, or a tuple that begins with it."""
        self.name = name or getattr(factory, "__qualname__", "app")
        self.credentials = Credentials.fresh()
        self.offers = frozenset({Need.TOKEN, Need.SECRET, Need.START, Need.CORE})
        self._factory = factory
        self._environ = dict(environ or {})

    @asynccontextmanager
    async def launch(
        self, limits: Limits, core: StandInCore | None, environ: Mapping[str, str]
    ) -> AsyncIterator[Instance]:
        """Build the app, run its lifespan, and call it without a socket."""
        async with scratch() as folder:
            extra = {**self._environ, **environ}
            core_url = core.url if core else "http://127.0.0.1:9"
            around = Surroundings(self.credentials, URL, PORT, folder, core_url, extra)
            app = await self._build(around.environ())
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            call = Caller(URL, limits.request, transport)
            async with _lifespan(app, limits.start):
                yield Instance(call, URL, self.credentials, core)

    async def _build(self, environ: Mapping[str, str]) -> Any:
        try:
            made = await asyncio.to_thread(self._factory, environ)
        except Exception as error:  # whatever the plugin's own code raises
            raise StartFailed("the app can be built", shown(error)) from error
        return made[0] if isinstance(made, tuple) else made


@asynccontextmanager
async def _lifespan(app: App, seconds: float) -> AsyncIterator[None]:
    """Start the app as a server does, and stop it in the end."""
    inbox: asyncio.Queue[Message] = asyncio.Queue()
    outbox: asyncio.Queue[Message] = asyncio.Queue()
    scope: Message = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    running = asyncio.ensure_future(app(scope, inbox.get, outbox.put))
    try:
        supported = await _step("startup", running, inbox, outbox, seconds)
        yield
        if supported:
            await _step("shutdown", running, inbox, outbox, seconds)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _step(
    step: str,
    running: asyncio.Future[None],
    inbox: asyncio.Queue[Message],
    outbox: asyncio.Queue[Message],
    seconds: float,
) -> bool:
    """Send one event of the lifespan; return False for an app that knows none."""
    await inbox.put({"type": f"lifespan.{step}"})
    answer = asyncio.ensure_future(outbox.get())
    both: set[asyncio.Future[Any]] = {answer, running}
    await asyncio.wait(both, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    if answer.done():
        said = answer.result()
        if said["type"] == f"lifespan.{step}.complete":
            return True
        raise StartFailed(f"the app's {step} succeeds", shown(str(said.get("message", said))))
    answer.cancel()
    if running.done():
        return False
    raise StartFailed(f"the app's {step} ends", f"nothing in {seconds:g} s")
