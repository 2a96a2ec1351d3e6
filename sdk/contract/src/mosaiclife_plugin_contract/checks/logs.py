"""Log lines: JSON, with the caller's trace and no secret in them (spec §8.5)."""

import json
import re
import secrets as randomness
from datetime import datetime, timedelta
from typing import Any

from mosaiclife_plugin_contract.context import Context
from mosaiclife_plugin_contract.registry import Need, check
from mosaiclife_plugin_contract.violation import Violation, expect, shown

FIELDS = ("timestamp", "level", "plugin.name", "plugin.version", "trace_id", "span_id", "msg")
LEVELS = {"debug", "info", "warn", "error"}
_TRACE = re.compile(r"|[0-9a-f]{32}")
_SPAN = re.compile(r"|[0-9a-f]{16}")


def lines(ctx: Context) -> list[dict[str, Any]]:
    """Return every line that the shared instance has written, each of which must be JSON."""
    found = []
    for line in ctx.plugin.the_life().output().splitlines():
        try:
            found.append(json.loads(line))
        except ValueError as error:
            raise Violation("each line of the log is JSON", shown(line)) from error
    expect(found, "the plugin logs to standard output", saw="no line at all")
    wrong = [line for line in found if not isinstance(line, dict)]
    expect(not wrong, "each line of the log is a JSON object", saw=wrong)
    return found


@check("LOG-1", spec="8.5", needs={Need.LOGS})
async def lines_are_json_with_seven_fields(ctx: Context) -> None:
    """Each line on standard output is a JSON object with the seven fields, in UTC."""
    await ctx.call("GET", "/manifest")
    declared = await ctx.declared()
    for line in lines(ctx):
        missing = [name for name in FIELDS if name not in line]
        expect(not missing, f"a line has {', '.join(FIELDS)}", saw=line)
        expect(_is_utc(line["timestamp"]), "timestamp is RFC 3339 in UTC", saw=line["timestamp"])
        expect(line["level"] in LEVELS, "level is a known one", saw=line["level"], expected=LEVELS)
        said = (line["plugin.name"], line["plugin.version"])
        true = (declared.get("name"), declared.get("version"))
        expect(said == true, "a line names the plugin", saw=said, expected=true)
        ids = _TRACE.fullmatch(str(line["trace_id"])) and _SPAN.fullmatch(str(line["span_id"]))
        expect(ids, "trace_id and span_id are ids, or empty", saw=line)


def _is_utc(text: Any) -> bool:
    try:
        return datetime.fromisoformat(text).utcoffset() == timedelta()
    except (TypeError, ValueError):
        return False


@check("LOG-2", spec="8.5", needs={Need.LOGS, Need.TOKEN})
async def lines_carry_the_callers_trace(ctx: Context) -> None:
    """What a request writes carries the trace_id of its traceparent, and a span of its own."""
    trace, span = randomness.token_hex(16), randomness.token_hex(8)
    header = [("traceparent", f"00-{trace}-{span}-01")]
    below = await ctx.below("/contract-kit/nothing-here")
    await ctx.call("GET", "/manifest", header)
    await ctx.call("GET", below, [*ctx.bearer, *header])

    async def ours() -> list[dict[str, Any]]:
        return [line for line in lines(ctx) if line.get("trace_id") == trace]

    found = await ctx.eventually(ours, ctx.limits.patience)
    expect(found, "a line carries the trace of its request", expected=f"trace_id {trace}")
    copied = [line for line in found if line.get("span_id") == span]
    expect(not copied, "the span is the plugin's own, not the caller's", saw=copied[:1])


@check("LOG-3", spec="8.5", needs={Need.LOGS, Need.TOKEN})
async def secrets_stay_secret(ctx: Context) -> None:
    """No token and no secret stands in a log line, an error or a metric, at LOG_LEVEL debug too."""
    refused = [("authorization", f"Bearer {ctx.credentials.call_token}x")]
    below = await ctx.below("/contract-kit/nothing-here")
    replies = [
        await ctx.call("POST", "/register", refused),
        await ctx.call("POST", "/register", ctx.bearer),
        await ctx.call("GET", below, ctx.bearer),
        await ctx.call("GET", "/metrics"),
        await ctx.call("GET", await ctx.readiness()),
    ]
    lines(ctx)
    places = {"its log": ctx.plugin.the_life().output(), **{one.asked: one.text for one in replies}}
    for place, text in places.items():
        shown_words = [word for word in ctx.credentials.words if word in text]
        expect(not shown_words, "no secret is shown", saw=f"{len(shown_words)} of them in {place}")
