"""Keep one record per plugin, in one of the five states (spec §16)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from mosaiclife_devcore.capabilities import Approval
from mosaiclife_devcore.errors import PluginDisabled, PluginUnknown, Unavailable
from mosaiclife_devcore.settings import Grant
from mosaiclife_plugin_sdk import Manifest


class State(StrEnum):
    """The life of a plugin as core sees it."""

    INSTALLED = "Installed"
    REGISTERING = "Registering"
    READY = "Ready"
    DEGRADED = "Degraded"
    DISABLED = "Disabled"


@dataclass(frozen=True, slots=True)
class Registration:
    """What a plugin said when it registered, and what core granted (spec §10)."""

    manifest: Manifest
    service_url: str
    remote_url: str
    integrity: str | None
    approval: Approval

    @property
    def version(self) -> str:
        """Return the plugin's one version."""
        return self.manifest.version

    def url(self, path: str) -> str:
        """Return the address of *path* at the plugin's service."""
        return self.service_url.rstrip("/") + path


@dataclass(frozen=True, slots=True)
class ActiveUI:
    """The remote that pages load now."""

    version: str
    entry_url: str
    integrity: str | None
    contributions: Mapping[str, Any]
    frontend_sdk: str | None
    external: bool


@dataclass(slots=True)
class Plugin:
    """One plugin's record."""

    id: str
    grant: Grant
    state: State = State.INSTALLED
    reason: str | None = None
    current: Registration | None = None
    candidate: Registration | None = None
    ui: ActiveUI | None = None

    @property
    def shown(self) -> ActiveUI | None:
        """Return the remote that pages may load: none of a plugin that is switched off."""
        return None if self.state is State.DISABLED else self.ui

    def registration(self) -> Registration:
        """Return the registration in force, or say why there is none to use."""
        if self.state is State.DISABLED:
            raise PluginDisabled(f"the plugin {self.id} is disabled")
        if self.current is None:
            raise PluginUnknown(f"the plugin {self.id} has not registered")
        return self.current

    def routable(self) -> Registration:
        """Return the registration that traffic may use: health gates it (spec §10)."""
        registration = self.registration()
        if self.state is State.REGISTERING:
            reason = self.reason or "its first check is under way"
            raise Unavailable(f"the plugin is not ready: {reason}", headers={"retry-after": "1"})
        return registration

    def summary(self) -> dict[str, Any]:
        """Return what a page may know of this plugin."""
        known = self.current.manifest if self.current else None
        return {
            "id": self.id,
            "title": (known.title or known.name) if known else self.id,
            "version": known.version if known else None,
            "state": self.state.value,
            **({"reason": self.reason} if self.reason else {}),
            "ui": _ui_summary(self.shown),
        }


class Registry:
    """All records; every change is told to the listeners."""

    def __init__(self, grants: Mapping[str, Grant]) -> None:
        self._plugins = {name: Plugin(name, grant) for name, grant in grants.items()}
        self._listeners: list[Callable[[Plugin], None]] = []

    def __iter__(self) -> Iterator[Plugin]:
        return iter(self._plugins.values())

    def get(self, plugin_id: str) -> Plugin:
        """Return the record of a plugin that this core has been told of."""
        if plugin_id not in self._plugins:
            raise PluginUnknown("this core knows no plugin of this id")
        return self._plugins[plugin_id]

    def listen(self, listener: Callable[[Plugin], None]) -> None:
        """Call *listener* with each record that changes."""
        self._listeners.append(listener)

    def accept(self, plugin: Plugin, registration: Registration) -> bool:
        """Store *registration*; tell whether it is the plugin's first.

        Another version than the one that pages use waits as the candidate until the gate
        has seen it three times running (design: The wire).
        """
        first = plugin.current is None
        if plugin.current and plugin.ui and registration.version != plugin.current.version:
            plugin.candidate = registration
            return False
        changed = plugin.current != registration
        plugin.current = registration
        if first and plugin.state is State.INSTALLED:
            plugin.state = State.REGISTERING
        if changed:
            self._changed(plugin)
        return first

    def promote(self, plugin: Plugin, registration: Registration) -> None:
        """Make a waiting registration the one in force."""
        plugin.current, plugin.candidate = registration, None
        self._changed(plugin)

    def show(self, plugin: Plugin, ui: ActiveUI) -> None:
        """Make *ui* the remote that pages load."""
        if plugin.ui != ui:
            plugin.ui = ui
            self._changed(plugin)

    def move(self, plugin: Plugin, state: State, reason: str | None = None) -> None:
        """Put the plugin into *state*."""
        if (plugin.state, plugin.reason) != (state, reason):
            plugin.state, plugin.reason = state, reason
            self._changed(plugin)

    def disable(self, plugin: Plugin) -> None:
        """Throw the kill switch: the interface goes, traffic stops (spec §16)."""
        self.move(plugin, State.DISABLED, "an operator disabled it")

    def enable(self, plugin: Plugin) -> None:
        """Let the plugin come back; the gate decides when."""
        if plugin.state is State.DISABLED:
            self.move(plugin, State.REGISTERING if plugin.current else State.INSTALLED)

    def forget(self, plugin: Plugin) -> None:
        """Drop all that the plugin told us; its grant stays."""
        plugin.current = plugin.candidate = plugin.ui = None
        plugin.state, plugin.reason = State.INSTALLED, None
        self._changed(plugin)

    def _changed(self, plugin: Plugin) -> None:
        for listener in self._listeners:
            listener(plugin)


def _ui_summary(ui: ActiveUI | None) -> dict[str, Any] | None:
    if ui is None:
        return None
    return {
        "entryUrl": ui.entry_url,
        "integrity": ui.integrity,
        "contributions": msgspec.to_builtins(ui.contributions),
        "frontendSdk": ui.frontend_sdk,
        "external": ui.external,
    }
