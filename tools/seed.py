"""Let an invented world live, and deliver its events to a plugin or write them to a folder.

Without --out or --to, the plugin of the `./just dev` that runs in this checkout gets them. The
profiles, the faults and the oracle's file are described in docs/seed.md.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as hour
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psutil

from mosaiclife_devcore.generator import (
    KINDS,
    PROFILES,
    RATES,
    Envelope,
    Faults,
    Kind,
    Profile,
    generate,
    parse_faults,
)
from mosaiclife_devcore.world import TENANT
from mosaiclife_plugin_sdk.webhooks import is_secret
from tests.oracle import Oracle, Span
from tools import session
from tools.courier import OUTCOMES, TIMEOUT_SECONDS, Courier, Outcomes, Recipient, Undelivered
from tools.ports import LOOPBACK
from tools.workspace import Stopwatch, fail, say

BATCH = 500
MOST_EVENTS = 50_000_000
SCOPES = 20  # legacies of which the oracle's file speaks
ADDED = ("duplicates", "conflicts", "poison")
EVENTS_FILE, ORACLE_FILE = "events.ndjson", "oracle.json"
INTERRUPTED = 130


@dataclass(frozen=True)
class Options:
    """What one call of the command asks for."""

    profile: Profile
    seed: int
    faults: Faults
    tenant: str
    ids: Kind
    until: date
    out: Path | None
    to: str | None
    oracle: bool

    def events(self) -> Iterator[Envelope]:
        """Yield the world's events as they are delivered."""
        return generate(
            self.profile,
            self.seed,
            tenant=self.tenant,
            until=self.until,
            faults=self.faults,
            ids=self.ids,
        )

    def expected(self) -> int:
        """Return about how many events that will be."""
        added = sum(self.faults.get(name, 0.0) for name in ADDED)
        return round(self.profile.events * (1 + added))


class Progress:
    """Says now and then how far it is: in place on a terminal, a line every few seconds elsewhere."""

    def __init__(self, expected: int, *, stream: Any = sys.stderr) -> None:
        self._expected = expected
        self._stream = stream
        self._in_place = stream.isatty()
        self._pause = 0.2 if self._in_place else 5.0
        self._watch = Stopwatch()
        self._said = 0.0

    def __call__(self, count: int) -> None:
        """Tell of *count* events, unless that was just done."""
        seconds = self._watch.seconds
        if seconds - self._said < self._pause:
            return
        self._said = seconds
        rate = count / seconds
        left = max(0, self._expected - count)
        words = f"{count:,} of about {self._expected:,} events, {rate:,.0f} a second, {left / rate:,.0f} s left"
        print(f"\r{words}\033[K" if self._in_place else words, end="", file=self._stream)
        print("" if self._in_place else "\n", end="", file=self._stream, flush=True)

    def end(self) -> float:
        """Clear the line, and return the seconds that it took."""
        if self._in_place:
            print("\r\033[K", end="", file=self._stream, flush=True)
        return self._watch.seconds


def parse(arguments: Sequence[str]) -> Options:
    """Read the command line; what is wrong ends the program with code 2 and the allowed set."""
    parser = argparse.ArgumentParser(prog="just seed", description=__doc__, allow_abbrev=False)
    parser.add_argument("--profile", choices=tuple(PROFILES), default="demo")
    parser.add_argument("--seed", type=int, default=7, help="another number, another world")
    parser.add_argument("--faults", type=_faults, default={}, help=f"all, none, {', '.join(RATES)}")
    parser.add_argument("--events", type=_events, help="instead of the profile's own number")
    parser.add_argument("--tenant", type=_tenant, default=TENANT)
    parser.add_argument("--ids", choices=KINDS, default="random")
    parser.add_argument("--until", type=_day, default=None, help="a day, today by default")
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--out", type=Path, metavar="FOLDER", help="write files there")
    place.add_argument("--to", type=_url, metavar="URL", help="deliver to the plugin there")
    parser.add_argument("--no-oracle", action="store_true", help=f"with --out: no {ORACLE_FILE}")
    asked = parser.parse_args(arguments)
    profile = PROFILES[asked.profile]
    return Options(
        profile=profile if asked.events is None else profile.of(asked.events),
        seed=asked.seed,
        faults=asked.faults,
        tenant=asked.tenant,
        ids=asked.ids,
        until=asked.until or datetime.now(UTC).date(),
        out=asked.out,
        to=asked.to,
        oracle=not asked.no_oracle,
    )


def _faults(text: str) -> dict[str, float]:
    try:
        return parse_faults(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _events(text: str) -> int:
    count = int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0
    if not 1_000 <= count <= MOST_EVENTS:
        raise argparse.ArgumentTypeError(f"a number from 1000 to {MOST_EVENTS}, not {text!r}")
    return count


def _tenant(text: str) -> str:
    if not text or len(text) > 64 or not all(each.isalnum() or each in "-_" for each in text):
        raise argparse.ArgumentTypeError("1 to 64 letters, digits, - or _")
    return text


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"a day as YYYY-MM-DD, not {text!r}") from error
    if not date(2001, 1, 1) <= day <= datetime.now(UTC).date():
        raise argparse.ArgumentTypeError(f"a day from 2001 to today, not {text}")
    return day


def _url(text: str) -> str:
    url = httpx.URL(text) if text.startswith(("http://", "https://")) else None
    if url is None or not url.host:
        raise argparse.ArgumentTypeError(f"http://… or https://…, not {text!r}")
    return text


def write(options: Options, folder: Path) -> int:
    """Write the events, and what the reports must say of them."""
    folder.mkdir(parents=True, exist_ok=True)
    progress, encoder = Progress(options.expected()), msgspec.json.Encoder()
    count = 0
    with (folder / EVENTS_FILE).open("wb") as file:
        for count, event in enumerate(options.events(), 1):
            file.write(encoder.encode(event) + b"\n")
            if not count % BATCH:
                progress(count)
    seconds = progress.end()
    say(f"{count:,} events in {folder / EVENTS_FILE} ({seconds:.1f} s)")
    if options.oracle:
        watch = Stopwatch()
        text = json.dumps(truth(options, lines(folder / EVENTS_FILE)), indent=1)
        (folder / ORACLE_FILE).write_text(text + "\n", encoding="utf-8")
        say(f"what the reports must say: {folder / ORACLE_FILE} ({watch.seconds:.1f} s)")
    return 0


def lines(path: Path) -> Iterator[Envelope]:
    """Yield the events of a file."""
    with path.open("rb") as file:
        yield from map(json.loads, file)


def truth(options: Options, events: Iterable[Envelope]) -> dict[str, Any]:
    """Return queries of the data API, each with the data that must come back."""
    # Every clock that runs ahead points beyond this moment, and all else lies before it.
    now = datetime.combine(options.until, hour(23), UTC)
    oracle = Oracle(events, tenant=options.tenant, now=now)
    first = options.until - timedelta(days=options.profile.days)
    dates = {"from": first.isoformat(), "to": options.until.isoformat(), "timezone": "UTC"}
    months = {"metric": "stories,storytellers,responses,media", "interval": "month"}
    scopes = ["", *oracle.legacies()[:SCOPES]]
    span = Span(first, options.until)
    return {
        "tenant": options.tenant,
        "asOf": now.isoformat(),
        "reports": [
            report
            for legacy in scopes
            for report in (
                {
                    "path": "/v1/data/overview",
                    "query": dates | _scope(legacy),
                    "data": {"metrics": oracle.overview(legacy, dates=span)["metrics"]},
                },
                {
                    "path": "/v1/data/timeseries",
                    "query": dates | months | _scope(legacy),
                    "data": oracle.timeseries(
                        legacy,
                        dates=span,
                        metrics=tuple(months["metric"].split(",")),
                        interval="month",
                    ),
                },
            )
        ],
    }


def _scope(legacy: str) -> dict[str, str]:
    return {"legacyId": legacy} if legacy else {}


def recipient_at(url: str) -> Recipient:
    """Return a plugin that somebody else started, known by the variables it was started with."""
    keys = session.load_keys()
    token = os.environ.get("CORE_TOKEN") or os.environ.get("REG_TOKEN") or keys.token
    secret = os.environ.get("WEBHOOK_SECRETS") or keys.webhook_secret
    return Recipient(url, token.split()[0], _signing(secret.split()[0]))


def _signing(secret: str) -> str:
    if not is_secret(secret):
        raise Undelivered("WEBHOOK_SECRETS is no list of secrets: each is whsec_ and base64")
    return secret


def recipient_here() -> Recipient:
    """Return the plugin of the `dev` that runs in this checkout."""
    port = _port_of("plugin", "PORT")
    if port is None:
        raise Undelivered(
            "no plugin runs here: start `./just dev` in another terminal first, "
            "name a plugin with --to URL, or write files with --out FOLDER"
        )
    return recipient_at(f"http://{LOOPBACK}:{port}")


def _port_of(child: str, variable: str) -> str | None:
    """Return the port that `dev` gave to a child, if it runs."""
    pid = session.Processes().child(child)
    try:
        return psutil.Process(pid).environ().get(variable) if pid else None
    except psutil.Error:
        return None


def deliver(options: Options, recipient: Recipient) -> int:
    """Bring all events to a plugin; a Ctrl-C leaves whole batches and a summary."""
    say(f"seed: {options.profile.events:,} events of {options.tenant} to {recipient.url}")
    progress, events = Progress(options.expected()), options.events()
    with httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False) as http:
        courier = Courier(recipient, options.tenant, http, tell=fail)
        code = 0
        try:
            while batch := list(islice(events, BATCH)):
                courier.bring(batch)
                progress(courier.outcomes.events)
        except KeyboardInterrupt:
            code = INTERRUPTED
        except Undelivered as error:
            code = _failed(error)
    say(summary(courier.outcomes, progress.end(), stopped=bool(code)))
    if courier.outcomes.counts["accepted"]:
        say(_where_to_look(options))
    return code


def _failed(error: Undelivered) -> int:
    fail(f"seed: {error}")
    return 1


def summary(outcomes: Outcomes, seconds: float, *, stopped: bool) -> str:
    """Return the closing words: what became of the events, and why some were not taken."""
    rate = outcomes.events / seconds if seconds else 0
    begin = "stopped after" if stopped else "delivered"
    rows = [f"{begin} {outcomes.events:,} events in {seconds:.1f} s ({rate:,.0f} a second)"]
    rows += [f"  {name:<12}{outcomes.counts[name]:>12,}" for name in OUTCOMES]
    rows += [f"    {why}: {count:,}" for why, count in sorted(outcomes.reasons.items())]
    return "\n".join(rows)


def _where_to_look(options: Options) -> str:
    port = None if options.to else _port_of("core", "CORE_PORT")
    if port is None:
        return f"the counts of tenant {options.tenant} follow within a minute"
    if options.tenant != TENANT:
        return f"the counts of {options.tenant} follow within a minute; the pages show {TENANT}"
    return f"the counts follow within a minute: http://{LOOPBACK}:{port}/, the plugin's own page"


def main(arguments: Sequence[str]) -> int:
    options = parse(arguments)
    try:
        if options.out is not None:
            return write(options, options.out)
        return deliver(options, recipient_at(options.to) if options.to else recipient_here())
    except KeyboardInterrupt:
        fail("seed: stopped")
        return INTERRUPTED
    except (Undelivered, OSError) as error:
        fail(f"seed: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
