"""Build the images: `image` plugin and core, `image ui` what docker-compose.plugin.yml works with.

Arguments after `--` go to the engine's `build`, as in `image plugin -- --platform linux/arm64`.
PYTHON_IMAGE and NODE_IMAGE name other base images, IMAGE_ENGINE another engine.
"""

import argparse
import os
import shutil
import ssl
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from mosaiclife_plugin_sdk import load_manifest
from tools.workspace import ROOT, ToolFailed, answer_of, environment, fail, run, say

NAMES = ("docker", "podman", "buildah")
BASES = ("PYTHON_IMAGE", "NODE_IMAGE")
# From this version on the client builds through buildx alone; before, BuildKit was a part of it.
WITHOUT_OWN_BUILDKIT = 23
REMEDY = (
    "install Docker with buildx, Podman or Buildah and start its service where it has one,"
    " or name one: IMAGE_ENGINE=/path/to/it"
)


class NoEngine(Exception):
    """No program of this machine can build an image; the words say what was tried."""


@dataclass(frozen=True)
class Engine:
    """A program that can build images here, and whether it can run them too."""

    program: str
    runs: bool
    options: tuple[str, ...] = ()

    def build(self, *arguments: str) -> None:
        """Build in plain sight; the output of a build that fails is its reason."""
        command = [self.program, "build", *self.options, *arguments]
        env = environment({"DOCKER_BUILDKIT": "1"})
        if subprocess.run(command, cwd=ROOT, env=env, check=False).returncode:
            raise ToolFailed(command, "its message stands above")


@dataclass(frozen=True)
class Image:
    """What is built: a stage of which Dockerfile, under which name, with which title and version."""

    folder: str
    repository: str
    title: str
    version: str
    stage: str = "runtime"

    @property
    def tag(self) -> str:
        return f"{self.repository}:{self.version}"


def images() -> Mapping[str, Image]:
    """Return the images of this checkout, by the word that asks for each."""
    manifest = load_manifest(ROOT / "plugin.yaml")
    own, version = f"plugin-{manifest.name}", str(manifest.version)
    core = tomllib.loads((ROOT / "core/server/pyproject.toml").read_text())["project"]["version"]
    return {
        "plugin": Image("backend", own, manifest.title, version),
        "core": Image("core", "mosaiclife-devcore", "Mosaic Life, the development core", core),
        "ui": Image("backend", f"{own}-ui", f"{manifest.title}, its remote", version, "ui-dev"),
    }


def find_engine(environ: Mapping[str, str] = os.environ) -> Engine:
    """Return the first program that can really build here, or raise `NoEngine`."""
    tried = []
    for program in _candidates(environ):
        found = probe(program)
        if isinstance(found, Engine):
            return found
        tried.append(f"{program}: {found}")
    raise NoEngine("; ".join([*(tried or ["none is on PATH"]), REMEDY]))


def _candidates(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield every engine on PATH: the first of a name need not be the one that works."""
    if named := environ.get("IMAGE_ENGINE"):
        yield named
        return
    folders = environ.get("PATH", os.defpath).split(os.pathsep)
    for name in NAMES:
        found = (shutil.which(name, path=folder) for folder in folders)
        yield from dict.fromkeys(program for program in found if program)


def probe(program: str) -> Engine | str:
    """Ask a program whether it can build; return it as an engine, or why it cannot."""
    if "docker" not in Path(program).name:
        runs = "podman" in Path(program).name
        # The other format knows no health check.
        answer = answer_of(program, "info")
        return Engine(program, runs, ("--format", "docker")) if answer else "does not run here"
    answer = answer_of(program, "version", "--format", "{{.Client.Version}} {{.Server.Version}}")
    if not answer:
        return "no service answers it"
    major = answer.partition(".")[0]
    if answer_of(program, "buildx", "version"):
        return Engine(program, runs=True)
    if major.isdecimal() and int(major) < WITHOUT_OWN_BUILDKIT:
        return Engine(program, runs=True)
    return "has no buildx"


def arguments_for(image: Image, environ: Mapping[str, str]) -> list[str]:
    """Return the build's arguments: what it is, what it is made from, and whom it trusts."""
    given = {name: environ[name] for name in BASES if environ.get(name)}
    values = {
        **given,
        "TITLE": image.title,
        "VERSION": image.version,
        "REVISION": revision(),
        "SOURCE": source(_git("config", "--get", "remote.origin.url")),
    }
    trusted = environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    secret = ["--secret", f"id=ca,src={trusted}"] if trusted and Path(trusted).is_file() else []
    named = [word for name, value in values.items() for word in ("--build-arg", f"{name}={value}")]
    what = ["--file", f"{image.folder}/Dockerfile", "--target", image.stage, "--tag", image.tag]
    return [*what, *named, *secret]


def revision() -> str:
    """Return the commit, marked when files of it have changed; nothing outside of a checkout."""
    commit = _git("rev-parse", "HEAD")
    return f"{commit}-dirty" if commit and _git("status", "--porcelain") else commit


def source(url: str) -> str:
    """Return a public address of the repository; a path or a password is nobody's business."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        return ""
    return urlunsplit(("https", parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _git(*words: str) -> str:
    try:
        return run("git", *words).strip()
    except (ToolFailed, OSError):
        return ""


def build(engine: Engine, names: Sequence[str], options: Sequence[str] = ()) -> None:
    """Build the images of these names; *options* go to the engine."""
    known = images()
    for name in names:
        engine.build(*arguments_for(known[name], os.environ), *options, ".")
        say(f"image: {known[name].tag}")


def main(arguments: Sequence[str]) -> int:
    at = arguments.index("--") if "--" in arguments else len(arguments)
    known = images()
    parser = argparse.ArgumentParser(prog="just image", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="image", help=" ".join(known))
    asked = parser.parse_args(arguments[:at]).names or ["plugin", "core"]
    if unknown := sorted(set(asked) - set(known)):
        parser.error(f"no such image: {' '.join(unknown)}; there are {' '.join(known)}")
    try:
        build(find_engine(), asked, arguments[at + 1 :])
    except (NoEngine, ToolFailed) as error:
        fail(f"image: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
