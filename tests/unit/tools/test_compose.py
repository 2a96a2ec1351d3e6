"""Which compose starts the containers, and what it is told."""

import stat
from pathlib import Path

import pytest

from tests.unit.tools.test_image import program
from tools import compose, image, session

OLD = 'case "$1" in version) echo 20.10.24 20.10.24;; *) exit 1;; esac'
WITH_COMPOSE = 'case "$1" in version|compose) echo 20.10.24 20.10.24;; *) exit 1;; esac'


def found(folder: Path) -> compose.Compose:
    return compose.find_compose({"PATH": str(folder)})


def test_the_engines_own_compose_comes_first(tmp_path: Path) -> None:
    """`docker compose` before a docker-compose that stands beside it."""
    docker = program(tmp_path, "docker", WITH_COMPOSE)
    program(tmp_path, "docker-compose", "echo 1.29.2")

    assert found(tmp_path).words == (docker, "compose")
    assert found(tmp_path).project == compose.project()


def test_a_compose_of_its_own_is_taken_where_the_engine_has_none(tmp_path: Path) -> None:
    """Debian's Docker has no such word, Podman's program is called after it."""
    program(tmp_path, "docker", OLD)
    beside = program(tmp_path, "docker-compose", "echo 1.29.2")
    podman = tmp_path / "podmans"
    program(podman, "podman", '[ "$1" = info ] && echo yes')
    own = program(podman, "podman-compose", "echo 1.0.6")

    assert found(tmp_path).words == (beside,)
    assert found(podman).words == (own,)


def test_without_one_the_remedy_is_told(tmp_path: Path) -> None:
    """The words say what was tried; an engine that runs nothing is told at once."""
    docker = program(tmp_path, "docker", OLD)
    with pytest.raises(compose.NoCompose, match=f"`{docker} compose version` fails; install"):
        found(tmp_path)
    program(tmp_path / "b", "buildah", "echo info")
    with pytest.raises(compose.NoCompose, match="builds images and runs none: install Docker"):
        found(tmp_path / "b")


def test_without_an_engine_up_fails_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is built, and the last line says what to do."""
    monkeypatch.setenv("PATH", str(tmp_path))

    assert compose.main(["up"]) == 1
    assert "up: none is on PATH; install Docker" in capsys.readouterr().err


def test_an_unknown_profile_is_refused_with_the_known_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A typing error starts nothing."""
    with pytest.raises(SystemExit) as refused:
        compose.main(["up", "prometeus"])

    assert refused.value.code == 2
    assert "there are prometheus grafana" in capsys.readouterr().err


def test_what_the_file_asks_for_is_laid_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Random words that stay the same, for nobody else's eyes; rules under the labels of a scrape."""
    monkeypatch.setattr(compose, "FOLDER", tmp_path / "compose")
    compose.lay_out()
    env = (tmp_path / "compose/env").read_text()
    compose.lay_out()
    keys = session.load_keys(tmp_path / "compose")
    rules = (tmp_path / "compose/rules.yaml").read_text()

    assert (tmp_path / "compose/env").read_text() == env
    assert stat.S_IMODE((tmp_path / "compose/env").stat().st_mode) == 0o600
    assert f"PLUGIN_IMAGE={image.images()['plugin'].tag}\n" in env
    assert f"REG_TOKEN={keys.token}\n" in env
    assert 'job="plugin",namespace="compose"' in rules
    assert "$job" not in rules
