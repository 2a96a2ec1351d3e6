"""Name what a check must be able to do with a target."""

from enum import StrEnum


class Need(StrEnum):
    """What a check must be able to do with the target, beyond calling it."""

    TOKEN = "the token with which core calls the plugin"  # noqa: S105 - words about one
    SECRET = "the secret with which core signs deliveries"  # noqa: S105
    MANIFEST = "the plugin.yaml that the plugin was built from"
    START = "starting the plugin, with an environment of the kit's own"
    CORE = "the kit's own core in the place of core"
    PROCESS = "a process of the plugin's own, to be signalled and waited for"
    LOGS = "what the plugin writes to its standard output"
