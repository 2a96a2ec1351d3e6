"""Tell the time, and write an instant as the store keeps it: microseconds since 1970, UTC."""

from datetime import UTC, datetime, timedelta

from mosaiclife_plugin_sdk import Clock, rfc3339, utc_now

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

__all__ = ["EPOCH", "Clock", "from_micros", "micros", "rfc3339", "utc_now"]


def micros(instant: datetime) -> int:
    """Count the microseconds from 1970 to *instant*."""
    return (instant - EPOCH) // _MICROSECOND


def from_micros(count: int) -> datetime:
    """Return the instant that lies *count* microseconds after 1970."""
    return EPOCH + count * _MICROSECOND
