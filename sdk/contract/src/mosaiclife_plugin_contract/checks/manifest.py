"""The manifest: one document, valid, true (spec §5, §9)."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from mosaiclife_plugin_contract import schemas
from mosaiclife_plugin_contract.context import Context
from mosaiclife_plugin_contract.documents import member
from mosaiclife_plugin_contract.ranges import is_version, range_fault
from mosaiclife_plugin_contract.registry import Need, check
from mosaiclife_plugin_contract.targets.process import ProcessTarget
from mosaiclife_plugin_contract.violation import NotApplicable, expect, shown

SCRIPT_TYPES = ("text/javascript", "application/javascript")
REFUSED_START = 2


@check("MAN-1", spec="9.2")
async def manifest_follows_the_schema(ctx: Context) -> None:
    """/manifest follows the schema, and its version is a string of the form MAJOR.MINOR.PATCH."""
    served = await ctx.served()
    wrong = schemas.faults("plugin", served)
    expect(not wrong, "/manifest follows the schema of plugin.yaml", saw="; ".join(wrong))
    version = served.get("version")
    expect(isinstance(version, str) and is_version(version), "the version is SemVer", saw=version)


@check("MAN-2", spec="5")
async def ranges_can_be_read(ctx: Context) -> None:
    """Each range under compat is of the grammar: >= > <= < = and versions, joined by spaces."""
    compat = (await ctx.served()).get("compat")
    ranges = compat if isinstance(compat, dict) else {}
    expect("core" in ranges, "compat.core is declared", saw=compat)
    for party, text in ranges.items():
        fault = range_fault(text) if isinstance(text, str) else "it is no text"
        expect(not fault, f"compat.{party} can be read", saw=f"{text!r}: {fault}")


@check("MAN-3", spec="9.1")
async def declared_paths_answer(ctx: Context) -> None:
    """What the manifest declares is there: both probes, and the remote as JavaScript."""
    for name in ("livenessPath", "readinessPath"):
        path = await ctx.path("health", name)
        reply = await ctx.call("GET", path)
        good = reply.status in ((200,) if name == "livenessPath" else (200, 503))
        expect(good, f"health.{name} {path} answers", saw=reply.summary)
    path = await ctx.path("ui", "remotePath")
    reply = await ctx.call("GET", path)
    expect(reply.status == 200, f"ui.remotePath {path} answers", saw=reply.summary, expected=200)
    expect(reply.media_type in SCRIPT_TYPES, "the remote is JavaScript", saw=reply.media_type)


@check("MAN-4", spec="9", needs={Need.MANIFEST})
async def manifest_is_the_file(ctx: Context) -> None:
    """Whatever plugin.yaml says, /manifest says; it may add defaults, and nothing else."""
    differing = list(_differences(ctx.manifest_file, await ctx.served(), "$"))
    expect(not differing, "/manifest is plugin.yaml as JSON", saw="; ".join(differing))


def _differences(file: Any, served: Any, at: str) -> Iterator[str]:
    """Yield each place where *served* lacks or changes what *file* says."""
    if isinstance(file, Mapping) and isinstance(served, Mapping):
        for name, value in file.items():
            if name not in served:
                yield f"{at}.{name} is missing"
            else:
                yield from _differences(value, served[name], f"{at}.{name}")
    elif isinstance(file, list) and isinstance(served, list) and len(file) == len(served):
        for index, pair in enumerate(zip(file, served, strict=True)):
            yield from _differences(*pair, f"{at}[{index}]")
    elif file != served or isinstance(file, bool) is not isinstance(served, bool):
        yield f"{at} is {served!r}, in the file {file!r}"


@check("MAN-5", spec="9.1")
async def settings_are_described(ctx: Context) -> None:
    """The manifest's configSchema is a JSON Schema, and its own defaults satisfy it."""
    served = await ctx.served()
    if "configSchema" not in served:
        raise NotApplicable("the manifest describes no setting")
    schema = member(served, dict, "the manifest", "configSchema")
    fault = schemas.schema_fault(schema)
    expect(fault is None, "configSchema is a JSON Schema", saw=fault)
    settings = _settings(schema)
    defaults = {key: rule["default"] for key, rule in settings.items() if "default" in rule}
    kept = {name: rule for name, rule in schema.items() if name != "required"}
    wrong = schemas.value_faults(kept, defaults)
    expect(not wrong, "the defaults satisfy configSchema", saw="; ".join(wrong))


@check("MAN-6", spec="9.1", needs={Need.START, Need.PROCESS})
async def bad_setting_stops_the_start(ctx: Context) -> None:
    """A setting that configSchema refuses stops the start: exit code 2, and a word about the key."""
    bad = _a_bad_setting(_settings((await ctx.declared()).get("configSchema") or {}))
    if bad is None:
        raise NotApplicable("configSchema restricts no setting")
    key, value = bad
    if not isinstance(ctx.target, ProcessTarget):
        raise NotApplicable("the target is no process")
    async with asyncio.timeout(ctx.limits.start):
        code, words = await ctx.target.refusal({key: value})
    rule = f"{key}={value} stops the start"
    expect(code == REFUSED_START, rule, saw=f"exit code {code}: {shown(words)}", expected=2)
    expect(key in words, f"{rule} with a line that names {key}", saw=shown(words))


def _settings(schema: Any) -> dict[str, dict[str, Any]]:
    """Return the settings that are described one by one."""
    properties = schema.get("properties") if isinstance(schema, dict) else None
    found = properties if isinstance(properties, dict) else {}
    return {key: rule for key, rule in found.items() if isinstance(rule, dict)}


def _a_bad_setting(settings: Mapping[str, Mapping[str, Any]]) -> tuple[str, str] | None:
    """Return a variable and a text that its rule refuses, or None when every text will do."""
    for key, rule in settings.items():
        if "enum" in rule:
            return key, "contract-kit-says-no"
        if rule.get("type") in ("integer", "number", "boolean"):
            return key, "contract-kit-says-no"
    return None
