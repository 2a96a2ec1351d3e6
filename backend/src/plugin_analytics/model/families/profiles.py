"""Keep `member_profile.updated`: from which side of a life somebody comes, as one of four groups."""

from typing import Annotated, Literal, Self

from msgspec import UNSET, Meta, UnsetType, structs

from plugin_analytics.model.families.base import (
    EventType,
    Family,
    Hide,
    OfOneLegacy,
    Sensitivity,
)

Group = Literal["FAMILY_OF", "WORKED_WITH", "FRIENDS_WITH", "KNEW"]
_GROUPS: dict[Group, str] = {
    "FAMILY_OF": "parent child spouse sibling grandparent grandchild aunt uncle cousin niece nephew"
    " in_law",
    "WORKED_WITH": "colleague mentor mentee",
    "FRIENDS_WITH": "friend neighbor",
}
_GROUP_OF = {word: group for group, words in _GROUPS.items() for word in words.split()}


class Profile(OfOneLegacy, frozen=True, kw_only=True):
    """What is kept of a profile; the word that core sends is read and forgotten."""

    relationship_group: Group | None = None
    relationship_type: Annotated[str, Meta(max_length=50)] | UnsetType | None = UNSET

    def hidden(self, hide: Hide) -> Self:
        """Return the profile with the group in the place of the word."""
        del hide
        if self.relationship_type is UNSET:
            return self
        word = (self.relationship_type or "").strip().lower()
        group = self.relationship_group or _GROUP_OF.get(word, "KNEW")
        return structs.replace(self, relationship_group=group, relationship_type=UNSET)


FAMILY = Family(
    name="profile",
    types=(EventType("member_profile.updated", Profile, Sensitivity.OBSERVED),),
)
