"""What did not change is not read again; what did change always is."""

from __future__ import annotations

import ctypes
import os
import sqlite3
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from tests.running import Ran, inside, write

from lakewarden.sources import sieve, tree
from lakewarden.sources.cache import Cache, digest_of
from lakewarden.sources.memo import Memo
from lakewarden.sources.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.name != "posix", reason="nothing is remembered there")

_HEAD = "import mlflow\nfrom mlflow import MlflowClient\nclient = MlflowClient()\n"
_TRAINING = _HEAD + "client.transition_model_version_stage(name='churn', version=3, stage='Production')\n"
_OTHERWISE = _HEAD + "client.transition_model_version_info_(name='churn', version=3, stage='Production')\n"
_WAIVED = _TRAINING.replace(")\n", ')  # lakewarden: ignore[REG002] reason="moved in June"\n')
_FILLER = "import mlflow\n" + "".join(f"x{number} = {number}  # nothing that a rule asks about\n" for number in range(6000))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository; its files count as settled as soon as they are written."""
    monkeypatch.setattr(sieve, "_SETTLED_AFTER", 0)
    monkeypatch.setenv("LAKEWARDEN_CACHE_DIR", str(tmp_path / "cache"))
    found = tmp_path / "repository"
    write(found, {"src/train.py": _TRAINING, "src/filler.py": _FILLER})
    time.sleep(0.02)  # the clock of a file system ticks slowly
    return found


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the files that are read from disk."""
    found: list[str] = []
    start = tree.Tree.__init__

    def noted(self: Tree, root: Path, files: Sequence[tree.Entry], load: Callable[[str], bytes], **more: Any) -> None:
        def loads(path: str) -> bytes:
            found.append(path)
            return load(path)

        start(self, root, files, loads, **more)

    monkeypatch.setattr(tree.Tree, "__init__", noted)
    return found


def _lint(folder: Path, *arguments: str) -> Ran:
    told = inside(folder, "lint", ".", "--output-format", "json", *arguments)
    assert told.err == ""
    return told


def _codes(told: Ran, path: str = "src/train.py") -> set[str]:
    return {found["code"] for found in told.json["findings"] if found["location"].get("path") == path}


def test_what_did_not_change_is_not_read(folder: Path, loaded: list[str]) -> None:
    first = _lint(folder)
    assert set(loaded) == {"src/train.py", "src/filler.py"}
    loaded.clear()
    assert _lint(folder).out == first.out
    assert loaded == ["src/train.py"]  # for the line that a finding is known by
    loaded.clear()
    assert _lint(folder, "--no-cache").out == first.out
    assert set(loaded) == {"src/train.py", "src/filler.py"}


def test_a_change_is_seen_whose_size_and_date_are_set_back(folder: Path) -> None:
    assert "REG002" in _codes(_lint(folder))
    assert "REG002" in _codes(_lint(folder))
    file = folder / "src/train.py"
    before = file.stat()
    file.write_text(_OTHERWISE)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = file.stat()
    assert (after.st_size, after.st_mtime_ns, after.st_ino) == (before.st_size, before.st_mtime_ns, before.st_ino)
    assert "REG002" not in _codes(_lint(folder))


def test_a_file_that_takes_the_place_of_another_is_seen(folder: Path) -> None:
    other = folder / "src/other.py"
    other.write_text(_OTHERWISE)
    file = folder / "src/train.py"
    before = file.stat()
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    time.sleep(0.02)
    assert "REG002" in _codes(_lint(folder))
    other.rename(file)
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert "REG002" not in _codes(_lint(folder))


def test_a_change_within_one_tick_of_the_clock_is_seen(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that was just written may be written again and look as before: nothing is remembered of it."""
    monkeypatch.undo()
    monkeypatch.setenv("LAKEWARDEN_CACHE_DIR", str(folder.parent / "cache"))
    file = folder / "src/train.py"
    assert "REG002" in _codes(_lint(folder))
    with sqlite3.connect(next((folder.parent / "cache").glob("*.sqlite"))) as connection:
        assert connection.execute("SELECT count(*) FROM trees").fetchone() == (0,)
    connection.close()
    assert Tree.of_disk(folder).settled == {}
    file.write_text(_OTHERWISE)
    assert "REG002" not in _codes(_lint(folder))


def test_when_a_file_is_settled(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Tree.of_disk(folder).settled.keys() == {"src/train.py", "src/filler.py"}
    assert Tree.of_disk(folder, max_bytes=1000).settled.keys() == {"src/train.py"}
    ahead = time.time() + 1000
    os.utime(folder / "src/train.py", (ahead, ahead))
    assert Tree.of_disk(folder).settled.keys() == {"src/filler.py"}
    monkeypatch.setattr(sieve, "_SETTLED_AFTER", 3600 * 10**9)
    assert Tree.of_disk(folder).settled == {}


def test_a_comment_waives_in_a_file_that_is_not_read_for_its_code(folder: Path) -> None:
    write(folder, {"src/train.py": _WAIVED})
    time.sleep(0.02)
    first = _lint(folder, "--show", "waived")
    assert {found["code"]: found["verdict"] for found in first.json["findings"]}["REG002"] == "waived"
    assert _lint(folder, "--show", "waived").out == first.out
    write(folder, {"src/train.py": _TRAINING})
    assert {found["code"]: found["verdict"] for found in _lint(folder, "--show", "waived").json["findings"]}["REG002"] == "fail"


def test_what_is_remembered_is_used(folder: Path) -> None:
    """Otherwise tests above could not fail."""
    _lint(folder)
    cache = next((folder.parent / "cache").glob("*.sqlite"))
    with sqlite3.connect(cache) as connection:
        (data,) = connection.execute("SELECT data FROM trees").fetchone()
        wrong = data[4:].replace(digest_of(_TRAINING.encode()), digest_of(b""))
        connection.execute("UPDATE trees SET data = ?", (data[:4] + wrong,))
    connection.close()
    # The checksum does not hold, so that everything is read again, and remembered.
    assert "REG002" in _codes(_lint(folder))
    with sqlite3.connect(cache) as connection:
        assert connection.execute("SELECT data FROM trees").fetchone() == (data,)
    connection.close()


def test_other_users_and_other_places_have_a_memo_of_their_own(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache(str(tmp_path / "own"), str(folder))
    first = Memo(cache, Tree.of_disk(folder))
    assert first.digest("src/train.py") is None
    first.note("src/train.py", _TRAINING.encode())
    first.keep()
    assert Memo(cache, Tree.of_disk(folder)).digest("src/train.py") == digest_of(_TRAINING.encode())
    assert Memo(cache, Tree.of_disk(folder / "src")).digest("train.py") is None
    user = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: user + 1)
    assert Memo(cache, Tree.of_disk(folder)).digest("src/train.py") is None


def test_an_extract_that_is_gone_is_read_again(folder: Path) -> None:
    first = _lint(folder)
    with sqlite3.connect(next((folder.parent / "cache").glob("*.sqlite"))) as connection:
        connection.execute("DELETE FROM chunks")
    connection.close()
    assert _lint(folder).out == first.out
    (folder / "src/filler.py").unlink()
    assert _codes(_lint(folder)) == _codes(first)


@contextmanager
def _as_anybody() -> Iterator[None]:
    """Read as somebody who may not read everything: root puts the two capabilities aside that let it (`man capabilities`)."""
    if os.geteuid() != 0:
        yield
        return
    if sys.platform != "linux":
        pytest.skip("root may read everything")
    system = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # the third version of the call, about this thread
    held = (ctypes.c_uint32 * 6)()  # effective, permitted and inheritable, of the first 32 capabilities and of the others
    assert system.capget(header, held) == 0, os.strerror(ctypes.get_errno())
    fewer = (ctypes.c_uint32 * 6)(*held)
    fewer[0] &= ~(1 << 1 | 1 << 2)  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH
    assert system.capset(header, fewer) == 0, os.strerror(ctypes.get_errno())
    try:
        yield
    finally:
        assert system.capset(header, held) == 0, os.strerror(ctypes.get_errno())


def test_a_file_that_may_not_be_read_any_more_is_a_gap(folder: Path) -> None:
    _lint(folder)
    (folder / "src/train.py").chmod(0)
    with _as_anybody():
        told = _lint(folder)
    assert told.code == 3
    assert any("permission denied" in gap["reason"] for gap in told.json["gaps"])
