"""Know the dates of a life, and the days on which people remember them."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Literal, NamedTuple

import msgspec

from plugin_analytics.model.calendar import Range, add_months
from plugin_analytics.model.families import BY_NAME, Act

FAMILY = BY_NAME["legacy"]
Occasion = Literal["birth", "birthday", "passing", "anniversary"]


class Life(NamedTuple):
    """The two dates, where they are known to the day."""

    birth: date | None = None
    passing: date | None = None


class Annotation(msgspec.Struct, frozen=True, rename="camel"):
    """A day of remembrance within a report."""

    date: date
    kind: Occasion
    years: int


def life_of(acts: Iterable[Act]) -> Life:
    """Return what was last told of each date; a telling that leaves it out changes nothing."""
    said: dict[str, str] = {}
    for act in sorted(acts, key=lambda act: (act.at, act.id)):
        told = msgspec.structs.asdict(FAMILY.decode(act.type, act.body))
        said.update({name: value for name, value in told.items() if value is not None})
    return Life(_day(said, "birth_date"), _day(said, "death_date"))


def _day(said: Mapping[str, str], name: str) -> date | None:
    """Return a date that is known to the day, and is one."""
    if said.get(f"{name}_precision") != "day":
        return None
    try:
        return date.fromisoformat(said.get(name, ""))
    except ValueError:
        return None


def annotations(life: Life, span: Range) -> list[Annotation]:
    """List the days of remembrance within *span*; 29 February is kept on the 28th."""
    found = [
        *_yearly(life.birth, span, ("birth", "birthday")),
        *_yearly(life.passing, span, ("passing", "anniversary")),
    ]
    return sorted(found, key=lambda each: (each.date, each.kind))


def _yearly(
    day: date | None, span: Range, names: tuple[Occasion, Occasion]
) -> Iterator[Annotation]:
    if day is None:
        return
    for years in range(max(0, span.start.year - day.year), span.end.year - day.year + 1):
        again = add_months(day, 12 * years)
        if span.start <= again < span.end:
            yield Annotation(again, names[years > 0], years)
