"""Metrics: well formed, complete, true, and few (spec §14)."""

from mosaiclife_plugin_contract.context import Context
from mosaiclife_plugin_contract.exposition import ExpositionFault, Scrape, parse
from mosaiclife_plugin_contract.registry import Need, check
from mosaiclife_plugin_contract.violation import Violation, expect

REQUESTS = "plugin_http_requests_total"
DURATION = "plugin_http_request_duration_seconds"
FAMILIES = {
    REQUESTS: "counter",
    DURATION: "histogram",
    "plugin_errors_total": "counter",
    "plugin_queue_depth": "gauge",
    "plugin_state": "gauge",
    "plugin_info": "gauge",
    "process_resident_memory_bytes": "gauge",
    "process_cpu_seconds_total": "counter",
}
ALWAYS = (REQUESTS, "process_resident_memory_bytes", "process_cpu_seconds_total")
STATES = {"Installed", "Registering", "Ready", "Degraded", "Disabled"}
SERVICE_LEVEL = "0.2"
PATHS = 20
OPENMETRICS = "application/openmetrics-text"


async def scrape(ctx: Context, accept: str = "text/plain") -> Scrape:
    """Return the metrics as they are now."""
    reply = await ctx.call("GET", "/metrics", [("accept", accept)])
    expect(reply.status == 200, "GET /metrics is 200", saw=reply.summary, expected=200)
    good = reply.media_type in ("text/plain", accept)
    expect(good, "the metrics are of a text format", saw=reply.media_type, expected=accept)
    try:
        return parse(reply.text)
    except ExpositionFault as fault:
        raise Violation(f"the metrics can be read as {accept}", str(fault)) from fault


@check("MET-1", spec="14")
async def metrics_can_be_read(ctx: Context) -> None:
    """/metrics is of the text format of Prometheus: no series twice, no family torn apart.

    Whoever asks for OpenMetrics gets that, or the plain format.
    """
    for accept in ("text/plain", OPENMETRICS):
        await ctx.call("GET", await ctx.liveness())
        found = await scrape(ctx, accept)
        expect(found.samples, "there are metrics")


@check("MET-2", spec="14")
async def required_metrics_are_there(ctx: Context) -> None:
    """Requests and their duration, errors, queue depth, state, memory and CPU are measured.

    The duration has a bucket at 0.2 s, the service level of the control endpoints.
    """
    await ctx.call("GET", await ctx.liveness())
    found = await scrape(ctx)
    for name, kind in FAMILIES.items():
        stated = found.types.get(name) or found.types.get(name.removesuffix("_total"))
        expect(stated == kind, f"{name} is a {kind}", saw=stated or "no such family")
    for name in ALWAYS:
        expect(found.of(name), f"{name} has a value")
    bounds = {str(float(one.labels["le"])) for one in found.of(f"{DURATION}_bucket")}
    expect(SERVICE_LEVEL in bounds, f"{DURATION} has a bucket at 0.2", saw=sorted(bounds))
    present = [one.labels.get("state") for one in found.of("plugin_state") if one.value == 1]
    expect(len(present) == 1 and set(present) <= STATES, "one state is 1", saw=present)
    declared = await ctx.declared()
    named = {"name": str(declared.get("name")), "version": str(declared.get("version"))}
    expect(found.of("plugin_info", **named), "plugin_info names the plugin", expected=named)


@check("MET-3", spec="14", needs={Need.TOKEN})
async def counters_follow_the_traffic(ctx: Context) -> None:
    """Requests are counted under their status and a templated route: new paths add no series."""
    liveness, below = await ctx.liveness(), await ctx.below("/contract-kit-")
    await ctx.call("GET", below + "first", ctx.bearer)
    before = await scrape(ctx)
    for number in range(PATHS):
        await ctx.call("GET", liveness)
        await ctx.call("GET", f"{below}{number}", ctx.bearer)
    after = await scrape(ctx)

    def rise(**labels: str) -> float:
        return after.total(REQUESTS, **labels) - before.total(REQUESTS, **labels)

    good = rise(method="GET", route=liveness, status="200")
    expect(good >= PATHS, f"{PATHS} good requests are counted", saw=good, expected=PATHS)
    bad = rise(method="GET") - rise(method="GET", status="200")
    expect(bad >= PATHS, f"{PATHS} refused requests are counted", saw=bad, expected=PATHS)
    new = len(after.of(REQUESTS)) - len(before.of(REQUESTS))
    expect(new <= 5, f"{PATHS} paths share a route label", saw=f"{new} new series")
