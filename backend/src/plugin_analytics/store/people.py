"""Count people over any range in any zone: they do not add up (ADR 9)."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import reduce
from operator import or_
from zoneinfo import ZoneInfo

import msgspec

from plugin_analytics.model.calendar import MINUTE, Range, first_instant, local_date
from plugin_analytics.model.crowds import STANDS, unpacked
from plugin_analytics.model.reports import TELLINGS
from plugin_analytics.store.borders import DAYS_OF_GRACE, PLAIN, Cut, cut, ordinals
from plugin_analytics.store.reading import Reading, listed

_EPOCH, _DAY = date(1970, 1, 1).toordinal(), 24 * 60 * MINUTE
_TOLD = (  # one statement for all slots of a report, however many
    "WITH span(place, first, end, ending) AS MATERIALIZED ("
    "SELECT key, json_extract(value, '$[0]'), json_extract(value, '$[1]'),"
    " json_extract(value, '$[2]') FROM json_each(?))"
    " SELECT place, until, people FROM span CROSS JOIN told ON tenant = ? AND legacy = ?"
    " AND day >= first AND day < end AND (until = 0 OR until >= ending)"
)
_OF_FACTS = (
    " FROM fact WHERE tenant = ?1 AND legacy = ?2 AND day >= ?3 AND day < ?4"
    " AND metric IN ({metrics}) AND delta = 1 AND person IS NOT NULL"
)
_TELLINGS = "SELECT at, until, hex(person)" + _OF_FACTS
_BETWEEN = (
    "group_concat(hex(person))"
    " FILTER (WHERE at >= {0} AND at < {1} AND (until IS NULL OR until >= {1}))"
)
# A day at a border lies in two slots, and is read once. It answers in one row: between two of them
# others may have the interpreter.
_ACROSS = f"SELECT {_BETWEEN.format('?5', '?6')}, {_BETWEEN.format('?7', '?8')}{_OF_FACTS}"  # text of this module
_VOICES = "SELECT hex(person), number FROM voice WHERE tenant = ? AND legacy = ?"
_NEVER, _VALUES = (0, 0), 8  # where a day lies in one slot only
_Scope = tuple[int, int]
_Found = tuple[int, Iterable[str]]  # people, by the place of the slot in which they told something


class _Voices(dict[str, int]):
    """A bit for each person; who has none yet has told something that is still to be counted."""

    def __missing__(self, person: str) -> int:
        """Make a bit that nobody has."""
        self[person] = bit = 2 * max(self.values(), default=1)
        return bit


class People(Reading):
    """Who told something: noted ahead for whole days, looked up in the facts for parts of one."""

    def storytellers(
        self, tenant: str, legacy: str, slots: Sequence[Range], zone: ZoneInfo
    ) -> Sequence[int]:
        """Count, for each slot, the people with a telling in it that still stood at its end."""
        scope, counted = self._scope(tenant, legacy), self._counted_apart(tenant, zone) or zone
        cuts = [cut(slot, zone, counted) for slot in slots]
        crowds = self._noted(scope, slots, cuts, zone)
        if any(each.edges() for each in cuts):
            voices = _Voices((person, 1 << number) for person, number in self._rows(_VOICES, scope))
            look = self._by_date if slots[0].start < PLAIN else self._by_instant
            for place, people in look(scope, slots, cuts, zone):
                crowds[place] = reduce(or_, map(voices.__getitem__, people), crowds[place])
        return [crowd.bit_count() for crowd in crowds]

    def _noted(
        self, scope: _Scope, slots: Sequence[Range], cuts: Sequence[Cut], zone: ZoneInfo
    ) -> list[int]:
        """Return who told something on days that lie whole in each of *slots*."""
        spans = [
            (*ordinals(each.inner), _long_before(slot.end))
            for slot, each in zip(slots, cuts, strict=True)
        ]
        crowds = [0] * len(slots)
        for place, until, people in self._rows(_TOLD, (msgspec.json.encode(spans), *scope)):
            if _stood(until, slots[place], zone):
                crowds[place] |= unpacked(people)
        return crowds

    def _by_instant(
        self, scope: _Scope, slots: Sequence[Range], cuts: Sequence[Cut], zone: ZoneInfo
    ) -> Iterator[_Found]:
        """Yield who told something between the instants at which slots begin and end."""
        places: defaultdict[Range, list[int]] = defaultdict(list)
        for place, each in enumerate(cuts):
            for edge in each.edges():
                places[edge].append(place)
        statement = self._of_tellings(_ACROSS)
        for edge, both in places.items():
            instants = [first_instant(day, zone) for place in both for day in slots[place]]
            values = (*scope, *ordinals(edge), *instants, *_NEVER)[:_VALUES]
            (found,) = self._rows(statement, values)
            for place, people in zip(both, found, strict=False):
                yield place, people.split(",") if people else ()

    def _by_date(
        self, scope: _Scope, slots: Sequence[Range], cuts: Sequence[Cut], zone: ZoneInfo
    ) -> Iterator[_Found]:
        """Do the same where a date may come twice, so that no instant is the end of one."""
        starts = [slot.start for slot in slots]
        statement = self._of_tellings(_TELLINGS)
        found: defaultdict[int, set[str]] = defaultdict(set)
        for edge in {edge for each in cuts for edge in each.edges()}:
            for at, until, person in self._rows(statement, (*scope, *ordinals(edge))):
                day = local_date(at, zone)
                place = bisect_right(starts, day) - 1
                if place >= 0 and day < slots[place].end and _stood(until, slots[place], zone):
                    found[place].add(person)
        yield from found.items()

    def _of_tellings(self, statement: str) -> str:
        return statement.format(metrics=listed(self._word_codes(TELLINGS).values()))


def _stood(until: int | None, slot: Range, zone: ZoneInfo) -> bool:
    """Tell whether what ended at an instant, or never, still stood at the end of *slot*."""
    return until in (None, STANDS) or local_date(until, zone) >= slot.end


def _long_before(day: date) -> int:
    """Return an instant that lies before *day* in every zone."""
    return (day.toordinal() - _EPOCH - DAYS_OF_GRACE) * _DAY
