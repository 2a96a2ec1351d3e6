"""Run the kit: `python -m mosaiclife_plugin_contract`."""

import sys

from mosaiclife_plugin_contract.cli import main

if __name__ == "__main__":
    sys.exit(main())
