"""The direction of imports: SDK below, plugin above, core beside (design: Direction)."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tools.workspace import ROOT, script

SOURCES = {
    "plugin_analytics": ROOT / "backend/src/plugin_analytics",
    "mosaiclife_plugin_sdk": ROOT / "sdk/python/src/mosaiclife_plugin_sdk",
    "mosaiclife_devcore": ROOT / "core/server/src/mosaiclife_devcore",
    "mosaiclife_plugin_contract": ROOT / "sdk/contract/src/mosaiclife_plugin_contract",
}
# Which module gets which import, and what the report must then say.
PLANTED = [
    ("plugin_analytics.app", "mosaiclife_devcore"),
    ("plugin_analytics.model.rollup", "litestar"),
    ("plugin_analytics.model.rollup", "plugin_analytics.services"),
    ("plugin_analytics.services.ingest", "sqlalchemy"),
    ("plugin_analytics.services.ingest", "mosaiclife_plugin_sdk.frame"),
    ("plugin_analytics.http.data", "plugin_analytics.store"),
    ("plugin_analytics.app", "mosaiclife_plugin_sdk.testing"),
    ("mosaiclife_plugin_sdk.compat", "plugin_analytics"),
    ("mosaiclife_plugin_sdk.manifest", "litestar"),
    ("mosaiclife_plugin_sdk.frame.app", "sqlalchemy"),
    ("mosaiclife_devcore.registry", "mosaiclife_plugin_sdk.frame"),
    ("mosaiclife_devcore.registry", "plugin_analytics"),
    ("mosaiclife_devcore.registry", "mosaiclife_plugin_contract"),
    ("mosaiclife_plugin_contract.ranges", "mosaiclife_plugin_sdk"),
    ("mosaiclife_plugin_contract.context", "plugin_analytics"),
    ("mosaiclife_plugin_contract.runner", "mosaiclife_devcore"),
]
CONTRACTS = 10


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the sources once, so that a planted import touches no real file."""
    folder = tmp_path_factory.mktemp("sources")
    for name, source in SOURCES.items():
        shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture(scope="module")
def clean_report(copies: Path) -> str:
    return lint(copies)


@pytest.fixture(scope="module")
def planted_report(clean_report: str, copies: Path) -> str:
    """Report on the same sources with all the forbidden imports put in at once."""
    assert clean_report
    for module, imported in PLANTED:
        with (copies / f"{module.replace('.', '/')}.py").open("a") as file:
            file.write(f"\nimport {imported}\n")
    return lint(copies)


def lint(folder: Path) -> str:
    """Return the linter's words as one line: it wraps them by the width of a terminal."""
    env = {**os.environ, "PYTHONPATH": str(folder)}
    config = str(ROOT / ".importlinter")
    command = [str(script("lint-imports")), "--config", config, "--no-cache"]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    return " ".join((done.stdout + done.stderr).split())


def test_the_sources_keep_every_contract(clean_report: str) -> None:
    """No module imports what the layout forbids it."""
    assert f"Contracts: {CONTRACTS} kept, 0 broken." in clean_report


def test_every_contract_can_break(planted_report: str) -> None:
    """None of the contracts is satisfied by whatever it is shown."""
    assert f"Contracts: 0 kept, {CONTRACTS} broken." in planted_report


@pytest.mark.parametrize(("module", "imported"), PLANTED)
def test_a_planted_import_is_reported(planted_report: str, module: str, imported: str) -> None:
    """An import put where it must not stand is named with both its ends."""
    assert f"{module} -> {imported} (l." in planted_report


def test_a_module_in_no_layer_is_reported(copies: Path, planted_report: str) -> None:
    """A new module of the plugin must be given its place."""
    assert planted_report
    (copies / "plugin_analytics/surprise.py").touch()

    assert "surprise" in lint(copies)
