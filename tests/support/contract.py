"""What the tests of and with the contract kit share: plugins to point it at, and how long it waits."""

import sys
from pathlib import Path
from typing import Any

import yaml

from mosaiclife_plugin_contract import Limits
from mosaiclife_plugin_contract.targets import ProcessTarget

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "tests/plugins"
BARE = PLUGINS / "bare"
# Long enough for a busy machine; patience is what a check spends to see that nothing happens.
LIMITS = Limits(check=30, start=30, patience=0.7)


def manifest_in(folder: Path) -> dict[str, Any]:
    """Return the decoded plugin.yaml of a folder."""
    document: dict[str, Any] = yaml.safe_load((folder / "plugin.yaml").read_text())
    return document


def plugin_at(folder: str) -> ProcessTarget:
    """Return one of the plugins of this folder as a process."""
    return ProcessTarget([sys.executable, str(PLUGINS / folder / "plugin.py")])
