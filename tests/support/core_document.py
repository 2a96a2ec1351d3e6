"""`sdk/schema/core.openapi.yaml` as something that answers can be held against."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import jsonschema_rs
import yaml

SCHEMAS = Path(__file__).parents[2] / "sdk/schema"
BASE = "https://schemas.test/"
DOCUMENT = "core.openapi.yaml"
METHODS = ("get", "put", "post", "delete", "patch")


def read_document() -> dict[str, Any]:
    """Return the document as it is written."""
    document: dict[str, Any] = yaml.safe_load((SCHEMAS / DOCUMENT).read_text())
    return document


@dataclass(frozen=True)
class Operation:
    """One method of one path; *place* is where it stands in the document."""

    id: str
    method: str
    path: str
    place: tuple[str, ...]
    body: Mapping[str, Any]

    @property
    def statuses(self) -> set[int]:
        """Return every status that is documented."""
        return {int(status) for status in self.body["responses"]}


class CoreDocument:
    """The operations of the document, and what their bodies must look like."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.operations = {operation.id: operation for operation in _operations(document)}

    @cached_property
    def _registry(self) -> jsonschema_rs.Registry:
        files = {path.name: json.loads(path.read_text()) for path in SCHEMAS.glob("*.json")}
        resources = {**files, DOCUMENT: self.document}
        return jsonschema_rs.Registry([(BASE + name, body) for name, body in resources.items()])

    def validator(self, *place: str) -> jsonschema_rs.Draft202012Validator:
        """Return the validator of the schema that stands at *place* in the document."""
        escaped = [part.replace("~", "~0").replace("/", "~1") for part in place]
        pointer = quote("".join("/" + part for part in escaped))
        schema = {"$ref": f"{BASE}{DOCUMENT}#{pointer}"}
        return jsonschema_rs.Draft202012Validator(
            schema, registry=self._registry, validate_formats=True
        )

    def check_request(self, operation: Operation, body: object) -> None:
        """Hold a body that is sent against the document."""
        place = (*operation.place, "requestBody", "content", "application/json", "schema")
        self.validator(*place).validate(body)

    def check_response(self, operation: Operation, response: httpx.Response) -> None:
        """Hold an answer against the document: its status, headers, type and body."""
        place, documented = self._response(operation, response.status_code)
        for name, header in documented.get("headers", {}).items():
            _check_header(response, name, header)
        media = response.headers.get("content-type", "").partition(";")[0]
        assert media in documented["content"], f"{media!r} is not documented"
        if media == "application/json":
            self.validator(*place, "content", media, "schema").validate(response.json())

    def _response(self, operation: Operation, status: int) -> tuple[tuple[str, ...], Any]:
        responses = operation.body["responses"]
        assert str(status) in responses, f"{operation.id} answers {status}, which no page mentions"
        found = responses[str(status)]
        if "$ref" in found:
            place = tuple(found["$ref"].removeprefix("#/").split("/"))
            return place, self.document[place[0]][place[1]][place[2]]
        return (*operation.place, "responses", str(status)), found


def _operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                body = item[method]
                yield Operation(body["operationId"], method, path, ("paths", path, method), body)


def _check_header(response: httpx.Response, name: str, header: Mapping[str, Any]) -> None:
    value: Any = response.headers.get(name)
    assert value is not None or not header.get("required"), f"{name} is missing"
    if value is not None:
        typed = int(value) if header["schema"].get("type") == "integer" else value
        jsonschema_rs.validate(header["schema"], typed)
