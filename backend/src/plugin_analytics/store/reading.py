"""Read through SQLAlchemy, of one moment where asked, and let no error of the driver out."""

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, exc, select

from mosaiclife_plugin_sdk import Timeout
from plugin_analytics.errors import StoreUnavailable
from plugin_analytics.model.calendar import find_zone
from plugin_analytics.store import schema
from plugin_analytics.store.base import Progress
from plugin_analytics.store.codes import Codes
from plugin_analytics.store.engine import RETRY_SECONDS
from plugin_analytics.store.moments import Moments

T = TypeVar("T")
_NOBODY = -1
_LOOK = "SELECT 1 FROM setting LIMIT 1"
_PROGRESS = "SELECT seq, watermark, zone, definition, rebuild FROM progress WHERE tenant = ?"
_TENANT = "SELECT code FROM tenant WHERE name = ?"
_LEGACY = "SELECT code FROM legacy WHERE tenant = ? AND name = ?"
_WORDS = "SELECT code, name FROM word WHERE code IN ({codes})"


class Reading:
    """What everything that reads has in common."""

    def __init__(self, engine: Engine, codes: Codes, moments: Moments) -> None:
        """Read over connections of *engine* what is kept by its *codes*, at numbered *moments*."""
        self._reads = engine
        self._codes = codes
        self._moments = moments
        self._moment = threading.local()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let all that this thread reads inside be of one moment; one within another is the same."""
        if getattr(self._moment, "connection", None) is not None:
            with translated():
                yield
            return
        with translated(), self._reads.connect() as connection:
            driver = _driver(connection)
            self._moment.number = self._begin(driver)
            self._moment.connection, self._moment.driver = connection, driver
            self._moment.known = {}
            try:
                yield
            finally:
                self._moment.__dict__.clear()

    def moment(self) -> int | None:
        """Return the number of what this thread's snapshot sees; None when that is not sure."""
        number: int | None = getattr(self._moment, "number", None)
        return number

    def _begin(self, driver: sqlite3.Connection) -> int | None:
        """Open a snapshot, and return the number of what it sees."""
        before = self._moments.now()
        # The driver opens no transaction for reading; without one each statement sees more.
        driver.execute("BEGIN")
        driver.execute(_LOOK).fetchall()  # the first look decides what is seen
        return before if before == self._moments.now() else None

    def progress(self, tenant: str) -> Progress | None:
        """Return how far the counts have come; None before the first refresh."""
        return self._once(("progress", tenant), lambda: self._progress(tenant))

    def _progress(self, tenant: str) -> Progress | None:
        rows = self._rows(_PROGRESS, (self._tenant_code(tenant),))
        return Progress(*rows[0]) if rows else None

    def _counted_apart(self, tenant: str, zone: ZoneInfo) -> ZoneInfo | None:
        """Return the zone in whose days the counts are, where that is not *zone*.

        While they are made anew, what was counted before is the best there is for every zone.
        """
        progress = self.progress(tenant)
        if progress is None or progress.rebuild is not None or progress.zone == zone.key:
            return None
        return find_zone(progress.zone)

    def _tenant_code(self, tenant: str) -> int:
        """Return the number of a tenant; one that nobody has is that of no row."""
        code = self._codes.tenants.get(tenant)
        if code is None:
            code = self._code(_TENANT, tenant)
        return code

    def _scope(self, tenant: str, legacy: str) -> tuple[int, int]:
        """Return the numbers of a tenant and of one legacy in it; of the tenant, if empty."""
        code = self._tenant_code(tenant)
        if not legacy:
            return code, schema.WHOLE
        part = self._codes.legacies.get((code, legacy))
        if part is None:
            part = self._code(_LEGACY, code, legacy)
        return code, part

    def _code(self, statement: str, *name: str | int) -> int:
        """Return the number that *statement* finds under a name."""

        def find() -> int:
            rows = self._rows(statement, name)
            return int(rows[0][0]) if rows else _NOBODY

        return self._once((statement, *name), find)

    def _once(self, key: tuple[str | int, ...], find: Callable[[], T]) -> T:
        """Look something up once in what is of one moment, and every time otherwise."""
        known: dict[tuple[str | int, ...], Any] | None = getattr(self._moment, "known", None)
        if known is None:
            return find()
        if key not in known:
            known[key] = find()
        found: T = known[key]
        return found

    def _word_codes(self, words: Iterable[str]) -> dict[str, int]:
        """Return the numbers of *words*; those that nobody has written yet are left out."""
        wanted = list(words)
        known = {word: self._codes.words[word] for word in wanted if word in self._codes.words}
        if len(known) < len(wanted):
            columns = schema.word.c
            missing = [word for word in wanted if word not in known]
            rows = self._all(select(columns.name, columns.code).where(columns.name.in_(missing)))
            known.update(dict(rows))
        return known

    def _names(self, codes: Iterable[int]) -> dict[int, str]:
        """Return what numbers of words stand for; 0 stands for none."""
        wanted = sorted(set(codes) - {0})
        known = self._rows(_WORDS.format(codes=listed(wanted)), ()) if wanted else ()
        return {0: "", **dict(known)}

    def _all(self, query: Any) -> Sequence[Any]:
        shared: Connection | None = getattr(self._moment, "connection", None)
        if shared is not None:
            return shared.execute(query).all()
        with translated(), self._reads.connect() as connection:
            return connection.execute(query).all()

    def _rows(self, statement: str, values: Sequence[Any]) -> list[Any]:
        """Ask the driver itself: what is asked often must not be built and compiled each time."""
        shared: sqlite3.Connection | None = getattr(self._moment, "driver", None)
        if shared is not None:
            return shared.execute(statement, values).fetchall()
        with translated(), self._reads.connect() as connection:
            return _driver(connection).execute(statement, values).fetchall()


def listed(codes: Iterable[int]) -> str:
    """Write numbers of words as a list within a statement."""
    return ", ".join(map(str, codes))


def _driver(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101  # the engine's dialect is ours
    return driver


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's errors into answers: a 504 when time was up, else a 503."""
    try:
        yield
    except exc.TimeoutError as error:
        raise StoreUnavailable(retry_after=RETRY_SECONDS) from error
    except (exc.DBAPIError, sqlite3.Error) as error:
        cause = error.orig if isinstance(error, exc.DBAPIError) else error
        if "interrupted" in str(cause):
            raise Timeout from error
        raise StoreUnavailable(retry_after=RETRY_SECONDS) from error
