"""A small, real host that stands in for Mosaic Life on a developer's machine and in tests."""

from mosaiclife_devcore.app import create_core
from mosaiclife_devcore.settings import Grant, Settings, SettingsError, read_settings

__all__ = ["Grant", "Settings", "SettingsError", "create_core", "read_settings"]
