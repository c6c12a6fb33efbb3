"""Files are written whole, as they were but for the change, and never where somebody else could be hurt."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest
from tests.running import held_to_rights, run, write

from lakewarden.fixes.mend import FileChange
from lakewarden.fixes.write import why_not, write_all

if TYPE_CHECKING:
    from pathlib import Path

BEFORE, AFTER = b"a: 1\n", b"a: 1\nb: 2\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    write(tmp_path, {"x/databricks.yml": BEFORE})
    return tmp_path / "x" / "databricks.yml"


def test_what_is_written_keeps_its_mode_and_leaves_nothing_beside(tmp_path: Path, place: Path) -> None:
    place.chmod(0o754)
    assert write_all(tmp_path, [FileChange("x/databricks.yml", BEFORE, AFTER)]) == []
    assert (place.read_bytes(), stat.S_IMODE(place.stat().st_mode)) == (AFTER, 0o754)
    assert os.listdir(place.parent) == ["databricks.yml"]  # noqa: PTH208


def test_what_changed_meanwhile_is_left_and_the_others_are_written(tmp_path: Path, place: Path) -> None:
    write(tmp_path, {"y.yml": BEFORE})
    place.write_bytes(b"a: 3\n")
    changes = [FileChange("x/databricks.yml", BEFORE, AFTER), FileChange("y.yml", BEFORE, AFTER)]
    assert write_all(tmp_path, changes) == [("x/databricks.yml", "the file was changed meanwhile: run again")]
    assert (place.read_bytes(), (tmp_path / "y.yml").read_bytes()) == (b"a: 3\n", AFTER)


def test_what_is_gone_is_said(tmp_path: Path, place: Path) -> None:
    place.unlink()
    assert write_all(tmp_path, [FileChange("x/databricks.yml", BEFORE, AFTER)]) == [
        ("x/databricks.yml", "the file cannot be found on disk")
    ]


@pytest.mark.parametrize("path", ["link.yml", "folder/databricks.yml", "outside.yml"])
def test_links_are_not_followed(tmp_path: Path, place: Path, path: str) -> None:
    root = tmp_path / "root"
    write(root, {"real.yml": BEFORE, "real/databricks.yml": BEFORE})
    (root / "link.yml").symlink_to("real.yml")
    (root / "folder").symlink_to("real")
    (root / "outside.yml").symlink_to(place)
    assert write_all(root, [FileChange(path, BEFORE, AFTER)]) == [(path, "the file is behind a symbolic link")]
    assert {(root / "real.yml").read_bytes(), (root / "real" / "databricks.yml").read_bytes(), place.read_bytes()} == {BEFORE}


def test_a_root_behind_a_link_is_none(tmp_path: Path, place: Path) -> None:
    (tmp_path / "there").symlink_to("x")
    assert write_all(tmp_path / "there", [FileChange("databricks.yml", BEFORE, AFTER)]) == []
    assert place.read_bytes() == AFTER


def test_a_file_that_is_read_only_has_several_names_or_is_none(tmp_path: Path, place: Path) -> None:
    place.chmod(0o444)
    assert why_not(tmp_path, "x/databricks.yml") == "the file is read-only"
    place.chmod(0o644)
    (tmp_path / "other.yml").hardlink_to(place)
    assert why_not(tmp_path, "x/databricks.yml") == "the file has several names (hard links)"
    assert why_not(tmp_path, "x") == "it is no plain file"
    assert why_not(tmp_path, "x/\0") == "the file cannot be found on disk"


PROGRAM = """
from pathlib import Path
from lakewarden.fixes.mend import FileChange
from lakewarden.fixes.write import write_all
print(write_all(Path(), [FileChange("x/databricks.yml", b"a: 1\\n", b"a: 2\\n")]))
"""


def test_a_folder_that_may_not_be_written_is_said_and_nothing_is_left(tmp_path: Path, place: Path) -> None:
    import sys

    place.parent.chmod(0o555)
    try:
        ran = run(tmp_path, *held_to_rights(), sys.executable, "-c", PROGRAM)
    finally:
        place.parent.chmod(0o755)
    assert ran.out == "[('x/databricks.yml', 'it cannot be written: Permission denied')]\n", ran.err
    assert place.read_bytes() == BEFORE
