"""What pnpm-lock.yaml must hold to: one copy of what exists once, and no registry's name."""

import re

import pytest

from tools.workspace import ROOT

LOCK = (ROOT / "pnpm-lock.yaml").read_text(encoding="utf-8")
SNAPSHOTS = LOCK.partition("\nsnapshots:\n")[2]


@pytest.mark.parametrize("package", ["webpack", "@module-federation/runtime"])
def test_one_copy_is_installed(package: str) -> None:
    """An optional peer that only one package brings would install a second copy beside the first.

    With two copies of webpack, a build's own plugins and webpack's hooks pass each other by.
    """
    installed = re.findall(rf"^  '?{re.escape(package)}@[^:]+:", SNAPSHOTS, re.MULTILINE)

    assert len(installed) == 1, installed


def test_the_lock_names_no_host() -> None:
    """Packages come from whichever registry the machine is set to."""
    assert re.findall(r"https?://\S+", LOCK) == []
