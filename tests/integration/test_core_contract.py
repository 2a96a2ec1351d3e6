"""One behaviour suite over `sdk/schema/core.openapi.yaml`, for `FakeCore` and the core alike.

Each case brings about one documented answer of one operation over real HTTP, and each
answer is held against the document: its status, its headers and its body.
"""

import copy
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx
import pytest

from tests.support.core_document import CoreDocument, Operation, read_document
from tests.support.core_subjects import (
    CAPABILITIES,
    CORES,
    PLUGIN,
    Subject,
    bearer,
    development_core,
    fake_core,
)
from tests.support.registrations import registration_body

DOCUMENT = CoreDocument(read_document())
JOB = {
    "name": "tidy",
    "description": "Tidies.",
    "schedule": "@daily",
    "timezone": "Europe/Stockholm",
    "scope": "instance",
    "params": None,
}
EVENT = {"topic": "tiny.said", "payload": {"n": 1}}
BODY = registration_body(PLUGIN)
TOO_LARGE = b" " * (1 << 20) + b"{}"


# What may have happened before the call.


def registered(core: Subject) -> None:
    core.register().raise_for_status()


def with_nothing_granted(core: Subject) -> None:
    core.register(capabilities=[]).raise_for_status()


def scheduled(core: Subject) -> None:
    core.ask("PUT", "/plugins/-/jobs/tidy", json=JOB).raise_for_status()


def disabled(core: Subject) -> None:
    core.disable()


def crowded(call: str) -> Callable[[Subject], object]:
    return lambda core: core.crowd(call)


def away(core: Subject) -> None:
    core.be_away("register")


Step = Callable[[Subject], object]
NEVER: tuple[Step, ...] = ()
ONCE: tuple[Step, ...] = (registered,)


@dataclass(frozen=True)
class Case:
    """A call and the answer that it must get; *name* fills the place in the path."""

    operation: str
    status: int
    about: str
    code: str = ""
    given: tuple[Step, ...] = ONCE
    body: Any = None
    content: bytes | None = None
    media: str = "application/json"
    name: str = ""
    headers: Mapping[str, str] = field(default_factory=bearer)
    scheduler: bool = True
    missing_from: str = ""

    @property
    def bytes(self) -> bytes | None:
        """Return what is sent as the body."""
        if self.content is not None or self.body is None:
            return self.content
        return json.dumps(self.body).encode()


def closed(operation: str, name: str = "", body: Any = None) -> Iterator[Case]:
    """Yield the cases in which core does not know the caller."""
    known: dict[str, Any] = {"operation": operation, "name": name, "body": body, "given": NEVER}
    yield Case(**known, status=401, about="no token", code="AUTH_REQUIRED", headers={})
    yield Case(
        **known, status=401, about="another token", code="AUTH_INVALID", headers=bearer("other")
    )


def gated(operation: str, call: str, name: str = "", body: Any = None) -> Iterator[Case]:
    """Yield the cases in which core knows the caller and does nothing for it."""
    known: dict[str, Any] = {"operation": operation, "name": name, "body": body}
    yield from closed(operation, name, body)
    yield Case(**known, status=404, about="unregistered", code="PLUGIN_UNKNOWN", given=NEVER)
    yield Case(
        **known,
        status=403,
        about="without its capability",
        code="PERMISSION_DENIED",
        given=(with_nothing_granted,),
    )
    yield Case(
        **known, status=403, about="disabled", code="PLUGIN_DISABLED", given=(registered, disabled)
    )
    yield Case(
        **known,
        status=429,
        about="too often",
        code="RATE_LIMITED",
        given=(registered, crowded(call)),
    )


def unreadable(operation: str, name: str = "", given: tuple[Step, ...] = ONCE) -> Iterator[Case]:
    """Yield the cases in which the body cannot be read."""
    known: dict[str, Any] = {"operation": operation, "name": name, "given": given}
    yield Case(**known, status=400, about="no JSON", code="INVALID_FORMAT", content=b"{")
    yield Case(**known, status=400, about="not UTF-8", code="INVALID_FORMAT", content=b"\xff")
    yield Case(
        **known,
        status=415,
        about="plain text",
        code="UNSUPPORTED_MEDIA_TYPE",
        content=b"{}",
        media="text/plain",
    )
    yield Case(**known, status=413, about="too large", code="PAYLOAD_TOO_LARGE", content=TOO_LARGE)


def invalid(operation: str, bodies: Mapping[str, Any], name: str = "") -> Iterator[Case]:
    """Yield the cases in which the body can be read and breaks a rule."""
    for about, body in bodies.items():
        yield Case(operation, 422, about, "VALIDATION_FAILED", body=body, name=name)


REGISTER = [
    Case("register", 201, "first", given=NEVER, body=BODY),
    Case("register", 200, "again", body=BODY),
    *closed("register", body=BODY),
    Case("register", 403, "disabled", "PLUGIN_DISABLED", given=(disabled,), body=BODY),
    Case("register", 403, "another id", "PERMISSION_DENIED", body=registration_body("other")),
    *(
        Case("register", 409, party, "PLUGIN_INCOMPATIBLE", given=NEVER, body={
            **registration_body(PLUGIN, compat={"core": ">=2.1", party: ">=9.0"}),
            "sdk": {"backend": "1.4.0", "frontend": "1.2.0"},
        })
        for party in ("core", "backend_sdk", "frontend_sdk")
    ),
    *unreadable("register", given=NEVER),
    *invalid("register", {
        "no object": [],
        "no manifest": {"serviceUrl": "http://127.0.0.1:7001", "ui": BODY["ui"]},
        "number as version": registration_body(PLUGIN, version=1.0),
        "unknown capability": registration_body(PLUGIN, capabilities=["world:rule"]),
        "no range": registration_body(PLUGIN, compat={"core": "latest"}),
        "path without slash": registration_body(PLUGIN, endpoints={"basePath": "v1"}),
        "odd hash": {**BODY, "ui": {**BODY["ui"], "integrity": "md5-x"}},
        "odd SDK": {
            **registration_body(PLUGIN, compat={"core": ">=2.1", "backend_sdk": ">=1.4"}),
            "sdk": {"backend": "new"},
        },
    }),
    Case("register", 429, "too often", "RATE_LIMITED", given=(crowded("register"),), body=BODY),
    Case("register", 503, "core is away", "SERVICE_UNAVAILABLE", given=(away,), body=BODY,
         missing_from="development"),
]  # fmt: skip
EVENTS = [
    Case("publishEvent", 202, "taken", body=EVENT),
    *gated("publishEvent", "events", body=EVENT),
    Case("publishEvent", 403, "core's own topic", "PERMISSION_DENIED",
         body={"topic": "story.created", "payload": {}}),
    *unreadable("publishEvent"),
    Case("publishEvent", 413, "payload too large", "PAYLOAD_TOO_LARGE",
         body={"topic": "tiny.said", "payload": {"a": "x" * 65_536}}),
    *invalid("publishEvent", {
        "no dots": {"topic": "said", "payload": {}},
        "line end": {"topic": "tiny.said\n", "payload": {}},
        "long topic": {"topic": "tiny." + "x" * 128, "payload": {}},
        "no payload": {"topic": "tiny.said"},
        "payload no object": {"topic": "tiny.said", "payload": []},
    }),
]  # fmt: skip
TOPICS = [
    Case("followTopic", 200, "followed", name="tiny.said"),
    *gated("followTopic", "events", name="tiny.said"),
    Case("followTopic", 404, "for pages", "RESOURCE_NOT_FOUND", name="plugin.changed"),
]
JOBS = [
    Case("registerJob", 200, "new", name="tidy", body=JOB),
    Case("registerJob", 200, "replaced", given=(registered, scheduled), name="tidy",
         body={**JOB, "schedule": "0 0 29 2 *"}),
    Case("registerJob", 200, "only when asked", name="tidy", body={**JOB, "schedule": None}),
    *gated("registerJob", "jobs", name="tidy", body=JOB),
    *unreadable("registerJob", name="tidy"),
    *invalid("registerJob", {
        "not cron": {**JOB, "schedule": "every minute"},
        "never": {**JOB, "schedule": "0 0 31 2 *"},
        "no zone": {**JOB, "timezone": "Mars/Olympus"},
        "two names": {**JOB, "name": "other"},
        "odd scope": {**JOB, "scope": "galaxy"},
        "no scope": {name: value for name, value in JOB.items() if name != "scope"},
    }, name="tidy"),
    Case("registerJob", 422, "odd name", "VALIDATION_FAILED", name="Tidy%20up",
         body={**JOB, "name": "Tidy up"}),
    Case("registerJob", 503, "no scheduler", "SERVICE_UNAVAILABLE", name="tidy", body=JOB,
         scheduler=False),
    Case("removeJob", 200, "given back", given=(registered, scheduled), name="tidy"),
    *gated("removeJob", "jobs", name="tidy"),
    Case("removeJob", 404, "never given", "RESOURCE_NOT_FOUND", name="tidy"),
]  # fmt: skip
SECRETS = [
    Case("fetchSecret", 200, "declared and set", name="KEY"),
    *gated("fetchSecret", "secrets", name="KEY"),
    Case("fetchSecret", 403, "undeclared", "PERMISSION_DENIED", name="OTHER"),
    Case("fetchSecret", 404, "unset", "RESOURCE_NOT_FOUND", name="UNSET"),
]
CASES = [*REGISTER, *EVENTS, *TOPICS, *JOBS, *SECRETS]


def runs() -> list[Any]:
    return [
        pytest.param(core, case, id=f"{core}-{case.operation}-{case.status}-{case.about}")
        for core in CORES
        for case in CASES
        if case.missing_from != core
    ]


def send(core: Subject, operation: Operation, case: Case, stack: ExitStack) -> httpx.Response:
    """Send the call; the body of a stream is left unread."""
    path = operation.path.replace("{name}", case.name).replace("{topic}", case.name)
    content = case.bytes
    headers = {**case.headers, **({} if content is None else {"content-type": case.media})}
    response = stack.enter_context(
        core.http.stream(operation.method, path, headers=headers, content=content)
    )
    if not response.headers["content-type"].startswith("text/event-stream"):
        response.read()
    return response


@pytest.fixture(scope="module")
def development() -> Iterator[Callable[[bool], Subject]]:
    """The development core, started once with its scheduler and once without."""
    with ExitStack() as stack:

        @cache
        def started(scheduler: bool) -> Subject:
            return stack.enter_context(development_core(scheduler=scheduler))

        yield started


@pytest.fixture
def subject(core: str, case: Case, development: Callable[[bool], Subject]) -> Iterator[Subject]:
    """A core of the kind that is asked for, to which nothing has happened yet."""
    if core == "fake":
        with fake_core(scheduler=case.scheduler) as fake:
            yield fake
    else:
        known = development(case.scheduler)
        known.renew()
        yield known


@pytest.mark.parametrize(("core", "case"), runs())
def test_each_documented_answer(subject: Subject, case: Case) -> None:
    """The call gets the status and the code of its case, in the shape that the document gives."""
    operation = DOCUMENT.operations[case.operation]
    for step in case.given:
        step(subject)
    with ExitStack() as stack:
        response = send(subject, operation, case, stack)

        assert response.status_code == case.status, response.read()
        DOCUMENT.check_response(operation, response)
        if case.code:
            assert_refused(response, case)
        elif case.body is not None:
            DOCUMENT.check_request(operation, case.body)


def assert_refused(response: httpx.Response, case: Case) -> None:
    """A refusal has its code, says what is wrong where something is, and is not cached."""
    error = response.json()["error"]
    assert error["code"] == case.code
    if case.status == 401:
        assert response.headers["www-authenticate"] == "Bearer"
    if case.status == 422:
        assert all(detail["field"].startswith("$") for detail in error["details"])
    if case.status in (409, 422):
        assert error["details"]


@pytest.mark.parametrize("core", CORES)
def test_a_follower_hears_its_topic_and_no_other(core: str) -> None:
    """Events reach whoever follows their topic, each as one message of the document."""
    message = DOCUMENT.validator("components", "schemas", "Message")
    with CORES[core]() as subject:
        subject.register().raise_for_status()
        with subject.http.stream(
            "GET", "/plugins/-/events/tiny.said", headers=bearer(), timeout=10
        ) as stream:
            lines = stream.iter_lines()
            assert next(lines).startswith(":")
            for topic, number in [("tiny.other", 0), ("tiny.said", 1), ("tiny.said", 2)]:
                event = {"topic": topic, "payload": {"n": number}}
                subject.ask("POST", "/plugins/-/events", json=event).raise_for_status()
            data = (line.removeprefix("data: ") for line in lines if line.startswith("data: "))
            heard = [json.loads(next(data)) for _ in range(2)]

    for one in heard:
        message.validate(one)
    assert [one["payload"]["n"] for one in heard] == [1, 2]


@pytest.mark.parametrize("core", CORES)
def test_a_capability_is_refused_by_itself(core: str) -> None:
    """What the operator does not allow is said with its reason, and the rest is granted."""
    with CORES[core](refused=["events:publish"]) as subject:
        answer = subject.register().json()["data"]

    assert answer["capabilities"]["granted"] == CAPABILITIES[1:]
    assert [one["capability"] for one in answer["capabilities"]["refused"]] == ["events:publish"]
    assert answer["capabilities"]["refused"][0]["reason"]


@pytest.mark.parametrize("core", CORES)
def test_the_alias_answers_alike(core: str) -> None:
    """`/api/v1` is the same API as `/api` (design: The wire)."""
    with CORES[core]() as subject:
        response = subject.ask("POST", "/v1/plugins/register", json=BODY)

    assert response.status_code == 201


def uncovered(document: CoreDocument, cases: Iterable[Case]) -> list[str]:
    """Return each documented answer that no case brings about."""
    covered = {(case.operation, case.status) for case in cases}
    return [
        f"{operation.id} {status}"
        for operation in document.operations.values()
        for status in sorted(operation.statuses)
        if (operation.id, status) not in covered
    ]


def test_every_documented_answer_has_a_case() -> None:
    """Nothing is documented that is not shown."""
    assert uncovered(DOCUMENT, CASES) == []


def test_an_answer_that_only_one_core_gives_is_shown_by_the_other() -> None:
    """What one core cannot be brought to, the other still shows."""
    assert [(case.operation, case.status) for case in CASES if case.missing_from] == [
        ("register", 503)
    ]


def test_a_planted_operation_is_missed() -> None:
    """An operation and a status that are new in the document fail the suite until they have cases."""
    planted = copy.deepcopy(read_document())
    planted["paths"]["/plugins/-/wishes"] = {
        "get": {"operationId": "listWishes", "responses": {"200": {}}}
    }
    planted["paths"]["/plugins/-/events"]["post"]["responses"]["418"] = {}

    assert set(uncovered(CoreDocument(planted), CASES)) == {"listWishes 200", "publishEvent 418"}


def test_the_document_can_refuse() -> None:
    """The check bites: an undocumented status and a body of another shape are faults."""
    operation = DOCUMENT.operations["publishEvent"]
    with pytest.raises(AssertionError, match="418"):
        DOCUMENT.check_response(operation, httpx.Response(418, json={}))
    with pytest.raises(ValueError, match="data"):
        DOCUMENT.check_response(operation, httpx.Response(202, json={"id": "x"}))
    with pytest.raises(AssertionError, match="Retry-After"):
        DOCUMENT.check_response(operation, httpx.Response(429, json={}))
