"""Schedules as robfig/cron reads them, which is Kubernetes' cron (design: Jobs).

Where our cron means something else on purpose, the case stands in DIFFERENT with the
reason: a difference that is not listed fails, and so does a listed one that is none.
"""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mosaiclife_plugin_sdk.cron import Cron, CronError

FILE = "cron-robfig.json"
SHAPES = ("%b %d %H:%M %Y", "%b %d %H:%M:%S %Y")
NEVER = None

GAP = "a fire inside the hour that the clocks skip runs once, right after it; robfig leaves it out"
TWICE = "a fire inside an hour that comes twice runs in the first one only; robfig runs it in both"
STEPS = (
    "as in Debian's cron a day field that begins with * counts as unrestricted, also */5, so that "
    "both day fields must fit; robfig lets either"
)
DIFFERENT = {
    ("Sun Jul 15 00:00 2012", "* * */10 * Sun"): STEPS,
    ("Mon Jul 9 23:35 2012", "0 0 0 */5 Apr,Aug,Oct Mon"): STEPS,
    ("2012-03-11T00:00:00-0500", "TZ=America/New_York 0 30 2 11 Mar ?"): GAP,
    ("2012-03-11T00:00:00-0500", "TZ=America/New_York 0 0 2 * * ?"): GAP,
    ("2012-11-04T01:45:00-0400", "TZ=America/New_York 0 30 1 04 Nov ?"): TWICE,
    ("2012-11-04T01:00:00-0400", "TZ=America/New_York 0 0 1 * * ?"): TWICE,
    ("TZ=America/New_York 2012-11-04T01:00:00-0400", "0 0 1 * * ?"): TWICE,
}

pytestmark = pytest.mark.skipif(
    not os.environ.get("PLUGIN_VECTORS"), reason="PLUGIN_VECTORS names no folder of vectors"
)


def vectors(kind: str) -> list[list[str]]:
    folder = os.environ.get("PLUGIN_VECTORS", "")
    path = Path(folder) / FILE
    if not folder or not path.is_file():
        return []
    known: dict[str, list[list[str]]] = json.loads(path.read_text(encoding="utf-8"))
    return known[kind]


def zone_in(text: str) -> tuple[str, str]:
    """Split `TZ=<zone> ` off the front; without it the zone is UTC."""
    head, _, rest = text.partition(" ")
    name, _, zone = head.partition("=")
    return (zone, rest) if name in ("TZ", "CRON_TZ") else ("UTC", text)


def moment(text: str, zone: str) -> datetime:
    """Read the time of a vector; the day of the week in it is decoration, once even wrong."""
    if text[0].isdigit():
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z").astimezone(UTC)
    _, _, rest = text.partition(" ")
    shape = SHAPES[rest.count(":") - 1]
    return datetime.strptime(rest, shape).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def parsed(expression: str, zone: str) -> Cron | None:
    """Read a schedule; one that can never fire is refused where it is written."""
    try:
        return Cron.parse(expression, zone)
    except CronError:
        return None


def next_fire(start: str, expression: str) -> tuple[datetime, Cron | None]:
    """Return the moment and the schedule of a vector, whose first field is always second 0."""
    zone, start = zone_in(start)
    zone, expression = zone_in(expression) if zone == "UTC" else (zone, expression)
    second, _, five = expression.partition(" ")
    assert second in ("0", "*")
    return moment(start, zone), parsed(five, zone)


def cases(kind: str) -> list[Any]:
    return [pytest.param(*case, id=" | ".join(case)) for case in vectors(kind)]


def judge(start: str, expression: str, ours: object, theirs: object) -> None:
    """Agree, or differ for a reason that is listed."""
    reason = DIFFERENT.get((start, expression))

    assert (ours == theirs) is (reason is None), f"ours {ours}, theirs {theirs}: {reason}"


def test_the_vectors_are_there() -> None:
    """The file that this layer reads holds what it held when the layer was written."""
    assert (len(vectors("activation")), len(vectors("next"))) == (29, 52)


@pytest.mark.parametrize(("at", "expression", "fires"), cases("activation"))
def test_a_schedule_fires_at_its_minutes(at: str, expression: str, fires: str) -> None:
    """A minute is one of the schedule's fires, or it is not."""
    minute = moment(at, "UTC")
    cron = parsed(expression, "UTC")

    assert cron is not None
    ours = cron.next_after(minute - timedelta(seconds=1)) == minute
    judge(at, expression, ours, fires == "true")


@pytest.mark.parametrize(("start", "expression", "expected"), cases("next"))
def test_the_next_fire_is_the_expected_one(start: str, expression: str, expected: str) -> None:
    """The fire that follows a moment, over the ends of months and the changes of the clocks."""
    at, cron = next_fire(start, expression)
    zone = cron.zone.key if cron else "UTC"

    ours = cron.next_after(at) if cron else NEVER
    judge(start, expression, ours, moment(expected, zone) if expected else NEVER)


def test_each_difference_belongs_to_a_vector() -> None:
    """No reason outlives the case that it explains."""
    known = {(case[0], case[1]) for kind in ("activation", "next") for case in vectors(kind)}

    assert set(DIFFERENT) <= known
