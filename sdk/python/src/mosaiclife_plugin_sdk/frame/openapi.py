"""Complete `/schema/openapi.json` with what the framework cannot see: the frame's own promises.

Litestar knows a handler's parameters. It does not know that every error has one body, who needs
the bearer, that a guard may refuse, or that msgspec refuses unknown fields. A route adds to its
`opt` what only it knows: `errors`, more statuses that it answers with; `content`, the media types
of its success; `etag`, that it may answer 304.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Litestar, Request
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.routes import HTTPRoute

PATH = "/openapi.json"
BEARER = "bearer"

_TEXT = {"type": "string"}
_INSTANT = {"type": "string", "format": "date-time"}
_SUCCESS: Mapping[str, Any] = {
    "type": "object",
    "required": ["data", "meta"],
    "properties": {
        "data": {},
        "meta": {
            "type": "object",
            "required": ["requestId", "timestamp"],
            "properties": {"requestId": _TEXT, "timestamp": _INSTANT},
        },
    },
}
_DETAIL = {
    "type": "object",
    "required": ["field", "message"],
    "properties": {"field": _TEXT, "message": _TEXT},
}
PROBLEM: Mapping[str, Any] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "details", "requestId", "timestamp"],
            "properties": {
                "code": {"type": "string", "pattern": "^[A-Z][A-Z0-9_]*$"},
                "message": _TEXT,
                "details": {"type": "array", "items": _DETAIL},
                "requestId": _TEXT,
                "timestamp": _INSTANT,
            },
        }
    },
}
_SECURITY = {
    "type": "http",
    "scheme": "bearer",
    "description": "The token that core issued. With it core says for whom it calls, in"
    " X-Tenant-ID and X-User-Context.",
}

Document = dict[str, Any]


class ContractDocument(JsonRenderPlugin):
    """Litestar's document, completed when it is first asked for."""

    def __init__(self, base_path: str, jobs: Iterable[str]) -> None:
        super().__init__(path=PATH)
        self._base = base_path + "/"
        self._jobs = sorted(jobs)
        self._encoded: bytes | None = None

    def render(self, request: Request[Any, Any, Any], openapi_schema: Document) -> bytes:
        """Return the document as JSON."""
        if self._encoded is None:
            self._encoded = self.render_json(request, self.completed(openapi_schema, request.app))
        return self._encoded

    def completed(self, document: Document, app: Litestar) -> Document:
        """Return *document* with the promises of the frame in it."""
        handlers = dict(_handlers(app))
        paths = {
            path: {
                method: self._operation(path, operation, handlers[path, method])
                for method, operation in item.items()
            }
            for path, item in document["paths"].items()
            if not path.startswith("/schema") or path.endswith(PATH)
        }
        known = document.get("components", {})
        schemas = {"Success": _SUCCESS, "Problem": PROBLEM, **known.get("schemas", {})}
        for name in _closed_structs(handlers.values()) & schemas.keys():
            schemas[name] = {**schemas[name], "additionalProperties": False}
        self._name_jobs(paths, schemas)
        components = {**known, "schemas": schemas, "securitySchemes": {BEARER: _SECURITY}}
        return {
            **document,
            "paths": paths,
            "components": components,
            "security": [{BEARER: []}],
        }

    def _name_jobs(self, paths: Document, schemas: Document) -> None:
        """Say which jobs there are, and that a run that was started can be watched and cancelled."""
        request = schemas["RunRequest"]
        name = {"type": "string", "enum": self._jobs} if self._jobs else {"type": "string"}
        properties = {**request["properties"], "name": name}
        schemas["RunRequest"] = {**request, "properties": properties}
        run = paths[f"{self._base}jobs/runs/{{run_id}}"]
        paths[f"{self._base}jobs/run"]["post"]["responses"]["202"]["links"] = {
            word: {
                "operationId": run[method]["operationId"],
                "parameters": {"run_id": "$response.body#/data/runId"},
            }
            for word, method in (("watch", "get"), ("cancel", "delete"))
        }

    def _operation(self, path: str, operation: Document, handler: HTTPRouteHandler) -> Document:
        below = path.startswith(self._base)
        answers = {
            status: _success(answer, handler)
            for status, answer in operation["responses"].items()
            if status.startswith("2")
        }
        if handler.opt.get("etag", below and "GET" in handler.http_methods):
            answers["304"] = {"description": HTTPStatus.NOT_MODIFIED.phrase}
        for status in sorted(_errors(operation, handler, below=below)):
            answers[str(status)] = _problem(status)
        public: Document = {"security": []} if handler.opt.get("public") else {}
        return {**operation, "responses": answers, **public}


def _handlers(app: Litestar) -> Iterator[tuple[tuple[str, str], HTTPRouteHandler]]:
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                for method in handler.http_methods:
                    yield (route.path_format, method.lower()), handler


def _errors(operation: Document, handler: HTTPRouteHandler, *, below: bool) -> set[int]:
    """Return the statuses of the errors that a call of *operation* may meet."""
    places = {parameter["in"] for parameter in operation.get("parameters", ())}
    found = {400, 500, 504, *handler.opt.get("errors", ())}
    found |= set() if handler.opt.get("public") else {401}
    found |= {403, 503} if below else set()
    found |= {404} if "path" in places else set()
    found |= {422} if places else set()
    found |= {413, 415, 422} if "requestBody" in operation else set()
    return found


def _success(answer: Document, handler: HTTPRouteHandler) -> Document:
    usual = {"application/json": {"schema": {"$ref": "#/components/schemas/Success"}}}
    return {**answer, "content": handler.opt.get("content", usual)}


def _problem(status: int) -> Document:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": HTTPStatus(status).phrase, "content": content}


def _closed_structs(handlers: Iterable[HTTPRouteHandler]) -> set[str]:
    """Return the names of the structs in bodies that refuse unknown fields."""
    bodies = [
        handler.parsed_data_field.annotation
        for handler in handlers
        if handler.parsed_data_field is not None
    ]
    return {name for body in bodies for name in _closed_in(body)}


def _closed_in(kind: Any) -> Iterator[str]:
    """Yield the struct *kind*, and those below it, that refuse unknown fields."""
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return
    if kind.__struct_config__.forbid_unknown_fields:
        yield kind.__name__
    for field in msgspec.structs.fields(kind):
        yield from _closed_in(field.type)
