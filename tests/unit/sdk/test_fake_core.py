"""FakeCore answers as core does, misbehaves when told to, and keeps what it was asked."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from mosaiclife_plugin_sdk import CoreClient, Job
from mosaiclife_plugin_sdk.errors import CoreRefused, CoreUnreachable
from mosaiclife_plugin_sdk.testing import Answer, FakeCore, garbage, hang_up, refusal
from tests.support.registrations import registration_body

CAPABILITIES = ["events:publish", "jobs:schedule", "secrets:read"]
BODY = registration_body("letters", capabilities=CAPABILITIES, secrets=["KEY"])
JOB = Job("tidy", "Tidies.", run=print, schedule="@daily").spec()


@pytest.fixture
def core() -> Iterator[FakeCore]:
    """A core that runs."""
    with FakeCore(scheduler=True, secrets={"KEY": "s3cret", "OTHER": "x"}) as core:
        yield core


@pytest.fixture
def client(core: FakeCore) -> Iterator[CoreClient]:
    """The SDK's own client, with the token that this core knows."""
    with CoreClient(core.url, core.token, timeout=0.5) as client:
        yield client


def test_a_plugin_registers_and_renews(core: FakeCore, client: CoreClient) -> None:
    """The first registration is 201 and the next 200; both say what was granted."""
    bearer = {"Authorization": f"Bearer {core.token}"}
    answers = [
        httpx.post(f"{core.url}/api/plugins/register", json=BODY, headers=bearer) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 200]
    registration = client.register(BODY)
    assert (registration.id, registration.core.version) == ("letters", "2.1.0")
    assert registration.capabilities.granted == CAPABILITIES
    assert registration.scheduler is True
    assert core.registrations == [BODY] * 3


def test_a_capability_can_be_refused() -> None:
    """What a test refuses is refused with a reason, and the call that needs it is too."""
    with (
        FakeCore(refused=["events:publish"]) as core,
        CoreClient(core.url, core.token) as client,
    ):
        registration = client.register(BODY)
        with pytest.raises(CoreRefused) as refused:
            client.publish_event("letters.read", {})
    assert (refused.value.status, core.events) == (403, [])
    assert registration.capabilities.granted == CAPABILITIES[1:]
    assert [one.capability for one in registration.capabilities.refused] == ["events:publish"]
    assert registration.scheduler is False


def test_events_jobs_and_secrets_work_once_registered(core: FakeCore, client: CoreClient) -> None:
    """The surface of spec §15.1 works against it, and it keeps what it was given."""
    client.register(BODY)
    client.publish_event("letters.read", {"n": 1})
    client.register_job(JOB)
    assert core.events == [("letters.read", {"n": 1})]
    assert core.jobs == {"tidy": JOB}
    client.remove_job("tidy")
    assert core.jobs == {}
    assert client.fetch_secret("KEY") == "s3cret"
    with pytest.raises(CoreRefused) as refused:
        client.fetch_secret("OTHER")
    assert refused.value.status == 403


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"schedule": "61 * * * *"}, "$.schedule"),
        ({"timezone": "Mars/Olympus"}, "$.schedule"),
        ({"scope": "galaxy"}, "$.scope"),
    ],
)
def test_a_schedule_that_core_would_not_keep_is_422(
    core: FakeCore, client: CoreClient, change: dict[str, str], field: str
) -> None:
    """Core would not keep it, so neither does its stand-in."""
    client.register(BODY)
    with pytest.raises(CoreRefused) as refused:
        client.register_job({**JOB, **change})
    assert (refused.value.status, refused.value.details[0]["field"]) == (422, field)
    assert core.jobs == {}


def test_a_topic_is_followed_until_core_stops(core: FakeCore) -> None:
    """A follower hears what the plugin published and what the test says, and nothing else."""
    body = registration_body("letters", capabilities=["events:publish", "events:subscribe"])
    bearer = {"Authorization": f"Bearer {core.token}"}
    url = f"{core.url}/api/plugins/-/events"
    httpx.post(f"{core.url}/api/plugins/register", json=body, headers=bearer).raise_for_status()
    with httpx.stream("GET", f"{url}/letters.read", headers=bearer) as stream:
        lines = stream.iter_lines()
        assert next(lines) == ": open"
        core.say("letters.sent", {"n": 0})
        core.say("letters.read", {"n": 1})
        httpx.post(url, json={"topic": "letters.read", "payload": {"n": 2}}, headers=bearer)
        heard = [next(line for line in lines if line.startswith("data: ")) for _ in range(2)]
    assert [json.loads(line[6:]) for line in heard] == [
        {"type": "letters.read", "payload": {"n": number}} for number in (1, 2)
    ]


def test_the_alias_of_the_api_answers_too(core: FakeCore) -> None:
    """`/api/v1` is the same API."""
    with CoreClient(core.url, core.token, api_prefix="/api/v1") as client:
        assert client.register(BODY).id == "letters"


def test_a_plugin_that_never_registered_is_unknown(core: FakeCore, client: CoreClient) -> None:
    """Before registration, and after core forgot everything, the answer is PLUGIN_UNKNOWN."""
    for _ in range(2):
        with pytest.raises(CoreRefused) as refused:
            client.publish_event("letters.read", {})
        assert refused.value.code == "PLUGIN_UNKNOWN"
        client.register(BODY)
        core.forget()
    assert core.events == []


def test_a_wrong_token_is_401(core: FakeCore) -> None:
    """Another token is refused, and nothing is registered."""
    with CoreClient(core.url, "wrong") as client, pytest.raises(CoreRefused) as refused:
        client.register(BODY)
    assert (refused.value.status, refused.value.code) == (401, "AUTH_INVALID")
    assert core.registrations == []


def test_what_is_no_registration_is_422(core: FakeCore, client: CoreClient) -> None:
    """A body without a manifest names what is missing."""
    with pytest.raises(CoreRefused) as refused:
        client.register({"serviceUrl": "x"})
    assert refused.value.status == 422
    assert "manifest" in refused.value.details[0]["message"]


def test_scripted_answers_come_once_and_in_order(core: FakeCore, client: CoreClient) -> None:
    """Core refuses as told, for the reason told, and is then well again."""
    core.script(
        "register",
        refusal(503, "SERVICE_UNAVAILABLE", retry_after=7),
        refusal(409, "PLUGIN_INCOMPATIBLE", details=[{"field": "compat.core", "message": "no"}]),
        Answer(200, {"data": {"id": "letters", "state": "Disabled"}}),
    )
    with pytest.raises(CoreRefused) as busy:
        client.register(BODY)
    with pytest.raises(CoreRefused) as misfit:
        client.register(BODY)
    assert (busy.value.status, busy.value.retry_after) == (503, 7.0)
    assert misfit.value.details == [{"field": "compat.core", "message": "no"}]
    assert client.register(BODY).state == "Disabled"
    assert client.register(BODY).state == "Registering"
    assert [one.path for one in core.asked] == ["/api/plugins/register"] * 4


@pytest.mark.parametrize(
    "fault", [garbage(), hang_up(), Answer(200, {"data": {}}, delay=2.0), Answer(raw=b"")]
)
def test_faults_reach_the_client_as_one_error(
    core: FakeCore, client: CoreClient, fault: Answer
) -> None:
    """Garbage, a cut connection, a slow and an empty answer are all 'core did not answer'."""
    core.script("register", fault)
    with pytest.raises(CoreUnreachable):
        client.register(BODY)
    assert client.register(BODY).id == "letters"


def test_waiting_ends_when_core_is_asked(core: FakeCore, client: CoreClient) -> None:
    """A test waits for what the plugin does in its own time, and fails with what it did."""
    later = threading.Timer(0.05, client.register, args=(BODY,))
    later.start()
    assert core.wait_for(lambda seen: seen.registrations) == [BODY]
    later.join()
    with pytest.raises(AssertionError, match="POST /api/plugins/register"):
        core.wait_for(lambda seen: seen.events, within=0.05)


def test_a_stopped_core_is_gone_at_once() -> None:
    """Kept-alive connections and slow answers do not keep it: the next call finds nobody."""
    core = FakeCore()
    with CoreClient(core.url, core.token, timeout=2) as client:
        with core:
            client.register(BODY)
            core.script("register", Answer(delay=60))
            slow = threading.Thread(target=_ignore_refusal, args=(client,))
            slow.start()
            core.wait_for(lambda seen: len(seen.asked) == 2)
            began = time.monotonic()
        slow.join()
        assert time.monotonic() - began < 1.5
        with pytest.raises(CoreUnreachable):
            client.register(BODY)


def _ignore_refusal(client: CoreClient) -> None:
    with pytest.raises(CoreUnreachable):
        client.register(BODY)
