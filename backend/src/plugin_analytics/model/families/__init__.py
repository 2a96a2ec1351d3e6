"""Know every event type that the plugin reads, by the family that owns it.

A new type is a line in its family; a new family is a file here and a name in `FAMILIES`.
"""

from plugin_analytics.model.families import legacies, media, reactions, responses, stories
from plugin_analytics.model.families.base import WHOLE_TENANT, Act, Fact, Family, Payload

FAMILIES: tuple[Family, ...] = (
    legacies.FAMILY,
    stories.FAMILY,
    responses.FAMILY,
    reactions.FAMILY,
    media.FAMILY,
)
BY_TYPE = {name: family for family in FAMILIES for name in family.payloads}
BY_NAME = {family.name: family for family in FAMILIES}

__all__ = ["BY_NAME", "BY_TYPE", "FAMILIES", "WHOLE_TENANT", "Act", "Fact", "Family", "Payload"]
