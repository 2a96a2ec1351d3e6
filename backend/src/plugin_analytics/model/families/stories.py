"""Reduce `story.*`: a memory counts from its publication until its deletion."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from plugin_analytics.model.families.base import (
    Act,
    EventType,
    Fact,
    Family,
    Identifier,
    OfManyLegacies,
    Payload,
    Sensitivity,
    in_each,
    kind_of,
)

CREATED, UPDATED, DELETED = "story.created", "story.updated", "story.deleted"
WordBucket = Annotated[str, Meta(pattern=r"\A[0-9]{1,7}([-+][0-9]{0,7})?\Z")]
_RANK = {CREATED: 0, UPDATED: 1, DELETED: 2}


class Story(OfManyLegacies, frozen=True, kw_only=True):
    """What is kept of a story; a field that an update leaves out has not changed."""

    story_id: Identifier
    status: Literal["draft", "published"] | None = None
    visibility: Literal["public", "private", "personal"] | None = None
    origin: Literal["manual", "prompt", "response", "conversation"] | None = None
    word_bucket: int | WordBucket | None = None

    def sensitivity(self, usual: Sensitivity) -> Sensitivity:
        """Seal what is not known to be told to the circle: drafts and personal stories."""
        told = self.status == "published" and self.visibility != "personal"
        return usual if told else Sensitivity.SEALED


class StoryDeleted(Payload, frozen=True, kw_only=True):
    """What is kept of a deletion."""

    story_id: Identifier


class _Life(msgspec.Struct):
    """A story from its first act to its deletion."""

    author: bytes | None
    author_is_certain: bool = False
    legacy_ids: list[str] | None = None
    status: str | None = None
    visibility: str | None = None
    origin: str | None = None
    published: int | None = None
    deleted: int | None = None

    def take(self, act: Act, story: Story) -> None:
        """Let a later act overrule an earlier one, field by field."""
        if act.type == CREATED and not self.author_is_certain:
            self.author, self.author_is_certain = act.person, True
        self.legacy_ids = story.legacy_ids or self.legacy_ids
        self.status = story.status or self.status
        self.visibility = story.visibility or self.visibility
        self.origin = story.origin or self.origin
        if self.published is None and story.status == "published":
            self.published = act.at

    def facts(self) -> Iterable[Fact]:
        """Count what everybody in the circle may see; drafts and personal stories are nobody's."""
        if self.published is None or self.status != "published" or self.visibility == "personal":
            return
        kind = kind_of(self.origin, self.visibility)
        for legacy in in_each(self.legacy_ids or ()):
            yield Fact(legacy, self.published, "stories", 1, self.author, self.deleted, kind)
            if self.deleted is not None:
                yield Fact(legacy, self.deleted, "stories", -1, dim=kind)


def facts(acts: Sequence[Act]) -> Iterable[Fact]:
    """Replay the acts in their own time; only a new creation brings a deleted story back."""
    lives: list[_Life] = []
    for act in sorted(acts, key=lambda act: (act.at, _RANK[act.type], act.id)):
        over = bool(lives) and lives[-1].deleted is not None
        if act.type == DELETED:
            if lives and not over:
                lives[-1].deleted = act.at
        elif not lives or (over and act.type == CREATED):
            lives.append(_Life(act.person))
            lives[-1].take(act, FAMILY.read(act.type, act.body))
        elif not over:
            lives[-1].take(act, FAMILY.read(act.type, act.body))
    for life in lives:
        yield from life.facts()


def _subject(payload: Story | StoryDeleted, person: bytes | None) -> str:
    del person
    return payload.story_id


FAMILY = Family(
    name="story",
    types=(
        EventType(CREATED, Story, Sensitivity.SHARED),
        EventType(UPDATED, Story, Sensitivity.SHARED),
        EventType(DELETED, StoryDeleted, Sensitivity.SHARED),
    ),
    subject=_subject,
    facts=facts,
)
