"""Build the remote and the development core's pages, each only when its sources have changed."""

import sys
from dataclasses import dataclass
from pathlib import Path

from tools import manifest
from tools.workspace import ROOT, Stamp, Stopwatch, ToolFailed, fail, run, say, script


@dataclass(frozen=True)
class Bundle:
    """A package that webpack turns into files for the browser."""

    name: str
    folder: Path
    sources: tuple[Path, ...]

    @property
    def product(self) -> Path:
        return self.folder / "dist"

    def stamp(self) -> Stamp:
        """Cover the product too, so that a development build in its place counts as stale."""
        return Stamp(f"build-{self.name}", [*self.sources, *sorted(self.product.rglob("*.js"))])


SHARED = (ROOT / "sdk/typescript", ROOT / "tsconfig.base.json", ROOT / "pnpm-lock.yaml")
REMOTE = Bundle("ui", ROOT / "ui", (ROOT / "ui", ROOT / "plugin.yaml", *SHARED))
SHELL = Bundle("core-web", ROOT / "core/web", (ROOT / "core/web", *SHARED))
BUNDLES = (REMOTE, SHELL)


def build(bundle: Bundle) -> None:
    """Run the package's own build script, unless what it would make is there."""
    if bundle.stamp().fresh() and bundle.product.is_dir():
        return
    watch = Stopwatch()
    say(f"build: {bundle.name} …")
    bundle.stamp().clear()
    run(script("pnpm"), "--silent", "run", "build", cwd=bundle.folder)
    bundle.stamp().write()
    say(f"build: {bundle.name} ({watch.seconds:.1f} s)")


def main() -> int:
    try:
        manifest.validate()
        for bundle in BUNDLES:
            build(bundle)
    except (manifest.ManifestFault, ToolFailed) as error:
        fail(f"build: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
