"""Ids, rates, the journal, pauses, paths and capabilities: each a promise of its own."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from mosaiclife_devcore.capabilities import approve
from mosaiclife_devcore.delivery import LONGEST_PAUSE, SCHEDULE, asked_pause
from mosaiclife_devcore.errors import BadRequest, NotFound, RateLimited
from mosaiclife_devcore.ids import ulid
from mosaiclife_devcore.journal import Journal
from mosaiclife_devcore.proxy import check_under
from mosaiclife_devcore.rates import DATA_PER_HOUR, Rates
from mosaiclife_devcore.scheduler import fire_key

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_a_ulid_sorts_by_its_moment_and_repeats_with_its_chance() -> None:
    """Time comes first; the rest is chance, seeded where it must repeat."""
    early, late = ulid(NOW), ulid(NOW + timedelta(milliseconds=1))

    assert early < late
    assert ulid(NOW, Random(1)) == ulid(NOW, Random(1)) != ulid(NOW, Random(2))
    assert ulid(datetime(1970, 1, 1, tzinfo=UTC), Random(1)).startswith("0000000000")
    assert len(early) == 26


def test_the_retry_schedule_is_that_of_standard_webhooks() -> None:
    """Nine retries over three days."""
    assert SCHEDULE == (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("", 0),
        ("7", 7),
        ("-7", 0),
        ("soon", 0),
        ("9999999", LONGEST_PAUSE),
        ("Thu, 01 Jan 2026 12:00:30 GMT", 30),
        ("Thu, 01 Jan 2026 12:00:30 -0000", 30),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0),
    ],
)
def test_a_retry_after_is_a_number_or_a_date(header: str, seconds: float) -> None:
    """Both forms count, nonsense does not, and nobody silences core for ever."""
    assert asked_pause(header, NOW) == seconds


def test_the_journal_numbers_events_for_ever_and_keeps_the_last_ones() -> None:
    """A courier that is far behind starts at the oldest event that is left."""
    journal = Journal(lambda: NOW, most=3)
    for number in range(5):
        journal.record(
            "story.created", tenant="t", actor="a", about=("story", str(number)), payload={}
        )
    first, kept = journal.since(0, 10)

    assert (first, [event.resource.id for event in kept]) == (2, ["2", "3", "4"])
    assert journal.since(4, 10)[0] == 4
    assert journal.since(journal.end, 10) == (5, [])


def test_rates_open_again_as_the_window_moves_on() -> None:
    """An hour after the first read there is room again."""
    now = 0.0
    rates = Rates(enabled=True, clock=lambda: now)
    for _ in range(DATA_PER_HOUR):
        rates.count_data("a")
    with pytest.raises(RateLimited) as caught:
        rates.count_data("a")
    rates.count_data("b")
    now = 3600.0
    rates.count_data("a")

    assert caught.value.headers == {"retry-after": "3600"}


def test_capabilities_are_judged_one_by_one() -> None:
    """Unknown ones are refused under every policy, others by policy."""
    approval = approve(["db:read", "sudo", "events:publish"], ["*"])
    narrow = approve(["db:read", "events:publish"], ["db:read"])

    assert approval.granted == ("db:read", "events:publish")
    assert [entry["capability"] for entry in approval.refused] == ["sudo"]
    assert narrow.granted == ("db:read",)


@pytest.mark.parametrize(
    "path", ["/v1", "/v1/", "/v1/a/b", "/v1/a%20b", "/v1/%C3%A9", "/v1/a~b-c_d"]
)
def test_paths_under_the_base_path_pass(path: str) -> None:
    """What lies under `basePath` is the plugin's, spaces and letters included."""
    check_under(path, "/v1")


@pytest.mark.parametrize("path", ["/v2", "/v1x", "/V1/a", "/", "/v1/a/..", "/v1/./a", "/v1/a%2fb"])
def test_paths_elsewhere_do_not(path: str) -> None:
    """Neighbours, climbs and hidden slashes are refused."""
    with pytest.raises((BadRequest, NotFound)):
        check_under(path, "/v1")


def test_a_fire_is_named_by_job_tenant_and_moment_in_utc() -> None:
    """Two replicas of core would use the same name."""
    local = NOW.astimezone(tz=None)

    assert fire_key("tidy", None, local) == "tidy@-@2026-01-01T12:00:00Z"
    assert fire_key("tidy", "t1", NOW) == "tidy@t1@2026-01-01T12:00:00Z"
