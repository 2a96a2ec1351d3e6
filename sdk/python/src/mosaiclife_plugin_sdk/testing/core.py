"""`FakeCore`: it answers as core does until it is told to answer otherwise (design §4).

It keeps what it was asked. A plugin under test talks to it over HTTP, as it will to the
real one; one behaviour suite holds both to `sdk/schema/core.openapi.yaml`.
"""

from __future__ import annotations

import hmac
import json
import secrets as random_secrets
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import unquote

import msgspec

from mosaiclife_plugin_sdk.clock import rfc3339, utc_now
from mosaiclife_plugin_sdk.compat import check_compat
from mosaiclife_plugin_sdk.cron import Cron, CronError
from mosaiclife_plugin_sdk.errors import ManifestError, RangeError, detail_of
from mosaiclife_plugin_sdk.manifest import Manifest, parse_manifest
from mosaiclife_plugin_sdk.testing.answers import Answer, Asked, Refusal, success
from mosaiclife_plugin_sdk.testing.server import Server
from mosaiclife_plugin_sdk.wire import (
    LARGEST_BODY,
    JobSpec,
    Publication,
    RegistrationRequest,
    SDKVersions,
)

T = TypeVar("T")
Handler = Callable[[str, Any], Answer]

NEEDS: Mapping[tuple[str, str], str] = {
    ("POST", "events"): "events:publish",
    ("GET", "events"): "events:subscribe",
    ("PUT", "jobs"): "jobs:schedule",
    ("DELETE", "jobs"): "jobs:schedule",
    ("GET", "secrets"): "secrets:read",
}
FOR_PAGES_ONLY = "plugin.changed"
HEARTBEAT_SECONDS = 15.0


class FakeCore:
    """A core for one plugin, to be used as a context manager.

    `script` queues answers for one kind of call: `register`, `events`, `jobs`, `secrets`.
    When the queue is empty core is well again. The token belongs to the first plugin that
    registers with it, as core issues each for one id.
    """

    def __init__(
        self,
        *,
        token: str | None = None,
        version: str = "2.1.0",
        scheduler: bool = False,
        secrets: Mapping[str, str] | None = None,
        refused: Sequence[str] = (),
        prefix: str = "/api",
        egress_proxy_url: str | None = None,
    ) -> None:
        """Prepare a core that knows one *token* and refuses the capabilities in *refused*."""
        self.token = token or random_secrets.token_urlsafe(24)
        self.version = version
        self.scheduler = scheduler
        self.secrets = dict(secrets or {})
        self.refused = list(refused)
        self.prefix = prefix
        self.egress_proxy_url = egress_proxy_url
        self.disabled = False
        self.asked: list[Asked] = []
        self.registrations: list[dict[str, Any]] = []
        self.events: list[tuple[str, Any]] = []
        self.jobs: dict[str, dict[str, Any]] = {}
        self._owner: str | None = None
        self._said: list[tuple[str, Any]] = []
        self._scripts: dict[str, deque[Answer]] = {}
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._server = Server(self.answer)
        self._thread = threading.Thread(target=self._serve, name="fake-core", daemon=True)

    # The life of the server.

    @property
    def url(self) -> str:
        """Return the value for `CORE_BASE_URL`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop answering, and end every connection: core is gone."""
        self._stopped.set()
        with self._changed:
            self._changed.notify_all()
        self._server.shutdown()
        self._server.server_close()
        self._server.cut()
        self._thread.join()

    def _serve(self) -> None:
        self._server.serve_forever(poll_interval=0.02)

    # What a test says and asks.

    def script(self, call: str, *answers: Answer) -> None:
        """Answer the next calls of a kind with *answers*, one each."""
        with self._changed:
            self._scripts.setdefault(call, deque()).extend(answers)

    def forget(self) -> None:
        """Be a core that was restarted: it knows no plugin, no job."""
        with self._changed:
            self.registrations.clear()
            self.jobs.clear()

    def disable(self, disabled: bool = True) -> None:
        """Throw the kill switch (spec §16), or take it back."""
        with self._changed:
            self.disabled = disabled

    def say(self, topic: str, payload: Any) -> None:
        """Send an event to whoever follows *topic*, as core or another plugin would."""
        with self._changed:
            self._said.append((topic, payload))
            self._changed.notify_all()

    def wait_for(self, probe: Callable[[FakeCore], T], *, within: float = 10.0) -> T:
        """Return the first truthy *probe* of this core; fail after *within* seconds."""
        with self._changed:
            self._changed.wait_for(lambda: probe(self), timeout=within)
            found = probe(self)
        if not found:
            asked = [f"{one.method} {one.path}" for one in self.asked]
            raise AssertionError(f"core was not asked for it within {within} s, but: {asked}")
        return found

    @property
    def granted(self) -> list[str]:
        """Return the capabilities that the plugin asked for last and was granted."""
        asked = self.registrations[-1]["manifest"].get("capabilities") or []
        return [one for one in asked if one not in self.refused]

    # Answering.

    def answer(self, asked: Asked) -> Answer:
        """Answer one request, and keep it."""
        with self._changed:
            self.asked.append(asked)
            try:
                answer = self._answer(asked)
            except Refusal as refused:
                answer = refused.answer
            self._changed.notify_all()
        self._stopped.wait(answer.delay)
        return answer

    def _answer(self, asked: Asked) -> Answer:
        call, _, name = self._call(asked.path).partition("/")
        if scripted := self._scripts.get(call):
            return scripted.popleft()
        handler = self._handlers().get((asked.method, call))
        if handler is None:
            raise Refusal(404, "RESOURCE_NOT_FOUND")
        self._check_bearer(asked.headers.get("authorization", ""))
        _check_size(asked)
        if call != "register":
            self._check_standing(NEEDS[asked.method, call])
        if asked.method in ("POST", "PUT"):
            _check_readable(asked)
        return handler(unquote(name), asked.body)

    def _call(self, path: str) -> str:
        """Return `register`, or what follows `/plugins/-/`; `/v1` is an alias."""
        root = path.removeprefix(self.prefix).removeprefix("/v1")
        below = root.removeprefix("/plugins/")
        return "register" if below == "register" else below.removeprefix("-/")

    def _handlers(self) -> Mapping[tuple[str, str], Handler]:
        return {
            ("POST", "register"): self._register,
            ("POST", "events"): self._publish,
            ("GET", "events"): self._follow,
            ("PUT", "jobs"): self._put_job,
            ("DELETE", "jobs"): self._delete_job,
            ("GET", "secrets"): self._secret,
        }

    def _check_bearer(self, authorization: str) -> None:
        code = "AUTH_INVALID" if authorization.lower().startswith("bearer ") else "AUTH_REQUIRED"
        if not hmac.compare_digest(authorization.encode(), f"Bearer {self.token}".encode()):
            raise Refusal(401, code, headers={"WWW-Authenticate": "Bearer"})

    def _check_standing(self, capability: str) -> None:
        if self.disabled:
            raise Refusal(403, "PLUGIN_DISABLED")
        if not self.registrations:
            raise Refusal(404, "PLUGIN_UNKNOWN")
        if capability not in self.granted:
            raise Refusal(403, "PERMISSION_DENIED", f"{capability} was not granted")

    # Registering (spec §10).

    def _register(self, _: str, body: Any) -> Answer:
        wanted = _read(body, RegistrationRequest)
        if self.disabled:
            raise Refusal(403, "PLUGIN_DISABLED")
        manifest = _manifest(wanted.manifest)
        if self._owner not in (None, manifest.name):
            raise Refusal(403, "PERMISSION_DENIED", f"this token is {self._owner}'s")
        self._check_compat(manifest, wanted.sdk)
        self._owner = manifest.name
        status = 200 if self.registrations else 201
        self.registrations.append(body)
        return success(self._record(wanted.manifest), status)

    def _check_compat(self, manifest: Manifest, sdk: SDKVersions) -> None:
        versions = {"core": self.version, "backend_sdk": sdk.backend, "frontend_sdk": sdk.frontend}
        try:
            misfits = check_compat(
                _present(msgspec.structs.asdict(manifest.compat)), _present(versions)
            )
        except RangeError as error:
            raise _invalid("$.sdk", str(error)) from error
        if misfits:
            raise Refusal(409, "PLUGIN_INCOMPATIBLE", details=misfits)

    def _record(self, manifest: Mapping[str, Any]) -> dict[str, Any]:
        asked = manifest.get("capabilities") or []
        refused = [one for one in asked if one in self.refused]
        offered = {"egressProxyUrl": self.egress_proxy_url} if self.egress_proxy_url else {}
        return {
            "id": manifest["name"],
            "state": "Registering",
            "core": {"version": self.version},
            "capabilities": {
                "granted": self.granted,
                "refused": [
                    {"capability": one, "reason": "refused by the test"} for one in refused
                ],
            },
            "scheduler": self.scheduler,
            **offered,
        }

    # What a registered plugin may ask.

    def _publish(self, _: str, body: Any) -> Answer:
        said = _read(body, Publication)
        if said.is_cores_own:
            raise Refusal(403, "PERMISSION_DENIED", f"{said.topic} is a topic of core's own")
        if said.is_too_large:
            raise Refusal(413, "PAYLOAD_TOO_LARGE")
        self.events.append((said.topic, said.payload))
        self._said.append((said.topic, said.payload))
        return success({"id": f"event-{len(self.events)}"}, 202)

    def _follow(self, topic: str, _: Any) -> Answer:
        if topic == FOR_PAGES_ONLY:
            raise Refusal(404, "RESOURCE_NOT_FOUND")
        begin = len(self._said)
        return Answer(
            stream=lambda: self._lines(topic, begin), headers={"Cache-Control": "no-store"}
        )

    def _lines(self, topic: str, place: int) -> Iterator[bytes]:
        yield b": open\n\n"
        while not self._stopped.is_set():
            news = self._news(place)
            place += len(news)
            lines = [_message(name, payload) for name, payload in news if name == topic]
            yield b"".join(lines) or b": still here\n\n"

    def _news(self, place: int) -> list[tuple[str, Any]]:
        """Return what was said from *place* on; wait for it as long as a heartbeat."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._stopped.is_set() or len(self._said) > place, HEARTBEAT_SECONDS
            )
            return self._said[place:]

    def _put_job(self, name: str, body: Any) -> Answer:
        spec = _read(body, JobSpec)
        if spec.name != name:
            raise _invalid("$.name", f"the address says {name!r}")
        if not self.scheduler:
            raise Refusal(503, "SERVICE_UNAVAILABLE", "this core schedules nothing")
        if spec.schedule is None:
            self.jobs.pop(name, None)
            return success({"name": name, "nextFire": None})
        fire = _next_fire(spec.schedule, spec.timezone)
        self.jobs[name] = body
        return success({"name": name, "nextFire": fire})

    def _delete_job(self, name: str, _: Any) -> Answer:
        if self.jobs.pop(name, None) is None:
            raise Refusal(404, "RESOURCE_NOT_FOUND")
        return success({"name": name})

    def _secret(self, name: str, _: Any) -> Answer:
        if name not in self.registrations[-1]["manifest"].get("secrets", []):
            raise Refusal(403, "PERMISSION_DENIED", "the manifest declares no secret of this name")
        if name not in self.secrets:
            raise Refusal(404, "RESOURCE_NOT_FOUND")
        value = {"name": name, "value": self.secrets[name]}
        return success(value, headers={"Cache-Control": "no-store"})


def _check_size(asked: Asked) -> None:
    if int(asked.headers.get("content-length", 0)) > LARGEST_BODY:
        raise Refusal(413, "PAYLOAD_TOO_LARGE")


def _check_readable(asked: Asked) -> None:
    if asked.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", "send application/json")
    if asked.body is None or isinstance(asked.body, bytes):
        raise Refusal(400, "INVALID_FORMAT", "the body is not JSON")


def _read(body: Any, shape: type[T]) -> T:
    try:
        return msgspec.convert(body, shape)
    except msgspec.ValidationError as error:
        raise Refusal(422, "VALIDATION_FAILED", details=[detail_of(error)]) from error


def _manifest(document: Mapping[str, Any]) -> Manifest:
    try:
        return parse_manifest(document)
    except ManifestError as error:
        details = [
            {**detail, "field": detail["field"].replace("$", "$.manifest", 1)}
            for detail in error.details
        ]
        raise Refusal(422, "VALIDATION_FAILED", details=details) from error


def _next_fire(schedule: str, timezone: str) -> str | None:
    try:
        moment = Cron.parse(schedule, timezone).next_after(utc_now())
    except CronError as error:
        raise _invalid("$.schedule", str(error)) from error
    return rfc3339(moment) if moment else None


def _invalid(field: str, message: str) -> Refusal:
    return Refusal(422, "VALIDATION_FAILED", details=[{"field": field, "message": message}])


def _present(values: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}


def _message(topic: str, payload: Any) -> bytes:
    return b"data: " + json.dumps({"type": topic, "payload": payload}).encode() + b"\n\n"
