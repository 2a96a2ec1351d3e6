"""Health gating, the kill switch and the change of versions (spec §10, §16, §17)."""

from collections.abc import Iterator

import pytest

from tests.support.bare_plugin import BarePlugin, sri
from tests.support.cores import (
    SAME_ORIGIN,
    Core,
    assert_problem,
    make_ready,
    record,
    running_core,
    wait_for,
)
from tests.support.processes import eventually


@pytest.fixture
def plugin() -> Iterator[BarePlugin]:
    with BarePlugin() as plugin:
        yield plugin


@pytest.fixture
def core(plugin: BarePlugin) -> Iterator[Core]:
    with running_core(plugin) as core:
        yield core


def test_an_interface_is_shown_only_once_the_plugin_is_ready(
    core: Core, plugin: BarePlugin
) -> None:
    """A red `/readyz` keeps page and traffic away, and core says which check fails."""
    plugin.ready = False
    plugin.register(core)
    eventually(lambda: "store" in record(core, plugin).get("reason", ""), within=5)
    assert record(core, plugin)["ui"] is None
    assert_problem(core.get("/api/plugins/bare/proxy/v1/x"), 503, "SERVICE_UNAVAILABLE")

    plugin.ready = True

    assert wait_for(core, plugin, "Ready")["ui"]["entryUrl"].startswith("/mf/bare/")


def test_a_remote_with_another_integrity_is_never_shown(core: Core, plugin: BarePlugin) -> None:
    """A bundle that is not the registered one stays away, and core says so in words."""
    remote = {"remoteUrl": f"{plugin.url}/mf/remoteEntry.js", "integrity": sri(b"something else")}
    plugin.register(core, ui=remote)

    eventually(lambda: "integrity" in record(core, plugin).get("reason", ""), within=5)
    assert record(core, plugin)["ui"] is None


def test_a_plugin_that_dies_is_degraded_and_its_interface_stays(
    core: Core, plugin: BarePlugin
) -> None:
    """Three red looks make it Degraded; the remote is still served, and it recovers."""
    entry_url = make_ready(core, plugin)["ui"]["entryUrl"]
    plugin.stop()

    assert wait_for(core, plugin, "Degraded")["ui"]["entryUrl"] == entry_url
    assert core.get(entry_url).content == plugin.entry
    assert_problem(core.get("/api/plugins/bare/proxy/v1/x"), 503, "SERVICE_UNAVAILABLE")

    plugin.start()
    wait_for(core, plugin, "Ready")


def test_the_kill_switch_removes_interface_and_traffic(core: Core, plugin: BarePlugin) -> None:
    """A disabled plugin is gone from the page at once, and comes back when enabled."""
    entry_url = make_ready(core, plugin)["ui"]["entryUrl"]

    core.put("/api/plugins/bare/disable", headers=SAME_ORIGIN).raise_for_status()

    assert record(core, plugin)["ui"] is None
    assert_problem(core.get("/api/plugins/bare/proxy/v1/x"), 403, "PLUGIN_DISABLED")
    assert_problem(core.get(entry_url), 403, "PLUGIN_DISABLED")
    core.put("/api/plugins/bare/enable", headers=SAME_ORIGIN).raise_for_status()
    assert wait_for(core, plugin, "Ready")["ui"]["entryUrl"] == entry_url


def test_a_rebuilt_bundle_of_the_same_version_is_shown_at_once(
    core: Core, plugin: BarePlugin
) -> None:
    """A developer's rebuild replaces the remote, and open tabs keep the one they have."""
    old = make_ready(core, plugin)["ui"]
    plugin.files["/mf/remoteEntry.js"] = ("text/javascript", b"var plugin_bare = 2;")
    plugin.register(core)

    eventually(lambda: record(core, plugin)["ui"] != old, within=5)

    new = record(core, plugin)["ui"]
    assert core.get(new["entryUrl"]).content == b"var plugin_bare = 2;"
    assert core.get(old["entryUrl"]).status_code == 200
    assert new["integrity"] == sri(b"var plugin_bare = 2;")


def test_a_new_version_waits_until_the_manifest_names_it_three_times(
    core: Core, plugin: BarePlugin
) -> None:
    """During a rolling update the old version stays while old replicas still answer."""
    make_ready(core, plugin)
    newer = plugin.manifest(version="1.1.0")
    plugin.register(core, manifest=newer)
    looks = len(plugin.received("/manifest"))
    eventually(lambda: len(plugin.received("/manifest")) > looks + 4, within=5)
    assert record(core, plugin)["version"] == "1.0.0"
    assert core.get("/api/plugins/bare").json()["data"]["waiting"] == "1.1.0"

    plugin.version = "1.1.0"

    eventually(lambda: record(core, plugin)["version"] == "1.1.0", within=5)


def test_core_passes_on_what_the_probes_answer(core: Core, plugin: BarePlugin) -> None:
    """An operator looks through core at a plugin that no browser can reach."""
    make_ready(core, plugin)

    assert core.get("/api/plugins/bare/manifest").json()["data"]["name"] == "bare"
    assert core.get("/api/plugins/bare/readyz").status_code == 200
    assert core.get("/api/plugins/bare/metrics").json() == {"data": {"path": "/metrics"}}
    assert_problem(core.get("/api/plugins/bare/else"), 404, "RESOURCE_NOT_FOUND")


def test_static_configuration_needs_no_registration(plugin: BarePlugin) -> None:
    """Core asks the plugin that its settings name for the manifest (spec §10, §12)."""
    with running_core(plugin, plugin_backend_url=plugin.url) as core:
        shown = wait_for(core, plugin, "Ready")

    assert shown["ui"]["entryUrl"].startswith("/mf/bare/")
