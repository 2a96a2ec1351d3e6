"""Declare the jobs; when they fire is the frame's business or core's (design: Jobs)."""

from mosaiclife_plugin_sdk.jobs import Job, JobContext
from plugin_analytics.services.erasure import Erase
from plugin_analytics.services.quarantine import Retry
from plugin_analytics.services.rollup import Refresh

REFRESH = "rollup.refresh"
RETRY = "quarantine.retry"
ERASE = "erasure.process"


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
