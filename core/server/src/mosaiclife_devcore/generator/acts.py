"""Let people do things: each act puts one event or a few on the scribe's desk."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import partial
from random import Random

from mosaiclife_devcore.generator.chances import ORIGIN, REACTION, VISIBILITY, WORDS, Choice
from mosaiclife_devcore.generator.payloads import answered, reacted, told, uploaded
from mosaiclife_devcore.generator.population import NEVER, Circle, Person, Tale
from mosaiclife_devcore.generator.scribe import DAY, Scribe, written

SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000
ROLE = Choice({"admirer": 45, "advocate": 45, "admin": 10})
MODE = Choice({"email": 80, "user_id": 20})
PERSONA = Choice({"biographer": 40, "family": 30, "friend": 20, "colleague": 10})
RELATION = Choice(
    {"child": 20, "grandchild": 20, "cousin": 10, "friend": 20, "colleague": 8, "neighbor": 6}
    | {"sibling": 10, "other": 6}
)
THEMES = (
    *("meals_traditions", "life_lessons", "funny_moments"),
    *("relationships", "milestones", "passions"),
)
PHASES = ("summary", "style_selection", "drafting", "review")
FAVOURITE = Choice({"story": 80, "legacy": 20})
ANSWER = Choice({"approved": 70, "declined": 30})
LINK = Choice({"approve": 80, "reject": 20})
STAY = Choice({"role_changed": 50, "left": 35, "removed": 15})
PROMPT = Choice({"write_story": 8, "discuss": 22, "rotated": 70})
ENDING = Choice({"deleted": 55, "hidden": 25, "converted": 20})

Act = Callable[[Circle, Person, int], object]


class Acts:
    """What people do in a circle, by the name that a profile gives it."""

    def __init__(
        self,
        scribe: Scribe,
        chance: Random,
        circles: Sequence[Circle],
        *,
        flapping: float = 0.0,
        triple: float = 0.0,
    ) -> None:
        self._scribe = scribe
        self._chance = chance
        self._circles = circles
        self._flapping = flapping
        self._triple = triple
        self._any_triple = False
        self.by_name: dict[str, Act] = {
            "story": self.tell,
            "response": self._answer,
            "reaction": self._react,
            "media": self._upload,
            "story_view": self._read,
            "legacy_view": self.look,
            "favourite": self._favour,
            "prompt": self._prompt,
            "companion": self._converse,
            "evolution": self._evolve,
            "knock": self._knock,
            "membership": self._move,
            "portrait": self._describe,
            "link": self._link,
            "connection": self._connect,
        }

    def found(self, circle: Circle, moment: int) -> None:
        """Make a legacy, allow the plugin to count, and ask the circle to come."""
        put, creator = self._scribe.put, circle.members[0]
        put(moment, "legacy.created", creator, circle.id, self._portrait(circle))
        if circle.grants:
            allowed = {"legacy_id": circle.id, "permissions": {"webhook_events": True}}
            put(moment + 1, "plugin_permission.granted", creator, circle.id, allowed)
        circle.joined = [moment]
        arrivals = sorted(
            moment + self._chance.randrange(HOUR, 14 * DAY) for _ in circle.members[1:]
        )
        for person, arrival in zip(circle.members[1:], arrivals, strict=True):
            circle.joined.append(arrival)
            self._invite(circle, person, max(moment + MINUTE, arrival - self._pause(), 0), arrival)
        if self._chance.random() < 0.5:
            self._invite(circle, None, moment + self._chance.randrange(HOUR, 20 * DAY), NEVER)

    def someone(self, circle: Circle, moment: int) -> Person:
        """Choose who acts at *moment* among those who have come by then."""
        count = max(1, bisect_right(circle.joined, moment))
        sums = circle.sums
        place = bisect_right(sums, self._chance.random() * sums[count - 1])
        return circle.members[min(place, count - 1)]

    def tell(
        self, circle: Circle, person: Person, moment: int, origin: str = "", story: str = ""
    ) -> str:
        """Tell a story; some are drafts at first, some come to be shared, some are taken back."""
        chance, put = self._chance, self._scribe.put
        story_id = story or self._scribe.ids.plain()
        legacies = self._shared_by(circle)
        looks = {
            "visibility": VISIBILITY(chance),
            "origin": origin or ORIGIN(chance),
            "words": WORDS(chance),
        }
        draft = chance.random() < 0.1
        published = moment + (chance.randrange(HOUR, 3 * DAY) if draft else 0)
        status = "draft" if draft else "published"
        first = told(story_id, legacies, status=status, **looks)
        put(moment, "story.created", person, story_id, first)
        if draft:
            put(published, "story.updated", person, story_id, told(story_id, legacies, **looks))
        if chance.random() < 0.06:
            looks["visibility"] = VISIBILITY(chance)
            later = published + chance.randrange(MINUTE, 20 * DAY)
            put(later, "story.updated", person, story_id, told(story_id, legacies, **looks))
        deleted = self._take_back(circle, person, story_id, published)
        if looks["visibility"] != "personal":
            circle.tales.append(Tale(story_id, person, published, deleted))
        return story_id

    def look(self, circle: Circle, person: Person, moment: int) -> None:
        """Look at a legacy."""
        self._scribe.put(moment, "legacy.viewed", person, circle.id, {"legacy_id": circle.id})

    def _take_back(self, circle: Circle, person: Person, story_id: str, published: int) -> int:
        """Delete a story now and then, and bring back a few of those; return when it goes."""
        chance, put = self._chance, self._scribe.put
        if chance.random() >= 0.03:
            return NEVER
        deleted = published + chance.randrange(MINUTE, 60 * DAY)
        put(deleted, "story.deleted", person, story_id, {"story_id": story_id})
        if chance.random() < 0.15:
            again = told(story_id, [circle.id], words=WORDS(chance))
            later = deleted + chance.randrange(SECOND, DAY)
            put(later, "story.created", person, story_id, again)
        return deleted

    def _shared_by(self, circle: Circle) -> list[str]:
        """Return the legacies of a story: a few belong to two, and where it is asked for to three."""
        chance = self._chance
        many = self._triple and (not self._any_triple or chance.random() < self._triple)
        others = 2 if many else int(chance.random() < 0.08)
        self._any_triple = self._any_triple or bool(many)
        near = [other.id for other in self._circles if other is not circle] if others else []
        return [circle.id, *chance.sample(near, min(others, len(near)))]

    def _tale(self, circle: Circle, moment: int) -> Tale | None:
        """Choose a story that can be answered at *moment*."""
        tales = circle.tales
        for _ in range(min(4, len(tales))):
            tale = tales[int(self._chance.random() * len(tales))]
            if tale.open_at(moment):
                return tale
        return None

    def _answer(self, circle: Circle, person: Person, moment: int) -> None:
        tale = self._tale(circle, moment)
        if tale is None:
            return self.look(circle, person, moment)
        chance, put = self._chance, self._scribe.put
        response = self._scribe.ids.plain()
        about = answered(response, tale.id, circle.id)
        put(moment, "story_response.created", person, response, about)
        if chance.random() >= 0.05:
            return None
        ending = ENDING(chance)
        later = moment + chance.randrange(MINUTE, 10 * DAY)
        if ending == "converted":
            story = self.tell(circle, person, later, "response")
            about = {**about, "new_story_id": story}
        put(later, f"story_response.{ending}", person, response, about)
        return None

    def _react(self, circle: Circle, person: Person, moment: int) -> None:
        tale = self._tale(circle, moment)
        if tale is None:
            return self.look(circle, person, moment)
        chance = self._chance
        toggle = partial(self._toggle, person, tale.id, circle.id, REACTION(chance))
        toggle(moment, on=True)
        if self._flapping and chance.random() < self._flapping:
            for step in range(chance.randint(3, 8)):
                moment += chance.choice((0, 0, 40, 700))
                toggle(moment, on=bool(step % 2))
        elif chance.random() < 0.05:
            toggle(moment + chance.randrange(SECOND, 40 * MINUTE), on=False)
        return None

    def _toggle(
        self, person: Person, story: str, legacy: str, kind: str, moment: int, *, on: bool
    ) -> None:
        payload = reacted(story, legacy, kind, on=on)
        self._scribe.put(moment, "story_reaction.toggled", person, story, payload)

    def _upload(self, circle: Circle, person: Person, moment: int) -> None:
        chance, put = self._chance, self._scribe.put
        media = self._scribe.ids.plain()
        payload = uploaded(media, self._shared_by(circle), chance)
        put(moment, "media.upload_confirmed", person, media, payload)
        if chance.random() < 0.03:
            later = moment + chance.randrange(MINUTE, 30 * DAY)
            put(later, "media.deleted", person, media, payload)

    def _read(self, circle: Circle, person: Person, moment: int) -> None:
        tale = self._tale(circle, moment)
        if tale is None:
            return self.look(circle, person, moment)
        payload = {"story_id": tale.id, "legacy_id": circle.id}
        self._scribe.put(moment, "story.viewed", person, tale.id, payload)
        return None

    def _favour(self, circle: Circle, person: Person, moment: int) -> None:
        kind, tale = FAVOURITE(self._chance), self._tale(circle, moment)
        entity = circle.id if kind == "legacy" or tale is None else tale.id
        payload = {
            "entity_type": "legacy" if entity == circle.id else "story",
            "entity_id": entity,
            "favorited": self._chance.random() < 0.85,
            "legacy_id": circle.id,
        }
        self._scribe.put(moment, "favorite.toggled", person, entity, payload)

    def _prompt(self, circle: Circle, person: Person, moment: int) -> None:
        chance, put = self._chance, self._scribe.put
        prompt, theme = self._scribe.ids.plain(), chance.choice(THEMES)
        payload = {
            "prompt_id": prompt,
            "template_id": f"{theme}_{chance.randint(1, 9):02d}",
            "category": theme,
            "legacy_id": circle.id,
        }
        put(moment, "story_prompt.created", None, prompt, payload)
        ending = PROMPT(chance)
        later = moment + chance.randrange(MINUTE, 6 * DAY)
        if ending == "write_story":
            payload = {**payload, "story_id": self.tell(circle, person, later, "prompt")}
        put(later, f"story_prompt.{ending}", person, prompt, payload)

    def _converse(self, circle: Circle, person: Person, moment: int) -> None:
        del circle
        chance, put = self._chance, self._scribe.put
        talk = self._scribe.ids.plain()
        payload = {"conversation_id": talk, "persona_id": PERSONA(chance)}
        put(moment, "ai.conversation.created", person, talk, payload)
        for _ in range(chance.choices((0, 1, 2, 5), (60, 20, 12, 8))[0]):
            moment += chance.randrange(5 * SECOND, 4 * MINUTE)
            put(moment, "ai.chat.complete", person, talk, payload)
        if chance.random() < 0.03:
            put(moment + SECOND, "ai.message.marked_blocked", None, talk, payload)

    def _evolve(self, circle: Circle, person: Person, moment: int) -> None:
        del circle
        chance, put = self._chance, self._scribe.put
        session = self._scribe.ids.plain()
        payload = {"session_id": session, "persona_id": PERSONA(chance)}
        begun = {**payload, "trigger": "story_page", "phase": "elicitation"}
        put(moment, "evolution.session.started", person, session, begun)
        reached = chance.randint(0, len(PHASES))
        for phase in PHASES[:reached]:
            moment += chance.randrange(20 * SECOND, 10 * MINUTE)
            put(moment, "evolution.phase.advanced", person, session, {**payload, "phase": phase})
        ending = "completed" if reached == len(PHASES) else "discarded"
        last = {**payload, "phase": ending}
        put(moment + MINUTE, f"evolution.session.{ending}", person, session, last)

    def _knock(self, circle: Circle, person: Person, moment: int) -> None:
        del person
        chance, put = self._chance, self._scribe.put
        request = self._scribe.ids.plain()
        payload = {"request_id": request, "legacy_id": circle.id, "role": ROLE(chance)}
        stranger = self._circles[chance.randrange(len(self._circles))].members[0]
        put(moment, "legacy_access_request.submitted", stranger, request, payload)
        if chance.random() < 0.8:
            later = moment + chance.randrange(HOUR, 5 * DAY)
            answer = f"legacy_access_request.{ANSWER(chance)}"
            put(later, answer, circle.members[0], request, payload)

    def _move(self, circle: Circle, person: Person, moment: int) -> None:
        payload = {"legacy_id": circle.id, "role": ROLE(self._chance)}
        kind = STAY(self._chance)
        by = person if kind == "left" else circle.members[0]
        self._scribe.put(moment, f"member.{kind}", by, circle.id, payload)

    def _describe(self, circle: Circle, person: Person, moment: int) -> None:
        del person
        payload = self._portrait(circle)
        self._scribe.put(moment, "legacy.updated", circle.members[0], circle.id, payload)

    def _link(self, circle: Circle, person: Person, moment: int) -> None:
        link = self._scribe.ids.plain()
        payload = {"link_id": link, "legacy_id": circle.id, "action": LINK(self._chance)}
        self._scribe.put(moment, "legacy_link.responded", person, link, payload)

    def _connect(self, circle: Circle, person: Person, moment: int) -> None:
        del circle
        request = self._scribe.ids.plain()
        payload = {"request_id": request}
        self._scribe.put(moment, "connection_request.accepted", person, request, payload)

    def _invite(self, circle: Circle, person: Person | None, moment: int, arrival: int) -> None:
        """Ask somebody to come; who is nobody never answers, and is sometimes asked no more."""
        chance, put = self._chance, self._scribe.put
        invitation = self._scribe.ids.plain()
        payload = {
            "invitation_id": invitation,
            "legacy_id": circle.id,
            "role": ROLE(chance),
            "invite_mode": MODE(chance),
            "expires_at": written(moment + 7 * DAY),
        }
        put(moment, "invitation.created", circle.members[0], invitation, payload)
        if person is None:
            if chance.random() < 0.5:
                later = moment + chance.randrange(HOUR, 6 * DAY)
                put(later, "invitation.revoked", circle.members[0], invitation, payload)
            return
        put(arrival, "invitation.accepted", person, invitation, payload)
        if chance.random() < 0.4:
            profile = {"legacy_id": circle.id, "relationship_type": RELATION(chance)}
            put(arrival + MINUTE, "member_profile.updated", person, circle.id, profile)

    def _pause(self) -> int:
        return self._chance.randrange(10 * MINUTE, 7 * DAY)

    @staticmethod
    def _portrait(circle: Circle) -> dict[str, str]:
        """Return the payload of `legacy.created` and `legacy.updated`."""
        length = {"day": 10, "month": 7, "year": 4}[circle.precision]
        return {
            "legacy_id": circle.id,
            "visibility": circle.visibility,
            "birth_date": circle.born.isoformat(),
            "birth_date_precision": "day",
            "death_date": circle.passed.isoformat()[:length],
            "death_date_precision": circle.precision,
        }
