"""Serve the plugin, or see to its data: `python -m plugin_analytics [backup | restore]`."""

import os
import sys

from mosaiclife_plugin_sdk import frame
from plugin_analytics import commands
from plugin_analytics.app import build

if __name__ == "__main__":
    if sys.argv[1:]:
        sys.exit(commands.run(sys.argv[1:], os.environ))
    frame.run(build)
