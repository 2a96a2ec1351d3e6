"""Write the reference pages that follow from the code: errors, settings, limits.

`docs` writes them, `docs --check` names those that no longer fit. Each page is a function of the
code alone, so that a test can tell a stale one.
"""

import argparse
import importlib
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from mosaiclife_devcore import errors as core_errors
from mosaiclife_plugin_sdk import Manifest, load_manifest
from mosaiclife_plugin_sdk import errors as sdk_errors
from tools.limits import LIMITS, Limit
from tools.workspace import ROOT, fail, say

WIDTH = 100
FOLDER = ROOT / "docs"
NOTE = "<!-- Written by `./just docs` from the code: change that, not this page. -->"

Row = Sequence[str]


def manifest() -> Manifest:
    return load_manifest(ROOT / "plugin.yaml")


def plugin_module(name: str) -> ModuleType:
    """Import a module of the plugin, whose package is named after its id."""
    return importlib.import_module(f"{manifest().container}.{name}")


def table(head: Row, rows: Iterable[Row]) -> str:
    """Write a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(cell, line)) + " |" for line in lines)


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def code(value: object) -> str:
    return f"`{value}`"


def page(title: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", NOTE, *map(wrapped, parts)]) + "\n"


def wrapped(part: str) -> str:
    """Break prose into lines; headings and tables stay as they are."""
    if part.startswith(("#", "|")):
        return part
    return textwrap.fill(part, WIDTH, break_long_words=False, break_on_hyphens=False)


# Errors.


def errors_page() -> str:
    """List every error that is raised on purpose, with what a caller sees of it."""
    own = plugin_module("errors")
    return page(
        "Errors",
        "Every error has one body: `{error: {code, message, details[], requestId, timestamp}}`, "
        "described by [error.schema.json](../sdk/schema/error.schema.json). Programs go by `code`, "
        "people read `message`, and `details` names the place of each fault.",
        "## Of the SDK, for every plugin",
        answers(sdk_errors.PluginError, sdk_errors),
        "## Of this plugin",
        answers(sdk_errors.PluginError, own),
        "## On this side of the wire",
        "Raised to the plugin's own code, or at its start; no caller sees them. A `SettingsError` "
        "ends the start with exit code 2 and one line.",
        faults(sdk_errors, own),
        "## Of the development core",
        answers(core_errors.CoreError, core_errors),
    )


def below(kind: type[Exception]) -> Iterator[type[Exception]]:
    """Yield *kind* and all that derives from it, parents first."""
    yield kind
    for child in kind.__subclasses__():
        yield from below(child)


def of_module(kind: type[Exception], *modules: ModuleType) -> list[type[Exception]]:
    names = {module.__name__ for module in modules}
    found = [one for one in below(kind) if one.__module__ in names]
    return [one for one in dict.fromkeys(found) if not one.__name__.startswith("_")]


def answers(root: type[Exception], module: ModuleType) -> str:
    rows = [
        (code(one.__name__), said(one, "status"), code(said(one, "code")), summary(one))
        for one in of_module(root, module)
    ]
    return table(("error", "status", "code", "message, unless there is a better one"), rows)


def said(kind: type, attribute: str) -> str:
    return str(getattr(kind, attribute))


def faults(*modules: ModuleType) -> str:
    rows = [
        (code(one.__name__), code(one.__bases__[0].__name__), summary(one))
        for one in of_module(sdk_errors.SDKError, *modules)
    ]
    return table(("error", "is a", "meaning"), rows)


def summary(kind: type) -> str:
    return (inspect.getdoc(kind) or "").partition("\n\n")[0]


# Settings.


def settings_page() -> str:
    """List every variable that the plugin reads."""
    known = manifest()
    properties: Mapping[str, Any] = known.config_schema["properties"]
    rows = [
        (code(name), kind_of(rules), default_of(rules), rules["description"])
        for name, rules in sorted(properties.items())
    ]
    secrets = [(code(name), code(f"{name}_FILE")) for name in sorted(known.secrets)]
    return page(
        "Settings",
        "The environment is read once, at the start. A value that cannot be used ends it with one "
        "line that names the variable and what is allowed, and exit code 2. An empty variable "
        "counts as unset. These stand in `configSchema` of [plugin.yaml](../plugin.yaml):",
        table(("variable", "type", "default", "meaning"), rows),
        "`PLUGIN_MANIFEST` names the manifest itself; without it, it is looked for from the working "
        "folder upward.",
        "## Secrets",
        "Each may come from the variable or from the file that the second one names, not from "
        "both. A file is read again when it changes. Several words, separated by spaces, are valid "
        "at once; the first is the one that is sent. Without `CORE_TOKEN`, `REG_TOKEN` counts for "
        "both directions.",
        table(("variable", "or its file"), secrets),
    )


def kind_of(rules: Mapping[str, Any]) -> str:
    """Write type and bounds in words."""
    if "enum" in rules:
        return "one of " + ", ".join(code(word) for word in rules["enum"])
    words = {
        "minimum": "at least",
        "exclusiveMinimum": "more than",
        "maximum": "at most",
    }
    bounds = [f"{word} {rules[key]}" for key, word in words.items() if key in rules]
    kind = {"uri": "URL"}.get(rules.get("format", ""), rules["type"])
    return ", ".join([kind, *bounds])


def default_of(rules: Mapping[str, Any]) -> str:
    return code(msgspec.json.encode(rules["default"]).decode()) if "default" in rules else ""


# Limits.


def limits_page() -> str:
    """List every fixed limit with the test that shows it."""
    sections: list[str] = []
    for subject, limits in LIMITS.items():
        head = ("limit", "value", "beyond it", "shown by")
        sections += [f"## {subject}", table(head, map(limit_row, limits))]
    return page(
        "Limits",
        "What is fixed, and not a [setting](settings.md). The list is "
        "[tools/limits.py](../tools/limits.py), the values come from the code.",
        *sections,
    )


def limit_row(limit: Limit) -> Row:
    file, _, name = limit.test.partition("::")
    link = f"[{name}](../{file})"
    return (limit.subject, amount(value_of(limit), limit.unit), limit.beyond, link)


def value_of(limit: Limit) -> Any:
    module, _, name = limit.constant.removeprefix("plugin:").partition(":")
    own = limit.constant.startswith("plugin:")
    return getattr(plugin_module(module) if own else importlib.import_module(module), name)


def amount(value: Any, unit: str) -> str:
    """Write a number as people read it."""
    if isinstance(value, timedelta):
        return f"{value.days} days"
    if unit == "bytes" and value % 1024 == 0:
        mebi = value % (1 << 20) == 0
        return f"{value >> 20} MiB" if mebi else f"{value >> 10} KiB"
    return f"{value:,g} {unit}"


PAGES: Mapping[str, Callable[[], str]] = {
    "errors.md": errors_page,
    "settings.md": settings_page,
    "limits.md": limits_page,
}


def stale(folder: Path = FOLDER) -> list[str]:
    """Return the pages that differ from what the code says now."""
    return [
        name
        for name, write in PAGES.items()
        if not (folder / name).is_file() or (folder / name).read_text("utf-8") != write()
    ]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="just docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    old = stale()
    if parser.parse_args(arguments).check:
        fail("\n".join(f"docs/{name} is stale: ./just docs" for name in old))
        return int(bool(old))
    for name in old:
        (FOLDER / name).write_text(PAGES[name](), "utf-8")
        say(f"wrote docs/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
