"""Do a part of the work in a process of its own, told by lines of JSON on its standard input.

A worker ends when that input does: whoever started it may die in any way.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

from tools.workspace import ROOT

Command = Callable[..., Any]
Told = Callable[[Any], None]


class WorkerFailed(Exception):
    """A worker has met an error that it could not deal with."""


class Worker:
    """A module of this package that runs as a process and waits for commands."""

    def __init__(self, module: str) -> None:
        """Start the process, in a session of its own: Ctrl-C is for the one who started it."""
        self._module = module
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def call(self, command: str, *, told: Told | None = None, **arguments: Any) -> Any:
        """Run a command to its end and return what it answers; *told* hears what it says first."""
        send, receive = self._process.stdin, self._process.stdout
        assert send is not None  # both were asked for above
        assert receive is not None
        send.write(json.dumps([command, arguments]) + "\n")
        send.flush()
        for line in receive:
            kind, value = json.loads(line)
            if kind == "answer":
                return value
            if kind == "error":
                raise WorkerFailed(f"{self._module} {command}: {value}")
            if told is not None:
                told(value)
        raise WorkerFailed(f"{self._module} {command}: the process ended")

    def close(self) -> None:
        """End the process, by force if it has something left to do."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


def tell(value: Any) -> None:
    """Say how far the command has come."""
    _write("told", value)


def serve(commands: Mapping[str, Command]) -> None:
    """Run commands as they are asked for, until nobody can ask any more."""
    for line in sys.stdin:
        name, arguments = json.loads(line)
        try:
            _write("answer", commands[name](**arguments))
        except Exception as error:  # noqa: BLE001  # it goes to the one who asked
            _write("error", f"{type(error).__name__}: {error}")


def _write(kind: str, value: Any) -> None:
    sys.stdout.write(json.dumps([kind, value]) + "\n")
    sys.stdout.flush()
