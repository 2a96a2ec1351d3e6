"""The two cores of the project under one handle: `FakeCore`, and the development core."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx

from mosaiclife_devcore import Grant, Settings, create_core
from mosaiclife_devcore.errors import RateLimited
from mosaiclife_plugin_sdk.testing import FakeCore, refusal
from tests.support.registrations import SERVICE_URL, registration_body
from tests.support.serving import served

PLUGIN, TOKEN, SECRETS = "tiny", "tiny-token", {"KEY": "s3cret"}
CAPABILITIES = ["events:publish", "events:subscribe", "jobs:schedule", "secrets:read"]


@dataclass(frozen=True)
class Subject:
    """A core that listens, and what only its operator can do."""

    http: httpx.Client
    disable: Callable[[], object]
    renew: Callable[[], object]
    crowd: Callable[[str], object]
    be_away: Callable[[str], object]

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Call with the plugin's own token."""
        return self.http.request(method, path, **{"headers": bearer(), **options})

    def register(self, **manifest: Any) -> httpx.Response:
        """Register the plugin with every capability, unless *manifest* says otherwise."""
        wanted = {"capabilities": CAPABILITIES, "secrets": ["KEY", "UNSET"], **manifest}
        return self.ask("POST", "/plugins/register", json=registration_body(PLUGIN, **wanted))


def bearer(token: str = TOKEN) -> dict[str, str]:
    """Return the header that names the plugin."""
    return {"authorization": f"Bearer {token}"}


@contextmanager
def fake_core(*, scheduler: bool = True, refused: Sequence[str] = ()) -> Iterator[Subject]:
    """Run the stand-in; being full or away is what a test tells it to be."""
    full = refusal(429, "RATE_LIMITED", retry_after=1)
    away = refusal(503, "SERVICE_UNAVAILABLE", retry_after=1)
    with (
        FakeCore(token=TOKEN, scheduler=scheduler, secrets=SECRETS, refused=refused) as core,
        httpx.Client(base_url=f"{core.url}/api") as http,
    ):
        yield Subject(
            http,
            disable=core.disable,
            renew=_never,
            crowd=lambda call: core.script(call, full),
            be_away=lambda call: core.script(call, away),
        )


@contextmanager
def development_core(*, scheduler: bool = True, refused: Sequence[str] = ()) -> Iterator[Subject]:
    """Run the development core as its command does, with the platform's rates."""
    allowed = tuple(one for one in CAPABILITIES if one not in refused)
    grant = Grant(tokens=(TOKEN,), urls=(SERVICE_URL,), secrets=SECRETS, capabilities=allowed)
    app = create_core(
        Settings(plugins={PLUGIN: grant}, feed=False, scheduler=scheduler, rate_limits=True)
    )
    rates = app.state.rates

    def crowd(_: str) -> None:
        with suppress(RateLimited):
            while True:
                rates.count_call(PLUGIN)

    with served(app) as url, httpx.Client(base_url=f"{url}/api") as http:

        def operate(method: str, path: str) -> None:
            headers = {"sec-fetch-site": "same-origin"}
            http.request(method, path, headers=headers).raise_for_status()

        def renew() -> None:
            operate("PUT", f"/plugins/{PLUGIN}/enable")
            operate("DELETE", f"/plugins/{PLUGIN}")
            rates._seen.clear()

        yield Subject(
            http,
            disable=lambda: operate("PUT", f"/plugins/{PLUGIN}/disable"),
            renew=renew,
            crowd=crowd,
            be_away=_never,
        )


def _never(*_: object) -> None:
    raise AssertionError("this core cannot be brought to it")


CORES: Mapping[str, Callable[..., AbstractContextManager[Subject]]] = {
    "fake": fake_core,
    "development": development_core,
}
