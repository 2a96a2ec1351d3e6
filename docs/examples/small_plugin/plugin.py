"""Letters: a plugin with one endpoint, one job, one kind of event and one panel."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Litestar, Request, Response, get
from litestar.di import NamedDependency

import mosaiclife_plugin_sdk as sdk
from mosaiclife_plugin_sdk.frame import FrameSettings, create_app, ok, read_settings, run


class Settings(FrameSettings, frozen=True, kw_only=True):
    """The frame's settings, and one of our own."""

    letters_greeting: str = "Dear"


class Letters(sdk.PluginApp):
    """Counts the stories of each family, and says so."""

    def __init__(self, manifest: sdk.Manifest, greeting: str) -> None:
        super().__init__(manifest)
        stories = self.stories = Counter[str]()
        self.webhook = self.take
        self.jobs = [sdk.Job("letters.send", "Tells core the sum.", self.send, schedule="@daily")]

        @get("/data/items")
        async def letter(
            request: Request[Any, Any, Any], tenant: NamedDependency[str]
        ) -> Response[Any]:
            return ok(request, {"text": f"{greeting} family: {stories[tenant]} stories"})

        self.routes = [letter]

    async def take(self, delivery: sdk.Delivery) -> dict[str, int]:
        events = msgspec.json.decode(delivery.body)["events"]
        new = sum(event["type"] == "story.created" for event in events)
        self.stories[delivery.tenant] += new
        return {"accepted": new, "ignored": len(events) - new}

    def send(self, context: sdk.JobContext) -> dict[str, int]:
        context.publish("letters.sent", {"stories": self.stories.total()})
        return {"stories": self.stories.total()}


def build(environ: Mapping[str, str]) -> tuple[Litestar, Settings]:
    manifest = sdk.load_manifest(sdk.find_manifest(environ))
    settings = read_settings(Settings, manifest, environ)
    return create_app(Letters(manifest, settings.letters_greeting), settings), settings


if __name__ == "__main__":
    run(build)
