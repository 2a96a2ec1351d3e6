"""The plugin's own API: time limits, refusals of bodies, tenancy (spec §8.1, §8.3, §13)."""

import asyncio
from collections.abc import AsyncIterator

from mosaiclife_plugin_contract.context import Context
from mosaiclife_plugin_contract.deliveries import TENANT, deliver, fresh
from mosaiclife_plugin_contract.description import PATH, routes
from mosaiclife_plugin_contract.documents import member
from mosaiclife_plugin_contract.registry import Level, Need, check
from mosaiclife_plugin_contract.violation import NotApplicable, Unanswered, expect

SIGNED = {Need.TOKEN, Need.SECRET}
LIMIT_MS = 200
STALL_SECONDS = 0.7
OVERSIZE = 1024 * 1024 + 64 * 1024


@check("API-2", spec="8.1", feature="webhooks", needs=SIGNED)
async def time_limit_ends_in_504(ctx: Context) -> None:
    """A request that outlasts its X-Request-Timeout-Ms ends in 504.

    The kit sends half of a good delivery and stalls for longer than the limit, so that any
    plugin has a request that takes too long; 408 will do for it as well.
    """
    delivery = fresh(ctx)

    async def slowly() -> AsyncIterator[bytes]:
        half = len(delivery.body) // 2
        yield delivery.body[:half]
        await asyncio.sleep(STALL_SECONDS)
        yield delivery.body[half:]

    limit = ("x-request-timeout-ms", str(LIMIT_MS))
    length = ("content-length", str(len(delivery.body)))
    reply = await deliver(ctx, delivery, more=[limit, length], content=slowly())
    rule = f"a request with {LIMIT_MS} ms to go that takes {STALL_SECONDS:g} s ends in 504"
    expect(reply.status in (504, 408), rule, saw=reply.summary, expected=504)


@check("API-3", spec="8.3", level=Level.SHOULD)
async def api_is_described(ctx: Context) -> None:
    """The plugin describes its API in OpenAPI 3.1 at /schema/openapi.json, without a bearer."""
    reply = await ctx.call("GET", PATH)
    expect(reply.status == 200, "there is an OpenAPI document", saw=reply.summary, expected=200)
    document = member(reply.json(), dict, "the OpenAPI document")
    version = member(document, str, "the OpenAPI document", "openapi")
    expect(version.startswith("3.1."), "it is OpenAPI 3.1", saw=version)
    declared = (await ctx.declared()).get("version")
    stated = member(document, str, "the OpenAPI document", "info", "version")
    expect(stated == declared, "it has the plugin's version", saw=stated, expected=declared)
    base = await ctx.below("/")
    paths = member(document, dict, "the OpenAPI document", "paths")
    under = [path for path in paths if path.startswith(base)]
    expect(under, f"it describes the routes under {base}", saw=sorted(paths))


@check("API-4", spec="8.3", feature="webhooks", needs=SIGNED)
async def bad_bodies_are_refused(ctx: Context) -> None:
    """A body that is too large is 413, of a wrong type 415, malformed 400, though well signed.

    HTTP allows a server to end the connection of a body that it will not read, and then the 413
    may be lost on its way: a plugin that does so, and goes on to answer, refuses well enough.
    """
    wrong_type = await deliver(ctx, fresh(ctx, content_type="text/plain"))
    expect(wrong_type.status == 415, "text/plain is 415", saw=wrong_type.summary, expected=415)
    malformed = await deliver(ctx, fresh(ctx, body=b'{"events":['))
    expect(malformed.status == 400, "half a document is 400", saw=malformed.summary, expected=400)
    try:
        oversize = await deliver(ctx, fresh(ctx, body=b'{"events":[]}' + b" " * OVERSIZE))
    except Unanswered:
        alive = await ctx.call("GET", await ctx.liveness())
        expect(alive.status == 200, "the plugin outlives a body too large", saw=alive.summary)
    else:
        rule = f"{OVERSIZE} bytes are 413"
        expect(oversize.status == 413, rule, saw=oversize.summary, expected=413)


@check("TEN-1", spec="13", feature="webhooks", needs=SIGNED)
async def every_call_names_one_tenant(ctx: Context) -> None:
    """A call under the base path without exactly one tenant is 400."""
    without = await deliver(ctx, fresh(ctx, x_tenant_id=None))
    expect(without.status == 400, "no X-Tenant-ID is 400", saw=without.summary, expected=400)
    twice = await deliver(ctx, fresh(ctx), more=[("x-tenant-id", f"{TENANT}-2")])
    expect(twice.status == 400, "two X-Tenant-IDs are 400", saw=twice.summary, expected=400)


@check("TEN-2", spec="13", needs={Need.TOKEN})
async def nobody_is_no_viewer(ctx: Context) -> None:
    """A data route without a viewer is 403, and one whose viewer cannot be read is 400.

    The service scope is said, never a default. The routes come from the plugin's description of
    its API; one that has no readable route without parameters has nothing to show.
    """
    data = await ctx.below("/data/")
    known = await routes(ctx, data)
    plain = [path for method, path in known if method == "GET" and "{" not in path]
    if not plain:
        raise NotApplicable(f"no route below {data} is described")
    headers = [*ctx.bearer, ("x-tenant-id", TENANT)]
    for path in plain:
        nobody = await ctx.call("GET", path, headers)
        rule = f"GET {path} without X-User-Context is 403"
        expect(nobody.status == 403, rule, saw=nobody.summary, expected=403)
        garbled = await ctx.call("GET", path, [*headers, ("x-user-context", "e30x!")])
        rule = f"GET {path} with a garbled X-User-Context is 400"
        expect(garbled.status == 400, rule, saw=garbled.summary, expected=400)
