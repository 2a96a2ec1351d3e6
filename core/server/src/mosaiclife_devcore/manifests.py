"""Judge a manifest against the one JSON Schema and the rules beside it (spec §9.2)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jsonschema_rs

from mosaiclife_devcore.errors import ValidationFailed
from mosaiclife_devcore.settings import RESERVED_IDS, SettingsError
from mosaiclife_plugin_sdk import Manifest, ManifestError, parse_manifest

SCHEMA = Path("sdk/schema/plugin.schema.json")
MAX_PROBLEMS = 20


class ManifestJudge:
    """The schema, compiled once, and what it cannot say."""

    def __init__(self, schema_file: Path | None = None) -> None:
        path = schema_file or find_schema()
        try:
            self._schema = jsonschema_rs.Draft202012Validator(json.loads(path.read_text()))
        except OSError as error:
            reason = f"CORE_PLUGIN_SCHEMA: {path} cannot be read: {error.strerror}"
            raise SettingsError(reason) from error

    def judge(self, document: dict[str, Any]) -> Manifest:
        """Return the manifest, or refuse it with the JSON path of every fault."""
        faults = [
            {"field": json_path(error.instance_path), "message": error.message}
            for error, _ in zip(
                self._schema.iter_errors(document), range(MAX_PROBLEMS), strict=False
            )
        ]
        if faults:
            raise ValidationFailed("the manifest breaks its schema", details=faults)
        return _parse(document)


def find_schema() -> Path:
    """Return the schema of the nearest checkout above this file."""
    for folder in Path(__file__).resolve().parents:
        if (candidate := folder / SCHEMA).is_file():
            return candidate
    raise SettingsError(f"CORE_PLUGIN_SCHEMA is unset, and no folder above holds {SCHEMA}")


def json_path(parts: Iterable[str | int], root: str = "$.manifest") -> str:
    """Write a place in the request as a JSON path."""
    return root + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)


def _parse(document: dict[str, Any]) -> Manifest:
    try:
        manifest = parse_manifest(document)
    except ManifestError as error:
        raise ValidationFailed("the manifest breaks a rule", details=_under(error)) from error
    if manifest.name.startswith("-") or manifest.name in RESERVED_IDS:
        fault = {"field": "$.manifest.name", "message": f"{manifest.name!r} is reserved"}
        raise ValidationFailed("the manifest breaks a rule", details=[fault])
    return manifest


def _under(error: ManifestError) -> list[dict[str, str]]:
    return [
        {**detail, "field": detail["field"].replace("$", "$.manifest", 1)}
        for detail in error.details
    ]
