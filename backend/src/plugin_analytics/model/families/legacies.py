"""Keep `legacy.*`: the dates of a life, for the reports that look at them."""

from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import Meta

from plugin_analytics.model.families.base import Family, Identifier, Payload, no_facts

Precision = Literal["day", "month", "year"]
PartialDate = Annotated[str, Meta(pattern=r"\A[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?\Z")]


class Legacy(Payload, frozen=True):
    """What is kept of a legacy: never a name or a biography."""

    legacy_id: Identifier
    visibility: Literal["public", "private"] | None = None
    birth_date: PartialDate | None = None
    birth_date_precision: Precision | None = None
    death_date: PartialDate | None = None
    death_date_precision: Precision | None = None

    def legacies(self) -> Sequence[str]:
        return (self.legacy_id,)


def _subject(payload: Legacy, person: bytes | None) -> None:
    del payload, person


FAMILY = Family(
    name="legacy",
    payloads={"legacy.created": Legacy},
    subject=_subject,
    facts=no_facts,
)
