"""Write what of the chart follows from elsewhere, then lint it.

The settings in the values' schema come from configSchema in plugin.yaml, and the table of values in
the chart's README from the values and their schema. `--check` writes nothing and names what is
stale.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tools import programs
from tools.docs import NOTE, code, manifest, table
from tools.workspace import ROOT, ToolFailed, fail, run, say

CHART = ROOT / "chart"
SCHEMA = CHART / "values.schema.json"
README = CHART / "README.md"
# What other values decide, so that nobody can set one thing in two places.
DECIDED = frozenset(
    {
        *("CORE_BASE_URL", "PLUGIN_PUBLIC_URL", "UI_REMOTE_PATH", "UI_REMOTE_URL"),
        *("HOST", "PORT", "DATA_DIR", "OTEL_EXPORTER_OTLP_ENDPOINT", "DEMO_MODE"),
    }
)
TOKENS = frozenset({"REG_TOKEN", "DATABASE_URL"})  # come from Secrets of their own
START, END = "<!-- values -->", "<!-- end of the values -->"


def schema() -> dict[str, Any]:
    known: dict[str, Any] = json.loads(SCHEMA.read_text("utf-8"))
    return known


def values() -> dict[str, Any]:
    known: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    return known


def wanted_schema() -> str:
    """Return the schema with the settings and the secrets that the manifest declares."""
    known, plugin = schema(), manifest()
    settings: Mapping[str, Any] = plugin.config_schema["properties"]
    known["properties"]["config"] = {
        "description": "Settings of the plugin, by the names of their variables.",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            name: {key: rule for key, rule in rules.items() if key not in {"default", "format"}}
            for name, rules in settings.items()
            if name not in DECIDED
        },
    }
    keys = known["properties"]["secrets"]["properties"]["keys"]
    keys["items"] = {"type": "string", "enum": sorted(set(plugin.secrets) - TOKENS)}
    return json.dumps(known, indent=2, ensure_ascii=False) + "\n"


def rows() -> Iterator[tuple[str, str, str]]:
    """Yield name, default and meaning of each value, in the order of values.yaml."""
    return below("", schema()["properties"], values())


def below(
    prefix: str, properties: Mapping[str, Any], defaults: Mapping[str, Any]
) -> Iterator[tuple[str, str, str]]:
    for name in sorted(properties.keys() - defaults.keys() - {"global"}):
        yield code(prefix + name), "", properties[name]["description"]
    for name, default in defaults.items():
        rules = properties[name]
        if "properties" in rules and default:
            yield from below(f"{prefix}{name}.", rules["properties"], default)
        else:
            yield code(prefix + name), code(json.dumps(default)), meaning(rules)


def meaning(rules: Mapping[str, Any]) -> str:
    """Return the description with the words that are allowed."""
    words = ", ".join(code(word) for word in rules.get("enum", ()) if word)
    return f"{rules['description']} One of {words}." if words else str(rules["description"])


def wanted_readme() -> str:
    """Return the README with its table written anew."""
    text = README.read_text("utf-8")
    head, rest = text.split(START, 1)
    _, tail = rest.split(END, 1)
    lines = table(("value", "default", "meaning"), rows())
    return f"{head}{START}\n\n{NOTE.replace('docs', 'chart')}\n\n{lines}\n\n{END}{tail}"


def stale(*, write: bool) -> list[str]:
    """Return the files that differ from what they follow from, and mend them when asked to."""
    old: list[str] = []
    wanted = {SCHEMA: wanted_schema, README: wanted_readme}
    for path, make in wanted.items():
        text = make()
        if path.read_text("utf-8") != text:
            old.append(path.relative_to(ROOT).as_posix())
            if write:
                path.write_text(text, "utf-8")
    return old


def lint(helm: Path) -> None:
    """Lint the chart with its defaults and with each of its other sets of values."""
    run(helm, "lint", "--strict", CHART)
    for others in sorted(CHART.glob("values-*.yaml")):
        run(helm, "lint", "--strict", CHART, "--values", others)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="just chart", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args(arguments).check
    old = stale(write=not check)
    if check and old:
        fail("\n".join(f"{name} is stale: ./just chart" for name in old))
        return 1
    for name in old:
        say(f"wrote {name}")
    try:
        lint(programs.helm())
    except ToolFailed as error:
        fail(str(error))
        return 1
    say("the chart has no fault that helm finds")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
