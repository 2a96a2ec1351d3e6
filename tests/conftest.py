"""What every test may count on: asyncio, and an environment with no variables of ours in it."""

import os
from collections.abc import Generator, Iterator

import pytest

OURS = (
    *("API_TIMEOUT_MS", "CORE_", "DATABASE_URL", "DATA_DIR", "DRAIN_SECONDS", "LOG_LEVEL", "OTEL_"),
    *("PLUGIN_", "PSEUDONYM_KEY", "REGISTER_", "REG_TOKEN", "REPORTING_TIMEZONE", "SELF_REGISTER"),
    *("UI_", "WEBHOOK_SECRETS"),
)
EXACT = ("HOST", "PORT")
KEPT = ("PLUGIN_VECTORS",)


def is_ours(name: str) -> bool:
    if name in KEPT:
        return False
    return name in EXACT or name.startswith(OURS) or name.lower().endswith("_proxy")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run coroutine tests on asyncio, the loop the plugin is served with."""
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def _clean_environment() -> Iterator[None]:
    """Take away the variables that would change what the code under test does."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if is_ours(name):
                patch.delenv(name)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure where nothing may be skipped."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped although CI=true: {report.longrepr}"
    return report
