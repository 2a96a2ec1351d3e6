"""What every target has in common: secrets, an environment, and plugins that can be called."""

import secrets as randomness
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from mosaiclife_plugin_contract.calls import Caller
from mosaiclife_plugin_contract.doubles.core import StandInCore
from mosaiclife_plugin_contract.limits import Limits
from mosaiclife_plugin_contract.needs import Need
from mosaiclife_plugin_contract.signing import PREFIX, new_secret
from mosaiclife_plugin_contract.violation import NotApplicable

# The variables of the contract. What the kit does not set itself must not be set by chance.
VARIABLES = (
    *("API_TIMEOUT_MS", "CORE_API_PREFIX", "CORE_BASE_URL", "CORE_TOKEN", "DATABASE_URL"),
    *("DATA_DIR", "DRAIN_SECONDS", "HOST", "LOG_LEVEL", "OTEL_EXPORTER_OTLP_ENDPOINT"),
    *("PLUGIN_PUBLIC_URL", "PORT", "PSEUDONYM_KEY", "REG_TOKEN", "REPORTING_TIMEZONE"),
    *("SELF_REGISTER", "UI_REMOTE_PATH", "UI_REMOTE_URL", "WEBHOOK_SECRETS"),
)
DRAIN_SECONDS = 0.5


@dataclass(frozen=True)
class Credentials:
    """What core and plugin share, as far as the kit knows it."""

    call_token: str | None = None
    reg_token: str | None = None
    webhook_secrets: tuple[str, ...] = ()

    @classmethod
    def fresh(cls) -> "Credentials":
        """Make up everything, with two live signing secrets as during a rotation."""
        call, reg = randomness.token_urlsafe(24), randomness.token_urlsafe(24)
        return cls(call, reg, (new_secret(), new_secret()))

    @property
    def words(self) -> tuple[str, ...]:
        """Return every word that must never be shown."""
        tokens = [token for token in (self.call_token, self.reg_token) if token]
        bare = [secret.removeprefix(PREFIX) for secret in self.webhook_secrets]
        return (*tokens, *bare)


class Life(Protocol):
    """The process that an instance is, where it is one that the kit began."""

    def output(self) -> str:
        """Return what it has written to standard output."""

    def terminate(self) -> None:
        """Ask it to end, with SIGTERM."""

    async def ended(self) -> int:
        """Wait for its end and return the exit code."""


@dataclass
class Instance:
    """One running plugin."""

    call: Caller
    public_url: str
    credentials: Credentials
    core: StandInCore | None = None
    life: Life | None = None

    def the_core(self) -> StandInCore:
        """Return the kit's own core, to which this instance was pointed."""
        if self.core is None:
            raise NotApplicable("the plugin was not pointed to the kit's core")
        return self.core

    def the_life(self) -> Life:
        """Return the process."""
        if self.life is None:
            raise NotApplicable("the plugin is no process of the kit's")
        return self.life


class Target(Protocol):
    """A plugin under test, and how much the kit can do with it."""

    mode: str
    name: str
    offers: frozenset[Need]
    credentials: Credentials

    def launch(
        self, limits: Limits, core: StandInCore | None, environ: Mapping[str, str]
    ) -> AbstractAsyncContextManager[Instance]:
        """Run one instance, pointed to *core*, with *environ* on top of the kit's own."""


@dataclass(frozen=True)
class Surroundings:
    """What the kit prepares for a plugin that it starts."""

    credentials: Credentials
    url: str
    port: int
    folder: Path
    core_url: str
    extra: Mapping[str, str] = field(default_factory=dict)

    def environ(self) -> dict[str, str]:
        """Return the variables of the contract."""
        return {
            "CORE_BASE_URL": self.core_url,
            "REG_TOKEN": self.credentials.reg_token or "",
            "CORE_TOKEN": self.credentials.call_token or "",
            "WEBHOOK_SECRETS": " ".join(self.credentials.webhook_secrets),
            "PLUGIN_PUBLIC_URL": self.url,
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "DATA_DIR": str(self.folder / "data"),
            "LOG_LEVEL": "debug",
            "DRAIN_SECONDS": str(DRAIN_SECONDS),
            **self.extra,
        }


@asynccontextmanager
async def scratch() -> AsyncIterator[Path]:
    """Lend a folder."""
    with TemporaryDirectory(prefix="contract-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
