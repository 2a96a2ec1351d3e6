"""Reduce `media.*`: a picture, recording or paper counts once its upload is confirmed."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

from msgspec import Meta

from plugin_analytics.model.families.base import (
    Act,
    Fact,
    Family,
    Identifier,
    Legacies,
    Payload,
    in_each,
)


class Media(Payload, frozen=True):
    """What is kept of a file: never its name, caption or place."""

    media_id: Identifier
    legacy_ids: Legacies | None = None
    family: Literal["image", "video", "audio", "document"] | None = None
    size_bytes: Annotated[int, Meta(ge=0, le=2**53)] | None = None

    def legacies(self) -> Sequence[str]:
        return self.legacy_ids or ()


def facts(acts: Sequence[Act]) -> Iterable[Fact]:
    """Count a file once, at its first confirmation."""
    first = min(acts, key=lambda act: (act.at, act.id))
    media: Media = FAMILY.decode(first.type, first.body)
    for legacy in in_each(media.legacies()):
        yield Fact(legacy, first.at, "media", 1, first.person)


def _subject(payload: Media, person: bytes | None) -> str:
    del person
    return payload.media_id


FAMILY = Family(
    name="media",
    payloads={"media.upload_confirmed": Media},
    subject=_subject,
    facts=facts,
)
