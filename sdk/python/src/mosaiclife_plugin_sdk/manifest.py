"""Read plugin.yaml, the one source of a plugin's identity (spec §9)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import yaml

from mosaiclife_plugin_sdk.compat import parse_range, parse_version
from mosaiclife_plugin_sdk.errors import ManifestError, RangeError, detail_of

MANIFEST_NAME = "plugin.yaml"
# The one in C takes a tenth of the time, at every start; not every platform's wheel has it.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

CAPABILITIES: Mapping[str, str] = {
    "http:outbound": "calls to the hosts of permissions.network.egressAllow",
    "events:publish": "CoreClient.publish_event",
    "events:subscribe": "deliveries of domain events to the webhook",
    "db:read": "reads of core's database, where core offers one",
    "jobs:schedule": "CoreClient.register_job",
    "secrets:read": "CoreClient.fetch_secret",
}

Path_ = Annotated[str, msgspec.Meta(pattern=r"^/[A-Za-z0-9._~/-]*$")]
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=64)]
Component = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_/-]+#[A-Za-z_$][A-Za-z0-9_$]*$")]
Kind = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_-]*$")]
VariableName = Annotated[str, msgspec.Meta(pattern=r"^[A-Z][A-Z0-9_]*$")]
HostAndPort = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9.-]+:[0-9]{1,5}$")]


class Compat(msgspec.Struct, frozen=True, kw_only=True):
    """The ranges of versions that the plugin works with (spec §5)."""

    core: str
    backend_sdk: str | None = None
    frontend_sdk: str | None = None


class PanelEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A panel that the remote exposes."""

    id: str
    title: str
    component: Component = "Panel#panel"


class RouteEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A page that the remote exposes; core mounts *path* under `/plugins`."""

    path: Path_
    component: Component


class ActionEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A command; one without a component is registered by the remote's code."""

    id: str
    title: str
    component: Component | None = None


class MenuEntry(ActionEntry, frozen=True, kw_only=True):
    """An entry of the context menu of one kind of thing, such as `legacy` or `story`."""

    target: Kind


class Contributions(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the remote adds to the host's page (spec §4)."""

    panels: list[PanelEntry] = []
    routes: list[RouteEntry] = []
    commands: list[ActionEntry] = []
    context_menus: list[MenuEntry] = []


class UI(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The remote."""

    mode: Literal["ModuleFederation"]
    remote_path: Path_
    contributions: Contributions = Contributions()


class Endpoints(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Where the plugin's own API begins."""

    base_path: Path_


class Health(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Where the probes answer."""

    liveness_path: Path_
    readiness_path: Path_


class Network(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The hosts that the plugin may reach."""

    egress_allow: list[HostAndPort] = []


class Permissions(msgspec.Struct, frozen=True, kw_only=True):
    """What the plugin is allowed beyond its own process."""

    network: Network = Network()


class Manifest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A manifest that has passed every rule of spec §9 and of the schema beside the SDKs."""

    name: Name
    version: str
    title: str = ""
    compat: Compat
    capabilities: list[str] = []
    ui: UI
    endpoints: Endpoints
    health: Health
    config_schema: dict[str, Any] = {}
    secrets: list[VariableName] = []
    permissions: Permissions = Permissions()

    @property
    def container(self) -> str:
        """Return the name of the Module Federation container."""
        return "plugin_" + self.name.replace("-", "_")

    @property
    def base_path(self) -> str:
        """Return where the plugin's own API begins, without a slash at the end."""
        return self.endpoints.base_path.rstrip("/")

    def allows(self, capability: str) -> bool:
        """Tell whether the manifest asks for *capability*."""
        return capability in self.capabilities

    def normalised(self) -> dict[str, Any]:
        """Return the manifest as the JSON that `/manifest` answers and that registration sends."""
        document = msgspec.to_builtins(self)
        kept: dict[str, Any] = _without_none(document)
        # A schema may hold a null on purpose, so it travels as it was written.
        return kept | {"title": self.title or self.name, "configSchema": self.config_schema}


def find_manifest(environ: Mapping[str, str], *starts: Path) -> Path:
    """Return PLUGIN_MANIFEST, or the nearest plugin.yaml upward from the first start that has one.

    Without *starts* the search begins in the working folder.
    """
    if configured := environ.get("PLUGIN_MANIFEST"):
        return Path(configured)
    for start in starts or (Path.cwd(),):
        for folder in (start.resolve(), *start.resolve().parents):
            if (candidate := folder / MANIFEST_NAME).is_file():
                return candidate
    raise ManifestError(f"no {MANIFEST_NAME} found: set PLUGIN_MANIFEST to its path")


def load_manifest(path: Path | str) -> Manifest:
    """Read and judge the manifest in the file *path*."""
    try:
        document = yaml.load(Path(path).read_bytes(), Loader=_Loader)  # noqa: S506  # a safe one
    except OSError as error:
        raise ManifestError(f"{path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path} is not YAML: {error}") from error
    return parse_manifest(document)


def parse_manifest(document: object) -> Manifest:
    """Judge a decoded manifest; `ManifestError.details` says what is wrong, and where."""
    _refuse_number_as_version(document)
    try:
        manifest = msgspec.convert(document, Manifest)
    except msgspec.ValidationError as error:
        raise _refusal([detail_of(error)]) from error
    if details := list(_faults(manifest)):
        raise _refusal(details)
    return manifest


def _refuse_number_as_version(document: object) -> None:
    """Say what happened to `version: 1.10`, which YAML has read as 1.1 by now."""
    if isinstance(document, dict) and isinstance(document.get("version"), int | float):
        message = f"{document['version']} is a number: write MAJOR.MINOR.PATCH in quotes"
        raise _refusal([{"field": "$.version", "message": message}])


def _refusal(details: list[dict[str, str]]) -> ManifestError:
    reasons = "; ".join(f"{detail['field']}: {detail['message']}" for detail in details)
    return ManifestError(f"the manifest is not valid: {reasons}", details=details)


def _faults(manifest: Manifest) -> Iterator[dict[str, str]]:
    """Yield what the types cannot say."""
    yield from _version_faults(manifest)
    yield from _capability_faults(manifest.capabilities)
    yield from _contribution_faults(manifest)
    if manifest.base_path in ("", "/mf", "/schema"):
        yield _fault("$.endpoints.basePath", "names a path of its own, such as /v1")
    if manifest.config_schema and manifest.config_schema.get("type") != "object":
        yield _fault("$.configSchema.type", "is 'object'")


def _version_faults(manifest: Manifest) -> Iterator[dict[str, str]]:
    try:
        parse_version(manifest.version)
    except RangeError as error:
        yield _fault("$.version", str(error))
    for party, wanted in msgspec.structs.asdict(manifest.compat).items():
        try:
            parse_range(wanted) if wanted is not None else None
        except RangeError as error:
            yield _fault(f"$.compat.{party}", str(error))


def _capability_faults(capabilities: Iterable[str]) -> Iterator[dict[str, str]]:
    for index, capability in enumerate(capabilities):
        if capability not in CAPABILITIES:
            known = ", ".join(CAPABILITIES)
            yield _fault(f"$.capabilities[{index}]", f"{capability!r} is unknown; known: {known}")


def _contribution_faults(manifest: Manifest) -> Iterator[dict[str, str]]:
    home = re.compile(rf"/{re.escape(manifest.name)}(/.*)?")
    for index, route in enumerate(manifest.ui.contributions.routes):
        if not home.fullmatch(route.path):
            field = f"$.ui.contributions.routes[{index}].path"
            yield _fault(field, f"begins with /{manifest.name}")
    panels = [panel.id for panel in manifest.ui.contributions.panels]
    if len(set(panels)) < len(panels):
        yield _fault("$.ui.contributions.panels", "two panels have one id")


def _fault(field: str, message: str) -> dict[str, str]:
    return {"field": field, "message": message}


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_none(item) for item in value]
    return value
