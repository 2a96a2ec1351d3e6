"""Look whether a running plugin is well: `python -m mosaiclife_plugin_sdk.smoke URL`.

What `helm test` runs in the plugin's own image, so it wants the standard library only. It prints a
line for each look, and ends with 1 when one of them failed.
"""

import argparse
import http.client
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 10
METRIC = b"plugin_info{"


class Unwell(Exception):
    """What a look found wrong."""


@dataclass(frozen=True)
class Plugin:
    """Where the plugin is, and what it should be."""

    url: str
    version: str = ""
    remote: str = ""

    def get(self, path: str) -> bytes:
        """Return the body of a 200; anything else is a fault."""
        at = urlsplit(self.url)
        secure = at.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        line = kind(at.netloc, timeout=TIMEOUT_SECONDS)
        try:
            line.request("GET", path)
            answer = line.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise Unwell(f"no answer: {error}") from error
        finally:
            line.close()
        if answer.status != http.HTTPStatus.OK:
            raise Unwell(f"answers {answer.status}")
        return body


def check_manifest(plugin: Plugin) -> None:
    """Compare the version that runs with the one that was installed."""
    try:
        runs = json.loads(plugin.get("/manifest"))["version"]
    except (ValueError, KeyError, TypeError) as error:
        raise Unwell("is no manifest") from error
    if plugin.version and runs != plugin.version:
        raise Unwell(f"version {runs} runs, {plugin.version} was installed")


def check_metrics(plugin: Plugin) -> None:
    if METRIC not in plugin.get("/metrics"):
        raise Unwell("holds no plugin_info")


def check_remote(plugin: Plugin) -> None:
    if not plugin.get(plugin.remote).strip():
        raise Unwell("is empty")


def looks(plugin: Plugin) -> Iterator[tuple[str, Callable[[Plugin], object]]]:
    """Yield each path with what is to be found there."""
    yield "/healthz", lambda one: one.get("/healthz")
    yield "/readyz", lambda one: one.get("/readyz")
    yield "/manifest", check_manifest
    yield "/metrics", check_metrics
    if plugin.remote:
        yield plugin.remote, check_remote


def look(plugin: Plugin) -> int:
    """Take every look, also past the first that fails; return the exit code."""
    failed = 0
    for path, check in looks(plugin):
        try:
            check(plugin)
        except Unwell as fault:
            failed += 1
            sys.stdout.write(f"FAILED  {path}: {fault}\n")
        else:
            sys.stdout.write(f"ok      {path}\n")
    return int(failed > 0)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="smoke", description=__doc__)
    parser.add_argument("url", help="where the plugin is")
    parser.add_argument("--version", default="", help="the version that should run")
    parser.add_argument("--remote", default="", help="the path of the remote's entry")
    asked = parser.parse_args(arguments)
    return look(Plugin(asked.url, asked.version, asked.remote))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
