"""Remotes served from core's own origin: what is cached, verified and sandboxed."""

import json
from collections.abc import Iterator

import pytest

from tests.support.bare_plugin import CHUNK, BarePlugin, sri
from tests.support.cores import (
    Core,
    assert_problem,
    grant_for,
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


def folder(entry_url: str) -> str:
    return entry_url.rpartition("/")[0]


def list_chunks(plugin: BarePlugin, **changed: str) -> None:
    listing = {"remoteEntry.js": sri(plugin.entry), "chunk.1234abcd.js": sri(CHUNK), **changed}
    plugin.files["/mf/integrity.json"] = ("application/json", json.dumps(listing).encode())


def test_a_script_is_served_forever_under_its_hash(core: Core, plugin: BarePlugin) -> None:
    """A bundle's address names its content, so that a browser may keep it."""
    entry_url = make_ready(core, plugin)["ui"]["entryUrl"]
    response = core.get(entry_url)

    assert response.content == plugin.entry
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert response.headers["content-type"].startswith("text/javascript")
    assert response.headers["x-content-type-options"] == "nosniff"
    again = core.get(entry_url, headers={"if-none-match": response.headers["etag"]})
    assert again.status_code == 304


def test_a_page_learns_which_sdk_a_remote_was_made_for(core: Core, plugin: BarePlugin) -> None:
    """The page's own SDK is not the plugin's; the page judges by the manifest's range (spec §5)."""
    compat = {"core": ">=2.1 <3.0", "frontend_sdk": ">=1.2 <2.0"}
    plugin.register(core, manifest=plugin.manifest(compat=compat)).raise_for_status()

    assert wait_for(core, plugin, "Ready")["ui"]["frontendSdk"] == ">=1.2 <2.0"


def test_listed_chunks_outlive_the_plugin(core: Core, plugin: BarePlugin) -> None:
    """A bundle that lists its files is kept whole before it is shown."""
    list_chunks(plugin)
    base = folder(make_ready(core, plugin)["ui"]["entryUrl"])
    plugin.stop()

    response = core.get(f"{base}/chunk.1234abcd.js")

    assert response.content == CHUNK
    assert response.headers["content-encoding"] == "gzip"


def test_an_unlisted_chunk_is_fetched_once(core: Core, plugin: BarePlugin) -> None:
    """A bundle without a list is kept as it is used."""
    base = folder(make_ready(core, plugin)["ui"]["entryUrl"])
    first = core.get(f"{base}/chunk.1234abcd.js")
    core.get(f"{base}/chunk.1234abcd.js", headers={"accept-encoding": "identity"})

    assert first.content == CHUNK
    assert len(plugin.received("/mf/chunk.1234abcd.js")) == 1


def test_a_chunk_that_differs_from_its_hash_keeps_the_bundle_away(
    core: Core, plugin: BarePlugin
) -> None:
    """A tampered or half-written bundle is not shown, and core names the file."""
    list_chunks(plugin, **{"chunk.1234abcd.js": sri(b"another chunk")})
    plugin.register(core)

    eventually(lambda: "chunk.1234abcd.js" in record(core, plugin).get("reason", ""), within=5)
    assert record(core, plugin)["ui"] is None


def test_what_is_no_script_is_sandboxed(core: Core, plugin: BarePlugin) -> None:
    """An image that a person opens by itself runs nothing as core's page."""
    base = folder(make_ready(core, plugin)["ui"]["entryUrl"])

    svg = core.get(f"{base}/mark.svg")

    assert svg.status_code == 200
    assert svg.headers["content-security-policy"] == "sandbox; default-src 'none'"


def test_a_page_is_not_served(core: Core, plugin: BarePlugin) -> None:
    """A remote has scripts, styles, data and pictures, and no pages."""
    base = folder(make_ready(core, plugin)["ui"]["entryUrl"])

    assert_problem(core.get(f"{base}/page.html"), 403, "PERMISSION_DENIED")


@pytest.mark.parametrize(
    "path",
    ["../v1/x.js", "%2e%2e/healthz", "a/../../x.js", "..%2fx.js", ".env", "a%5cb.js", ""],
)
def test_no_path_leaves_the_bundle(core: Core, plugin: BarePlugin, path: str) -> None:
    """Only plain names inside the bundle's folder are fetched."""
    base = folder(make_ready(core, plugin)["ui"]["entryUrl"])
    response = core.get(f"http://core.test{base}/{path}")

    assert response.status_code in {404, 405}
    reached = {call.path for call in plugin.calls}
    assert reached <= {"/readyz", "/mf/remoteEntry.js", "/mf/integrity.json"}


def test_a_redirect_is_not_followed(core: Core, plugin: BarePlugin) -> None:
    """A remote that points elsewhere does not take core along."""
    plugin.answers["/mf/remoteEntry.js"] = [(302, {"location": "http://127.0.0.1:1/x.js"}, b"")]
    plugin.register(core)

    eventually(lambda: "302" in record(core, plugin).get("reason", ""), within=5)


def test_the_last_two_bundles_are_kept(core: Core, plugin: BarePlugin) -> None:
    """Open tabs survive one rebuild; what is older is let go."""
    urls = [make_ready(core, plugin)["ui"]["entryUrl"]]
    for build in (b"var build = 2;", b"var build = 3;"):
        plugin.files["/mf/remoteEntry.js"] = ("text/javascript", build)
        plugin.register(core)
        eventually(lambda: record(core, plugin)["ui"]["entryUrl"] not in urls, within=5)
        urls.append(record(core, plugin)["ui"]["entryUrl"])

    assert [core.get(url).status_code for url in urls] == [404, 200, 200]


def test_a_remote_of_another_origin_is_loaded_directly_and_listed_in_the_policy(
    plugin: BarePlugin,
) -> None:
    """A CDN or a development server is named to the browser, and only while it is shown."""
    with BarePlugin(name="cdn") as cdn:
        grants = {"bare": grant_for(plugin, urls=(plugin.url, cdn.url))}
        with running_core(plugins=grants) as core:
            before = core.get("/").headers["content-security-policy"]
            remote = {"remoteUrl": f"{cdn.url}/mf/remoteEntry.js"}
            plugin.register(core, ui=remote)
            ui = wait_for(core, plugin, "Ready")["ui"]
            after = core.get("/").headers["content-security-policy"]

    assert (ui["entryUrl"], ui["external"]) == (f"{cdn.url}/mf/remoteEntry.js", True)
    assert cdn.url not in before
    assert f"script-src 'self' {cdn.url};" in after


def test_a_remote_that_core_itself_is_told_of_is_served_by_core(plugin: BarePlugin) -> None:
    """Its host may be known to core alone (spec §12); each build of it is another address."""
    with BarePlugin(name="ui") as ui:
        url = f"{ui.url}/mf/remoteEntry.js"
        grants = {"bare": grant_for(plugin, urls=(plugin.url, ui.url))}
        fixed = {"plugin_backend_url": plugin.url, "plugin_remote_url": url}
        with running_core(plugins=grants, **fixed) as core:
            first = wait_for(core, plugin, "Ready")["ui"]
            ui.files["/mf/remoteEntry.js"] = ("text/javascript", b"var build = 2;")
            eventually(lambda: record(core, plugin)["ui"]["entryUrl"] != first["entryUrl"])
            second = record(core, plugin)["ui"]["entryUrl"]

            assert (first["entryUrl"].startswith("/mf/bare/"), first["external"]) == (True, False)
            assert core.get(second).content == b"var build = 2;"
