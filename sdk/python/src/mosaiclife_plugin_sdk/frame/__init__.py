"""The HTTP frame of a plugin: everything that every plugin owes its core, on Litestar."""

try:
    from mosaiclife_plugin_sdk.frame.app import create_app
    from mosaiclife_plugin_sdk.frame.bodies import ok
    from mosaiclife_plugin_sdk.frame.health import Tolerant
    from mosaiclife_plugin_sdk.frame.jobs import JobRunner
    from mosaiclife_plugin_sdk.frame.logs import configure_logs
    from mosaiclife_plugin_sdk.frame.metrics import Metrics
    from mosaiclife_plugin_sdk.frame.server import run
    from mosaiclife_plugin_sdk.frame.tracing import link_spans
    from mosaiclife_plugin_sdk.settings import FrameSettings, read_settings
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        f"the frame wants {missing.name}: install mosaiclife-plugin-sdk[frame]", name=missing.name
    ) from missing

__all__ = [
    "FrameSettings",
    "JobRunner",
    "Metrics",
    "Tolerant",
    "configure_logs",
    "create_app",
    "link_spans",
    "ok",
    "read_settings",
    "run",
]
