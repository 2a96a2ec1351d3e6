"""Name what the plugin asks of its store; one behaviour suite runs over every adapter.

Writes return a future that is done once the change is on the disk. Reads are synchronous, for a
thread of the caller's choice, and stop when the time of the call is over.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Any, Literal, NamedTuple, Protocol, TypeVar
from zoneinfo import ZoneInfo

from plugin_analytics.model.calendar import Range
from plugin_analytics.model.checking import DayCounts, Kind
from plugin_analytics.model.events import Event, Ignored, Poison
from plugin_analytics.model.grants import Grant
from plugin_analytics.model.reports import Cell
from plugin_analytics.model.retention import Ages
from plugin_analytics.model.rollup import DatedFact, Folded, Memory, Stored
from plugin_analytics.store.erasures import Erasures

Outcome = Literal["accepted", "duplicate", "conflict"]
RETRYABLE = ("IN_FUTURE", "TOO_OLD", "UNSUPPORTED_VERSION")
LegacyDay = tuple[str, date]
T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)
Subject = tuple[bytes, str]  # its key, and its family
Refold = Callable[[Sequence[Memory]], Folded]
Answer = Callable[[Sequence[Outcome], Any], T]
Keep = Callable[[Sequence[T], Any], None]


class Promise(Protocol[T_contra]):
    """Whatever waits for what becomes of a write; the writer's thread settles it, once."""

    def set_result(self, result: T_contra, /) -> None:
        """Say that it is on the disk, and what came of it."""

    def set_exception(self, error: Exception, /) -> None:
        """Say why it is not."""


class Batch(NamedTuple):
    """What one call brings: events, poison, and what is only counted."""

    tenant: str
    received_at: int
    events: Sequence[Event]
    poison: Sequence[Poison] = ()
    ignored: Sequence[Ignored] = ()
    released: Sequence[bytes] = ()  # keys of the quarantine whose events these are


class SetAside(NamedTuple):
    """An event that could not be taken, with what was kept of it."""

    tenant: str
    key: bytes
    received_at: int
    type: str | None
    reason: str
    field: str
    kept: bytes | None

    @property
    def retryable(self) -> bool:
        """Tell whether a later hour or release may take it."""
        return self.kept is not None and self.reason in RETRYABLE


class Progress(NamedTuple):
    """How far the counts of a tenant have followed its events, and by which rules."""

    seq: int
    watermark: int | None
    zone: str
    definition: str
    rebuild: bytes | None = None  # the last subject that was made anew, while that goes on


class Pending(NamedTuple):
    """Those of the next *number* arrivals that a fold must see, in their order."""

    events: Sequence[Stored]
    number: int
    seq: int
    watermark: int


class Freshness(NamedTuple):
    """When the newest counted event arrived, and how many days are still to be counted.

    The days of events that nobody has looked into yet count for every legacy.
    """

    watermark: int | None
    dirty_days: int


class Ending(NamedTuple):
    """How events ended, and how many."""

    source: str
    type: str
    outcome: str
    reason: str = ""
    number: int = 1


class Late(NamedTuple):
    """How many accepted events came less than 2^`bucket` seconds late, and the latest of them."""

    bucket: int
    number: int
    worst: int


class Health(NamedTuple):
    """What came in during a span of days of arrival."""

    endings: Sequence[Ending]
    lateness: Sequence[Late]


class Quiet(NamedTuple):
    """What must hold of a tenant while subjects of it are forgotten.

    Its counts follow *progress*'s rules, and every event of *types* has been folded.
    """

    families: Sequence[str]
    types: Sequence[str]
    progress: Progress


class Aged(NamedTuple):
    """Rows of a table that are too old, by what follows the tenant in their keys."""

    table: str
    keys: Sequence[tuple[Any, ...]]


class Standing(NamedTuple):
    """What stands of one day of a scope, and all that it must follow from."""

    counts: DayCounts
    frozen: Mapping[Kind, int]
    memories: Sequence[Memory]


class Span(NamedTuple):
    """Days of a scope that are counted together, and for the sake of which day."""

    legacy: str
    day: date
    days: Range


class Arrived(NamedTuple):
    """Events of certain days among some arrivals, and the last of those arrivals."""

    events: Sequence[Stored]
    seq: int


class Verification(NamedTuple):
    """What the last verification has found: when, how much was looked at, how many days differ."""

    at: int
    days: int
    events: int
    drift: int


class Tidied(NamedTuple):
    """What the store's own housekeeping has found: bytes in use, bytes free, whether it shrank."""

    used: int
    free: int
    shrunk: bool


class Backup(NamedTuple):
    """A copy of everything, by the name under which it is kept."""

    name: str
    size: int


class Store(Erasures, Protocol):
    """Everything that the services ask."""

    # written by deliveries
    def append(self, batch: Batch, answer: Answer[T], keep: Keep[T] | None = None) -> Future[T]:
        """Keep new events and poison and count the rest, all or nothing.

        *answer* makes of the outcomes what the future returns. It runs inside the transaction,
        whose connection it is given, so that what it writes stands or falls with the events.
        *keep* writes the answers of several batches at once, in the same transaction; what it
        raises undoes them all, and each is then tried alone.
        """

    def hand_in(
        self, batch: Batch, answer: Answer[T], keep: Keep[T] | None, promise: Promise[T]
    ) -> None:
        """Do the same, and settle a *promise* of the caller's own."""

    def grants(self, tenant: str) -> Mapping[str, Grant]:
        """Return what each legacy of a tenant has last said."""

    # the quarantine
    def quarantined(
        self, tenant: str, reason: str | None, before: tuple[int, bytes] | None, limit: int
    ) -> Sequence[SetAside]:
        """Return what was set aside, the newest first: what came *before* a moment and key."""

    def retryable(self, after: tuple[str, bytes], limit: int) -> Sequence[SetAside]:
        """Return what may be judged again, of all tenants, *after* a tenant and key."""

    def forget_quarantined(self, before: int) -> Future[int]:
        """Forget what was set aside before a moment; return how much."""

    # read and written by rollup.refresh
    def dirty_tenants(self) -> Sequence[str]:
        """Return the tenants that have days to count again."""

    def progress(self, tenant: str) -> Progress | None:
        """Return how far the counts have come; None before the first refresh."""

    def tenants_counted_otherwise(self, zone: str, definition: str) -> Sequence[str]:
        """Return the tenants whose counts follow another zone or definition."""

    def begin_again(self, tenant: str, zone: str, definition: str) -> Future[None]:
        """Begin to make every count of a tenant anew; the old ones stand until that is done."""

    def rebuild(self, tenant: str, limit: int, refold: Refold) -> Future[bool]:
        """Make the facts of up to *limit* subjects anew; return whether there are more."""

    def rebuilt_share(self, tenant: str) -> float | None:
        """Return how much of the facts has been made anew, from 0 to 1; None when that is over."""

    def subject_count(self, tenant: str) -> int:
        """Return how many subjects are remembered."""

    def pending(self, tenant: str, after: int, limit: int) -> Pending | None:
        """Look at the next *limit* arrivals after the event *after*; None when there are none."""

    def memories(self, tenant: str, subjects: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """Return what is remembered of each subject that is known."""

    def save_fold(self, tenant: str, folded: Folded, progress: Progress) -> Future[None]:
        """Apply a fold, mark the days that it changes and move on, all or nothing."""

    def recount(self, tenant: str, limit: int) -> Future[list[LegacyDay]]:
        """Count up to *limit* dirty days again from the facts; return those that were done."""

    # read and written by retention.purge
    def horizons(self, tenant: str) -> Mapping[str, int]:
        """Return of each family the moment before which nothing is counted any more."""

    def fading(
        self, tenant: str, families: Sequence[str], before: int, limit: int
    ) -> Iterator[Sequence[Subject]]:
        """Yield the subjects of *families* whose last act lies before a moment, in pieces."""

    def freeze(
        self,
        tenant: str,
        subjects: Sequence[Subject],
        quiet: Quiet,
        before: int,
        refold: Refold,
    ) -> Future[int | None]:
        """Forget subjects, and keep their facts as numbers; return how many.

        None when that cannot be now: not everything of their families has been folded.
        """

    def aged(self, tenant: str, ages: Ages, fleeting: Sequence[str], limit: int) -> Iterator[Aged]:
        """Yield the rows that are too old, in pieces; each is to be dropped before the next."""

    def drop(self, tenant: str, aged: Aged) -> Future[int]:
        """Take a piece away for good; return how many rows it was."""

    # read and written by rollup.verify
    def verification(self, tenant: str) -> Verification | None:
        """Return what the last verification of a tenant has found; None before the first."""

    def drift(self) -> int:
        """Return on how many days the counts were last seen to differ, over all tenants."""

    def drifting(self, tenant: str) -> Sequence[LegacyDay]:
        """Return the days of a tenant on which the counts were last seen to differ."""

    def counted_days(self, tenant: str, share: int, least: int) -> Sequence[LegacyDay]:
        """Return one in *share* of the days that anything is known of, at random, or *least*."""

    def standing(self, tenant: str, legacy: str, day: date) -> Standing | None:
        """Return what stands of one day, and what it must follow from; None while it is dirty."""

    def spans(self, days: Iterable[LegacyDay]) -> Sequence[Span]:
        """Return the months that hold some days, each once: they are counted ahead too."""

    def span_differs(self, tenant: str, span: Span) -> bool:
        """Tell whether a month says something else than its days; what is dirty says nothing."""

    def latest(self, tenant: str, since: int, limit: int) -> Sequence[Stored]:
        """Return what arrived last and has been counted, up to *limit* events."""

    def arrived(self, tenant: str, days: Iterable[int], after: int, width: int) -> Arrived | None:
        """Return the counted events of some days (UTC, since 1970) among the next arrivals."""

    def remembered(self, tenant: str, subjects: Sequence[bytes]) -> Sequence[Memory]:
        """Return what is remembered of each subject that is known, with its family."""

    def uncounted(self, tenant: str, facts: Sequence[DatedFact]) -> list[DatedFact]:
        """Return those of *facts* that are not kept, so that nothing counts them."""

    def save_verification(
        self, tenant: str, seen: Verification, drift: Sequence[LegacyDay]
    ) -> Future[None]:
        """Keep what was found, and mark the days that differ to be counted again."""

    # asked by store.optimize
    def tidy(self) -> Tidied:
        """Refresh the planner's statistics, empty the log, and give room back where that pays."""

    def back_up(
        self,
        moment: datetime,
        cancelled: Callable[[], bool],
        progress: Callable[[int, int], None],
    ) -> Backup | None:
        """Keep a copy of everything as it is now; None when it was cancelled."""

    def prune_backups(self, now: datetime) -> int:
        """Let go of the copies that are too many or too old; return how many."""

    # read by reports
    def snapshot(self) -> AbstractContextManager[None]:
        """Let all that this thread reads inside be of one moment: a report is never torn."""

    def moment(self) -> int | None:
        """Return the number of the moment that this thread's snapshot is of; None if unknown.

        What has the same number has the same content, and what came later has a greater one.
        """

    def series(
        self,
        tenant: str,
        legacy: str,
        slots: Sequence[Range],
        zone: ZoneInfo,
        metrics: Sequence[str],
        *,
        kinds: bool = False,
    ) -> Sequence[Cell]:
        """Return the net change of each metric in each of *slots*, which are in order and apart.

        With *kinds*, apart by what each metric is counted by: its dimensions' values in a word.
        """

    def storytellers(
        self, tenant: str, legacy: str, slots: Sequence[Range], zone: ZoneInfo
    ) -> Sequence[int]:
        """Count, for each slot, the people with a telling in it that still stood at its end."""

    def first_day(self, tenant: str, legacy: str, zone: ZoneInfo) -> date | None:
        """Return the first day on which anything counts."""

    def freshness(self, tenant: str, legacy: str) -> Freshness:
        """Tell how far the counts are behind."""

    def health(self, tenant: str, span: Range) -> Health:
        """Return how what came in on the days of *span* (UTC) has ended."""

    # the plugin's own household
    def setting(self, name: str) -> bytes | None:
        """Return a value that belongs to the whole instance."""

    def settle(self, name: str, value: bytes) -> bytes:
        """Keep *value* under *name* unless there is one; return the one that stands."""

    def settings(self, prefix: str) -> Mapping[str, bytes]:
        """Return every value whose name begins with *prefix*."""

    def replace(self, name: str, before: bytes | None, value: bytes | None) -> Future[bool]:
        """Keep *value* under *name*, or nothing; False when what stood there was not *before*."""

    def waiting(self) -> int:
        """Return how many rows wait to be written."""

    def failing_seconds(self) -> float:
        """Return for how long writing has failed; 0 while it works."""

    def probe(self) -> Future[None]:
        """Write something that changes nothing, to learn whether writing works again."""

    def close(self) -> None:
        """Write what is waiting, and let go of the database."""
