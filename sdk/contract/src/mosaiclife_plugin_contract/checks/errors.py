"""One error body, on every route and with every status (spec §8.1)."""

from mosaiclife_plugin_contract import schemas
from mosaiclife_plugin_contract.calls import Reply
from mosaiclife_plugin_contract.context import Context
from mosaiclife_plugin_contract.registry import check
from mosaiclife_plugin_contract.violation import expect, shown

LEAKS = ("Traceback (most recent", 'File "', "site-packages", "node_modules", " at Object.")


@check("API-1", spec="8.1")
async def errors_have_one_shape(ctx: Context) -> None:
    """Every error has the contract's one JSON body, and tells nothing of the plugin's inside."""
    below = await ctx.below("/contract-kit/nothing-here")
    probes = [
        (await ctx.call("GET", "/contract-kit/nothing-here"), {404}),
        (await ctx.call("GET", below, ctx.bearer), {404, 400}),
        (await ctx.call("POST", "/register"), {401}),
        (await ctx.call("DELETE", await ctx.liveness()), {405}),
    ]
    for reply, statuses in probes:
        expect(reply.status in statuses, f"{reply.asked} is refused", saw=reply.summary)
        _judge(reply)


def _judge(reply: Reply) -> None:
    wrong = schemas.faults("error", reply.json())
    expect(not wrong, f"{reply.asked}: the error body has the one shape", saw="; ".join(wrong))
    leaks = [sign for sign in LEAKS if sign in reply.text]
    expect(not leaks, f"{reply.asked}: an error shows no code", saw=shown(reply.text))
