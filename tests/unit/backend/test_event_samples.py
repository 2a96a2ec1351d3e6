"""Every event type and every envelope by its frozen sample: what is sent, what may be kept."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from plugin_analytics.clock import from_micros
from plugin_analytics.model.envelopes import read_parcel
from plugin_analytics.model.events import Event, Ignored, Judge, Poison
from plugin_analytics.model.families import BY_NAME, BY_TYPE, FAMILIES, TYPES, Sensitivity
from plugin_analytics.model.grants import Grant, Standing
from plugin_analytics.model.pseudonyms import Pseudonyms
from tests.support.events import TENANT, event, granted
from tests.support.samples import SAMPLES, SUMS, changed_samples, read_samples
from tests.unit.backend.conftest import PLUGIN, Bench

HIDE = Pseudonyms(b"k" * 32)
NOW = datetime(2026, 12, 1, tzinfo=UTC)
EVENTS = read_samples("events/v1")
ENVELOPES = read_samples("envelopes/v1")
EVERYTHING = Grant(2**62, "z", None)
PAGE = Path(__file__).resolve().parents[3] / "docs/events.md"


def judged(body: bytes, content_type: str = "application/json") -> Event | Ignored | Poison:
    parcel = read_parcel(body, content_type)
    (raw,) = parcel.events
    return Judge(TENANT, NOW, HIDE, parcel.read, Standing({"l1": EVERYTHING}), PLUGIN)(raw)


def taken(sent: Any, content_type: str = "application/json") -> Event:
    result = judged(json.dumps(sent).encode(), content_type)
    assert isinstance(result, Event), result
    return result


def test_every_type_has_a_sample() -> None:
    """A type without a sample could change unseen, and a sample without a type tests nothing."""
    assert set(EVENTS) == set(BY_TYPE)


@pytest.mark.parametrize("folder", sorted(path.parent for path in SAMPLES.rglob(SUMS)), ids=str)
def test_samples_are_frozen(folder: Path) -> None:
    """What a version has promised to read, it reads for ever; a new meaning is a new version."""
    assert changed_samples(folder) == []


def test_a_changed_sample_is_found(tmp_path: Path) -> None:
    """The freeze really looks: at files that differ, at new ones and at those that are gone."""
    for name in ("same", "other", "new"):
        (tmp_path / f"{name}.json").write_text(name)
    digest = "0967115f2813a3541eaef77de9d9d5773f1c0c04314b0bbfe4ff3b3b1c55b5d5"  # of `same`
    names = ("same", "other", "gone")
    (tmp_path / SUMS).write_text("".join(f"{digest}  {name}.json\n" for name in names))

    assert changed_samples(tmp_path) == ["gone.json", "new.json", "other.json", "other.json"]


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_sample_is_kept_as_promised(name: str) -> None:
    """Exactly the allow-listed fields are kept, under the class of the catalogue."""
    sample = EVENTS[name]

    kept = taken(sample["event"])

    assert kept.type == name
    assert json.loads(kept.body) == sample["kept"]
    assert kept.sensitivity is Sensitivity[sample["class"].upper()]
    assert b"canary" not in kept.body


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_a_bare_payload_is_never_an_error_of_ours(name: str) -> None:
    """Whatever a sender leaves out, the event is taken or set aside."""
    assert isinstance(judged(json.dumps(event(name, {})).encode()), Event | Poison)


@pytest.mark.parametrize("name", sorted(ENVELOPES))
def test_envelope_is_read_as_promised(name: str) -> None:
    """Each shape becomes the same event that the normative envelope would have been."""
    sample = ENVELOPES[name]
    wanted = sample["event"]

    kept = taken(sample["sent"], sample["contentType"])

    assert kept.type == wanted["type"]
    assert json.loads(kept.body) == wanted["kept"]
    assert from_micros(kept.at) == datetime.fromisoformat(wanted["occurredAt"])
    assert kept.person == (HIDE(TENANT, wanted["actor"]) if wanted["actor"] else None)
    assert kept.backfill is wanted["backfill"]
    assert wanted["id"] in (kept.id, None)
    assert "canary" not in kept.id


@pytest.mark.parametrize("name", ["event-message.least", "story-event.created"])
def test_id_follows_from_canonical_content(name: str) -> None:
    """Order and spacing do not matter, content does, and nobody without the key can redo it."""
    sent = ENVELOPES[name]["sent"]
    turned = json.dumps(dict(reversed(sent.items())), indent=3).encode()
    other = {**sent, "timestamp": "2026-03-01T12:00:01Z"}

    first, again = taken(sent), judged(turned)

    assert isinstance(again, Event)
    assert (again.id, again.key, again.content) == (first.id, first.key, first.content)
    assert taken(other).key != first.key
    keyed_otherwise = Judge(TENANT, NOW, Pseudonyms(b"x" * 32))(
        msgspec.Raw(json.dumps(sent).encode())
    )
    assert isinstance(keyed_otherwise, Event)
    assert keyed_otherwise.id != first.id


def test_source_of_a_variant_without_one_is_core() -> None:
    """A message that says `core`, and one that says nothing, are of the same source."""
    sent = {**ENVELOPES["event-message.least"]["sent"], "id": "e1"}

    assert taken({**sent, "source": "core"}).key == taken(sent).key
    assert taken({**sent, "source": "other"}).key != taken(sent).key


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"tenantId": "another"}, "TENANT_MISMATCH", "$.tenant_id"),
        ({"timestamp": "yesterday"}, "SCHEMA", "$.timestamp"),
        ({"timestamp": "2026-12-01T00:05:01Z"}, "IN_FUTURE", "$.occurred_at"),
        ({"id": "a b"}, "SCHEMA", "$.id"),
        ({"payload": 7}, "SCHEMA", "$.payload"),
    ],
)
def test_a_variant_is_judged_like_any_other(
    change: dict[str, Any], reason: str, field: str
) -> None:
    """The reasons are the same, and a fault is named in the words in which it was sent."""
    sent = {**ENVELOPES["event-message"]["sent"], **change}

    result = judged(json.dumps(sent).encode())

    assert isinstance(result, Poison)
    assert (result.reason, result.field) == (reason, field)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"specversion": "0.3"}, "$.specversion"),
        ({"time": "2026-03-01T12:00:00"}, "$.time"),
        ({"actorid": "ada"}, "$.actorid"),
        ({"id": ""}, "$.id"),
    ],
)
def test_a_cloudevent_that_cannot_be_read_is_set_aside(change: dict[str, Any], field: str) -> None:
    """A fault in the outer attributes is named by them."""
    sample = ENVELOPES["cloudevent"]
    sent = json.dumps({**sample["sent"], **change}).encode()

    result = judged(sent, sample["contentType"])

    assert isinstance(result, Poison)
    assert (result.reason, result.field) == ("SCHEMA", field)


def test_a_foreign_cloudevent_is_ignored_without_its_name() -> None:
    """What is no name of a type is counted with the other strangers."""
    sample = ENVELOPES["cloudevent"]
    sent = json.dumps({**sample["sent"], "type": "ada@canary/thing"}).encode()

    result = judged(sent, sample["contentType"])

    assert isinstance(result, Ignored)
    assert result.type == ""


def test_spellings_are_nobody_elses() -> None:
    """No alias of a type is the name or alias of another."""
    kinds = [kind for family in FAMILIES for kind in family.types]

    assert len(TYPES) == sum(len(kind.spellings()) for kind in kinds)
    assert {family.name for family in FAMILIES} == set(BY_NAME)
    assert TYPES["StoryResponseCreated"] is TYPES["story_response.created"]
    assert TYPES["legacies.created"] is TYPES["LegacyCreated"]
    assert TYPES["MediaUploaded"].name == "media.upload_confirmed"


def test_the_page_lists_what_the_code_reads() -> None:
    """`docs/events.md` names each type with its class and the fields that are kept."""
    rows = re.findall(r"^\| `([a-z_.]+)` \| (\w+) \| (.*) \|$", PAGE.read_text(), re.MULTILINE)

    # It is read and forgotten: the group stands for it.
    forgotten = {"relationship_type"}
    listed = {name: (word, set(re.findall(r"`(\w+)`", fields))) for name, word, fields in rows}

    assert listed == {
        kind.name: (kind.sensitivity.name.lower(), set(kind.payload.__struct_fields__) - forgotten)
        for family in FAMILIES
        for kind in family.types
    }


def test_nothing_of_any_type_but_kept_fields_reaches_the_database(bench: Bench) -> None:
    """Texts, names and addresses in every type's sample are in no file of the store."""
    bench.deliver([granted("l1", at="2026-04-01T00:00:00Z")])
    # What takes data away comes last: after it the door would be shut.
    last = {"legacy.deleted", *(name for name in EVENTS if name.startswith("user."))}
    order = sorted(EVENTS, key=lambda name: name in last)
    answer = bench.deliver([EVENTS[name]["event"] for name in order])
    bench.deliver([{**sample["event"], "version": 2} for sample in EVENTS.values()] + [{}])
    late = [{**each["event"], "occurred_at": "2999-01-01T00:00:00Z"} for each in EVENTS.values()]
    bench.deliver(late)
    bench.refresh()

    folder = bench.store.path.parent
    held = b"".join(file.read_bytes() for file in folder.iterdir() if file.is_file())

    assert answer["accepted"] == len(EVENTS)
    assert b"story_prompt.rotated" in held
    assert b"canary" not in held
    assert b"203.0.113.77" not in held
