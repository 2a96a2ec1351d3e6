"""Programs that run beside each other, each in a process group of its own."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

GRACE_SECONDS = 5.0
LONGEST_LINE = 1024 * 1024

Show = Callable[[str, str], None]
Ended = Callable[["Child", int], Awaitable[None]]


@dataclass(eq=False)
class Child:
    """A program, what it is told, and what is done when it ends by itself."""

    name: str
    command: Sequence[str | Path]
    cwd: Path
    env: Mapping[str, str]
    show: Show
    ended: Ended
    process: asyncio.subprocess.Process | None = None
    _stopping: bool = False
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process and self.process.returncode is None else None

    async def start(self) -> None:
        """Start the program in a new session, so that Ctrl-C reaches the supervisor only."""
        self._stopping = False
        self.process = await asyncio.create_subprocess_exec(
            *map(str, self.command),
            cwd=self.cwd,
            env=dict(self.env),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=LONGEST_LINE,
            start_new_session=True,
        )
        task = asyncio.create_task(self._follow(self.process))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _follow(self, process: asyncio.subprocess.Process) -> None:
        """Show what the program prints until it ends, then tell who wants to know."""
        assert process.stdout is not None  # noqa: S101  (asked for in start)
        async for line in process.stdout:
            self.show(self.name, line.decode("utf-8", "replace"))
        code = await process.wait()
        if not self._stopping:
            await self.ended(self, code)

    async def stop(self) -> None:
        """End the program and everything it started: kindly first, then by force."""
        self._stopping = True
        process = self.process
        if process is None:
            return
        if process.returncode is None:
            end_group(process.pid, signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), GRACE_SECONDS)
        # The leader may be gone while something that it started is not.
        end_group(process.pid, signal.SIGKILL)
        await process.wait()

    async def restart(self) -> None:
        await self.stop()
        await self.start()


def end_group(leader: int, number: signal.Signals) -> None:
    """Send a signal to a process group, if it is still there."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)
