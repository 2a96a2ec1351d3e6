"""What docker-compose.plugin.yml must say for every compose that reads it."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from tests.support.stack import MANIFEST
from tools import compose
from tools.workspace import ROOT

TEXT = compose.FILE.read_text(encoding="utf-8")
DOCUMENT: Mapping[str, Any] = yaml.safe_load(TEXT)
SERVICES: Mapping[str, Mapping[str, Any]] = DOCUMENT["services"]
# Compose 1.29 refuses the first ones, Compose 2 complains of the last.
NOT_EVERYWHERE = {"name", "include", "configs", "secrets", "version"}
NOT_IN_A_SERVICE = {"develop", "build", "secrets", "configs"}


def test_it_says_nothing_that_only_some_read() -> None:
    """Nothing is built or refused, whichever compose reads it (studies: toolchain)."""
    assert set(DOCUMENT) & NOT_EVERYWHERE == set()
    for service in SERVICES.values():
        assert set(service) & NOT_IN_A_SERVICE == set()
        for wanted in service.get("depends_on", {}).values():
            assert set(wanted) == {"condition"}


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_has_few_rights_and_few_listeners(name: str) -> None:
    """No right, a root that nobody writes to, and ports for this machine alone."""
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:${") for port in service["ports"])


def test_images_are_variables_and_no_digest_is_made_up() -> None:
    """Ours are those that were built; those of others have a name to start from, and a tag."""
    images = {name: service["image"] for name, service in SERVICES.items()}

    assert "sha256" not in TEXT
    for name in compose.IMAGES:
        assert images[name].startswith(f"${{{name.upper()}_IMAGE:?")
    for name in compose.PROFILES:
        assert re.fullmatch(rf"\$\{{{name.upper()}_IMAGE:-[\w/]+:v?[\d.]+\}}", images[name])
        assert name in SERVICES[name]["profiles"]


def test_core_is_told_of_the_plugin_that_the_manifest_describes() -> None:
    """Core's word for it is the id, and both sides get the same words."""
    given = SERVICES["core"]["environment"]
    grants = json.loads(re.sub(r":\?[^}]*\}", "}", given["CORE_PLUGINS"]))
    own = SERVICES["plugin"]["environment"]

    assert list(grants) == [MANIFEST.name]
    grant = grants[MANIFEST.name]
    assert own["REG_TOKEN"].startswith(grant["tokens"][0][:-1])
    assert own["WEBHOOK_SECRETS"].startswith(grant["webhookSecrets"][0][:-1])
    for url in (given["PLUGIN_BACKEND_URL"], given["PLUGIN_REMOTE_URL"].rpartition("/")[0]):
        assert url in grant["urls"]


def test_the_observers_use_the_labels_that_the_rules_are_written_for() -> None:
    """A rule that looks for another job would never fire, and never say so."""
    scrape = yaml.safe_load((ROOT / "tools/observe/prometheus.yml").read_text())
    (job,) = scrape["scrape_configs"]
    (target,) = job["static_configs"]

    assert job["job_name"] == compose.LABELS["$job"]
    assert target["labels"] == {"namespace": compose.LABELS["$namespace"]}
    assert target["targets"] == [SERVICES["core"]["environment"]["PLUGIN_BACKEND_URL"][7:]]


def test_what_is_mounted_is_there() -> None:
    """An engine makes an empty folder of a path that is missing, and says nothing."""
    mounts = [volume for one in SERVICES.values() for volume in one.get("volumes", ())]
    paths = [mount.partition(":")[0] for mount in mounts if mount.startswith("./")]
    laid_out = "./.state/compose/rules.yaml"

    assert laid_out in paths
    assert [path for path in paths if path != laid_out and not (ROOT / path).exists()] == []
