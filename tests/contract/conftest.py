"""Name each item after its check, as in `MAN-2 [§9.1]`."""

from mosaiclife_plugin_contract import Check


def pytest_make_parametrize_id(val: object) -> str | None:
    return val.label if isinstance(val, Check) else None
