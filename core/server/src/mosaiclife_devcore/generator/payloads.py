"""Write the payloads of the acts that everybody in a circle may see: ids, and never a text."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from mosaiclife_devcore.generator.chances import FAMILY

Payload = dict[str, Any]


def told(
    story_id: str,
    legacy_ids: Sequence[str],
    *,
    status: str = "published",
    visibility: str = "public",
    origin: str = "manual",
    words: str = "1-99",
) -> Payload:
    """Return the payload of `story.created` and `story.updated`."""
    return {
        "story_id": story_id,
        "legacy_ids": list(legacy_ids),
        "status": status,
        "visibility": visibility,
        "origin": origin,
        "word_bucket": words,
    }


def answered(response_id: str, story_id: str, legacy_id: str) -> Payload:
    """Return the payload of `story_response.created`."""
    return {"response_id": response_id, "story_id": story_id, "legacy_id": legacy_id}


def reacted(story_id: str, legacy_id: str, kind: str, *, on: bool) -> Payload:
    """Return the payload of `story_reaction.toggled`."""
    return {
        "story_id": story_id,
        "legacy_id": legacy_id,
        "reaction_type": kind,
        "reacted": on,
    }


def uploaded(media_id: str, legacy_ids: Sequence[str], chance: Random) -> Payload:
    """Return the payload of `media.upload_confirmed`."""
    return {
        "media_id": media_id,
        "legacy_ids": list(legacy_ids),
        "family": FAMILY(chance),
        "size_bytes": int(chance.lognormvariate(14.5, 0.9)),
    }
