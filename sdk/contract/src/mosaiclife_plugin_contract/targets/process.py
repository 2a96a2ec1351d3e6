"""A plugin as a process of its own, in any language: the kit owns its environment."""

import asyncio
import contextlib
import os
import shlex
import signal
import socket
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from mosaiclife_plugin_contract.calls import Caller
from mosaiclife_plugin_contract.doubles.core import StandInCore
from mosaiclife_plugin_contract.limits import Limits
from mosaiclife_plugin_contract.needs import Need
from mosaiclife_plugin_contract.targets.base import (
    VARIABLES,
    Credentials,
    Instance,
    Surroundings,
    scratch,
)
from mosaiclife_plugin_contract.violation import StartFailed, shown

POLL_SECONDS = 0.03


class ProcessTarget:
    """A command that serves the plugin at HOST and PORT."""

    mode = "process"

    def __init__(
        self,
        command: str | Sequence[str],
        environ: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        """Test what *command* runs, with *environ* besides the contract's variables."""
        self._command = shlex.split(command) if isinstance(command, str) else list(command)
        self.name = shlex.join(self._command)
        self.credentials = Credentials.fresh()
        self.offers = frozenset(Need) - {Need.MANIFEST}
        self._environ = dict(environ or {})
        self._folder = folder

    @asynccontextmanager
    async def launch(
        self, limits: Limits, core: StandInCore | None, environ: Mapping[str, str]
    ) -> AsyncIterator[Instance]:
        """Start a process and wait until it answers anything at all."""
        async with scratch() as folder:
            port = free_port()
            url = f"http://127.0.0.1:{port}"
            core_url = core.url if core else "http://127.0.0.1:9"
            extra = {**self._environ, **environ}
            around = Surroundings(self.credentials, url, port, folder, core_url, extra)
            call = Caller(url, limits.request)
            async with self._running(around) as life:
                try:
                    await _listening(life, port, limits.start)
                    yield Instance(call, url, self.credentials, core, life)
                finally:
                    await call.aclose()

    async def refusal(self, environ: Mapping[str, str]) -> tuple[int | None, str]:
        """Start a process that should refuse *environ*; return its exit code and its words.

        The code is None for a process that listens in spite of it.
        """
        async with scratch() as folder:
            port = free_port()
            url = f"http://127.0.0.1:{port}"
            extra = {**self._environ, **environ}
            around = Surroundings(self.credentials, url, port, folder, url, extra)
            async with self._running(around) as life:
                while life.exit_code is None and not await _connects(port):  # noqa: ASYNC110
                    await asyncio.sleep(POLL_SECONDS)
                return life.exit_code, life.words()

    @asynccontextmanager
    async def _running(self, around: Surroundings) -> AsyncIterator["ProcessLife"]:
        out, err = around.folder / "stdout", around.folder / "stderr"
        kept = {name: value for name, value in os.environ.items() if not _is_ours(name)}
        with out.open("wb") as stdout, err.open("wb") as stderr:
            try:
                process = await asyncio.create_subprocess_exec(
                    *self._command,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=stdout,
                    stderr=stderr,
                    env={**kept, **around.environ()},
                    cwd=self._folder,
                    start_new_session=True,
                )
            except OSError as error:
                raise StartFailed("the command can be run", str(error)) from error
        life = ProcessLife(process, out, err)
        try:
            yield life
        finally:
            await life.kill()


class ProcessLife:
    """A process and what it has written."""

    def __init__(self, process: Process, out: Path, err: Path) -> None:
        """Look after *process*."""
        self._process = process
        self._out, self._err = out, err

    @property
    def exit_code(self) -> int | None:
        """Return the exit code, None while the process lives."""
        return self._process.returncode

    def output(self) -> str:
        """Return what it has written to standard output."""
        return self._out.read_text("utf-8", errors="replace")

    def words(self) -> str:
        """Return all that it has written."""
        return self.output() + self._err.read_text("utf-8", errors="replace")

    def terminate(self) -> None:
        """Ask it to end, with SIGTERM."""
        self._process.send_signal(signal.SIGTERM)

    async def ended(self) -> int:
        """Wait for its end and return the exit code."""
        return await self._process.wait()

    async def kill(self) -> None:
        """End the process and whatever it has started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()


async def _listening(life: ProcessLife, port: int, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while not await _connects(port):
        if life.exit_code is not None:
            saw = f"exit code {life.exit_code}: {life.words()[-2000:]}"
            raise StartFailed("the plugin starts", shown(saw))
        if loop.time() > until:
            raise StartFailed(f"the plugin listens at PORT within {seconds:g} s", life.words())
        await asyncio.sleep(POLL_SECONDS)


async def _connects(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


def _is_ours(name: str) -> bool:
    return name.removesuffix("_FILE") in VARIABLES


def free_port() -> int:
    """Return a loopback port on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
