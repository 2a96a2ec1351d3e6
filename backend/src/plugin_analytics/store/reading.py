"""Read through SQLAlchemy, of one moment where asked, and let no error of the driver out."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, exc, select

from mosaiclife_plugin_sdk import Timeout
from plugin_analytics.errors import StoreUnavailable
from plugin_analytics.store import schema
from plugin_analytics.store.base import Progress
from plugin_analytics.store.engine import RETRY_SECONDS


class Reading:
    """What everything that reads has in common."""

    def __init__(self, engine: Engine) -> None:
        """Read over connections of *engine*."""
        self._reads = engine
        self._moment = threading.local()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let all that this thread reads inside be of one moment."""
        with translated(), self._reads.connect() as connection:
            # The driver opens no transaction for reading; without one each statement sees more.
            connection.exec_driver_sql("BEGIN")
            self._moment.connection = connection
            try:
                yield
            finally:
                del self._moment.connection

    def progress(self, tenant: str) -> Progress | None:
        """Return how far the counts have come; None before the first refresh."""
        table = schema.progress
        rows = self._all(select(table).where(table.c.tenant == tenant))
        return Progress(*rows[0][1:]) if rows else None

    def _all(self, query: Any) -> Sequence[Any]:
        shared: Connection | None = getattr(self._moment, "connection", None)
        if shared is not None:
            return shared.execute(query).all()
        with translated(), self._reads.connect() as connection:
            return connection.execute(query).all()


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's errors into answers: a 504 when time was up, else a 503."""
    try:
        yield
    except exc.TimeoutError as error:
        raise StoreUnavailable(retry_after=RETRY_SECONDS) from error
    except exc.DBAPIError as error:
        if "interrupted" in str(error.orig):
            raise Timeout from error
        raise StoreUnavailable(retry_after=RETRY_SECONDS) from error
