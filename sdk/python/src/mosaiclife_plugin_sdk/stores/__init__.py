"""Keep what the frame must remember: job runs, leases, recorded answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .base import DeliveryLog, Leases, Progress, Recorded, Run, RunStore, Stores
from .memory import memory_stores

if TYPE_CHECKING:
    from sqlalchemy import Engine

__all__ = [
    "DeliveryLog",
    "Leases",
    "Progress",
    "Recorded",
    "Run",
    "RunStore",
    "Stores",
    "memory_stores",
    "sql_stores",
]


def sql_stores(engine: Engine) -> Stores:
    """Return stores over *engine*, with the `frame_*` tables brought up to date."""
    # SQLAlchemy is an extra: a plugin that keeps nothing does not install it.
    from .sql import sql_stores as build

    return build(engine)
