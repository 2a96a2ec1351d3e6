"""Hold documents against the contract's schemas, and schemas against the rules for schemas."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

Validator = jsonschema_rs.Draft202012Validator

PACKAGE = Path(__file__).parent


@cache
def known(name: str) -> Validator:
    """Return the validator for one of the contract's own schemas, `plugin` or `error`."""
    packed = PACKAGE / "schema"
    folder = packed if packed.is_dir() else PACKAGE.parents[2] / "schema"
    source = (folder / f"{name}.schema.json").read_text("utf-8")
    return Validator(json.loads(source), validate_formats=True)


def faults(name: str, document: Any) -> list[str]:
    """Return what the contract's schema finds, each with its place."""
    return [_in_words(error) for error in known(name).iter_errors(document)]


def schema_fault(schema: Any) -> str | None:
    """Return why *schema* is no JSON Schema, or None."""
    try:
        Validator(schema)
    except (ValueError, TypeError) as error:
        return str(error)
    return None


def value_faults(schema: Any, value: Any) -> list[str]:
    """Return what a plugin's own *schema* finds wrong with *value*."""
    return [_in_words(error) for error in Validator(schema).iter_errors(value)]


def _in_words(error: jsonschema_rs.ValidationError) -> str:
    place = "$" + "".join(
        f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.instance_path
    )
    return f"{place}: {error.message}"
