"""What `/schema/openapi.json` says of every route, whoever wrote it (design §4; studies 3.3)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest
from litestar.testing import TestClient

from mosaiclife_plugin_sdk.frame import create_app
from mosaiclife_plugin_sdk.frame.openapi import PROBLEM
from tests.support.tiny_plugin import TinyPlugin, settings

ROOT = Path(__file__).parents[2]
Document = dict[str, Any]


@pytest.fixture
def document(tmp_path: Path) -> Document:
    plugin = TinyPlugin()
    with TestClient(create_app(plugin, settings(plugin.manifest, tmp_path))) as opened:
        found: Document = opened.get("/schema/openapi.json").json()
        return found


def operations(document: Document) -> Iterator[tuple[str, Document]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield f"{method} {path}", operation


def test_every_error_has_the_one_shape(document: Document) -> None:
    """Each operation names its errors, and each of them is the platform's body."""
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    for name, operation in operations(document):
        errors = {status: said for status, said in operation["responses"].items() if status >= "4"}
        assert {"400", "500", "504"} <= errors.keys(), name
        assert all(said["content"] == {"application/json": problem} for said in errors.values())


def test_the_shape_is_the_contracts() -> None:
    """The document's Problem accepts and refuses what the schema beside the SDKs does."""
    contract = jsonschema_rs.validator_for(
        msgspec.json.decode((ROOT / "sdk/schema/error.schema.json").read_bytes())
    )
    ours = jsonschema_rs.validator_for(dict(PROBLEM))
    good = {
        "error": {
            "code": "TIMEOUT",
            "message": "m",
            "details": [{"field": "$.a", "message": "m"}],
            "requestId": "r",
            "timestamp": "2026-12-01T00:00:00Z",
        }
    }
    bad = [
        {},
        *(
            {"error": {k: v for k, v in good["error"].items() if k != gone}}
            for gone in good["error"]
        ),
        {"error": {**good["error"], "code": "timeout"}},
        {"error": {**good["error"], "details": [{"field": "$.a"}]}},
        {"error": {**good["error"], "details": {}}},
    ]

    assert contract.is_valid(good)
    assert ours.is_valid(good)
    assert not any(contract.is_valid(body) or ours.is_valid(body) for body in bad)


def test_who_needs_the_bearer(document: Document) -> None:
    """The bearer is the rule; the open endpoints say that they are the exception."""
    assert document["security"] == [{"bearer": []}]
    free = {name for name, operation in operations(document) if operation.get("security") == []}

    assert free == {
        "get /healthz",
        "get /readyz",
        "get /metrics",
        "get /manifest",
        "get /mf/{name}",
        "get /schema/openapi.json",
    }
    closed = dict(operations(document))["post /v1/notes"]["responses"]
    assert {"401", "403", "413", "415", "422"} <= closed.keys()


def test_refused_unknown_fields_are_said_to_be(document: Document) -> None:
    """A struct that forbids unknown fields is a closed schema."""
    schemas = document["components"]["schemas"]

    assert schemas["Note"]["additionalProperties"] is False
    assert schemas["RunRequest"]["additionalProperties"] is False


def test_jobs_are_named_and_their_runs_linked(document: Document) -> None:
    """Whoever reads the document knows the jobs, and what to do with a run's id."""
    known = dict(operations(document))
    links = known["post /v1/jobs/run"]["responses"]["202"]["links"]

    assert document["components"]["schemas"]["RunRequest"]["properties"]["name"] == {
        "type": "string",
        "enum": ["linger", "tidy"],
    }
    assert links["watch"]["operationId"] == known["get /v1/jobs/runs/{run_id}"]["operationId"]
    assert links["cancel"]["operationId"] == known["delete /v1/jobs/runs/{run_id}"]["operationId"]


def test_media_types_are_the_true_ones(document: Document) -> None:
    """Metrics are text, the manifest is bare, and the rest has data and meta."""
    known = dict(operations(document))

    assert set(known["get /metrics"]["responses"]["200"]["content"]) == {
        "text/plain",
        "application/openmetrics-text",
    }
    success = {"application/json": {"schema": {"$ref": "#/components/schemas/Success"}}}
    assert known["get /v1/notes"]["responses"]["200"]["content"] == success
    assert known["get /manifest"]["responses"]["200"]["content"] != success
