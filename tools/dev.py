"""Run core, backend and the remote's build on this machine until Ctrl-C.

Prints one URL when the plugin is Ready. Edits show by themselves: the backend starts again, the
remote is built again and core loads it in place.
"""

import asyncio
import json
import os
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import yaml
from watchfiles import awatch

from tools import build, session
from tools.children import Child
from tools.lines import condense
from tools.ports import LOOPBACK, free_port
from tools.workspace import (
    PYTHON,
    ROOT,
    Stopwatch,
    ToolFailed,
    environment,
    fail,
    run,
    say,
    script,
)

CORE_PORT, PLUGIN_PORT = 8080, 7001
POLL_SECONDS = 0.3
PATIENCE_SECONDS = 60.0

# Where an edit starts which child again. webpack watches its own sources.
BACKEND_SOURCES = (ROOT / "backend/src", ROOT / "sdk/python/src")
CORE_SOURCES = (ROOT / "core/server/src",)
MANIFEST = ROOT / "plugin.yaml"
REMEDIES = {
    "core": "mend the cause above and run dev again",
    "plugin": "mend the cause above and save: it starts again by itself",
    "remote": "mend ui/webpack.config.js or plugin.yaml, and run dev again",
}


def main() -> int:
    processes = session.Processes()
    if other := processes.running():
        fail(f"dev: already running in this checkout as process {other}; end that one first")
        return 1
    if count := processes.end_leftovers():
        say(f"dev: ended {count} processes that an earlier run had left")
    try:
        build.build(build.SHELL)
    except ToolFailed as error:
        fail(f"dev: {error}")
        return 1
    try:
        return asyncio.run(Supervisor(processes).run())
    finally:
        processes.clear()


class Supervisor:
    """Starts the children, follows the sources, and ends everything when one of them must end."""

    def __init__(self, processes: session.Processes) -> None:
        self._processes = processes
        self._done = asyncio.Event()
        self._code = 0
        self._watch = Stopwatch()
        self._id = str(yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))["name"])
        core_port = choose_port("CORE_PORT", CORE_PORT, set())
        plugin_port = choose_port("PORT", PLUGIN_PORT, {core_port})
        self.url = f"http://{LOOPBACK}:{core_port}/"
        variables = settings(self._id, session.load_keys(), core_port, plugin_port)
        self._core = self._child("core", [PYTHON, "-m", "mosaiclife_devcore"], variables["core"])
        self._plugin = self._child(
            "plugin", [PYTHON, "-m", "plugin_" + self._id.replace("-", "_")], variables["plugin"]
        )
        webpack: list[str | Path] = [
            script("node"),
            "node_modules/webpack/bin/webpack.js",
            "--watch",
        ]
        self._remote = self._child("remote", webpack, {}, cwd=ROOT / "ui")
        self._children = (self._core, self._plugin, self._remote)

    def _child(
        self, name: str, command: list[str | Path], env: Mapping[str, str], cwd: Path = ROOT
    ) -> Child:
        return Child(name, command, cwd, environment(env), show, self._on_end)

    async def run(self) -> int:
        """Run until a signal or a child that cannot be done without ends it."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._done.set)
        followers: list[asyncio.Task[None]] = []
        try:
            await self._start()
            followers = [asyncio.create_task(job) for job in (self._announce(), self._follow())]
            await self._done.wait()
        finally:
            say("dev: ending …")
            for task in followers:
                task.cancel()
            await asyncio.gather(*(child.stop() for child in self._children))
        return self._code

    async def _start(self) -> None:
        for child in self._children:
            await child.start()
        self._remember()

    def _remember(self) -> None:
        self._processes.write(session.ids((child.name, child.pid) for child in self._children))

    async def _on_end(self, child: Child, code: int) -> None:
        """Say what ended and what helps; only the plugin may come back after an edit."""
        fail(f"dev: {child.name} ended with code {code}: {REMEDIES[child.name]}")
        if child is not self._plugin:
            self._code = 1
            self._done.set()

    async def _announce(self) -> None:
        """Print the URL once the plugin is Ready, or say what it waits for."""
        last = ""
        late = False
        while (state := await asyncio.to_thread(plugin_state, self.url, self._id)) != "Ready":
            last = state or last
            if not late and self._watch.seconds > PATIENCE_SECONDS:
                late = True
                fail(f"dev: not ready after {PATIENCE_SECONDS:.0f} s ({last or 'core is silent'})")
            await asyncio.sleep(POLL_SECONDS)
        say(f"\n  Ready after {self._watch.seconds:.0f} s:  {self.url}\n")

    async def _follow(self) -> None:
        """Start again what an edit touched."""
        async for changes in awatch(*BACKEND_SOURCES, *CORE_SOURCES, MANIFEST):
            paths = [Path(path) for _, path in changes]
            for child in self._touched(paths):
                say(f"dev: {child.name} starts again ({paths[0].relative_to(ROOT)})")
                await child.restart()
            self._remember()

    def _touched(self, paths: list[Path]) -> list[Child]:
        roots = {
            self._core: CORE_SOURCES,
            self._plugin: (*BACKEND_SOURCES, MANIFEST),
            self._remote: (MANIFEST,),
        }
        return [
            child
            for child, sources in roots.items()
            if any(path.is_relative_to(source) for path in paths for source in sources)
        ]


def node_itself() -> str:
    """Return the program behind the wrapper in the environment: one process less to end."""
    return run(script("node"), "--print", "process.execPath").strip()


def choose_port(variable: str, usual: int, taken: set[int]) -> int:
    """Return the port that a variable or the habit names, or one near it when it is taken."""
    wanted = int(os.environ.get(variable) or usual)
    port = free_port(wanted, taken)
    if port != wanted:
        say(f"dev: port {wanted} is taken, so {port} is used ({variable}=… chooses another)")
    return port


def settings(
    plugin_id: str, keys: session.Keys, core_port: int, plugin_port: int
) -> dict[str, dict[str, str]]:
    """Return the environment of core and plugin: both sides of one agreement."""
    core_url, plugin_url = (f"http://{LOOPBACK}:{port}" for port in (core_port, plugin_port))
    grant = {"tokens": [keys.token], "webhookSecrets": [keys.webhook_secret], "urls": [plugin_url]}
    core = {
        "CORE_HOST": LOOPBACK,
        "CORE_PORT": str(core_port),
        "CORE_PLUGINS": json.dumps({plugin_id: grant}),
        "CORE_WEB_DIR": str(build.SHELL.product),
    }
    plugin = {
        "CORE_BASE_URL": core_url,
        "REG_TOKEN": keys.token,
        "WEBHOOK_SECRETS": keys.webhook_secret,
        "PSEUDONYM_KEY": keys.pseudonym_key,
        "PLUGIN_PUBLIC_URL": plugin_url,
        "PLUGIN_MANIFEST": str(MANIFEST),
        "UI_BUNDLE_DIR": str(build.REMOTE.product),
        "HOST": LOOPBACK,
        "PORT": str(plugin_port),
        "DATA_DIR": str(session.FOLDER / "data"),
        "REGISTER_INTERVAL_SECONDS": "3",
        # Nobody waits for a load balancer here, and an edit should show at once.
        "DRAIN_SECONDS": "0",
    }
    return {"core": core, "plugin": plugin}


def plugin_state(url: str, plugin_id: str) -> str:
    """Ask core for the plugin's state and reason; Ready only when the page answers as well."""
    with suppress(OSError, ValueError, KeyError, urllib.error.URLError):
        plugins = json.loads(fetch(f"{url}api/plugins"))["data"]
        known = next((entry for entry in plugins if entry["id"] == plugin_id), None)
        if known is None:
            return "the plugin has not registered"
        if known["state"] != "Ready" or not known.get("ui"):
            return f"{known['state']}: {known.get('reason') or 'no reason given'}"
        fetch(url)
        return "Ready"
    return ""


def fetch(url: str) -> bytes:
    # Never through a proxy: the address is this machine's own.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=5) as answer:
        content: bytes = answer.read()
    return content


def show(name: str, line: str) -> None:
    if words := condense(line):
        say(f"{name:<7}| {words}")


if __name__ == "__main__":
    sys.exit(main())
