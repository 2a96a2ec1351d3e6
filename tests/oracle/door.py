"""Say which events are taken in at all, and as what."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

Envelope = dict[str, Any]
ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
PERSON = re.compile(r"(user:)?[A-Za-z0-9_-]{1,64}")
PARTIAL_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")
WORDS = re.compile(r"[0-9]{1,7}([-+][0-9]{0,7})?")
ACTOR = re.compile(r"(user|service|plugin):[\x21-\x7e]{1,128}")
FIRST_YEAR = 1990
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

CHOICES = {
    "status": {"draft", "published"},
    "visibility": {"public", "private", "personal"},
    "origin": {"manual", "prompt", "response", "conversation"},
    "family": {"image", "video", "audio", "document"},
    "reaction_type": {"heart", "candle", "smile"},
    "birth_date_precision": {"day", "month", "year"},
    "death_date_precision": {"day", "month", "year"},
}
IDS = {"story_id", "response_id", "media_id", "legacy_id", "new_story_id"}
STORY = ("status", "visibility", "origin", "word_bucket", "legacy_ids")
LEGACY = ("birth_date", "birth_date_precision", "death_date", "death_date_precision")
RESPONSE = ("response_id",), ("story_id", "legacy_id", "new_story_id")
MEDIA = ("media_id",), ("legacy_ids", "family", "size_bytes")
# For each type that any report looks at: the fields it needs, and those it may have.
TYPES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "legacy.created": (("legacy_id",), LEGACY),
    "legacy.updated": (("legacy_id",), LEGACY),
    "legacy.deleted": (("legacy_id",), ()),
    "story.created": (("story_id",), STORY),
    "story.updated": (("story_id",), STORY),
    "story.deleted": (("story_id",), ()),
    "story_response.created": (("response_id", "story_id"), ("legacy_id", "new_story_id")),
    "story_response.deleted": RESPONSE,
    "story_response.hidden": RESPONSE,
    "story_response.converted": RESPONSE,
    "story_reaction.toggled": (("story_id", "reaction_type", "reacted"), ("legacy_id",)),
    "media.upload_confirmed": MEDIA,
    "media.deleted": MEDIA,
    "user.deleted": ((), ("user_id",)),
    "user.activity_tracking.disabled_and_purged": ((), ("user_id",)),
    "user.activity_tracking.enabled": ((), ("user_id",)),
    "plugin_permission.granted": (("legacy_id",), ("permissions",)),
    "plugin_permission.revoked": (("legacy_id",), ("permissions",)),
}
CONTROL = {name for name in TYPES if name.startswith(("user.", "plugin_permission."))}
CONTROL.add("legacy.deleted")


@dataclass(frozen=True)
class Act:
    """One event that was taken in."""

    id: str
    type: str
    at: int
    person: str | None
    payload: dict[str, Any] = field(compare=False, hash=False)

    @property
    def when(self) -> tuple[int, str]:
        """Return by what acts are ordered."""
        return self.at, self.id

    @property
    def legacies(self) -> list[str]:
        """Return the legacies that the event names itself."""
        if "legacy_ids" in TYPES[self.type][1]:
            return list(self.payload.get("legacy_ids") or [])
        named = self.payload.get("legacy_id")
        return [named] if named and "legacy_id" in sum(TYPES[self.type], ()) else []

    @property
    def about(self) -> tuple[str, ...]:
        """Return the subject: one story, one response, one reaction of one person, one file."""
        kind = self.type.partition(".")[0]
        if kind == "story_reaction":
            story, reaction = self.payload["story_id"], self.payload["reaction_type"]
            return kind, story, self.person or "", reaction
        subject = {"story": "story_id", "story_response": "response_id", "media": "media_id"}
        return kind, self.payload.get(subject.get(kind, "legacy_id")) or ""

    def without(self, legacies: Iterable[str]) -> "Act | None":
        """Return the act as if it had not named *legacies*; nothing when it named no other."""
        gone = set(legacies)
        left = [legacy for legacy in self.legacies if legacy not in gone]
        if len(left) == len(self.legacies):
            return self
        if not left:
            return None
        return replace(self, payload={**self.payload, "legacy_ids": left})


def read(event: Envelope, tenant: str, now: datetime) -> Act | None:
    """Return what an event says; None when it is not for these reports or cannot be taken."""
    if event.get("type") not in TYPES or not _well_formed(event, tenant):
        return None
    if not _timely(event, now):
        return None
    needed, possible = TYPES[event["type"]]
    payload = event["payload"]
    if any(payload.get(name) is None for name in needed):
        return None
    if not all(_fits(name, payload.get(name)) for name in (*needed, *possible)):
        return None
    actor = event.get("actor_id") or ""
    return Act(
        id=event["id"],
        type=event["type"],
        at=microseconds(_moment(event["occurred_at"])),
        person=actor.removeprefix("user:") if actor.startswith("user:") else None,
        payload=payload,
    )


def microseconds(moment: datetime | None) -> int:
    """Count from 1970."""
    assert moment is not None
    return (moment - EPOCH) // timedelta(microseconds=1)


def _well_formed(event: Envelope, tenant: str) -> bool:
    actor, resource = event.get("actor_id"), event.get("resource")
    return (
        _matches(ID, event.get("id"))
        and event.get("version") == 1
        and type(event["version"]) is int
        and event.get("tenant_id") == tenant
        and isinstance(event.get("payload"), dict)
        and isinstance(resource, dict)
        and isinstance(resource.get("kind"), str)
        and _matches(ID, resource.get("id"))
        and (actor is None or _matches(ACTOR, actor))
        and _moment(event.get("occurred_at")) is not None
    )


def _timely(event: Envelope, now: datetime) -> bool:
    """Refuse what lies ahead, what lies before 1990, and what is old and no backfill."""
    moment = _moment(event["occurred_at"])
    if moment is None or moment > now + timedelta(minutes=5) or moment.year < FIRST_YEAR:
        return False
    return event.get("source") == "backfill" or moment >= now - timedelta(days=400)


def _moment(text: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None


def _fits(name: str, value: Any) -> bool:
    """Tell whether a field that may be missing holds what it should."""
    if value is None:
        return True
    if name in CHOICES:
        return isinstance(value, str) and value in CHOICES[name]
    if name in IDS:
        return _matches(ID, value)
    patterns = {"user_id": PERSON, "birth_date": PARTIAL_DATE, "death_date": PARTIAL_DATE}
    if name in patterns:
        return _matches(patterns[name], value)
    match name:
        case "legacy_ids":
            return isinstance(value, list) and all(_matches(ID, each) for each in value)
        case "word_bucket":
            return type(value) is int or _matches(WORDS, value)
        case "reacted":
            return isinstance(value, bool)
        case "size_bytes":
            return type(value) is int and 0 <= value <= 2**53
        case _:
            return isinstance(value, dict)


def _matches(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
