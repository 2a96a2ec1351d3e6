"""Start docker-compose.plugin.yml and wait for the page: `up`, and end it: `down`.

`up prometheus` and `up grafana` start these too; `down --data` forgets the stored data. Arguments after
`--` go to the engine's `build`. CORE_PORT and the other variables of the file are honoured.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mosaiclife_plugin_sdk import load_manifest
from tools import image, session
from tools.dev import plugin_state
from tools.workspace import ROOT, STATE, Stopwatch, ToolFailed, answer_of, environment, fail, say

FILE = ROOT / "docker-compose.plugin.yml"
FOLDER = STATE / "compose"
PROFILES = ("prometheus", "grafana")
IMAGES = ("plugin", "core", "ui")
# What the observers call the plugin: the labels in tools/observe/prometheus.yml.
LABELS = {"$job": "plugin", "$namespace": "compose", "$runbooks": "docs/runbooks.md"}
PATIENCE_SECONDS = 120.0
POLL_SECONDS = 0.5
REMEDY = "install `docker compose`, or Debian's docker-compose, or podman-compose"


class NoCompose(Exception):
    """No program of this machine reads a compose file; the words say what was tried."""


@dataclass(frozen=True)
class Compose:
    """A program that runs compose files, with the words that begin each of its commands."""

    words: tuple[str, ...]
    project: str

    def call(self, *arguments: str, profiles: Sequence[str] = ()) -> None:
        """Run one command in plain sight."""
        command = [*self.command(profiles), *arguments]
        # A busy disk may keep Compose 1 waiting for longer than its minute.
        env = environment({"COMPOSE_PROFILES": "", "COMPOSE_HTTP_TIMEOUT": "300"})
        if subprocess.run(command, cwd=ROOT, env=env, check=False).returncode:
            raise ToolFailed(command, "its message stands above")

    def command(self, profiles: Sequence[str] = ()) -> list[str]:
        """Return the start of a command, as somebody may type it."""
        chosen = [word for name in profiles for word in ("--profile", name)]
        file = ["--file", str(FILE), "--env-file", str(FOLDER / "env")]
        return [*self.words, "--project-name", self.project, *file, *chosen]


def find_compose(environ: Mapping[str, str] = os.environ) -> Compose:
    """Return a compose that answers here, beside an engine that runs what it builds."""
    engine = image.find_engine(environ)
    if not engine.runs:
        raise NoCompose(f"{engine.program} builds images and runs none: install Docker or Podman")
    tried = []
    for words in _candidates(engine.program, environ):
        if answer_of(*words, "version"):
            return Compose(words, environ.get("COMPOSE_PROJECT_NAME") or project())
        tried.append(f"`{' '.join(words)} version` fails")
    raise NoCompose("; ".join([*(tried or ["no compose"]), REMEDY]))


def _candidates(engine: str, environ: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """Yield the engine's own compose before one that stands beside it."""
    yield engine, "compose"
    for name in (f"{Path(engine).name}-compose", "docker-compose"):
        if program := shutil.which(name, path=environ.get("PATH", os.defpath)):
            yield (program,)


def project() -> str:
    return f"{image.images()['plugin'].repository}-dev"


def lay_out() -> None:
    """Write what the file asks for: images, words that both sides know, and the rules."""
    keys, known = session.load_keys(FOLDER), image.images()
    values = {
        **{f"{name.upper()}_IMAGE": known[name].tag for name in IMAGES},
        "REG_TOKEN": keys.token,
        "WEBHOOK_SECRETS": keys.webhook_secret,
        "PSEUDONYM_KEY": keys.pseudonym_key,
        "UI_USER": reader(),
    }
    lines = [f"{name}={value}\n" for name, value in values.items()]
    session.write_private(FOLDER / "env", "".join(lines))
    rules = (ROOT / "chart/files/rules.yaml").read_text("utf-8")
    for placeholder, label in LABELS.items():
        rules = rules.replace(placeholder, label)
    (FOLDER / "rules.yaml").write_text(rules, "utf-8")
    (FOLDER / "rules.yaml").chmod(0o644)


def reader() -> str:
    """Return who may read the sources: their owner, who may have shut them off from others."""
    owner = (ROOT / "ui/src").stat()
    return f"{owner.st_uid}:{owner.st_gid}" if owner.st_uid else "10001:10001"


def up(compose: Compose, profiles: Sequence[str], options: Sequence[str]) -> int:
    """Build, start, and wait until core shows the plugin."""
    watch = Stopwatch()
    image.build(image.find_engine(), IMAGES, options)
    lay_out()
    compose.call("up", "--detach", "--remove-orphans", profiles=profiles)
    url = f"http://127.0.0.1:{os.environ.get('CORE_PORT') or 8080}/"
    if state := wait(url):
        fail(f"up: not ready after {PATIENCE_SECONDS:.0f} s ({state})")
        say(f"up: the reason may stand in: {' '.join(compose.command())} logs")
        return 1
    say(f"\n  Ready after {watch.seconds:.0f} s:  {url}\n")
    return 0


def wait(url: str) -> str:
    """Wait until the page shows the plugin; return what it last said when it never does."""
    watch, plugin = Stopwatch(), load_manifest(ROOT / "plugin.yaml").name
    while (state := plugin_state(url, plugin)) != "Ready":
        if watch.seconds > PATIENCE_SECONDS:
            return state or "core is silent"
        time.sleep(POLL_SECONDS)
    return ""


def down(compose: Compose, *, data: bool) -> int:
    """End everything, also what another profile started."""
    lay_out()
    volumes = ["--volumes"] if data else []
    compose.call("down", "--remove-orphans", *volumes, profiles=PROFILES)
    return 0


def main(arguments: Sequence[str]) -> int:
    at = arguments.index("--") if "--" in arguments else len(arguments)
    parser = argparse.ArgumentParser(prog="just", description=__doc__)
    kinds = parser.add_subparsers(dest="what", required=True)
    start = kinds.add_parser("up")
    start.add_argument("profiles", nargs="*", metavar="profile", help=" ".join(PROFILES))
    kinds.add_parser("down").add_argument("--data", action="store_true", help="forget it, too")
    asked = parser.parse_args(arguments[:at])
    if unknown := sorted(set(getattr(asked, "profiles", [])) - set(PROFILES)):
        parser.error(f"no such profile: {' '.join(unknown)}; there are {' '.join(PROFILES)}")
    try:
        compose = find_compose()
        if asked.what == "up":
            return up(compose, asked.profiles, arguments[at + 1 :])
        return down(compose, data=asked.data)
    except (NoCompose, image.NoEngine, ToolFailed) as error:
        fail(f"{asked.what}: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
