"""Bring the `frame_*` tables up to date, one numbered step at a time.

The frame's tables change with the SDK, not with the plugin, so they have steps of their
own beside the plugin's Alembic revisions. A step is never edited once released. Steps
only add: the code of the previous release must keep working on the new tables, so that
a rollback lives.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, Engine, text

# A list holds the statements of one step; `{bytes}` is the one type without a common name.
STEPS: Final[list[list[str]]] = [
    [
        """
        CREATE TABLE IF NOT EXISTS frame_runs (
            tenant VARCHAR(64) NOT NULL,
            id VARCHAR(26) NOT NULL,
            job VARCHAR(128) NOT NULL,
            key VARCHAR(255),
            started_by VARCHAR(16) NOT NULL,
            state VARCHAR(16) NOT NULL,
            done BIGINT NOT NULL,
            total BIGINT,
            message TEXT NOT NULL,
            result TEXT,
            error TEXT,
            created_at BIGINT NOT NULL,
            started_at BIGINT,
            finished_at BIGINT,
            PRIMARY KEY (tenant, id),
            UNIQUE (tenant, job, key)
        )
        """,
        "CREATE INDEX IF NOT EXISTS frame_runs_id ON frame_runs (id)",
        "CREATE INDEX IF NOT EXISTS frame_runs_job ON frame_runs (tenant, job, id)",
        "CREATE INDEX IF NOT EXISTS frame_runs_state ON frame_runs (state, created_at)",
        """
        CREATE TABLE IF NOT EXISTS frame_leases (
            name VARCHAR(255) NOT NULL PRIMARY KEY,
            holder VARCHAR(64) NOT NULL,
            until BIGINT NOT NULL
        )
        """,
        """
        CREATE TABLE IF NOT EXISTS frame_deliveries (
            tenant VARCHAR(64) NOT NULL,
            webhook_id VARCHAR(255) NOT NULL,
            status INTEGER NOT NULL,
            data {bytes} NOT NULL,
            recorded_at BIGINT NOT NULL,
            PRIMARY KEY (tenant, webhook_id)
        )
        """,
        "CREATE INDEX IF NOT EXISTS frame_deliveries_age ON frame_deliveries (recorded_at)",
    ],
]

_LOCK: Final = 7_306_086_111  # PostgreSQL's advisory lock of this module; any number, but ours


def migrate(engine: Engine) -> int:
    """Apply the steps that are missing and return the version reached.

    Several replicas may start at once: the first takes a lock, the others wait for it. A
    version newer than this code knows is left alone, since steps only add.
    """
    with engine.begin() as connection:
        known = _locked_version(connection)
        for number, statements in enumerate(STEPS[known:], start=known + 1):
            for statement in statements:
                connection.execute(text(statement.format(bytes=_bytes_type(connection))))
            connection.execute(text("UPDATE frame_schema SET version = :n"), {"n": number})
        return max(known, len(STEPS))


def _locked_version(connection: Connection) -> int:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _LOCK})
    connection.execute(
        text("CREATE TABLE IF NOT EXISTS frame_schema (id INTEGER PRIMARY KEY, version INTEGER)")
    )
    # On SQLite this write is the lock: everybody else's waits for the end of the transaction.
    connection.execute(
        text("INSERT INTO frame_schema (id, version) VALUES (1, 0) ON CONFLICT (id) DO NOTHING")
    )
    return int(connection.execute(text("SELECT version FROM frame_schema")).scalar_one())


def _bytes_type(connection: Connection) -> str:
    return "BYTEA" if connection.dialect.name == "postgresql" else "BLOB"
