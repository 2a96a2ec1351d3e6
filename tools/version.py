"""Print the plugin's one version, or set it in every file that has to spell it (spec §5)."""

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.workspace import ROOT, fail, say

SEMVER = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?")
# plugin.yaml is the source; the others need the number before they can read a manifest.
PLACES: Mapping[str, str] = {
    "plugin.yaml": r"^version: (.+)$",
    "backend/pyproject.toml": r'^version = "(.+)"$',
    "ui/package.json": r'^  "version": "(.+)",$',
    "chart/Chart.yaml": r'^(?:v|appV)ersion: "?([^"\n]+)"?$',
}


def read(place: str, root: Path = ROOT) -> str:
    """Return the version that one file spells, everywhere in it the same."""
    found = {match.group(1) for match in _find(place, (root / place).read_text(encoding="utf-8"))}
    if len(found) > 1:
        raise SystemExit(f"version: {place} spells several: {' '.join(sorted(found))}")
    return found.pop()


def write(place: str, version: str, root: Path = ROOT) -> None:
    path = root / place
    text = path.read_text(encoding="utf-8")
    for start, end in reversed([match.span(1) for match in _find(place, text)]):
        text = text[:start] + version + text[end:]
    path.write_text(text, encoding="utf-8")


def _find(place: str, text: str) -> list[re.Match[str]]:
    found = list(re.finditer(PLACES[place], text, re.MULTILINE))
    if not found:
        raise SystemExit(f"version: {place} has no line like {PLACES[place]}")
    return found


def main(arguments: Sequence[str]) -> int:
    if not arguments:
        say(read("plugin.yaml"))
        return 0
    version = arguments[0]
    if not SEMVER.fullmatch(version):
        fail(f"version: {version!r} is not MAJOR.MINOR.PATCH")
        return 2
    for place in PLACES:
        write(place, version)
        say(f"{place}: {version}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
