"""Registration with core, and the plugin's end (spec §10, §16)."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

from mosaiclife_plugin_contract.context import Context
from mosaiclife_plugin_contract.deliveries import deliver, fresh
from mosaiclife_plugin_contract.documents import member
from mosaiclife_plugin_contract.doubles.core import (
    HANG_UP,
    Answer,
    Asked,
    StandInCore,
    refusal,
)
from mosaiclife_plugin_contract.registry import Need, check
from mosaiclife_plugin_contract.targets.base import Instance
from mosaiclife_plugin_contract.violation import Unanswered, expect, shown

FEATURE = "register"
REASON = "contract-kit: core 0.0.1 does not satisfy the range"
AWAY = Answer(503, {"error": {"code": "SERVICE_UNAVAILABLE", "message": "core starts"}})
TOO_SOON = 0.05


async def attempts(ctx: Context, core: StandInCore, number: int) -> list[Asked]:
    """Wait for a number of attempts to register, and return all there are."""

    async def enough() -> bool:
        return len(core.registrations) >= number

    # A plugin may take its time between attempts: half of the check's is enough.
    seconds = ctx.limits.check / 2
    seen = await ctx.eventually(enough, seconds)
    saw = f"{len(core.registrations)} attempts in {seconds:g} s"
    expect(seen, f"the plugin tries to register {number} times", saw=saw)
    return core.registrations


@check("REG-1", spec="10", feature=FEATURE, needs={Need.CORE})
async def registration_says_everything(ctx: Context) -> None:
    """The plugin registers with its manifest, its address, its remote's URL and its token.

    The manifest is what /manifest says; the remote answers at the URL, with the integrity that
    was told if one was.
    """
    asked = (await attempts(ctx, ctx.plugin.the_core(), 1))[-1]
    bearer = f"Bearer {ctx.credentials.reg_token}"
    right = asked.method == "POST" and asked.headers.get("authorization") == bearer
    expect(right, "it is a POST with the bearer REG_TOKEN", saw=asked.method)
    kind = asked.headers.get("content-type", "").partition(";")[0]
    expect(kind == "application/json", "it is JSON", saw=kind)
    body = member(asked.json(), dict, "the registration")
    expect(body.get("manifest") == await ctx.served(), "the manifest is that of /manifest")
    url = body.get("serviceUrl")
    expect(url == ctx.plugin.public_url, "serviceUrl is PLUGIN_PUBLIC_URL", saw=url)
    await _judge_remote(ctx, body)


async def _judge_remote(ctx: Context, body: dict[str, Any]) -> None:
    remote = member(body, str, "the registration", "ui", "remoteUrl")
    parts = urlsplit(remote)
    absolute = parts.scheme in ("http", "https") and parts.netloc
    expect(absolute, "ui.remoteUrl is an absolute URL", saw=remote)
    if not remote.startswith(ctx.plugin.public_url + "/"):
        return
    entry = await ctx.call("GET", parts.path)
    expect(entry.status == 200, "the remote answers at ui.remoteUrl", saw=entry.summary)
    integrity = body["ui"].get("integrity")
    digest = base64.b64encode(hashlib.sha384(entry.body).digest()).decode()
    right = integrity in (None, f"sha384-{digest}")
    expect(right, "ui.integrity is the hash of what answers", saw=integrity)


@check("REG-2", spec="10", feature=FEATURE, needs={Need.START, Need.CORE})
async def refusals_end_what_absence_does_not(ctx: Context) -> None:
    """Registration is tried again after 503 and a lost connection, and given up after 409.

    After a refusal the plugin stays up, says why, and tries again on POST /register. Between two
    attempts it waits.
    """
    script = (AWAY, HANG_UP, refusal(409, "PLUGIN_INCOMPATIBLE", REASON))
    with ctx.core(*script) as core:
        async with ctx.launch(core) as plugin:
            await _judge_patience(ctx, core, plugin)


async def _judge_patience(ctx: Context, core: StandInCore, plugin: Instance) -> None:
    seen = await attempts(ctx, core, 3)
    waits = [later.at - before.at for before, later in pairwise(seen)]
    expect(min(waits) > TOO_SOON, "attempts keep a distance", saw=f"{min(waits):.3f} s")
    await asyncio.sleep(ctx.limits.patience)
    again = len(core.registrations) - 3
    expect(not again, "409 ends the attempts", saw=f"{again} more", expected="none")
    alive = await plugin.call("GET", await ctx.liveness())
    expect(alive.status == 200, "a refused plugin stays up", saw=alive.summary)
    expect(REASON in await _words(ctx, plugin), "it says why it was refused", expected=REASON)
    asked = await plugin.call("POST", "/register", ctx.bearer)
    expect(asked.status == 202, "POST /register is 202", saw=asked.summary, expected=202)
    await attempts(ctx, core, 4)


async def _words(ctx: Context, plugin: Instance) -> str:
    """Return what an operator can read: the log where there is one, and the readiness probe."""
    probe = await plugin.call("GET", await ctx.readiness())
    log = plugin.life.output() if plugin.life else ""
    return log + probe.text


@check("REG-3", spec="10", feature=FEATURE, needs={Need.CORE, Need.TOKEN})
async def registering_again_changes_nothing(ctx: Context) -> None:
    """POST /register answers 202 with the state, and the plugin registers again as before."""
    core = ctx.plugin.the_core()
    before = len(await attempts(ctx, core, 1))
    reply = await ctx.call("POST", "/register", ctx.bearer)
    expect(reply.status == 202, "POST /register is 202", saw=reply.summary, expected=202)
    member(reply.json(), str, "the answer to POST /register", "data", "state")
    seen = await attempts(ctx, core, before + 1)
    same = seen[-1].json() == seen[0].json()
    expect(same, "the second registration says what the first said", saw=shown(seen[-1].body))


@check("LIF-1", spec="16", feature="webhooks", needs={Need.START, Need.PROCESS})
async def stop_is_graceful(ctx: Context) -> None:
    """SIGTERM turns readiness red first, requests under way are finished, the exit code is 0.

    The request under way is a delivery whose second half the kit holds back until the probe is
    red. The kit sets DRAIN_SECONDS to half a second.
    """
    async with ctx.launch(None) as plugin:
        await ctx.status(plugin, await ctx.readiness(), 200)
        started, red = asyncio.Event(), asyncio.Event()
        under_way = asyncio.create_task(_held_back(ctx, plugin, started, red))
        try:
            await asyncio.wait_for(started.wait(), ctx.limits.request)
            plugin.the_life().terminate()
            turned = await _turns_red(ctx, plugin)
            red.set()
            expect(turned, "readiness is 503 before the listener closes", expected=503)
            reply = await under_way
            expect(reply == 200, "a request under way is finished", saw=reply, expected=200)
        finally:
            under_way.cancel()
            await asyncio.gather(under_way, return_exceptions=True)
        async with asyncio.timeout(ctx.limits.request):
            code = await plugin.the_life().ended()
        expect(code == 0, "the exit code is 0", saw=code, expected=0)


async def _held_back(
    ctx: Context, plugin: Instance, started: asyncio.Event, released: asyncio.Event
) -> int:
    """Deliver in two halves, the second when *released*; return the status."""
    delivery = fresh(ctx)

    async def halves() -> AsyncIterator[bytes]:
        half = len(delivery.body) // 2
        yield delivery.body[:half]
        started.set()
        await released.wait()
        yield delivery.body[half:]

    length = ("content-length", str(len(delivery.body)))
    reply = await deliver(ctx, delivery, instance=plugin, more=[length], content=halves())
    return reply.status


async def _turns_red(ctx: Context, plugin: Instance) -> bool:
    try:
        return await ctx.status(plugin, await ctx.readiness(), 503)
    except Unanswered:
        return False
