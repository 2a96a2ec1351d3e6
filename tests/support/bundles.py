"""Write UI bundles as the remote's build does."""

import json
from pathlib import Path

from mosaiclife_plugin_sdk.frame.remote import integrity_of


def write_bundle(folder: Path, entry: str = "var a = 1;", **chunks: str) -> None:
    """Write a whole bundle: *entry* as remoteEntry.js, *chunks* by their names without `.js`."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {"remoteEntry.js": entry, **{f"{name}.js": text for name, text in chunks.items()}}
    for name, text in files.items():
        (folder / name).write_text(text)
    promise = {name: integrity_of(text.encode()) for name, text in files.items()}
    (folder / "integrity.json").write_text(json.dumps(promise))
