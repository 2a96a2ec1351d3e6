"""Declare the jobs; when they fire is the frame's business or core's (design: Jobs)."""

from mosaiclife_plugin_sdk.jobs import Job, JobContext
from plugin_analytics.services.erasure import Erase
from plugin_analytics.services.maintenance import Optimize
from plugin_analytics.services.quarantine import Retry
from plugin_analytics.services.rebuild import Rebuild, RebuildParams
from plugin_analytics.services.retention import Purge
from plugin_analytics.services.rollup import Refresh
from plugin_analytics.services.verify import Verify

REFRESH = "rollup.refresh"
RETRY = "quarantine.retry"
ERASE = "erasure.process"
PURGE = "retention.purge"
VERIFY = "rollup.verify"
REBUILD = "rollup.rebuild"
OPTIMIZE = "store.optimize"


def jobs(refresh: Refresh, retry: Retry, erase: Erase, plugin: str) -> list[Job]:
    """Return every job of the plugin called *plugin*."""

    def run(context: JobContext) -> dict[str, int]:
        topic = f"{plugin}.rollup.refreshed"
        days = refresh(context.cancelled, lambda change: context.publish(topic, change.message()))
        return {"days": days}

    return [
        Job(
            name=REFRESH,
            description="Count the days again that new events have touched",
            run=run,
            # Pokes start it at once; the schedule catches what a crash has left.
            schedule="* * * * *",
        ),
        Job(
            name=RETRY,
            description="Judge again what was set aside, and forget what is two weeks old",
            run=lambda context: retry(context.cancelled),
            # An event that was early is due within the hour.
            schedule="17 * * * *",
        ),
        Job(
            name=ERASE,
            description="Forget whom or what has asked for it, and write the receipts",
            run=lambda context: erase(context.cancelled, context.progress),
            # Pokes start it at once; the sweep catches what a crash has left.
            schedule="*/5 * * * *",
        ),
    ]


def keeping_jobs(purge: Purge, verify: Verify, rebuild: Rebuild, optimize: Optimize) -> list[Job]:
    """Return the jobs that keep the data in order."""
    return [
        Job(
            name=PURGE,
            description="Forget what is too old, and keep its numbers",
            run=lambda context: purge(context.cancelled, context.progress),
            # Half an hour after core has cleaned up.
            schedule="30 3 * * *",
        ),
        Job(
            name=VERIFY,
            description="Hold a sample of the counts against the events",
            run=lambda context: verify(context.cancelled, context.progress),
            schedule="10 4 * * *",
        ),
        Job(
            name=REBUILD,
            description="Make all counts anew from what is remembered",
            run=lambda context: rebuild(context.params, context.cancelled, context.progress),
            params=RebuildParams,
        ),
        Job(
            name=OPTIMIZE,
            description="Tidy the database up, and keep a copy of it",
            run=lambda context: optimize(context.cancelled, context.progress),
            schedule="40 4 * * 0",
        ),
    ]
