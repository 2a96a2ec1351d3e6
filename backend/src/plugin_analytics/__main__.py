"""Serve the plugin: `python -m plugin_analytics`."""

from mosaiclife_plugin_sdk.frame import run
from plugin_analytics.app import build

if __name__ == "__main__":
    run(build)
