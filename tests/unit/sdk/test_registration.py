"""The registrar against a real HTTP core: when it tries, when it stops, when it begins again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from mosaiclife_plugin_sdk import AsyncCoreClient, Job, Registration, Secret
from mosaiclife_plugin_sdk.frame import registration
from mosaiclife_plugin_sdk.frame.lifecycle import Lifecycle
from mosaiclife_plugin_sdk.frame.registration import Backoff, JobHandover, Registrar
from mosaiclife_plugin_sdk.testing import Answer, FakeCore, hang_up, refusal
from tests.support.registrations import registration_body

pytestmark = pytest.mark.anyio

BODY = registration_body(capabilities=["jobs:schedule"])


class Rig:
    """A registrar at work, and everything that it touches."""

    def __init__(self, core: FakeCore, token: Secret, interval: float) -> None:
        self.life = Lifecycle()
        self.life.readiness(True)
        self.accepted: list[Registration] = []
        self.client = AsyncCoreClient(core.url, lambda: token.value)
        self.registrar = Registrar(
            self.client,
            self.life,
            lambda: BODY,
            lambda: token.value,
            interval=interval,
            on_accepted=self._note,
            backoff=Backoff(lambda: 0.0),
        )

    async def _note(self, answer: Registration) -> None:
        self.accepted.append(answer)

    async def reaches(self, state: str) -> None:
        """Wait until the plugin sees itself in *state*."""
        until = asyncio.get_running_loop().time() + 10
        while self.life.state.value != state:
            assert asyncio.get_running_loop().time() < until, self.life.outlook()
            await asyncio.sleep(0.01)


@asynccontextmanager
async def at_work(
    core: FakeCore, token: Secret | None = None, interval: float = 60.0
) -> AsyncIterator[Rig]:
    rig = Rig(core, Secret(core.token) if token is None else token, interval)
    task = asyncio.create_task(rig.registrar.run())
    try:
        yield rig
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await rig.client.aclose()


def tries(core: FakeCore) -> int:
    return sum(asked.path.endswith("/register") for asked in core.asked)


async def tried(core: FakeCore, times: int) -> None:
    await asyncio.to_thread(core.wait_for, lambda fake: tries(fake) >= times)


async def stays_quiet(core: FakeCore, seconds: float = 0.7) -> None:
    before = tries(core)
    await asyncio.sleep(seconds)
    assert tries(core) == before


async def test_plugin_registers_and_renews() -> None:
    """The same body goes out again at each interval, so that a restarted core learns of us."""
    with FakeCore() as core:
        async with at_work(core, interval=0.05) as rig:
            await tried(core, 3)
            await rig.reaches("Ready")

        assert core.registrations[:3] == [BODY] * 3


@pytest.mark.parametrize(
    "answer",
    [
        hang_up(),
        refusal(503, "SERVICE_UNAVAILABLE"),
        refusal(500, "INTERNAL"),
        Answer(502, raw=b"<"),
        refusal(429, "RATE_LIMITED", retry_after=0),
        refusal(404, "RESOURCE_NOT_FOUND"),
    ],
    ids=["hang up", "503", "500", "502", "429", "404"],
)
async def test_passing_trouble_is_retried(answer: Answer) -> None:
    """Refused connections, 5xx and 429 are tried again until core is there (spec §10)."""
    with FakeCore() as core:
        core.script("register", answer, answer)
        async with at_work(core) as rig:
            await rig.reaches("Ready")

        assert tries(core) == 3


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "AUTH_INVALID"),
        (403, "PERMISSION_DENIED"),
        (409, "PLUGIN_INCOMPATIBLE"),
        (422, "VALIDATION_FAILED"),
    ],
)
async def test_refusal_stops_the_tries_and_says_why(status: int, code: str) -> None:
    """Where asking again would change nothing the plugin stays up, quiet, with the reason."""
    details = [{"field": "compat.core", "message": "core 2.0.3 does not satisfy >=2.1"}]
    with FakeCore() as core:
        core.script("register", refusal(status, code, details=details))
        async with at_work(core) as rig:
            await tried(core, 1)
            await stays_quiet(core)

            assert rig.life.state.value == "Registering"
            assert code in rig.life.reason
            assert "2.0.3" in rig.life.reason

            rig.registrar.wake()
            await rig.reaches("Ready")


async def test_new_token_in_the_file_begins_again(tmp_path: Path) -> None:
    """A refused token is not tried twice; another one in the file is, without a restart."""
    file = tmp_path / "token"
    file.write_text("wrong")
    with FakeCore() as core:
        async with at_work(core, Secret(file=file)) as rig:
            await tried(core, 1)
            await stays_quiet(core)
            file.write_text(core.token)
            await rig.reaches("Ready")

        assert tries(core) == 2


async def test_missing_token_is_waited_for(tmp_path: Path) -> None:
    """Without a token the plugin is up, asks nothing, and says what is missing."""
    file = tmp_path / "token"
    with FakeCore() as core:
        async with at_work(core, Secret(file=file)) as rig:
            await rig.reaches("Registering")
            assert rig.life.reason == "REG_TOKEN is missing"
            assert tries(core) == 0

            file.write_text(core.token)
            await rig.reaches("Ready")


@pytest.mark.parametrize("wait", [0.05])
async def test_disabled_plugin_asks_slowly(wait: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disabled plugin is Disabled, polls, and is Ready when core says yes again."""
    monkeypatch.setattr(registration, "DISABLED_POLL", wait)
    with FakeCore() as core:
        core.script("register", *[refusal(403, "PLUGIN_DISABLED")] * 3)
        async with at_work(core) as rig:
            await rig.reaches("Disabled")
            await rig.reaches("Ready")

        assert tries(core) == 4


async def test_slow_poll_is_half_a_minute() -> None:
    """The poll of a disabled plugin is the contract's 30 seconds (design: Registration)."""
    assert registration.DISABLED_POLL == 30


async def test_outage_does_not_unmake_a_registration() -> None:
    """While core is away a registered plugin stays what it was; only a minute makes it Degraded."""
    with FakeCore() as core:
        async with at_work(core) as rig:
            await rig.reaches("Ready")
            core.script("register", hang_up(), refusal(503, "SERVICE_UNAVAILABLE"))
            rig.registrar.wake()
            await tried(core, 4)

            assert rig.life.state.value == "Ready"


def test_waits_grow_with_jitter_up_to_half_a_minute() -> None:
    """Each wait is up to twice the one before; what core asks for is honoured, within reason."""
    longest = Backoff(lambda: 1.0)
    waits = [longest.wait() for _ in range(10)]
    assert waits[:4] == [0.25, 0.5, 1.0, 2.0]
    assert waits[-1] == 30

    shortest = Backoff(lambda: 0.0)
    assert shortest.wait() == 0.125
    assert shortest.wait(at_least=7) == 7
    assert shortest.wait(at_least=86400) == 300
    shortest.reset()
    assert shortest.wait() == 0.125


def handover(
    core: FakeCore, fired_here: list[bool]
) -> tuple[AsyncCoreClient, Callable[[Registration], Awaitable[None]]]:
    client = AsyncCoreClient(core.url, core.token)
    jobs = [Job("tidy", "Tidy up.", run=lambda _context: None, schedule="@daily")]
    return client, JobHandover(client, jobs, fired_here.append)


async def test_core_that_fires_gets_the_schedules() -> None:
    """With `scheduler: true` core has the job specs, and this process fires nothing."""
    fired_here: list[bool] = []
    with FakeCore(scheduler=True) as core:
        client, hand = handover(core, fired_here)
        async with client:
            await hand(await client.register(BODY))

        assert core.jobs["tidy"]["schedule"] == "@daily"
        assert fired_here == [False]


@pytest.mark.parametrize("refuses", [True, False])
async def test_schedule_that_core_does_not_take_is_fired_here(refuses: bool) -> None:
    """Without core's scheduler, or when it takes no job, the plugin fires itself."""
    fired_here: list[bool] = []
    with FakeCore(scheduler=refuses) as core:
        client, hand = handover(core, fired_here)
        async with client:
            answer: Any = await client.register(BODY)
            core.script("jobs", refusal(403, "PERMISSION_DENIED"))
            await hand(answer)

        assert fired_here == [True]
