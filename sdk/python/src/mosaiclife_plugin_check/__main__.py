"""Say of a running plugin whether it is well: `python -m mosaiclife_plugin_check [URL]`.

One line for each thing that was looked at. Exit codes: 0 when all is well, 1 when something is not,
2 for a command that means nothing. An image's health check and `helm test` run it.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence

from mosaiclife_plugin_check.looking import Fault, Plugin, Wanted, findings

PORT = "7001"


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Look, tell, and return the exit code."""
    asked = _parse(arguments, environ)
    wanted = Wanted(tuple(asked.only), asked.version, asked.remote, asked.without_remote)
    faults = 0
    for subject, fault in findings(Plugin(asked.url), wanted):
        faults += fault is not None
        print(f"ok      {subject}" if fault is None else f"FAILED  {subject}: {fault}")  # noqa: T201  # what it is for
    return int(faults > 0)


def _parse(arguments: Sequence[str], environ: Mapping[str, str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m mosaiclife_plugin_check", description="Say whether a plugin is well."
    )
    usual = f"http://127.0.0.1:{environ.get('PORT') or PORT}"
    parser.add_argument("url", nargs="?", default=usual, help="where it is; %(default)s")
    parser.add_argument(
        "--only", action="append", default=[], metavar="PATH", help="that this path answers 200"
    )
    parser.add_argument("--version", help="the version that the manifest must name")
    remote = parser.add_mutually_exclusive_group()
    remote.add_argument(
        "--remote", metavar="PATH", help="the entry, if not where the manifest says"
    )
    remote.add_argument(
        "--without-remote", action="store_true", help="the remote lies elsewhere, as on a CDN"
    )
    asked = parser.parse_args(arguments)
    try:
        Plugin(asked.url)
    except Fault as fault:
        parser.error(str(fault))
    return asked


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
