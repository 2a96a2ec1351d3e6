"""Weigh what a browser fetches of the built remote, as the build's own report does."""

import gzip
import re
from pathlib import Path

KIB = 1024
PARTS = {"panel": "./Panel", "page": "./Routes"}
_EXPOSED = re.compile(r'"(\./\w+)":\(\)=>(.*?)\.then\(')
_CHUNK = re.compile(r"\.e\((\d+)\)")
_PLACE = re.compile(r"\.u=\w+=>\(?\(?(\{[^}]*\})\)?\[\w+\]\|\|\w+\)\+\"\.\"\+\(?(\{[^}]*\})")
_PAIR = re.compile(r'(\d+):"([\w-]+)"')


class NotBuilt(Exception):
    """There is no bundle to weigh."""


def sizes(folder: Path) -> dict[str, float]:
    """Return the KiB that the entry, the panel and the page cost, gzipped.

    React is the host's: a chunk of it is only a reference and has no file of its own name.
    """
    entry = folder / "remoteEntry.js"
    if not entry.is_file():
        raise NotBuilt("the remote is not built: ./just build")
    text = entry.read_text(encoding="utf-8")
    files, exposed = _files(text), dict(_EXPOSED.findall(text))
    found = {"remoteEntry": _weight(entry)}
    for part, name in PARTS.items():
        if name not in exposed:
            raise NotBuilt(f"remoteEntry.js does not show where {name} lies")
        chunks = [files[chunk] for chunk in _CHUNK.findall(exposed[name]) if chunk in files]
        found[part] = sum(_weight(folder / chunk) for chunk in chunks)
    return found


def _files(entry: str) -> dict[str, str]:
    """Return the file of each chunk, by the chunk's number."""
    found = _PLACE.search(entry)
    if found is None:
        raise NotBuilt("remoteEntry.js does not show how its chunks are called")
    names, hashes = (dict(_PAIR.findall(group)) for group in found.groups())
    return {chunk: f"{names.get(chunk, chunk)}.{hash_}.js" for chunk, hash_ in hashes.items()}


def _weight(file: Path) -> float:
    return len(gzip.compress(file.read_bytes(), 9, mtime=0)) / KIB
