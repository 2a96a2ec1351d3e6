"""Every error that the plugin raises on purpose, beside those of the SDK.

BadRequest
 +- CursorInvalid            400 INVALID_FORMAT
PermissionDenied
 +- LegacyAccessDenied       403 LEGACY_ACCESS_DENIED
Conflict
 +- SettingsMoved            412 RESOURCE_CONFLICT
PayloadTooLarge
 +- BatchTooLarge            413 PAYLOAD_TOO_LARGE
ServiceUnavailable           503, always with Retry-After: the sender keeps what it has
 +- StoreUnavailable         the database cannot be written or read
 +- IngestBusy               more is waiting for the disk than may wait
 +- QuarantineFull           no room is left to set poison aside
 +- VersionsUnknown          a batch of versions that a later release will read
SettingsError                the start ends with exit 2 and one line
 +- WrongPseudonymKey
 +- StoreLocked
 +- StoreTooNew
 +- StoreTooOld
 +- CopyRefused             a backup cannot be made, or not be put back
FolderClosed                 nothing can be kept now; the process waits for it, and says so

The docstring of an answer to a caller is its message.
"""

import random

from mosaiclife_plugin_sdk import (
    BadRequest,
    Conflict,
    PayloadTooLarge,
    PermissionDenied,
    ServiceUnavailable,
    SettingsError,
)


def spread(seconds: int) -> int:
    """Return a wait of *seconds* up to twice that, so that senders do not all return at once."""
    return random.randint(seconds, 2 * seconds)


class CursorInvalid(BadRequest):
    """The cursor does not belong to this query."""


class LegacyAccessDenied(PermissionDenied):
    """You have no part in this legacy."""

    # One answer for a foreign legacy and for one that does not exist: no existence oracle.
    code = "LEGACY_ACCESS_DENIED"


class SettingsMoved(Conflict):
    """The settings have changed since they were read; read them again."""

    status = 412


class BatchTooLarge(PayloadTooLarge):
    """A delivery holds at most 500 events."""


class StoreUnavailable(ServiceUnavailable):
    """The store cannot be reached at the moment."""


class IngestBusy(ServiceUnavailable):
    """More events are waiting to be stored than may wait."""


class QuarantineFull(ServiceUnavailable):
    """The quarantine has no room left; clear it, and deliver again."""


class VersionsUnknown(ServiceUnavailable):
    """Every event has a version that this release cannot read; deliver again after an upgrade."""


class WrongPseudonymKey(SettingsError):
    """PSEUDONYM_KEY is not the key with which the stored data was written."""


class StoreLocked(SettingsError):
    """Another process writes to the same database."""


class StoreTooNew(SettingsError):
    """The database was written by a release that this one does not know."""


class StoreTooOld(SettingsError):
    """The database was written before the first release."""


class CopyRefused(SettingsError):
    """A backup cannot be made, or not be put back."""


class FolderClosed(Exception):
    """The folder for the database cannot be written now, and may be later."""
