"""Reduce `media.*`: a picture, recording or paper counts from its confirmed upload on."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

from msgspec import Meta

from plugin_analytics.model.families.base import (
    Act,
    EventType,
    Fact,
    Family,
    Identifier,
    OfManyLegacies,
    Sensitivity,
    kind_of,
    stay_of,
)

CONFIRMED, DELETED = "media.upload_confirmed", "media.deleted"


class Media(OfManyLegacies, frozen=True, kw_only=True):
    """What is kept of a file: never its name, caption or place."""

    media_id: Identifier
    family: Literal["image", "video", "audio", "document"] | None = None
    size_bytes: Annotated[int, Meta(ge=0, le=2**53)] | None = None


def facts(acts: Sequence[Act]) -> Iterable[Fact]:
    """Count a file once, from its first confirmation until its deletion."""
    stay = stay_of(acts, CONFIRMED, {DELETED})
    if stay is None:
        return ()
    media: Media = FAMILY.read(CONFIRMED, stay.came.body)
    return stay.facts("media", media.legacies(), kind_of(media.family))


def _subject(payload: Media, person: bytes | None) -> str:
    del person
    return payload.media_id


FAMILY = Family(
    name="media",
    types=(
        EventType(CONFIRMED, Media, Sensitivity.SHARED, aliases=("MediaUploaded",)),
        EventType(DELETED, Media, Sensitivity.SHARED),
    ),
    subject=_subject,
    facts=facts,
)
