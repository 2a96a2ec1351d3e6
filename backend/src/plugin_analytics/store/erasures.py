"""Name what the plugin asks of its store to forget data (the port; `erasing` is the adapter)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from plugin_analytics.model.erasure import Ask, Target, Tombs
from plugin_analytics.model.families import Act
from plugin_analytics.model.rollup import Folded, Memory

TOMBSTONE_DAYS = 35  # longer than anybody sends again what was not acknowledged
MARK = "mark"


class Request(NamedTuple):
    """A wish that has not been fulfilled yet; without a target it came back from the log."""

    tenant: str
    id: str
    kind: str
    hash: bytes
    target: Target | None
    seq: int
    at: int
    requested_at: int


class Fulfilled(NamedTuple):
    """What became of a wish, or how far it is."""

    id: str
    kind: str
    requested_at: int
    finished_at: int | None
    rows: int
    days: int
    digest: str | None


class RawRow(NamedTuple):
    """A stored event, as far as its fate depends on it."""

    seq: int
    id: str
    type: str
    at: int
    person: bytes | None
    body: bytes
    sensitivity: int
    seal: bytes | None = None


class KeptRow(NamedTuple):
    """What is kept of an event that was set aside."""

    key: bytes
    type: str | None
    received_at: int
    kept: bytes


class Piece(NamedTuple):
    """What one step changes: subjects that go, others that change, and what follows from it."""

    folded: Folded
    gone: Sequence[bytes]
    marked: Sequence[bytes]
    rows: int
    asks: Sequence[Ask] = ()


class Rows(NamedTuple):
    """What one step changes of the raw events."""

    gone: Sequence[int]
    unnamed: Sequence[int] = ()
    bodies: Mapping[int, bytes] = {}


class Waiting(NamedTuple):
    """What one step makes of events that no fold has seen; a mark's body says on what it lies."""

    gone: Sequence[int]
    left: Mapping[int, Act]
    marked: Sequence[bytes]
    asks: Sequence[Ask] = ()


class Needle(NamedTuple):
    """What is looked for in every raw event: a person, a name in its body, or certain ids."""

    person: bytes | None = None
    text: bytes | None = None
    ids: Collection[str] = ()
    sealed: bool = False  # also whatever bears a seal
    later_than: int | None = None  # of all these, or of everything, only what happened later


class Logged(NamedTuple):
    """A line of the log beside the database."""

    id: str
    kind: str
    tenant_hash: bytes
    hash: bytes
    at: int
    requested_at: int
    types: tuple[str, ...] | None


class Erasures(Protocol):
    """Everything that forgetting asks."""

    def alone(self) -> AbstractContextManager[None]:
        """Let no other thread change what is remembered while this one reads and rewrites it."""

    def wanted(self) -> bool:
        """Tell whether a thread waits to be alone."""

    def tenants(self) -> Sequence[str]:
        """Return every tenant that has ever sent anything."""

    def tombs(self, tenant: str) -> Tombs:
        """Return what the door must refuse for a tenant."""

    def ask(self, tenant: str, asks: Sequence[Ask], requested_at: int) -> Future[None]:
        """Write wishes down, in the database and in the log beside it."""

    def wishes(self) -> Sequence[Request]:
        """Return the wishes that are not fulfilled, the oldest first."""

    def wish_count(self) -> int:
        """Return how many there are."""

    def fulfilled(
        self,
        tenant: str,
        *,
        name: bytes | None = None,
        before: tuple[int, str] | None = None,
        limit: int,
    ) -> Sequence[Fulfilled]:
        """Return what became of wishes, the newest first; of one person only, by keyed hash."""

    def wish(self, tenant: str, wish: str) -> Fulfilled:
        """Return how far one wish is."""

    def fulfil(
        self, tenant: str, wish: str, finished_at: int, days: int, digest: str
    ) -> Future[None]:
        """Write the receipt, and forget what was needed to find what had to go."""

    def erased_days(self, tenant: str, wish: str) -> int:
        """Return on how many days something has changed."""

    def horizon(self, tenant: str) -> Future[int]:
        """Return the number of the last event, once all that was handed in before is stored."""

    def subjects(
        self,
        tenant: str,
        needles: Sequence[bytes],
        after: bytes,
        limit: int,
        upto: bytes | None = None,
    ) -> Sequence[Memory]:
        """Return what is remembered that holds one of *needles*; without any, everything."""

    def families(self, tenant: str, subjects: Sequence[bytes]) -> Mapping[bytes, str]:
        """Return the family of each subject that is known."""

    def rewrite(self, tenant: str, wish: str | None, piece: Piece, zone: str) -> Future[bool]:
        """Change what is remembered and counted; False if the zone of the counts has changed."""

    def raw(self, tenant: str, needle: Needle, after: int, upto: int) -> Sequence[RawRow]:
        """Return the raw events with numbers in (after, upto] that may be meant."""

    def newest(self, tenant: str) -> int:
        """Return the number of the last event."""

    def erase_span(self, tenant: str, wish: str, after: int, upto: int) -> Future[None]:
        """Delete every raw event with a number in (after, upto]."""

    def erase_waiting(self, tenant: str, wish: str, waiting: Waiting) -> Future[None]:
        """Change events that no fold has seen, while none can see them."""

    def erase_raw(self, tenant: str, wish: str, rows: Rows) -> Future[None]:
        """Delete raw events, or take names off them."""

    def set_aside(self, tenant: str, needle: bytes | None) -> Sequence[KeptRow]:
        """Return what is kept in the quarantine and holds *needle*."""

    def erase_set_aside(
        self, tenant: str, wish: str, gone: Sequence[bytes], kept: Mapping[bytes, bytes]
    ) -> Future[None]:
        """Delete rows of the quarantine, or change what they keep."""

    def close_legacy(self, tenant: str, legacy: str) -> Future[bool]:
        """Drop the next part of what is counted for a legacy, at last its name; True if not last."""

    def close_tenant(self, tenant: str, at: int) -> Future[None]:
        """Drop what no act explains any more: old numbers, grants up to a moment, empty names."""

    def legacy_names(self, tenant: str) -> Iterable[str]:
        """Return every legacy that has been named."""

    def people(self, tenant: str) -> Iterable[bytes]:
        """Return every pseudonym in the raw events and in what is remembered."""

    def aim(self, tenant: str, wish: str, target: Target) -> Future[None]:
        """Note of whom a wish speaks that came back from the log."""

    def regrant(self, tenant: str, legacy: str, at: int, types: Sequence[str]) -> Future[None]:
        """Let what a keeper once said stand again, unless something later was said."""

    def overdue_marks(self, now: int, limit: int) -> Sequence[tuple[str, bytes]]:
        """Return subjects (of which tenant, and which) with marks whose time is over."""

    def forget_marks(self, tenant: str, subjects: Sequence[bytes]) -> Future[None]:
        """Forget that subjects have marks."""

    def forget_tombstones(self, now: int) -> Future[int]:
        """Forget what the door no longer has to refuse; return how much."""

    def logged(self) -> Sequence[Logged]:
        """Return the lines of the log beside the database."""

    def known_wishes(self) -> Collection[str]:
        """Return the names of all wishes that the database knows."""

    def shorten_log(self, keep: Collection[str]) -> None:
        """Keep only the lines of these wishes."""

    def scrub(self) -> None:
        """Leave no byte of what was deleted: not in the log, and not in the file's unused room."""
