"""Probes: alive, ready, and open to whoever asks (spec §8.2, §16)."""

from mosaiclife_plugin_contract.context import Context
from mosaiclife_plugin_contract.documents import member
from mosaiclife_plugin_contract.doubles.core import Answer
from mosaiclife_plugin_contract.registry import Need, check
from mosaiclife_plugin_contract.violation import expect


@check("HLT-1", spec="8.2", needs={Need.START})
async def neither_probe_depends_on_core(ctx: Context) -> None:
    """Both probes are green while core is away.

    Liveness speaks of the process only. Readiness never waits for registration: core itself waits
    for a green probe before it shows the plugin, so each would wait for the other.
    """
    async with ctx.launch(None) as plugin:
        alive = await plugin.call("GET", await ctx.liveness())
        expect(alive.status == 200, "liveness is 200 without core", saw=alive.summary)
        path = await ctx.readiness()
        if not await ctx.status(plugin, path, 200):
            saw = (await plugin.call("GET", path)).summary
            expect(False, "readiness is 200 without core", saw=saw, expected=200)


@check("HLT-2", spec="8.2", needs={Need.START, Need.CORE})
async def readiness_is_red_without_the_remote(ctx: Context) -> None:
    """Readiness is 503 and names the failing check while the UI remote is not there.

    The kit sets UI_REMOTE_URL to an address that answers 404, and later 200.
    """
    with ctx.core() as core:
        async with ctx.launch(core, UI_REMOTE_URL=core.remote_url) as plugin:
            path = await ctx.readiness()
            red = await plugin.call("GET", path)
            expect(red.status == 503, "readiness is red", saw=red.summary, expected=503)
            details = member(red.json(), list, "a red probe", "error", "details")
            named = [one for one in details if isinstance(one, dict) and one.get("field")]
            expect(named, "a red probe names the failing check", saw=red.summary)
            core.remote = Answer(200, {})
            green = await ctx.status(plugin, path, 200)
            expect(green, "readiness turns green with the remote", expected=200)


@check("HLT-3", spec="8.2")
async def open_endpoints_need_no_bearer(ctx: Context) -> None:
    """Probes, /metrics, /manifest and the remote's entry answer without a bearer."""
    remote = await ctx.path("ui", "remotePath")
    wanted = {
        await ctx.liveness(): {200},
        await ctx.readiness(): {200, 503},
        "/metrics": {200},
        "/manifest": {200},
        remote: {200, 404},  # the remote may lie elsewhere
    }
    for path, statuses in wanted.items():
        reply = await ctx.call("GET", path)
        rule = f"GET {path} answers without a bearer"
        expect(reply.status in statuses, rule, saw=reply.summary, expected=statuses)


@check("HLT-4", spec="8.2")
async def wrong_method_is_405(ctx: Context) -> None:
    """A method that an endpoint does not know is 405, and Allow says which it does."""
    for path in (await ctx.liveness(), "/metrics", "/manifest"):
        reply = await ctx.call("DELETE", path)
        rule = f"DELETE {path} is 405"
        expect(reply.status == 405, rule, saw=reply.summary, expected=405)
        allowed = {method.strip() for method in reply.headers.get("allow", "").split(",")}
        expect("GET" in allowed, f"{rule} with Allow: GET", saw=reply.headers.get("allow", "none"))
