"""Read the frozen samples of events: what is sent, and what may be kept of it."""

import hashlib
import json
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
SUMS = "SHA256SUMS"


def read_samples(folder: str) -> dict[str, Any]:
    """Return each sample below `tests/samples/<folder>` by its name."""
    return {
        path.name.removesuffix(".json"): json.loads(path.read_text())
        for path in sorted((SAMPLES / folder).glob("*.json"))
    }


def changed_samples(folder: Path) -> list[str]:
    """Return the files that are not, or no longer, those that were frozen."""
    lines = (line.partition("  ") for line in (folder / SUMS).read_text().splitlines())
    frozen = {name: digest for digest, _, name in lines}
    present = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.json")
    }
    return sorted(name for name, _ in frozen.items() ^ present.items())
