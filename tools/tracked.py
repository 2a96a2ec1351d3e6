"""Look through all files of the repository for what must never stand in one.

Registry hosts and paths of one machine tie the checkout to where it was written; a secret in a
file is a secret no more.
"""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from tools.workspace import ROOT, fail, say

# Written in pieces, so that this file does not find itself.
HOSTS = (
    *("pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".org", "npmjs" + ".com"),
    *("yarnpkg" + ".com", "debian" + ".org/debian", "docker" + ".io", "ghcr" + ".io"),
    *("quay" + ".io", "gcr" + ".io", "nodejs" + ".org/dist", "codeload.github" + ".com"),
)
RULES: Mapping[str, re.Pattern[str]] = {
    "a registry's host": re.compile("|".join(map(re.escape, HOSTS))),
    "a path of one machine": re.compile(r"(?<![\w.$}])/(?:root|work|farm|home|Users)/[\w.-]"),
    "a private key": re.compile("-----BEGIN " + r"[A-Z ]*PRIVATE KEY-----"),
    "a token": re.compile(
        r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|npm_[A-Za-z0-9]{36}"
        r"|xox[abp]-[0-9A-Za-z-]{20,}|pypi-[A-Za-z0-9_-]{40,})\b"
    ),
}

# Files in which a name and a value stand side by side, and names whose value is nobody's business.
SETTINGS = frozenset({".yaml", ".yml", ".toml", ".ini", ".env"})
GIVEN = re.compile(
    r"""^[ \t]*(?:-[ ])?["']?
    (?:[A-Z_]*(?:TOKEN|KEY|SECRETS?|PASSWORD)|token|password|webhook_?[sS]ecret|api_?[kK]ey)["']?
    [ \t]*[:=][ \t]*["']?(?P<value>[^\s"'\#,{$<(\[]{8,})""",
    re.MULTILINE | re.VERBOSE,
)
# The one exception: words that say what they are, in the one file that is made of them.
DEMONSTRATION, FOR_DEMONSTRATIONS = "chart/values-demo.yaml", "demo-only-"


def tracked_files() -> Iterator[Path]:
    """Yield what git tracks, and what it would track if it were added."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True).stdout.decode()
    paths = (ROOT / name for name in sorted(filter(None, names.split("\0"))))
    return (path for path in paths if path.is_file())


def text_of(path: Path) -> str | None:
    """Return a file's text, or nothing for one that holds none."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def faults_in(text: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the kind of each thing that must not stand in a file."""
    for kind, pattern in RULES.items():
        for match in pattern.finditer(text):
            yield text.count("\n", 0, match.start()) + 1, kind


def secrets_given(path: str, text: str) -> Iterator[tuple[int, str]]:
    """Yield the line of each secret that a file of settings gives, but for the demonstration's."""
    if Path(path).suffix not in SETTINGS:
        return
    for match in GIVEN.finditer(text):
        allowed = path == DEMONSTRATION and match["value"].startswith(FOR_DEMONSTRATIONS)
        if not allowed:
            yield text.count("\n", 0, match.start("value")) + 1, "a secret's value"


def faults_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and the kind of each fault of a file."""
    text = text_of(path) or ""
    yield from faults_in(text)
    yield from secrets_given(path.relative_to(ROOT).as_posix(), text)


def main() -> int:
    count = 0
    for path in tracked_files():
        for line, kind in faults_of(path):
            fail(f"{path.relative_to(ROOT)}:{line}: {kind}")
            count += 1
    if count == 0:
        say("no registry host, machine path or secret in any file")
    return int(count > 0)


if __name__ == "__main__":
    sys.exit(main())
