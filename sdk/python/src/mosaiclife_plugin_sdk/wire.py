"""Hold the bodies that a plugin sends to core, as types (sdk/schema/core.openapi.yaml).

The core and `FakeCore` read what arrives with the same types, so that neither takes what
the other would refuse.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec

LARGEST_BODY = 1 << 20
LARGEST_PAYLOAD = 64 << 10
# The first words of what core itself says; a plugin may not speak for it.
CORES_WORDS = re.compile(
    r"(?:legacy|story|story_response|story_reaction|story_prompt|favorite|media|invitation|member"
    r"|legacy_access_request|member_profile|ai|evolution|user|plugin|plugin_permission"
    r"|legacy_link|connection_request)\."
)


class Remote(msgspec.Struct, frozen=True, rename="camel"):
    """Where the remote is, and what it must hash to."""

    remote_url: str
    integrity: Annotated[str, msgspec.Meta(pattern=r"^sha384-[A-Za-z0-9+/]{64}\Z")] | None = None


class SDKVersions(msgspec.Struct, frozen=True):
    """The SDKs that the plugin was built with; one that uses none leaves them out."""

    backend: str | None = None
    frontend: str | None = None


class RegistrationRequest(msgspec.Struct, frozen=True, rename="camel"):
    """The body of a registration (spec §10)."""

    manifest: dict[str, Any]
    service_url: str
    ui: Remote
    sdk: SDKVersions = SDKVersions()


class Publication(msgspec.Struct, frozen=True):
    """The body of a published event."""

    topic: Annotated[
        str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_-]*(\.[a-z0-9_-]+)+\Z", max_length=128)
    ]
    payload: dict[str, Any]

    @property
    def is_cores_own(self) -> bool:
        """Tell whether only core itself may say this."""
        return CORES_WORDS.match(self.topic) is not None

    @property
    def is_too_large(self) -> bool:
        """Tell whether the payload is over the limit."""
        return len(msgspec.json.encode(self.payload)) > LARGEST_PAYLOAD


class JobSpec(msgspec.Struct, frozen=True):
    """What a plugin says of one of its jobs (sdk/schema/job.schema.json)."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9._-]*\Z", max_length=64)]
    description: str
    schedule: str | None
    timezone: str
    scope: Literal["instance", "tenant"]
    params: dict[str, Any] | None = None
