"""Say what is remembered of the events that came: one of each id, and nothing that was erased."""

from collections.abc import Iterable
from datetime import datetime

from tests.oracle.door import CONTROL, Act, Envelope, read

CONTENT = ("story", "story_response", "media")
DELETED, OPT_OUT, OPT_IN = (
    "user.deleted",
    "user.activity_tracking.disabled_and_purged",
    "user.activity_tracking.enabled",
)
Grant = tuple[tuple[int, str], set[str] | None]


def remember(events: Iterable[Envelope], tenant: str, now: datetime) -> list[Act]:
    """Return the acts that the reports may speak of, as if the erased had never been seen."""
    acts = taken_in(events, tenant, now)
    acts = without_people(acts)
    acts = without_legacies(acts, legacies_gone(acts))
    return anonymous(acts)


def taken_in(events: Iterable[Envelope], tenant: str, now: datetime) -> list[Act]:
    """Go through the events as they arrived: ids once, and what each keeper allowed by then."""
    held: dict[tuple[str, str], Act] = {}
    grants: dict[str, Grant] = {}
    for event in events:
        act = read(event, tenant, now)
        key = (event.get("source") or "core", event.get("id", ""))
        if act is None or key in held:
            continue
        closed = (
            [] if act.type in CONTROL else [x for x in act.legacies if not allowed(act, x, grants)]
        )
        if (left := act.without(closed)) is None:
            continue
        held[key] = left
        if act.type.startswith("plugin_permission."):
            held = _after_grant(held, grants, act)
    return list(held.values())


def allowed(act: Act, legacy: str, grants: dict[str, Grant]) -> bool:
    """Tell whether a legacy lets an act be kept; where nobody spoke, shared acts are."""
    if legacy not in grants:
        return True
    types = grants[legacy][1]
    return types is None or act.type in types


def _after_grant(
    held: dict[tuple[str, str], Act], grants: dict[str, Grant], said: Act
) -> dict[tuple[str, str], Act]:
    """Let a later word stand, and forget what it no longer allows."""
    legacy, types = said.payload["legacy_id"], _types(said)
    if legacy in grants and said.when <= grants[legacy][0]:
        return held
    grants[legacy] = (said.when, types)
    if types is None:
        return held
    named = {act.about for act in held.values() if act.legacies}
    left = {key: _narrowed(act, legacy, grants) for key, act in held.items()}
    kept = {key: act for key, act in left.items() if act is not None}
    names = {act.about for act in kept.values() if act.legacies}
    return {key: act for key, act in kept.items() if not _orphaned(act, named, names)}


def _narrowed(act: Act, legacy: str, grants: dict[str, Grant]) -> Act | None:
    """Return what is left of an act that a legacy may no longer allow."""
    if act.type in CONTROL or legacy not in act.legacies or allowed(act, legacy, grants):
        return act
    return act.without([legacy])


def _orphaned(act: Act, named: set[tuple[str, ...]], names: set[tuple[str, ...]]) -> bool:
    """Tell whether some act on the subject *named* a legacy, and none *names* one any more."""
    return act.type not in CONTROL and act.about in named and act.about not in names


def _types(said: Act) -> set[str] | None:
    """Return the types that a grant allows; None is all of them."""
    if said.type == "plugin_permission.revoked":
        return set()
    events = (said.payload.get("permissions") or {}).get("webhook_events", True)
    if isinstance(events, bool):
        return None if events else set()
    return set(events)


def person_of(act: Act) -> str | None:
    """Return whom an act on a person is about; who is not named is the actor."""
    named = act.payload.get("user_id")
    return named.removeprefix("user:") if named else act.person


def without_people(acts: list[Act]) -> list[Act]:
    """Forget people who are deleted: what they began goes whole, and what they added goes."""
    gone = {person_of(act) for act in acts if act.type == DELETED} - {None}
    if not gone:
        return acts
    first: dict[tuple[str, ...], Act] = {}
    for act in acts:
        if act.about not in first or act.when < first[act.about].when:
            first[act.about] = act
    legacies = {
        act.payload["legacy_id"]
        for act in acts
        if act.type == "legacy.created" and act.person in gone
    }
    kept = [
        act
        for act in acts
        if act.type in CONTROL or (act.person not in gone and first[act.about].person not in gone)
    ]
    return without_legacies(kept, legacies)


def legacies_gone(acts: list[Act]) -> set[str]:
    """Return the legacies of which a deletion was told."""
    return {act.payload["legacy_id"] for act in acts if act.type == "legacy.deleted"}


def without_legacies(acts: list[Act], gone: set[str]) -> list[Act]:
    """Forget legacies: what names no other goes, and with it what was only ever told there."""
    if not gone:
        return acts
    named = {act.about for act in acts if act.legacies}
    left = [act if act.type in CONTROL else act.without(gone) for act in acts]
    kept = [act for act in left if act is not None]
    names = {act.about for act in kept if act.legacies}
    return [
        act for act in kept if act.type in CONTROL or act.about not in named or act.about in names
    ]


def anonymous(acts: list[Act]) -> list[Act]:
    """Take the name off the content of those who opted out, and forget what else they did."""
    outs, ins = _moments(acts, OPT_OUT), _moments(acts, OPT_IN)
    kept = []
    for act in acts:
        if act.person is None or act.type in CONTROL or not _bound(act, outs, ins):
            kept.append(act)
        elif act.about[0] in CONTENT or act.about[0] == "legacy":
            kept.append(Act(act.id, act.type, act.at, None, act.payload))
    return kept


def _moments(acts: list[Act], kind: str) -> dict[str | None, list[int]]:
    found: dict[str | None, list[int]] = {}
    for act in acts:
        if act.type == kind:
            found.setdefault(person_of(act), []).append(act.at)
    return found


def _bound(act: Act, outs: dict[str | None, list[int]], ins: dict[str | None, list[int]]) -> bool:
    """Tell whether some opt-out binds an act: no later word of the person has freed it."""
    freed = [moment for moment in ins.get(act.person, ()) if moment <= act.at]
    return any(not any(out < moment for moment in freed) for out in outs.get(act.person, ()))
