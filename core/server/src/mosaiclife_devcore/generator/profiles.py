"""Say how large an invented world is, and what its people mostly do."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mosaiclife_devcore.generator.chances import Choice

# Of a thousand acts: families that tell each other, for a demonstration.
TELLING = Choice(
    {
        "story": 130,
        "response": 150,
        "reaction": 250,
        "media": 80,
        "story_view": 160,
        "legacy_view": 80,
        "favourite": 40,
        "prompt": 40,
        "companion": 25,
        "evolution": 12,
        "knock": 8,
        "membership": 8,
        "portrait": 8,
        "link": 5,
        "connection": 4,
    }
)
# Of ten thousand acts: a whole instance, where most who come look and say nothing.
WATCHING = Choice(
    {
        "story": 66,
        "response": 320,
        "reaction": 1250,
        "media": 160,
        "story_view": 4700,
        "legacy_view": 2300,
        "favourite": 330,
        "prompt": 300,
        "companion": 250,
        "evolution": 60,
        "knock": 60,
        "membership": 60,
        "portrait": 60,
        "link": 40,
        "connection": 35,
    }
)


@dataclass(frozen=True, slots=True)
class Profile:
    """How many events, people and legacies, over how many days."""

    name: str
    events: int
    people: int
    legacies: int
    days: int
    acts: Choice
    crowd: int = 0  # the circle of one legacy that half a city remembers

    def of(self, events: int) -> Profile:
        """Return the profile for another number of events; fewer events have fewer people."""
        share = min(1.0, events / self.events)
        return replace(
            self,
            events=events,
            people=max(6, round(self.people * share)),
            legacies=max(3, round(self.legacies * share)),
            crowd=round(self.crowd * share),
        )


PROFILES = {
    profile.name: profile
    for profile in (
        Profile("demo", 2_000, 24, 4, 548, TELLING),
        Profile("instance", 60_000, 100, 50, 183, WATCHING),
        Profile("stress", 2_000_000, 1_000, 300, 1_826, WATCHING, crowd=1_500),
    )
}
