"""Say what counts: each story, response, reaction and file, when it came and when it went."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.oracle.door import Act

TENANT = ""
REACTIONS = {"heart": "hearts", "candle": "candles", "smile": "smiles"}
SUMS = {"reactions": tuple(REACTIONS.values()), "tellings": ("stories", "responses", "media")}
METRICS = (
    *("stories", "storytellers", "responses", "hearts", "candles", "smiles", "media"),
    *SUMS,
)


@dataclass(frozen=True)
class Fact:
    """One change of one count; `looks` are its dimensions."""

    legacy: str
    at: int
    metric: str
    delta: int
    person: str | None = None
    until: int | None = None
    looks: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Stay:
    """That something was there from a moment on, perhaps until another."""

    metric: str
    legacies: list[str]
    came: int
    went: int | None
    person: str | None
    looks: dict[str, str]

    def facts(self) -> Iterator[Fact]:
        """Count it once in each legacy and once in the tenant."""
        looks = tuple(sorted(self.looks.items()))
        for legacy in {TENANT, *self.legacies}:
            yield Fact(legacy, self.came, self.metric, 1, self.person, self.went, looks)
            if self.went is not None:
                yield Fact(legacy, self.went, self.metric, -1, looks=looks)


def facts_of(acts: Iterable[Act]) -> list[Fact]:
    """Return everything that counts, of all acts."""
    subjects: dict[tuple[str, ...], list[Act]] = {}
    for act in acts:
        subjects.setdefault(act.about, []).append(act)
    ways = {
        "story": _stories,
        "story_response": _responses,
        "story_reaction": _reactions,
        "media": _media,
    }
    found: list[Fact] = []
    for about, group in subjects.items():
        if about[0] in ways:
            for stay in ways[about[0]](group):
                found.extend(stay.facts())
    return found


def _stories(acts: list[Act]) -> Iterator[Stay]:
    """Cut a story's acts into lives: each ends with a deletion and begins with a creation."""
    order = ("story.created", "story.updated", "story.deleted")
    lives: list[list[Act]] = []
    for act in sorted(acts, key=lambda act: (act.at, order.index(act.type), act.id)):
        over = bool(lives) and lives[-1][-1].type == "story.deleted"
        if act.type == "story.deleted":
            if lives and not over:
                lives[-1].append(act)
        elif not lives or (over and act.type == "story.created"):
            lives.append([act])
        elif not over:
            lives[-1].append(act)
    for life in lives:
        yield from _life(life)


def _life(life: list[Act]) -> Iterator[Stay]:
    told = [act for act in life if act.type != "story.deleted"]
    went = life[-1].at if life[-1].type == "story.deleted" else None
    published = [act.at for act in told if act.payload.get("status") == "published"]
    created = [act for act in told if act.type == "story.created"]
    visibility = _latest(told, "visibility")
    if not published or _latest(told, "status") != "published" or visibility == "personal":
        return
    looks = {
        "visibility": visibility or "unknown",
        "origin": _latest(told, "origin") or "unknown",
        "kind": "story",
    }
    author = (created or told)[0].person
    legacies = _latest(told, "legacy_ids") or []
    yield Stay("stories", legacies, published[0], went, author, looks)


def _latest(acts: list[Act], name: str) -> Any:
    """Return the last value that was said of a field; what is left out has not changed."""
    said = [act.payload[name] for act in acts if act.payload.get(name)]
    return said[-1] if said else None


def _responses(acts: list[Act]) -> Iterator[Stay]:
    ends = {"story_response.deleted", "story_response.hidden"}
    yield from _stay("responses", acts, "story_response.created", ends, {"kind": "response"})


def _media(acts: list[Act]) -> Iterator[Stay]:
    confirmed = sorted(
        (act for act in acts if act.type == "media.upload_confirmed"), key=lambda act: act.when
    )
    family = (confirmed[0].payload.get("family") if confirmed else None) or "unknown"
    looks = {"kind": "media", "family": family}
    yield from _stay("media", acts, "media.upload_confirmed", {"media.deleted"}, looks)


def _stay(
    metric: str, acts: list[Act], came: str, ends: set[str], looks: dict[str, str]
) -> Iterator[Stay]:
    """Find when it came first and when it went first; what went before it came never was."""
    beginnings = sorted((act for act in acts if act.type == came), key=lambda act: act.when)
    endings = sorted(act.at for act in acts if act.type in ends)
    if not beginnings or (endings and endings[0] < beginnings[0].at):
        return
    first = beginnings[0]
    went = endings[0] if endings else None
    yield Stay(metric, first.legacies, first.at, went, first.person, looks)


def _reactions(acts: list[Act]) -> Iterator[Stay]:
    """Follow the switch: of several words at one moment the one with the greatest id is the last."""
    words = sorted(acts, key=lambda act: act.when)
    on: Act | None = None
    for number, act in enumerate(words):
        if number + 1 < len(words) and words[number + 1].at == act.at:
            continue
        if act.payload["reacted"] and on is None:
            on = act
        elif not act.payload["reacted"] and on is not None:
            yield _reaction(on, act.at)
            on = None
    if on is not None:
        yield _reaction(on, None)


def _reaction(on: Act, went: int | None) -> Stay:
    kind = on.payload["reaction_type"]
    return Stay(REACTIONS[kind], on.legacies, on.at, went, None, {"reaction": kind})
