"""Build other versions of the two bundles, as their own builds would."""

import json
import shutil
from pathlib import Path

from tests.support.stack import ROOT
from tools.workspace import run, script


def build_changed_remote(work: Path, version: str, replace: tuple[str, str]) -> Path:
    """Build the remote from a copy in which one word of `copy.ts` differs; return its folder."""
    room = work / "ui"
    room.mkdir(parents=True)
    for name in ("src", "webpack"):
        shutil.copytree(ROOT / "ui" / name, room / name)
    for name in ("webpack.config.js", "package.json"):
        shutil.copy(ROOT / "ui" / name, room / name)
    (room / "node_modules").symlink_to(ROOT / "ui" / "node_modules")
    manifest = (ROOT / "plugin.yaml").read_text()
    (work / "plugin.yaml").write_text(
        "".join(
            f"version: {version}\n" if line.startswith("version: ") else line
            for line in manifest.splitlines(keepends=True)
        )
    )
    words = room / "src" / "copy.ts"
    old, new = replace
    assert old in words.read_text()
    words.write_text(words.read_text().replace(old, new))
    run(script("pnpm"), "--silent", "exec", "webpack", cwd=room)
    return room / "dist"


def put_bundle(source: Path, target: Path) -> None:
    """Put a bundle in the place of another one, its listing last, as a build does."""
    listing = source / "integrity.json"
    names = json.loads(listing.read_text())
    target.mkdir(parents=True, exist_ok=True)
    for name in names:
        shutil.copy(source / name, target / name)
    shutil.copy(listing, target / listing.name)


def build_shell(config: str, target: Path) -> None:
    """Build core's pages by another of their configurations."""
    command = ("--silent", "exec", "webpack", "--config", config, "--output-path", str(target))
    run(script("pnpm"), *command, cwd=ROOT / "core" / "web")
