"""Steps are done once for their inputs."""

import sys
from pathlib import Path

import pytest

from tools import workspace
from tools.workspace import Stamp, ToolFailed, digest, run


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspace, "ROOT", tmp_path)
    monkeypatch.setattr(workspace, "STATE", tmp_path / "state")


def test_a_digest_follows_content_and_names(tmp_path: Path) -> None:
    """A changed, a renamed and a new file each make another digest."""
    folder = tmp_path / "src"
    folder.mkdir()
    (folder / "a").write_text("1")
    seen = [digest([folder])]
    (folder / "a").write_text("2")
    seen.append(digest([folder]))
    (folder / "a").rename(folder / "b")
    seen.append(digest([folder]))
    (folder / "c").write_text("")
    seen.append(digest([folder]))

    assert len(set(seen)) == 4


def test_a_digest_leaves_out_what_was_made(tmp_path: Path) -> None:
    """Products and installed packages inside a folder are no inputs of it."""
    before = digest([tmp_path])
    for name in ("dist", "node_modules", "__pycache__"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("made")

    assert digest([tmp_path]) == before


def test_a_stamp_is_fresh_for_its_inputs_only(tmp_path: Path) -> None:
    """Once written it holds until an input changes."""
    source = tmp_path / "lock"
    source.write_text("one")
    assert not Stamp("step", [source]).fresh()

    Stamp("step", [source]).write()
    assert Stamp("step", [source]).fresh()

    source.write_text("two")
    assert not Stamp("step", [source]).fresh()


def test_a_failing_program_is_shown_with_all_it_said(tmp_path: Path) -> None:
    """The reason stands in the error, not only the exit code."""
    words = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"

    with pytest.raises(ToolFailed, match=r"(?s)out.*err|err.*out"):
        run(sys.executable, "-c", words, cwd=tmp_path)
