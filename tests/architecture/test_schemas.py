"""Schemas, Python types and samples agree, in both directions (spec §9.2).

The same sample files are held against the TypeScript types by
`sdk/typescript/src/schema.test.ts`.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from mosaiclife_devcore.bus import Bus
from mosaiclife_devcore.feed import Feed
from mosaiclife_devcore.journal import Journal
from mosaiclife_devcore.world import build_world
from mosaiclife_plugin_sdk import (
    CoreClient,
    CoreRefused,
    Job,
    ManifestError,
    Registration,
    errors,
    load_manifest,
    parse_manifest,
)
from mosaiclife_plugin_sdk.frame.bodies import problem
from mosaiclife_plugin_sdk.testing import refusal
from mosaiclife_plugin_sdk.wire import JobSpec, RegistrationRequest
from plugin_analytics.model.envelopes import Envelope
from tests.support.core_document import CoreDocument, read_document

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "sdk/schema"
SAMPLES = SCHEMA / "samples"
DOCUMENT = CoreDocument(read_document())

FILES = {"manifest": "plugin", "event": "event", "job": "job", "error": "error"}
PLACES = {
    "registration": ("schemas", "RegistrationRequest"),
    "registered": ("responses", "Registered", "content", "application/json", "schema"),
    "message": ("schemas", "Message"),
}


def validator(kind: str) -> jsonschema_rs.Draft202012Validator:
    """Return the validator for a kind of sample."""
    if kind in PLACES:
        return DOCUMENT.validator("components", *PLACES[kind])
    schema = json.loads((SCHEMA / f"{FILES[kind]}.schema.json").read_text())
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


def read_error(document: Any) -> object:
    """Read an error body as the client does, whatever core is asked for."""
    answer = httpx.MockTransport(lambda _: httpx.Response(418, json=document))
    with (
        CoreClient("http://core.test", "t", transport=answer) as client,
        pytest.raises(CoreRefused) as caught,
    ):
        client.publish_event("a.b", {})
    said, refused = document["error"], caught.value
    assert (refused.code, refused.message) == (said["code"], said["message"])
    assert refused.details == said["details"]
    return document


def convert(shape: Any) -> Callable[[Any], object]:
    return lambda document: msgspec.json.decode(json.dumps(document), type=shape)


READERS: Mapping[str, Callable[[Any], object]] = {
    "manifest": parse_manifest,
    "event": convert(Envelope),
    "job": convert(JobSpec),
    "error": read_error,
    "registration": convert(RegistrationRequest),
    "registered": lambda document: convert(Registration)(document["data"]),
    "message": convert(dict[str, Any]),
}


def samples(folder: str) -> list[Any]:
    return [
        pytest.param(path.name.partition(".")[0], json.loads(path.read_text()), id=path.stem)
        for path in sorted((SAMPLES / folder).glob("*.json"))
    ]


@pytest.mark.parametrize(("kind", "document"), samples("good"))
def test_a_good_sample_passes_schema_and_python(kind: str, document: Any) -> None:
    """What the schema takes, the code that reads it takes as well."""
    validator(kind).validate(document)

    READERS[kind](document)


@pytest.mark.parametrize(("kind", "document"), samples("bad"))
def test_a_bad_sample_passes_neither(kind: str, document: Any) -> None:
    """What the schema refuses, the code that reads it refuses as well."""
    assert not validator(kind).is_valid(document)

    if (
        kind == "error"
    ):  # an error body is read leniently: a broken one still says that core refused
        return
    with pytest.raises((ManifestError, msgspec.ValidationError)):
        READERS[kind](document)


def test_every_kind_has_samples_of_both_sorts() -> None:
    """A schema without a sample would be held against nothing."""
    good, bad = ({param.values[0] for param in samples(folder)} for folder in ("good", "bad"))

    assert good == set(READERS)
    assert bad == set(READERS) - {"message"}
    assert {path.name.partition(".")[0] for path in SCHEMA.glob("*.schema.json")} == set(
        FILES.values()
    )


# From the types to the schemas.


@pytest.mark.parametrize("path", [ROOT / "plugin.yaml"], ids=lambda path: path.name)
def test_the_manifest_as_it_is_sent_keeps_the_schema(path: Path) -> None:
    """What `/manifest` answers and registration sends is what the schema describes."""
    validator("manifest").validate(load_manifest(path).normalised())


@pytest.mark.parametrize(("kind", "document"), samples("good"))
def test_a_read_manifest_is_written_as_one(kind: str, document: Any) -> None:
    """Reading and writing a manifest loses nothing that the schema asks for, and adds no fault."""
    if kind == "manifest":
        written = parse_manifest(document).normalised()
        validator("manifest").validate(written)
        assert parse_manifest(written).normalised() == written


class Params(msgspec.Struct):
    """Parameters of a job."""

    days: int = 30
    legacy: str | None = None


@given(
    name=some.from_regex(r"[a-z0-9][a-z0-9._-]{0,63}", fullmatch=True),
    description=some.text(max_size=20),
    schedule=some.sampled_from([None, "@daily", "0 3 * * 1"]),
    timezone=some.sampled_from(["UTC", "Asia/Kolkata"]),
    scope=some.sampled_from(["instance", "tenant"]),
    params=some.sampled_from([None, Params]),
)
def test_a_declared_job_keeps_the_schema(**declared: Any) -> None:
    """Whatever a plugin declares, core's scheduler can read (spec §4)."""
    spec = Job(run=print, **declared).spec()

    validator("job").validate(spec)
    assert msgspec.convert(spec, JobSpec).name == declared["name"]


def every_error() -> list[errors.PluginError]:
    def below(kind: type[errors.PluginError]) -> list[type[errors.PluginError]]:
        return [kind, *(one for child in kind.__subclasses__() for one in below(child))]

    own = [kind for kind in below(errors.PluginError) if kind.__module__ == errors.__name__]
    return [kind() for kind in own]


@pytest.mark.parametrize("error", every_error(), ids=lambda error: type(error).__name__)
def test_every_error_keeps_the_schema(error: errors.PluginError) -> None:
    """Each error of the tree is written in the one shape."""
    validator("error").validate(problem(error, "r-1"))


def test_the_stand_ins_refusals_keep_the_schema() -> None:
    """FakeCore's refusals have core's shape, with details and without."""
    details = [{"field": "compat.core", "message": "no"}]

    validator("error").validate(refusal(401, "AUTH_INVALID").body)
    validator("error").validate(refusal(409, "PLUGIN_INCOMPATIBLE", details=details).body)


@given(
    remote=some.sampled_from([{}, {"integrity": "sha384-" + "a" * 64}]),
    sdk=some.sampled_from([{}, {"backend": "1.4.0"}, {"backend": "1.4.0", "frontend": "1.2.0"}]),
)
def test_a_registration_keeps_the_document(remote: dict[str, str], sdk: dict[str, str]) -> None:
    """What the type writes, the document describes."""
    manifest = load_manifest(ROOT / "plugin.yaml").normalised()
    url = {"remoteUrl": "https://a.test/mf/remoteEntry.js"}
    body = {
        "manifest": manifest,
        "serviceUrl": "https://a.test",
        "ui": {**url, **remote},
        "sdk": sdk,
    }

    request = msgspec.convert(body, RegistrationRequest)
    written = _without_none(msgspec.to_builtins(request))

    validator("registration").validate(written)
    assert written == body


def test_every_event_of_the_feed_keeps_schema_and_type() -> None:
    """What core sends, the schema describes and the plugin's type reads."""
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    feed = Feed(build_world(7, now.date()), Journal(), Bus(), seed=7, clock=lambda: now)
    event = validator("event")
    history = feed.history(now)

    for one in history:
        written = msgspec.to_builtins(one)
        event.validate(written)
        READERS["event"](written)
    assert len(history) > 300


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    return value
