"""Validate plugin.yaml against the schema beside the SDKs, and by the rules of the SDK (spec §9.2)."""

import json
import sys
from pathlib import Path

import jsonschema_rs
import yaml

from mosaiclife_plugin_sdk import ManifestError, load_manifest
from tools.workspace import ROOT, fail, say

MANIFEST = ROOT / "plugin.yaml"
SCHEMA = ROOT / "sdk/schema/plugin.schema.json"


class ManifestFault(Exception):
    """The manifest does not follow the schema or the SDK's rules."""


def validate(path: Path = MANIFEST) -> None:
    """Raise with every fault that the schema sees, or with the first that only the SDK knows."""
    schema = jsonschema_rs.validator_for(json.loads(SCHEMA.read_text(encoding="utf-8")))
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    faults = [f"{_where(error)}: {error.message}" for error in schema.iter_errors(document)]
    if faults:
        raise ManifestFault("\n".join(f"{path.name} {fault}" for fault in faults))
    try:
        load_manifest(path)
    except ManifestError as error:
        raise ManifestFault(f"{path.name}: {error}") from error


def _where(error: jsonschema_rs.ValidationError) -> str:
    return "$" + "".join(f".{step}" for step in error.instance_path)


def main() -> int:
    try:
        validate()
    except ManifestFault as error:
        fail(str(error))
        return 1
    say("plugin.yaml follows the schema and the SDK's rules")
    return 0


if __name__ == "__main__":
    sys.exit(main())
