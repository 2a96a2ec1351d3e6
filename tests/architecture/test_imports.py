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
}
PLANTED = [
    ("plugin_analytics/app.py", "import mosaiclife_devcore", "Core and plugin meet"),
    ("plugin_analytics/model/rollup.py", "import litestar", "Inner modules name no"),
    ("plugin_analytics/services/ingest.py", "import sqlalchemy", "Inner modules name no"),
    ("plugin_analytics/model/rollup.py", "import plugin_analytics.services", "Plugin layers"),
    ("plugin_analytics/surprise.py", "", "Plugin layers"),
    ("plugin_analytics/app.py", "import mosaiclife_plugin_sdk.testing", "Production code"),
    ("mosaiclife_plugin_sdk/compat.py", "import plugin_analytics", "The SDK knows no plugin"),
    ("mosaiclife_plugin_sdk/manifest.py", "import litestar", "The SDK's base knows no"),
    ("mosaiclife_plugin_sdk/frame/app.py", "import sqlalchemy", "Only the SQL stores"),
    ("mosaiclife_devcore/registry.py", "import mosaiclife_plugin_sdk.frame", "Core uses only"),
]


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the sources once, so that a planted import touches no real file."""
    folder = tmp_path_factory.mktemp("sources")
    for name, source in SOURCES.items():
        shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(folder)}
    config = str(ROOT / ".importlinter")
    command = [str(script("lint-imports")), "--config", config, "--no-cache"]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_the_sources_keep_every_contract(copies: Path) -> None:
    """No module imports what the layout forbids it."""
    done = lint(copies)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("place", "planted", "contract"), PLANTED)
def test_a_planted_import_breaks_its_contract(
    copies: Path, place: str, planted: str, contract: str
) -> None:
    """Each contract really looks: an import put where it must not stand is reported."""
    path = copies / place
    before = path.read_text() if path.exists() else None
    path.write_text(f"{before or ''}\n{planted}\n")
    try:
        done = lint(copies)
    finally:
        if before is None:
            path.unlink()
        else:
            path.write_text(before)

    assert done.returncode == 1
    broken = [line for line in done.stdout.splitlines() if line.endswith("BROKEN")]
    assert any(contract in line for line in broken), done.stdout
