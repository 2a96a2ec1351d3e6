"""What the server does around a plugin's life, where no process is needed to see it."""

import asyncio
import gc
from pathlib import Path

import pytest
import uvicorn

from mosaiclife_plugin_sdk.frame import create_app
from mosaiclife_plugin_sdk.frame.server import DrainingServer
from tests.support.tiny_plugin import TinyPlugin, settings


def test_what_stands_at_the_start_is_left_out_of_collections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full collection need not walk the whole app while requests wait."""
    plugin = TinyPlugin()
    read = settings(plugin.manifest, tmp_path)

    async def listening(*_: object) -> None:
        """Stand in for the opening of a socket."""

    monkeypatch.setattr(uvicorn.Server, "startup", listening)
    try:
        asyncio.run(DrainingServer(create_app(plugin, read), read).startup())
        assert gc.get_freeze_count() > 1000
    finally:
        gc.unfreeze()
