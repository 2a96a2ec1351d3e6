"""The public names of the SDK."""

import subprocess
import sys
from pathlib import Path

import msgspec

import mosaiclife_plugin_sdk as sdk
from mosaiclife_plugin_sdk.versions import FRONTEND_SDK_VERSION, SDK_VERSION

ROOT = Path(__file__).parents[3]


def test_every_public_name_is_exported() -> None:
    """`__all__` is sorted, complete and without a name that is not there."""
    imported = {
        name
        for name, value in vars(sdk).items()
        if not name.startswith("_") and not hasattr(value, "__path__") and name not in submodules()
    }

    assert imported == set(sdk.__all__)


def submodules() -> set[str]:
    return {path.stem for path in Path(sdk.__file__).parent.iterdir()}


def test_base_loads_no_framework() -> None:
    """A plugin that wants only the base pays for no framework (design §2)."""
    probe = (
        "import sys, mosaiclife_plugin_sdk;"
        "print([m for m in ('litestar', 'sqlalchemy', 'uvicorn', 'structlog', 'prometheus_client')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_missing_extra_names_the_remedy() -> None:
    """Who installed only the base is told what to install, not which module is missing inside."""
    probe = "import sys; sys.modules['litestar'] = None; import mosaiclife_plugin_sdk.frame"
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert "install mosaiclife-plugin-sdk[frame]" in done.stderr.splitlines()[-1]


def test_versions_are_those_of_the_packages() -> None:
    """What registration tells core is what the packages say of themselves."""
    frontend = msgspec.json.decode((ROOT / "sdk/typescript/package.json").read_bytes())
    backend = (ROOT / "sdk/python/pyproject.toml").read_text()

    assert frontend["version"] == FRONTEND_SDK_VERSION
    assert f'version = "{SDK_VERSION}"' in backend
