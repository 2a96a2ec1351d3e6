"""Hold a release that has been installed against what should have been: version, and every byte.

Asks a running plugin for readiness, version, metrics and the remote; fetches each file of the remote
and compares its hash with the one that the bundle names. `--bundle` compares with a bundle on this
machine, `--core` with what core knows and serves. Ends with 0 when all is as it should be, with 1
when something is not, each with its cause and a remedy.
"""

import argparse
import posixpath
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from mosaiclife_plugin_check.looking import Fault, Plugin, Wanted, document, findings
from mosaiclife_plugin_sdk.frame.remote import integrity_of
from tools.docs import manifest
from tools.workspace import fail, say

LISTING = "integrity.json"
UNREACHED = "no answer"
ROLL_BACK = "`helm rollback` puts the release before it back"
REMEDIES = {
    "/healthz": "look at the pod and its log: `kubectl describe pod`, `kubectl logs`",
    "/readyz": f"the body names what fails; wait for `kubectl rollout status`, else {ROLL_BACK}",
    "/manifest": (
        "wait for `kubectl rollout status`: an old pod may still answer; then look which image the "
        f"Deployment names. {ROLL_BACK}"
    ),
    "/metrics": "something else may answer on this port; look where the port-forward leads",
    "remote": f"build it again (`./just build`), and the image with it; until then {ROLL_BACK}",
    "files": (
        "something between changes what it passes on, or part of another build lies there: purge "
        f"the CDN or the cache, or install again; until then {ROLL_BACK}"
    ),
    "bundle": "install what was built here, or build from the revision that was installed",
    "core's record": (
        "the plugin's log says what core answered; POST /register makes it register again"
    ),
    "core's copy": "wait for core's next look at the manifest, then look at core's log",
}
REACH = "is the address right, the port-forward still there, and the pod running?"


@dataclass(frozen=True)
class Asked:
    """What the command line said."""

    url: str
    version: str
    remote: str
    bundle: Path | None
    core: str


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what was seen, or what is wrong about it."""

    subject: str
    seen: str = ""
    fault: str = ""

    @property
    def remedy(self) -> str:
        return REACH if UNREACHED in self.fault else REMEDIES[self.subject]


class Release:
    """The release that runs, as far as it was fetched; what is not as it should be is a `Fault`."""

    def __init__(self, asked: Asked, name: str) -> None:
        self._asked, self._name = asked, name
        self._plugin = Plugin(asked.url)

    def findings(self) -> Iterator[Finding]:
        """Look at everything, also past the first fault."""
        wanted = Wanted(version=self._asked.version, without_remote=True)
        for subject, fault in findings(self._plugin, wanted):
            yield Finding(subject, fault=str(fault or ""))
        yield attempt("remote", self._entry_is_ours)
        yield attempt("files", self._files_are_whole)
        if self._asked.bundle:
            yield attempt("bundle", self._bundle_is_the_same)
        if self._asked.core:
            yield attempt("core's record", self._core_knows_it)
            yield attempt("core's copy", self._core_serves_it)

    @cached_property
    def _manifest(self) -> dict[str, Any]:
        told = document("/manifest", self._plugin.fetch("/manifest"))
        if told.get("name") != self._name:
            raise Fault(f"/manifest is that of {told.get('name')!r}, not of {self._name!r}")
        return told

    @cached_property
    def _remote(self) -> str:
        """Return where the entry lies: on a CDN if one was named, else where the manifest says."""
        ui = self._manifest.get("ui")
        path = ui.get("remotePath") if isinstance(ui, dict) else None
        if not isinstance(path, str):
            raise Fault("/manifest names no remotePath")
        return self._asked.remote or self._asked.url.rstrip("/") + path

    @cached_property
    def _entry(self) -> bytes:
        return fetched(self._remote)

    @cached_property
    def _listing(self) -> dict[str, Any]:
        where = urljoin(self._remote, LISTING)
        return document(where, fetched(where))

    def _entry_is_ours(self) -> str:
        """Return the entry's integrity, which the bundle's own listing must name."""
        container = f"plugin_{self._name.replace('-', '_')}"
        if container.encode() not in self._entry:
            raise Fault(f"{self._remote} is not the container {container}")
        found = integrity_of(self._entry)
        named = self._listing.get(posixpath.basename(self._remote))
        if named != found:
            raise Fault(f"{self._remote} is {found}, and {LISTING} says {named or 'nothing'}")
        return found

    def _files_are_whole(self) -> str:
        """Fetch every file that the listing names; all hashes must be right."""
        for name, named in self._listing.items():
            found = integrity_of(fetched(urljoin(self._remote, name)))
            if found != named:
                raise Fault(f"{name} is {found}, and {LISTING} says {named}")
        return f"{len(self._listing)} as {LISTING} says"

    def _bundle_is_the_same(self) -> str:
        """Compare with a bundle that lies on this machine, file by file."""
        path = Path(self._asked.bundle or ".", LISTING)
        try:
            here = document(str(path), path.read_bytes())
        except OSError as error:
            raise Fault(f"{path} cannot be read: {error.strerror}") from error
        others = {*here.items()} ^ {*self._listing.items()}
        if others:
            names = ", ".join(sorted({str(name) for name, _ in others}))
            raise Fault(f"other files than in {path.parent}: {names}")
        return f"the one in {path.parent}"

    @cached_property
    def _record(self) -> dict[str, Any]:
        where = f"{self._asked.core.rstrip('/')}/api/plugins/{self._name}"
        data = document(where, fetched(where)).get("data")
        if not isinstance(data, dict):
            raise Fault(f"{where} holds no record")
        return data

    def _core_knows_it(self) -> str:
        """Hold state, version and hash of core's record against what runs."""
        record, here = self._record, integrity_of(self._entry)
        state, version = record.get("state"), record.get("version")
        if state != "Ready":
            reason = record.get("reason")
            raise Fault(f"is {state}, not Ready" + (f": {reason}" if reason else ""))
        if version != self._asked.version:
            raise Fault(f"names version {version}, not {self._asked.version}")
        if (there := self._shown().get("integrity")) != here:
            raise Fault(f"names {there} for the entry, not {here}")
        return f"Ready, {version}"

    def _core_serves_it(self) -> str:
        """Fetch the entry as a browser would, and compare it with the plugin's."""
        where = urljoin(self._asked.core, str(self._shown().get("entryUrl")))
        if fetched(where) != self._entry:
            raise Fault(f"{where} holds other bytes than {self._remote}")
        return where

    def _shown(self) -> Mapping[str, Any]:
        ui = self._record.get("ui")
        if not isinstance(ui, dict):
            raise Fault("shows no remote of this plugin")
        return ui


def attempt(subject: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, seen=look())
    except Fault as fault:
        return Finding(subject, fault=str(fault))


def fetched(url: str) -> bytes:
    """Return what *url* answers with 200; any other end is a `Fault`."""
    parts = urlsplit(url)
    return Plugin(f"{parts.scheme}://{parts.netloc}").fetch(parts.path)


def left_out(asked: Asked) -> Iterator[str]:
    """Yield what was not looked at, and what would look at it."""
    if not asked.bundle:
        yield "whether the remote is the one built here: --bundle ui/dist"
    if not asked.core:
        yield "what core knows and serves: --core URL"
    yield "signatures of image and chart: their registry keeps them, beside the packages"


def report(found: Sequence[Finding], asked: Asked) -> int:
    """Tell each finding, what was left out, and the sum; return the exit code."""
    faults = [one for one in found if one.fault]
    for one in found:
        if one.fault:
            say(f"FAILED  {one.subject}: {one.fault}\n        remedy: {one.remedy}")
        else:
            say(f"ok      {one.subject}" + (f": {one.seen}" if one.seen else ""))
    for what in left_out(asked):
        say(f"not looked at  {what}")
    say(f"{len(found) - len(faults)} passed, {len(faults)} failed")
    return int(bool(faults))


def parse(arguments: Sequence[str], usual: str) -> Asked:
    parser = argparse.ArgumentParser(prog="just verify-release", description=__doc__)
    parser.add_argument("url", help="where the plugin is, as http://127.0.0.1:7001")
    parser.add_argument("--version", default=usual, help="what should run; %(default)s")
    parser.add_argument("--remote", default="", metavar="URL", help="the entry, where a CDN has it")
    parser.add_argument("--bundle", type=Path, help="the folder of the remote that was built")
    parser.add_argument("--core", default="", metavar="URL", help="where core is")
    return Asked(**vars(parser.parse_args(arguments)))


def main(arguments: Sequence[str]) -> int:
    plugin = manifest()
    asked = parse(arguments, plugin.version)
    try:
        for address in filter(None, (asked.url, asked.remote, asked.core)):
            Plugin(address)
    except Fault as fault:
        fail(f"verify-release: {fault}")
        return 2
    return report(list(Release(asked, plugin.name).findings()), asked)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
