"""The ways to reach a plugin: in this process, as a process of its own, or by its URL."""

from mosaiclife_plugin_contract.targets.asgi import AsgiTarget
from mosaiclife_plugin_contract.targets.base import Credentials, Instance, Target
from mosaiclife_plugin_contract.targets.process import ProcessTarget
from mosaiclife_plugin_contract.targets.url import UrlTarget

__all__ = ["AsgiTarget", "Credentials", "Instance", "ProcessTarget", "Target", "UrlTarget"]
