"""Show a legacy and take a new memory in, which becomes a domain event."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from mosaiclife_devcore.bus import Bus
from mosaiclife_devcore.errors import ValidationFailed
from mosaiclife_devcore.generator.payloads import told
from mosaiclife_devcore.ids import ulid
from mosaiclife_devcore.journal import Journal
from mosaiclife_devcore.requests import answer, read_json
from mosaiclife_devcore.session import describe
from mosaiclife_devcore.world import Story, World
from mosaiclife_plugin_sdk import rfc3339, utc_now

LATEST = 20


class NewStory(msgspec.Struct):
    """A memory, of which this core keeps the title."""

    title: Annotated[str, msgspec.Meta(max_length=200)]


@get("/legacies/{legacy_id:str}")
async def get_legacy(
    request: Request[Any, Any, Any], legacy_id: FromPath[str], world: NamedDependency[World]
) -> Response[bytes]:
    """Return a legacy with its latest stories."""
    legacy = world.legacy(legacy_id)
    stories = [_summary(story) for story in world.stories_of(legacy_id, LATEST)]
    return answer(request, {**describe(legacy), "stories": stories})


@post("/legacies/{legacy_id:str}/stories")
async def add_story(
    request: Request[Any, Any, Any],
    legacy_id: FromPath[str],
    world: NamedDependency[World],
    journal: NamedDependency[Journal],
    bus: NamedDependency[Bus],
) -> Response[bytes]:
    """Keep a memory; tell plugins and pages that there is one, without its title."""
    legacy = world.legacy(legacy_id)
    title = (await read_json(request, NewStory)).title.strip()
    if not title:
        fault = {"field": "$.title", "message": "a memory has a title"}
        raise ValidationFailed("the body breaks its schema", details=[fault])
    now = utc_now()
    story = Story(ulid(now), title, (legacy.id,), world.user.id, rfc3339(now))
    world.keep(story)
    event = journal.record(
        "story.created",
        tenant=world.tenant_id,
        actor=world.user.id,
        about=("story", story.id),
        payload=told(story.id, story.legacy_ids),
    )
    bus.publish(event.type, event.payload)
    return answer(request, _summary(story), status=201)


def _summary(story: Story) -> dict[str, Any]:
    return {
        "id": story.id,
        "title": story.title,
        "legacyIds": list(story.legacy_ids),
        "authorId": story.author_id,
        "createdAt": story.told_at,
    }
