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
    mount: list[str]

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

    def report_an_error(self) -> None:
        """Let ext4 believe that it has found a fault in itself."""
        command = ["findmnt", "-no", "SOURCE", str(self.folder)]
        device = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        trigger = Path("/sys/fs/ext4", Path(device).name, "trigger_fs_error")
        trigger.write_text("by a test")

    def mount_again(self) -> None:
        """Take it away and mount it anew; nobody may have a file open."""
        subprocess.run(["umount", str(self.folder)], check=True)
        subprocess.run(self.mount, check=True)


@contextmanager
def volume(
    folder: Path, kind: str, *, size: int = 64 * MIB, options: str = "rw"
) -> Iterator[Volume]:
    """Mount an empty file system of a *kind*, `tmpfs` or `ext4`, at *folder* until the block ends.

    Where that is not possible the test is skipped with the reason.
    """
    folder.mkdir()
    if kind == "tmpfs":
        command = ["mount", "-t", "tmpfs", "-o", f"size={size},{options}", "tmpfs", str(folder)]
    else:
        image = folder.with_suffix(".img")
        with image.open("wb") as file:
            file.truncate(size)
        _run(["mkfs.ext4", "-q", "-m", "0", str(image)])
        command = ["mount", "-o", f"loop,{options}", str(image), str(folder)]
    _run(command)
    try:
        yield Volume(folder, command)
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
