"""Look for what must be gone: in every table, and in every byte beside it."""

from plugin_analytics.store.sqlite import SQLiteStore


def traces_of(store: SQLiteStore, trace: bytes) -> list[str]:
    """Return where *trace* still stands, as bytes or as hex: tables, and files of the database."""
    store.scrub()
    found = [table for table in _tables(store) if _in_table(store, table, trace)]
    forms = {trace, trace.hex().encode()}
    files = (file for file in sorted(store.path.parent.glob("*")) if file.is_file())
    found.extend(file.name for file in files if any(form in file.read_bytes() for form in forms))
    return found


def _tables(store: SQLiteStore) -> list[str]:
    with store._reads.connect() as connection:
        query = "SELECT name FROM sqlite_master WHERE type = 'table'"
        return list(connection.exec_driver_sql(query).scalars())


def _in_table(store: SQLiteStore, table: str, trace: bytes) -> bool:
    forms = (trace, trace.hex().encode())
    with store._reads.connect() as connection:
        rows = connection.exec_driver_sql(f"SELECT * FROM {table}").all()
    values = (value for row in rows for value in row)
    texts = (v.encode() if isinstance(v, str) else v for v in values)
    return any(form in v for v in texts if isinstance(v, bytes) for form in forms)
