"""Stand in for core in a plugin's own tests: `FakeCore`, a real server on the loopback."""

from mosaiclife_plugin_sdk.testing.answers import Answer, Asked, garbage, hang_up, refusal
from mosaiclife_plugin_sdk.testing.core import FakeCore

__all__ = ["Answer", "Asked", "FakeCore", "garbage", "hang_up", "refusal"]
