"""Which engine builds the images, and with which words."""

import os
from pathlib import Path

import pytest

from tools import image
from tools.test import no_containers


def program(folder: Path, name: str, script: str) -> str:
    """Put a program on disk that answers as *script* says."""
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return str(file)


def test_a_docker_without_buildx_is_passed_over(tmp_path: Path) -> None:
    """The first of its name on PATH cannot build, the second one can."""
    new = 'case "$1" in version) echo 28.2.2 20.10.24;; *) exit 1;; esac'
    old = 'case "$1" in version) echo 20.10.24 20.10.24;; *) exit 1;; esac'
    first = program(tmp_path / "a", "docker", new)
    second = program(tmp_path / "b", "docker", old)

    assert image.probe(first) == "has no buildx"
    found = image.find_engine({"PATH": f"{tmp_path}/a{os.pathsep}{tmp_path}/b"})
    assert found == image.Engine(second, runs=True)


def test_a_docker_with_buildx_is_taken(tmp_path: Path) -> None:
    """However new it is."""
    docker = program(tmp_path, "docker", "echo 28.2.2 28.2.2")

    assert image.probe(docker) == image.Engine(docker, runs=True)


def test_other_engines_follow(tmp_path: Path) -> None:
    """A Docker whose service is down leaves the work to Buildah, which runs nothing."""
    program(tmp_path, "docker", "exit 1")
    buildah = program(tmp_path, "buildah", "echo info")

    found = image.find_engine({"PATH": str(tmp_path)})
    assert found == image.Engine(buildah, runs=False, options=("--format", "docker"))


def test_without_an_engine_the_remedy_is_told(tmp_path: Path) -> None:
    """The message says what was tried and what to install; the layer of tests repeats it."""
    docker = program(tmp_path, "docker", "exit 1")

    with pytest.raises(image.NoEngine, match=f"{docker}: no service answers it; install Docker"):
        image.find_engine({"PATH": str(tmp_path)})
    with pytest.raises(image.NoEngine, match="none is on PATH; install Docker"):
        image.find_engine({"PATH": str(tmp_path / "empty")})


def test_the_layer_names_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """First an engine, then one that runs what it builds, a compose, and what stand-ins need."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "none is on PATH" in no_containers()
    buildah = program(tmp_path, "buildah", "echo info")
    assert f"{buildah} builds images and runs none" in no_containers()
    docker = program(tmp_path, "docker", '[ "$1" = version ] && echo 20.10.24 20.10.24')
    assert f"`{docker} compose version` fails; install" in no_containers()
    program(tmp_path, "docker-compose", "echo 1.29.2")
    assert no_containers().startswith("no mmdebstrap")
    monkeypatch.setenv("PYTHON_IMAGE", "python:3.11-slim-bookworm")
    monkeypatch.setenv("NODE_IMAGE", "node:24-bookworm-slim")
    assert no_containers().startswith("no prometheus")
    monkeypatch.setenv("PROMETHEUS_IMAGE", "prom/prometheus:v2.53.0")
    monkeypatch.setenv("CHROMIUM", program(tmp_path, "chromium", ""))
    assert no_containers() == ""


def test_a_build_is_told_what_it_is(tmp_path: Path) -> None:
    """Name, version and commit of this checkout, other bases, and a certificate as a secret."""
    trusted = tmp_path / "ca.pem"
    trusted.write_text("certificates")
    plugin = image.images()["plugin"]
    environ = {"SSL_CERT_FILE": str(trusted), "PYTHON_IMAGE": "mine:1"}

    words = image.arguments_for(plugin, environ)

    assert words[:4] == ["--file", "backend/Dockerfile", "--target", "runtime"]
    assert words[4:6] == ["--tag", plugin.tag]
    assert f"VERSION={plugin.version}" in words
    assert f"REVISION={image.revision()}" in words
    assert "PYTHON_IMAGE=mine:1" in words
    assert not [word for word in words if word.startswith("NODE_IMAGE")]
    assert words[-2:] == ["--secret", f"id=ca,src={trusted}"]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://example.org/a/b.git", "https://example.org/a/b.git"),
        ("https://me:secret@example.org/a", "https://example.org/a"),
        ("git@example.org:a/b.git", ""),
        ("/srv/git/a", ""),
        ("", ""),
    ],
)
def test_a_source_tells_no_password_and_no_path(url: str, told: str) -> None:
    """The label holds a public address or nothing."""
    assert image.source(url) == told
