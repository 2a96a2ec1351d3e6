"""A whole plugin in plain `http.server`, written from the design's tables and `sdk/schema/` alone.

It knows nothing of our SDK, and so shows that the contract can be kept without it. Run it with the
variables of the contract: `CORE_BASE_URL=… REG_TOKEN=… python plugin.py`.
"""

import base64
import hmac
import json
import os
import random
import re
import resource
import secrets
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
MANIFEST: dict[str, Any] = yaml.safe_load((HERE / "plugin.yaml").read_text())
BASE, LIVE = MANIFEST["endpoints"]["basePath"], MANIFEST["health"]["livenessPath"]
READY, REMOTE = MANIFEST["health"]["readinessPath"], MANIFEST["ui"]["remotePath"]
INGEST = f"{BASE}/webhooks/ingest"
ROUTES = {
    **dict.fromkeys((LIVE, READY, "/metrics", "/manifest", REMOTE), "GET"),
    **dict.fromkeys(("/register", INGEST), "POST"),
}
MOST, WINDOW = 1024 * 1024, 300
STATES = ("Installed", "Registering", "Ready", "Degraded", "Disabled")
BOUNDS = (0.05, 0.2, 1.0, float("inf"))
TRACE = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


class Refusal(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status, self.code, self.headers = status, code, headers
        self.details: list[dict[str, str]] = []


def words(name: str) -> list[str]:
    return os.environ.get(name, "").split()


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def log(level: str, message: str, trace: str = "", span: str = "", **more: Any) -> None:
    who = {"plugin.name": MANIFEST["name"], "plugin.version": MANIFEST["version"]}
    line = {"timestamp": now(), "level": level, **who, "trace_id": trace, "span_id": span}
    sys.stdout.write(json.dumps({**line, "msg": message, **more}) + "\n")
    sys.stdout.flush()


def check_settings() -> None:
    """Refuse to start with a value that the manifest's configSchema refuses."""
    for key, rule in MANIFEST["configSchema"]["properties"].items():
        text = os.environ.get(key, str(rule["default"]))
        if "enum" in rule and text not in rule["enum"]:
            sys.exit(refuse_setting(key, f"one of {', '.join(rule['enum'])}"))
        if rule["type"] == "number" and not re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
            sys.exit(refuse_setting(key, "a number of at least 0"))


def refuse_setting(key: str, allowed: str) -> int:
    sys.stderr.write(f"{key}: is not {allowed}\n")
    return 2


def is_bearer(header: str) -> bool:
    tokens = words("CORE_TOKEN") or words("REG_TOKEN")
    given = header.encode("latin-1")
    return any(hmac.compare_digest(given, f"Bearer {token}".encode()) for token in tokens)


def is_signed(headers: dict[str, str], body: bytes) -> bool:
    """Judge a delivery as Standard Webhooks says, over the raw body."""
    id_, moment = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not id_ or not re.fullmatch("[0-9]{1,12}", moment, re.ASCII):
        return False
    if abs(time.time() - int(moment)) > WINDOW:
        return False
    keys = [base64.b64decode(word.removeprefix("whsec_")) for word in words("WEBHOOK_SECRETS")]
    signed = f"{id_}.{moment}.".encode("latin-1") + body
    good = [b"v1," + base64.b64encode(hmac.digest(key, signed, "sha256")) for key in keys]
    offered = headers.get("webhook-signature", "").encode("latin-1").split()
    return any(hmac.compare_digest(one, other) for one in good for other in offered)


class Plugin:
    """What the plugin remembers while it runs."""

    def __init__(self) -> None:
        self.state, self.reason = STATES[0], ""
        self.draining = False
        self.wake = threading.Event()
        self.lock = threading.Lock()
        self.answers: dict[tuple[str, str], Any] = {}
        self.counts: Counter[tuple[str, str, str]] = Counter()
        self.slots: Counter[tuple[str, str, float]] = Counter()
        self.seconds: Counter[tuple[str, str]] = Counter()

    # Readiness.

    def failing(self) -> dict[str, str]:
        """Return each check that fails, with the reason."""
        if self.draining:
            return {"draining": "the process is stopping"}
        return {} if self.remote_is_there() else {"ui": "the remote is not there"}

    def remote_is_there(self) -> bool:
        if not (url := os.environ.get("UI_REMOTE_URL")):
            return (HERE / "remoteEntry.js").is_file()
        try:
            with urllib.request.urlopen(url, timeout=2):
                return True
        except OSError:
            return False

    # Deliveries.

    def take(self, tenant: str, webhook_id: str, body: bytes) -> Any:
        """Count a delivery's events; one that comes again gets the answer it got."""
        with self.lock:
            if (tenant, webhook_id) not in self.answers:
                self.answers[tenant, webhook_id] = {"ignored": len(self.events(body))}
            return self.answers[tenant, webhook_id]

    def events(self, body: bytes) -> list[Any]:
        try:
            events = json.loads(body)["events"]
        except (ValueError, KeyError, TypeError) as error:
            raise Refusal(400, "INVALID_FORMAT", "The body is no batch of events.") from error
        if not isinstance(events, list):
            raise Refusal(400, "INVALID_FORMAT", "The body is no batch of events.")
        return events

    # Metrics.

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        with self.lock:
            self.counts[method, route, str(status)] += 1
            self.seconds[method, route] += seconds  # type: ignore[assignment]
            for bound in BOUNDS:
                self.slots[method, route, bound] += seconds <= bound

    def metrics(self) -> str:
        """Write every family in the text format of Prometheus."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        with self.lock:
            rows: list[tuple[str, str, list[tuple[str, float]]]] = [
                ("plugin_http_requests_total", "counter", [(f'method="{m}",route="{r}",status="{s}"', n) for (m, r, s), n in self.counts.items()]),
                ("plugin_errors_total", "counter", [('kind="internal"', sum(n for (_, _, s), n in self.counts.items() if s == "500"))]),
                ("plugin_queue_depth", "gauge", [('queue="deliveries"', 0)]),
                ("plugin_state", "gauge", [(f'state="{name}"', int(name == self.state)) for name in STATES]),
                ("plugin_info", "gauge", [(f'name="{MANIFEST["name"]}",version="{MANIFEST["version"]}"', 1)]),
                ("process_resident_memory_bytes", "gauge", [("", used.ru_maxrss * 1024)]),
                ("process_cpu_seconds_total", "counter", [("", used.ru_utime + used.ru_stime)]),
            ]  # fmt: skip
            lines = [line for row in rows for line in family(*row)]
            return "\n".join([*lines, *self.durations()]) + "\n"

    def durations(self) -> list[str]:
        name = "plugin_http_request_duration_seconds"
        lines = [f"# TYPE {name} histogram"]
        for (method, route), total in self.seconds.items():
            labels = f'method="{method}",route="{route}"'
            for bound in BOUNDS:
                le = "+Inf" if bound == BOUNDS[-1] else str(bound)
                count = self.slots[method, route, bound]
                lines.append(f'{name}_bucket{{{labels},le="{le}"}} {count}')
            count = self.slots[method, route, BOUNDS[-1]]
            lines += [f"{name}_sum{{{labels}}} {total}", f"{name}_count{{{labels}}} {count}"]
        return lines

    # Registration.

    def stay_registered(self) -> None:
        """Register, and again whenever it is asked for; wait longer each time core is away."""
        wait = 0.1
        while True:
            self.wake.clear()
            again = self.register()
            self.wake.wait(wait * random.uniform(1, 1.5) if again else None)
            wait = min(wait * 2, 30) if again else 0.1

    def register(self) -> bool:
        """Try once; tell whether to try again."""
        self.state = "Registering"
        try:
            with urllib.request.urlopen(self.registration(), timeout=5):
                self.state, self.reason = "Ready", ""
                return False
        except urllib.error.HTTPError as error:
            self.reason = (
                f"core refuses: {error.code} {error.read(2000).decode('utf-8', 'replace')}"
            )
            again = error.code >= 500 or error.code == 429
        except OSError as error:
            self.reason, again = f"core cannot be reached: {error}", True
        log("warn" if again else "error", self.reason)
        return again

    def registration(self) -> urllib.request.Request:
        service = os.environ.get("PLUGIN_PUBLIC_URL", "http://127.0.0.1:7001")
        remote = os.environ.get("UI_REMOTE_URL") or service + REMOTE
        body = {"manifest": MANIFEST, "serviceUrl": service, "ui": {"remoteUrl": remote}}
        token = next(iter(words("REG_TOKEN")), "")
        headers = {
            "content-type": "application/json",
            "authorization": f"Bearer {token}",
            "traceparent": f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01",
        }
        url = f"{os.environ['CORE_BASE_URL']}/api/plugins/register"
        return urllib.request.Request(url, json.dumps(body).encode(), headers, method="POST")


def family(name: str, kind: str, samples: list[tuple[str, float]]) -> list[str]:
    rows = [
        f"{name}{{{labels}}} {value}" if labels else f"{name} {value}" for labels, value in samples
    ]
    return [f"# TYPE {name} {kind}", *rows]


class Handler(BaseHTTPRequestHandler):
    """One request."""

    plugin: Plugin
    timeout = 5
    server_version, sys_version = "plugin", ""

    def handle_any(self) -> None:
        began, path = time.perf_counter(), self.path.partition("?")[0]
        found = TRACE.fullmatch(self.headers.get("traceparent", ""))
        trace, span = found[1] if found else secrets.token_hex(16), secrets.token_hex(8)
        try:
            status = self.answer(path)
        except Refusal as refusal:
            status = self.refuse(refusal)
        except Exception as error:  # a bug of the plugin's is one failed request  # noqa: BLE001
            log("error", f"{type(error).__name__}", trace, span)
            status = self.refuse(Refusal(500, "INTERNAL", "The plugin failed."))
        route = self.route(path)
        self.plugin.observe(self.command, route, status, time.perf_counter() - began)
        log("info", "request", trace, span, method=self.command, route=route, status=status)

    def route(self, path: str) -> str:
        return path if path in ROUTES else "unmatched"

    def answer(self, path: str) -> int:
        """Let the request in, find what it asks for, and return the status that was sent."""
        body = self.read_body()
        if (path == "/register" or path.startswith(BASE)) and not self.is_let_in():
            raise Refusal(
                401, "AUTH_INVALID", "Core's bearer is needed.", **{"WWW-Authenticate": "Bearer"}
            )
        if path not in ROUTES:
            raise Refusal(404, "RESOURCE_NOT_FOUND", "There is nothing here.")
        if self.command != ROUTES[path]:
            raise Refusal(405, "METHOD_NOT_ALLOWED", "Not so.", Allow=ROUTES[path])
        match path:
            case "/metrics":
                return self.send(200, self.plugin.metrics().encode(), "text/plain; version=0.0.4")
            case "/manifest":
                return self.send_json(200, MANIFEST)
            case "/register":
                self.plugin.wake.set()
                return self.send_data(202, {"state": self.plugin.state})
        if path == REMOTE:
            return self.send(200, (HERE / "remoteEntry.js").read_bytes(), "text/javascript")
        if path == INGEST:
            return self.ingest(body)
        return self.ready() if path == READY else self.send_data(200, {"status": "alive"})

    def is_let_in(self) -> bool:
        return is_bearer(self.headers.get("authorization", ""))

    def read_body(self) -> bytes:
        limit = self.headers.get("x-request-timeout-ms", "")
        if re.fullmatch("[0-9]{1,9}", limit):
            self.connection.settimeout(min(int(limit) / 1000, self.timeout))
        try:
            return self.rfile.read(min(int(self.headers.get("content-length") or 0), 4 * MOST))
        except TimeoutError as error:
            raise Refusal(504, "TIMEOUT", "The time for this request is over.") from error

    def ready(self) -> int:
        if failing := self.plugin.failing():
            refusal = Refusal(503, "SERVICE_UNAVAILABLE", "The plugin is not ready.")
            refusal.details = [{"field": name, "message": why} for name, why in failing.items()]
            raise refusal
        state = {"state": self.plugin.state, "reason": self.plugin.reason}
        return self.send_data(200, {"status": "ready", **state})

    def ingest(self, body: bytes) -> int:
        """Take a delivery: tenant, size, type, signature, content, in this order."""
        tenants = self.headers.get_all("x-tenant-id", [])
        if len(tenants) != 1 or not tenants[0]:
            raise Refusal(400, "INVALID_FORMAT", "Exactly one X-Tenant-ID is needed.")
        if len(body) > MOST:
            raise Refusal(413, "PAYLOAD_TOO_LARGE", "That is too much.")
        if self.headers.get_content_type() != "application/json":
            raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", "Send JSON.")
        names = [name.lower() for name in self.headers]
        once = {name: self.headers[name] for name in names if names.count(name) == 1}
        if not is_signed(once, body):
            raise Refusal(
                401, "AUTH_INVALID", "The signature is not valid.", **{"WWW-Authenticate": "Bearer"}
            )
        return self.send_data(200, self.plugin.take(tenants[0], once["webhook-id"], body))

    def refuse(self, refusal: Refusal) -> int:
        error = {"code": refusal.code, "message": str(refusal), "details": refusal.details}
        ids = {"requestId": secrets.token_hex(8), "timestamp": now()}
        return self.send_json(refusal.status, {"error": {**error, **ids}}, **refusal.headers)

    def send_data(self, status: int, data: Any) -> int:
        meta = {"requestId": secrets.token_hex(8), "timestamp": now()}
        return self.send_json(status, {"data": data, "meta": meta})

    def send_json(self, status: int, document: Any, **headers: str) -> int:
        return self.send(status, json.dumps(document).encode(), "application/json", **headers)

    def send(self, status: int, body: bytes, media_type: str, **headers: str) -> int:
        self.send_response(status)
        fixed = {"Content-Type": media_type, "Content-Length": str(len(body))}
        for name, value in {**fixed, "X-Content-Type-Options": "nosniff", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        return status

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Write no line of the server's own: they are no JSON."""

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815


class Server(ThreadingHTTPServer):
    """A server that finishes what it has begun."""

    daemon_threads = False
    request_queue_size = 128


def main() -> None:
    """Serve until SIGTERM; then be red for a while, finish, and exit 0."""
    check_settings()
    plugin = Handler.plugin = Plugin()
    server = Server(
        (os.environ.get("HOST", "0.0.0.0"), int(os.environ.get("PORT", "7001"))), Handler
    )

    def drain(*_: object) -> None:
        plugin.draining = True
        seconds = float(os.environ.get("DRAIN_SECONDS", "2"))
        threading.Timer(seconds, server.shutdown).start()

    signal.signal(signal.SIGTERM, drain)
    threading.Thread(target=plugin.stay_registered, daemon=True).start()
    log("info", "listening")
    server.serve_forever(poll_interval=0.05)
    server.server_close()


if __name__ == "__main__":
    main()
