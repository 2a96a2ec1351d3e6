"""Analytics for Mosaic Life: tell whether a memory is being kept, and what is the kind next step."""
