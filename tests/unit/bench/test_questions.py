"""What the bench asks is what the plugin says it can be asked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from litestar.testing import TestClient

from bench.events import new_world
from bench.questions import FRESHNESS, questions, runs_of
from bench.upkeep import fulfilled
from mosaiclife_plugin_sdk import new_secret
from plugin_analytics.app import build

ASKED = sorted({FRESHNESS, runs_of("any", 5), *(each.path for each in questions(new_world()))})


@pytest.fixture(scope="module")
def parameters(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, set[str]]:
    """Return the parameters of each address, by the plugin's own description."""
    folder: Path = tmp_path_factory.mktemp("asked")
    environment = {
        "DATA_DIR": str(folder),
        "REG_TOKEN": "token-of-this-test-and-no-other",
        "WEBHOOK_SECRETS": new_secret(),
        "UI_BUNDLE_DIR": str(folder),
        "SELF_REGISTER": "false",
    }
    with TestClient(build(environment)[0]) as opened:
        paths: Mapping[str, Any] = opened.get("/schema/openapi.json").json()["paths"]
    return {
        path: {each["name"] for way in item.values() for each in way.get("parameters", ())}
        for path, item in paths.items()
    }


def test_every_parameter_is_one_that_the_plugin_reads(
    parameters: Mapping[str, set[str]],
) -> None:
    """One that was renamed would be left unread, and the answer be about something else."""
    for asked in ASKED:
        path, query = urlsplit(asked).path, urlsplit(asked).query

        assert parse_qs(query).keys() <= parameters[path], asked


def run(name: str, result: Mapping[str, int] | None) -> Mapping[str, Any]:
    return {"runId": name, "result": result}


def test_the_run_that_forgot_somebody_is_told_from_others() -> None:
    """Not one from before, not one that goes on, and not one that found nothing to do."""
    known, idle = run("a", {"erased": 1}), run("b", {"erased": 0})
    going, done = run("c", None), run("d", {"erased": 1})

    assert fulfilled([going, idle, known], {"a"}) is None
    assert fulfilled([going, idle, done, known], {"a"}) == done
