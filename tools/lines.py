"""Make a line of a child's log short enough to read along."""

import json
from collections.abc import Mapping
from typing import Any

WIDTH = 500
# What the prefix says already, or what only a machine wants.
HIDDEN = frozenset({"timestamp", "level", "msg", "event", "trace_id", "span_id", "request_id"})
PROBES = ("/healthz", "/readyz", "/metrics", "/mf/", "/api/plugins", "/plugins")


def condense(line: str) -> str | None:
    """Return a JSON log line as words, another line as it is, and nothing for the noise."""
    record = _record(line)
    if record is None:
        return line.rstrip() or None
    if _is_probe(record):
        return None
    level = str(record.get("level", "info"))
    head = "" if level in {"info", "debug"} else f"{level.upper()}: "
    message = record.get("msg") or record.get("event") or ""
    rest = (f"{key}={_short(value)}" for key, value in record.items() if _is_shown(key, value))
    return " ".join([f"{head}{message}", *rest])


def _short(value: object) -> str:
    """Keep the end of a long value: the last lines of a trace say what happened."""
    text = str(value).rstrip()
    return text if len(text) <= WIDTH else f"… {text[-WIDTH:]}"


def _record(line: str) -> Mapping[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


def _is_probe(record: Mapping[str, Any]) -> bool:
    """Tell whether this is the access line of a successful call that repeats each second."""
    path = str(record.get("path") or record.get("route") or "")
    return path.startswith(PROBES) and str(record.get("status", ""))[:1] in {"2", "3"}


def _is_shown(key: str, value: object) -> bool:
    return key not in HIDDEN and not key.startswith("plugin.") and value not in ("", None)
