"""What plugin.yaml promises, the remote exposes (spec §7.1, §9)."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mosaiclife_plugin_sdk import load_manifest
from tools import manifest
from tools.workspace import ROOT, environment, script

MANIFEST = load_manifest(ROOT / "plugin.yaml")
CONTRIBUTES = MANIFEST.ui.contributions
READ_FEDERATION = """
import { remote } from "./webpack.config.js";
import { readIdentity } from "./webpack/identity.js";
console.log(JSON.stringify(remote(readIdentity())));
"""


@pytest.fixture(scope="module")
def federation() -> dict[str, Any]:
    """Ask webpack's own configuration, as a build would read it."""
    done = subprocess.run(
        [script("node"), "--input-type=module", "--eval", READ_FEDERATION],
        cwd=ROOT / "ui",
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    options: dict[str, Any] = json.loads(done.stdout)
    return options


def components() -> list[str]:
    views = [panel.component for panel in CONTRIBUTES.panels]
    views += [route.component for route in CONTRIBUTES.routes]
    actions = [*CONTRIBUTES.commands, *CONTRIBUTES.context_menus]
    return [*views, *(action.component for action in actions if action.component is not None)]


def test_the_manifest_follows_schema_and_sdk() -> None:
    """plugin.yaml passes what core and `./just build` ask of it."""
    manifest.validate()


def test_a_manifest_that_breaks_the_schema_is_named_with_its_place(tmp_path: Path) -> None:
    """A fault is reported with the path to it, so that an author finds it."""
    broken = tmp_path / "plugin.yaml"
    text = (ROOT / "plugin.yaml").read_text()
    broken.write_text(text.replace("mode: ModuleFederation", "mode: Iframe"))

    with pytest.raises(manifest.ManifestFault, match=r"\$\.ui\.mode"):
        manifest.validate(broken)


def test_the_container_is_named_after_the_id(federation: dict[str, Any]) -> None:
    """Two plugins in one page never share a container, nor the name of the entry's file."""
    assert federation["name"] == MANIFEST.container
    assert federation["filename"] == Path(MANIFEST.ui.remote_path).name


@pytest.mark.parametrize("component", components())
def test_each_component_is_exposed_and_exported(federation: dict[str, Any], component: str) -> None:
    """`<Module>#<export>` names a module that the remote exposes and an export that it has."""
    module, _, export = component.partition("#")
    source = ROOT / "ui" / federation["exposes"][f"./{module}"]["import"]

    pattern = rf"^export (?:async )?(?:function|const|class) {re.escape(export)}\b"
    assert re.search(pattern, source.read_text(), re.MULTILINE)


def test_each_exposed_module_is_promised(federation: dict[str, Any]) -> None:
    """Nothing is exposed that the manifest does not speak of."""
    assert {name.removeprefix("./") for name in federation["exposes"]} == {
        component.partition("#")[0] for component in components()
    }
