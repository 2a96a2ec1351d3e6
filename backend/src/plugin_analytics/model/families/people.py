"""Read `user.*`: that somebody wants to be forgotten, not to be watched, or to be counted again."""

from typing import Annotated, Self

from msgspec import Meta, structs

from plugin_analytics.model.families.base import EventType, Family, Hide, Payload, Sensitivity

UserId = Annotated[str, Meta(pattern=r"\A(user:)?[A-Za-z0-9_-]{1,64}\Z")]


class Person(Payload, frozen=True, kw_only=True):
    """What is kept of the person in question; without one it is the actor."""

    user_id: UserId | None = None

    def hidden(self, hide: Hide) -> Self:
        """Return the payload with the pseudonym that the person has as an actor."""
        if self.user_id is None:
            return self
        actor = "user:" + self.user_id.removeprefix("user:")
        return structs.replace(self, user_id=hide(actor).hex())


DELETED = "user.deleted"
OPTED_OUT = "user.activity_tracking.disabled_and_purged"
ENABLED = "user.activity_tracking.enabled"
FAMILY = Family(
    name="person",
    types=(
        EventType(OPTED_OUT, Person, Sensitivity.CONTROL),
        EventType(ENABLED, Person, Sensitivity.CONTROL),
        EventType(DELETED, Person, Sensitivity.CONTROL),
    ),
)
