"""Say what this machine has and lacks, each fault with its remedy. Needs no set-up to run."""

import os
import platform
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tools.browser import REMEDY, find_browser
from tools.ports import port_free
from tools.workspace import ROOT, TOOLS, answer_of, base_python, say, script

PORTS = {"core": ("CORE_PORT", 8080), "plugin": ("PORT", 7001)}
SPACE_WANTED = 2 * 1024**3


@dataclass(frozen=True)
class Finding:
    """One line of the report; a remedy makes it a fault, `optional` only a remark."""

    subject: str
    have: str
    remedy: str = ""
    optional: bool = False

    @property
    def mark(self) -> str:
        if not self.remedy:
            return "ok"
        return "--" if self.optional else "!!"

    def line(self) -> str:
        return f"{self.mark}  {self.subject:<10} {self.have}" + (
            f"\n                -> {self.remedy}" if self.remedy else ""
        )


def version_of(*command: str) -> str:
    """Return the first line a program prints about itself, or nothing when it does not run."""
    return answer_of(*command).partition("\n")[0]


def python_findings() -> Iterator[Finding]:
    yield Finding("python", f"{platform.python_version()} on {platform.platform()}")
    pip = version_of(base_python(), "-m", "pip", "--version").partition(" from")[0]
    yield Finding("pip", pip or "missing", "" if pip else "install it (Debian: python3-pip)")


def installed_findings() -> Iterator[Finding]:
    """Look at what `setup` installs."""
    programs = {
        "just": str(TOOLS / "bin/just"),
        "uv": str(TOOLS / "bin/uv"),
        "node": str(script("node")),
        "pnpm": str(script("pnpm")),
    }
    for name, path in programs.items():
        have = version_of(path, "--version")
        yield Finding(name, have or "not installed", "" if have else "./just setup")


def browser_finding() -> Finding:
    browser = find_browser()
    if browser is None:
        return Finding("browser", "no Chromium: the browser tests cannot run", REMEDY)
    return Finding("browser", f"{browser} {version_of(str(browser), '--version')}".strip())


def outage_findings() -> Iterator[Finding]:
    """Look at what the tests of disks and clocks that fail need."""
    for program in ("strace", "faketime"):
        have = shutil.which(program)
        remedy = "" if have else f"install it (Debian: {program}); a few tests are skipped"
        yield Finding(program, have or "missing", remedy, optional=True)


def port_findings() -> Iterator[Finding]:
    for name, (variable, usual) in PORTS.items():
        port = int(os.environ.get(variable, usual))
        remedy = "" if port_free(port) else f"`dev` moves to a free one; or choose: {variable}=…"
        state = f"{port} is {'taken' if remedy else 'free'}"
        yield Finding(f"port {name}", state, remedy, optional=True)


def network_findings() -> Iterator[Finding]:
    names = sorted(name for name in os.environ if name.lower().endswith("_proxy"))
    # Names only: the values may hold a password.
    yield Finding("proxies", f"set: {' '.join(names)}" if names else "none set")


def space_finding() -> Finding:
    free = shutil.disk_usage(ROOT).free
    remedy = "" if free > SPACE_WANTED else "free some; the set-up takes about 1 GB"
    return Finding("disk", f"{free / 1024**3:.1f} GB free", remedy)


def findings() -> list[Finding]:
    return [
        *python_findings(),
        *installed_findings(),
        browser_finding(),
        *outage_findings(),
        *port_findings(),
        *network_findings(),
        space_finding(),
    ]


def main(found: Sequence[Finding]) -> int:
    for finding in found:
        say(finding.line())
    return int(any(finding.mark == "!!" for finding in found))


if __name__ == "__main__":
    sys.exit(main(findings()))
