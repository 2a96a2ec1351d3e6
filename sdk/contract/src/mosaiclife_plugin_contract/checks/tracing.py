"""Traces go on through the plugin (spec §14)."""

import re

from mosaiclife_plugin_contract.context import Context
from mosaiclife_plugin_contract.registry import Need, check
from mosaiclife_plugin_contract.violation import expect

_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


@check("TRC-2", spec="14", feature="register", needs={Need.CORE})
async def calls_to_core_carry_a_trace(ctx: Context) -> None:
    """What the plugin asks of core carries a W3C traceparent."""
    core = ctx.plugin.the_core()

    async def registered() -> bool:
        return bool(core.registrations)

    expect(await ctx.eventually(registered), "the plugin calls core")
    header = core.registrations[0].headers.get("traceparent", "")
    expect(_TRACEPARENT.fullmatch(header), "a call to core has a traceparent", saw=header or "none")
