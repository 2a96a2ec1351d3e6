"""Real volumes of a few megabytes that a test can fill, close and open again."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

MIB = 1024 * 1024


@dataclass(frozen=True)
class Volume:
    """A file system of its own, mounted at a folder."""

    folder: Path

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"

    def fill(self) -> None:
        """Take every byte that is left."""
        with self._ballast.open("ab", buffering=0) as ballast:
            for size in (MIB, 4096, 1):
                with suppress(OSError):
                    while ballast.write(bytes(size)) == size:
                        continue

    def free(self) -> None:
        """Give back what `fill` has taken."""
        self._ballast.unlink()

    def remount(self, option: str) -> None:
        """Mount it again with *option*; `ro` wants that no file is open for writing."""
        subprocess.run(["mount", "-o", f"remount,{option}", str(self.folder)], check=True)


@contextmanager
def volume(folder: Path, kind: str, *, size: int = 64 * MIB) -> Iterator[Volume]:
    """Mount an empty file system of a *kind*, `tmpfs` or `ext4`, at *folder* until the block ends.

    Where that is not possible the test is skipped with the reason.
    """
    folder.mkdir()
    if kind == "tmpfs":
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    else:
        image = folder.with_suffix(".img")
        with image.open("wb") as file:
            file.truncate(size)
        _run(["mkfs.ext4", "-q", "-m", "0", str(image)])
        command = ["mount", "-o", "loop", str(image), str(folder)]
    _run(command)
    try:
        yield Volume(folder)
    finally:
        # Lazily: a process that a failed test has left must not keep the mount for ever.
        subprocess.run(["umount", "-l", str(folder)], check=True)


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        pytest.skip(f"no volume can be mounted here: {error}")
    if done.returncode:
        pytest.skip(f"no volume can be mounted here: {done.stderr.strip()}")
