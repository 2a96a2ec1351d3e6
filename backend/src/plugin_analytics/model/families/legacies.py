"""Keep `legacy.*`: the dates of a life, for the reports that look at them."""

from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import Meta

from plugin_analytics.model.families.base import (
    EventType,
    Family,
    Identifier,
    Payload,
    Sensitivity,
)

Precision = Literal["day", "month", "year"]
PartialDate = Annotated[str, Meta(pattern=r"\A[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?\Z")]


class LegacyDeleted(Payload, frozen=True, kw_only=True):
    """What is kept of a legacy that is gone."""

    legacy_id: Identifier

    def legacies(self) -> Sequence[str]:
        """Return the legacy itself."""
        return (self.legacy_id,)


class Legacy(LegacyDeleted, frozen=True, kw_only=True):
    """What is kept of a legacy: never a name or a biography."""

    visibility: Literal["public", "private"] | None = None
    birth_date: PartialDate | None = None
    birth_date_precision: Precision | None = None
    death_date: PartialDate | None = None
    death_date_precision: Precision | None = None


def _subject(payload: LegacyDeleted, person: bytes | None) -> str | None:
    """Remember what is told of a legacy, not that it has gone."""
    del person
    return payload.legacy_id if isinstance(payload, Legacy) else None


FAMILY = Family(
    name="legacy",
    types=(
        EventType("legacy.created", Legacy, Sensitivity.SHARED),
        EventType("legacy.updated", Legacy, Sensitivity.SHARED),
        EventType("legacy.deleted", LegacyDeleted, Sensitivity.CONTROL),
    ),
    subject=_subject,
)
