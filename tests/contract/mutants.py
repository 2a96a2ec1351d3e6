"""The bare plugin with one rule broken: `python -m tests.contract.mutants NAME` serves it.

Each mutant is a few lines, and names the check that must see it.
"""

import json
import os
import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from tests.plugins.bare import plugin as bare

Break = Callable[[], None]

MUTANTS: dict[str, tuple[str, Break]] = {}
handler: Any = bare.Handler
plugin: Any = bare.Plugin
manifest = bare.MANIFEST


def kills(check: str) -> Callable[[Break], Break]:
    """Say which check must see the mutant."""

    def register(breaks: Break) -> Break:
        MUTANTS[breaks.__name__.replace("_", "-")] = (check, breaks)
        return breaks

    return register


def instead(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Put in the place of a function what *make* makes of it."""
    setattr(owner, name, make(getattr(owner, name)))


def always(value: Any) -> Callable[[Any], Any]:
    return lambda _usual: lambda *_args, **_named: value


@kills("HLT-1")
def liveness_asks_core() -> None:
    def make(usual: Any) -> Any:
        def answer(self: Any, path: str) -> Any:
            if path == bare.LIVE and self.plugin.reason:
                raise bare.Refusal(503, "SERVICE_UNAVAILABLE", "Core is away.")
            return usual(self, path)

        return answer

    instead(handler, "answer", make)


@kills("HLT-1")
def readiness_waits_for_registration() -> None:
    instead(
        plugin,
        "failing",
        lambda usual: lambda self: {"core": "away"} if self.state != "Ready" else usual(self),
    )


@kills("HLT-2")
def readiness_is_always_green() -> None:
    instead(plugin, "failing", always({}))


@kills("HLT-2")
def readiness_forgets_the_remote() -> None:
    instead(plugin, "remote_is_there", always(True))


@kills("HLT-2")
def red_probe_names_nothing() -> None:
    def make(usual: Any) -> Any:
        def refuse(self: Any, refusal: Any) -> Any:
            refusal.details = []
            return usual(self, refusal)

        return refuse

    instead(handler, "refuse", make)


@kills("HLT-3")
def remote_wants_the_bearer() -> None:
    def make(usual: Any) -> Any:
        def answer(self: Any, path: str) -> Any:
            if path == bare.REMOTE and not self.is_let_in():
                raise bare.Refusal(401, "AUTH_REQUIRED", "No.", **{"WWW-Authenticate": "Bearer"})
            return usual(self, path)

        return answer

    instead(handler, "answer", make)


@kills("HLT-4")
def wrong_method_without_allow() -> None:
    def make(usual: Any) -> Any:
        def send(self: Any, *args: Any, **headers: str) -> Any:
            headers.pop("Allow", None)
            return usual(self, *args, **headers)

        return send

    instead(handler, "send", make)


@kills("API-1")
def errors_in_a_shape_of_its_own() -> None:
    def make(_usual: Any) -> Any:
        def refuse(self: Any, refusal: Any) -> Any:
            details = [{"field": "it", "message": str(refusal)}]
            body = {"error": {"message": str(refusal), "details": details}}
            return self.send_json(refusal.status, body, **refusal.headers)

        return refuse

    instead(handler, "refuse", make)


@kills("API-2")
def time_limit_is_ignored() -> None:
    def make(_usual: Any) -> Any:
        return lambda self: self.rfile.read(int(self.headers.get("content-length") or 0))

    instead(handler, "read_body", make)


@kills("API-4")
def any_size_will_do() -> None:
    bare.MOST *= 64


@kills("API-4")
def any_type_will_do() -> None:
    def make(usual: Any) -> Any:
        def ingest(self: Any, body: bytes) -> Any:
            self.headers.replace_header("content-type", "application/json")
            return usual(self, body)

        return ingest

    instead(handler, "ingest", make)


@kills("TEN-1")
def first_of_two_tenants() -> None:
    def make(usual: Any) -> Any:
        def ingest(self: Any, body: bytes) -> Any:
            tenant = self.headers.get("x-tenant-id", "nobody")
            del self.headers["x-tenant-id"]
            self.headers["x-tenant-id"] = tenant
            return usual(self, body)

        return ingest

    instead(handler, "ingest", make)


@kills("SEC-1")
def bearer_by_its_beginning() -> None:
    def make(_usual: Any) -> Any:
        token = f"Bearer {os.environ.get('CORE_TOKEN')}"
        return lambda header: header[:20] == token[:20]

    instead(bare, "is_bearer", make)


@kills("SEC-1")
def register_forgot_its_guard() -> None:
    instead(
        handler,
        "is_let_in",
        lambda usual: lambda self: self.path == "/register" or usual(self),
    )


@kills("MAN-1")
def version_is_a_number() -> None:
    manifest["version"] = 1.4


@kills("MAN-2")
def range_is_not_of_the_grammar() -> None:
    manifest["compat"]["core"] = ">=2.1 <3.0.0.0"


@kills("MAN-3")
def remote_is_elsewhere() -> None:
    manifest["ui"]["remotePath"] = "/mf/entry-that-was-renamed.js"


@kills("MAN-4")
def served_manifest_is_an_old_one() -> None:
    def make(usual: Any) -> Any:
        def answer(self: Any, path: str) -> Any:
            if path == "/manifest" and self.command == "GET":
                return self.send_json(200, {**manifest, "title": "An older title"})
            return usual(self, path)

        return answer

    instead(handler, "answer", make)


@kills("MAN-5")
def default_is_not_allowed() -> None:
    manifest["configSchema"]["properties"]["LOG_LEVEL"]["default"] = "loud"


@kills("MAN-6")
def settings_are_not_checked() -> None:
    instead(bare, "check_settings", always(None))


@kills("MET-1")
def series_stands_twice() -> None:
    instead(plugin, "metrics", lambda usual: lambda self: usual(self) + 'x_total{a="1"} 1\n' * 2)


@kills("MET-2")
def queue_is_not_measured() -> None:
    instead(
        bare,
        "family",
        lambda usual: lambda name, *rest: [] if "queue" in name else usual(name, *rest),
    )


@kills("MET-3")
def path_is_a_label() -> None:
    instead(handler, "route", lambda _usual: lambda _self, path: path)


@kills("MET-3")
def counter_stands_still() -> None:
    def make(usual: Any) -> Any:
        def observe(self: Any, method: str, route: str, status: int, seconds: float) -> None:
            if (method, route, str(status)) not in self.counts:
                usual(self, method, route, status, seconds)

        return observe

    instead(plugin, "observe", make)


@kills("LOG-1")
def line_without_spans() -> None:
    instead(
        json,
        "dumps",
        lambda usual: (
            lambda value, **named: (
                usual({k: v for k, v in value.items() if k != "span_id"}, **named)
                if isinstance(value, dict)
                else usual(value, **named)
            )
        ),
    )


@kills("LOG-2")
def trace_is_not_followed() -> None:
    instead(
        bare,
        "log",
        lambda usual: (
            lambda level, message, _trace="", *rest, **more: usual(
                level, message, secrets.token_hex(16), *rest, **more
            )
        ),
    )


@kills("LOG-3")
def header_is_logged() -> None:
    def make(usual: Any) -> Any:
        def let_in(self: Any) -> Any:
            bare.log("debug", "asked", authorization=self.headers.get("authorization", ""))
            return usual(self)

        return let_in

    instead(handler, "is_let_in", make)


def change_registration(change: Callable[[Any], None]) -> None:
    def make(usual: Any) -> Any:
        def registration(self: Any) -> Any:
            request = usual(self)
            change(request)
            return request

        return registration

    instead(plugin, "registration", make)


@kills("REG-1")
def remote_url_is_a_path() -> None:
    def change(request: Any) -> None:
        body = json.loads(request.data)
        request.data = json.dumps({**body, "ui": {"remoteUrl": bare.REMOTE}}).encode()

    change_registration(change)


@kills("REG-2")
def retries_after_409() -> None:
    instead(plugin, "register", lambda usual: lambda self: usual(self) or self.state != "Ready")


@kills("REG-2")
def gives_up_when_core_is_away() -> None:
    instead(plugin, "register", lambda usual: lambda self: bool(usual(self)) and False)


@kills("REG-2")
def retries_at_once() -> None:
    instead(threading.Event, "wait", lambda usual: lambda self, _=None: usual(self, 0))
    instead(plugin, "register", lambda usual: lambda self: bool(usual(self) or sleep_on()))


def sleep_on() -> bool:
    time.sleep(3600)
    return False


@kills("REG-3")
def register_only_says_so() -> None:
    def make(usual: Any) -> Any:
        def answer(self: Any, path: str) -> Any:
            if path == "/register" and self.is_let_in():
                return self.send_data(202, {"state": self.plugin.state})
            return usual(self, path)

        return answer

    instead(handler, "answer", make)


@kills("TRC-2")
def calls_carry_no_trace() -> None:
    change_registration(lambda request: request.remove_header("Traceparent"))


@kills("LIF-1")
def ends_at_once() -> None:
    instead(signal, "signal", lambda usual: lambda number, _handler: usual(number, _exit))


def _exit(*_: object) -> None:
    os._exit(0)


@kills("LIF-1")
def ends_as_if_killed() -> None:
    instead(bare.Server, "server_close", lambda _usual: lambda _self: os._exit(143))


@kills("WHK-1")
def every_signature_is_good() -> None:
    instead(bare, "is_signed", always(True))


@kills("WHK-1")
def only_the_first_secret_counts() -> None:
    instead(
        bare,
        "words",
        lambda usual: lambda name: usual(name)[: 1 if name == "WEBHOOK_SECRETS" else None],
    )


@kills("WHK-1")
def body_is_read_before_it_is_proven() -> None:
    def make(usual: Any) -> Any:
        def signed(headers: Any, body: bytes) -> Any:
            body.decode("utf-8")
            return usual(headers, body)

        return signed

    instead(bare, "is_signed", make)


@kills("WHK-2")
def repetition_is_handled_again() -> None:
    instead(
        plugin,
        "take",
        lambda _usual: lambda self, _tenant, _id, body: {"ignored": len(self.events(body))},
    )


def infect(name: str) -> None:
    """Break the rule that a mutant breaks, in this process."""
    MUTANTS[name][1]()


if __name__ == "__main__":
    infect(sys.argv[1])
    bare.main()
