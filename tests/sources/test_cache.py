"""The cache of extracts: it may save time, and nothing else."""

from __future__ import annotations

import os
import pickle
import sqlite3
import subprocess
import sys
import zlib
from typing import TYPE_CHECKING

import pytest
from tests.running import CHECKOUT, Ran, environment, lakewarden, write

from lakewarden.sources import extraction
from lakewarden.sources.cache import Cache, digest_of, key_of
from lakewarden.sources.repository.code import result
from lakewarden.sources.repository.code.extract import extract

if TYPE_CHECKING:
    from pathlib import Path

_STAGES = "client.transition_model_version_stage(name='churn', version=3, stage='Production')\n"
_TRAINING = "import mlflow\nfrom mlflow import MlflowClient\nclient = MlflowClient()\n" + _STAGES
_FILLER = "".join(f"x{number} = {number}  # nothing that a rule asks about\n" for number in range(6000))


def _repository(folder: Path, *, filler: int = 1) -> Path:
    files: dict[str, str | bytes] = {
        f"src/filler_{number}.py": f"import mlflow\n{_FILLER}# {number}\n" for number in range(filler)
    }
    write(folder, {"src/train.py": _TRAINING, "src/empty.py": "", **files})
    return folder


def _lint(folder: Path, cache: Path, *arguments: str) -> Ran:
    told = lakewarden(folder, "lint", ".", "--output-format", "json", *arguments, LAKEWARDEN_CACHE_DIR=str(cache))
    assert told.err == ""
    return told


def _entries(cache: Path) -> int:
    files = list(cache.glob("*.sqlite"))
    if not files:
        return 0
    with sqlite3.connect(files[0]) as connection:
        count: int = connection.execute("SELECT count(*) FROM entries").fetchone()[0]
    connection.close()
    return count


def _stored(cache: Path) -> list[tuple[object, ...]]:
    """Everything that the database holds of files."""
    with sqlite3.connect(next(cache.glob("*.sqlite"))) as connection:
        rows = [row for table in ("entries", "chunks") for row in connection.execute(f"SELECT * FROM {table}")]
    connection.close()
    return rows


def _places(told: Ran) -> set[tuple[str, str, int | None]]:
    return {(f["code"], f["location"]["path"], f["location"]["line"]) for f in told.json["findings"] if f["location"].get("path")}


def test_a_second_run_says_the_same_and_reads_nothing_anew(tmp_path: Path) -> None:
    folder = _repository(tmp_path / "repository")
    first = _lint(folder, tmp_path / "cache")
    assert _entries(tmp_path / "cache") == 3
    before = _stored(tmp_path / "cache")
    second = _lint(folder, tmp_path / "cache")
    assert first.out == second.out
    assert ("REG002", "src/train.py", 4) in _places(second)
    assert _stored(tmp_path / "cache") == before


def test_entries_are_what_is_read(tmp_path: Path) -> None:
    """Otherwise the test above could not fail."""
    folder = _repository(tmp_path / "repository")
    _lint(folder, tmp_path / "cache")
    file = next((tmp_path / "cache").glob("*.sqlite"))
    with sqlite3.connect(file) as connection:
        empty = key_of("code:src/empty.py", digest_of(b""))
        connection.execute(
            "UPDATE entries SET (chunk, place) = (SELECT chunk, place FROM entries WHERE key = ?) WHERE key = ?",
            (empty, key_of("code:src/train.py", digest_of(_TRAINING.encode()))),
        )
    connection.close()
    assert not any(path == "src/train.py" for _, path, _ in _places(_lint(folder, tmp_path / "cache")))
    assert ("REG002", "src/train.py", 4) in _places(_lint(folder, tmp_path / "cache", "--no-cache"))


def test_a_changed_file_is_read_anew(tmp_path: Path) -> None:
    folder = _repository(tmp_path / "repository")
    _lint(folder, tmp_path / "cache")
    write(folder, {"src/train.py": "# one line more\n" + _TRAINING})
    assert ("REG002", "src/train.py", 5) in _places(_lint(folder, tmp_path / "cache"))


def test_a_renamed_file_is_found_under_its_new_name(tmp_path: Path) -> None:
    folder = _repository(tmp_path / "repository")
    _lint(folder, tmp_path / "cache")
    (folder / "src/train.py").rename(folder / "src/fit.py")
    told = _places(_lint(folder, tmp_path / "cache"))
    assert ("REG002", "src/fit.py", 4) in told
    assert not any(path == "src/train.py" for _, path, _ in told)
    # The same bytes under an ending that stands for another language.
    (folder / "src/fit.py").rename(folder / "src/fit.sql")
    assert not any(path.startswith("src/fit") for code, path, _ in _places(_lint(folder, tmp_path / "cache")) if code == "REG002")


def test_another_python_or_other_readers_have_a_cache_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readers = tmp_path / "readers"
    write(readers, {"reader.py": "x = 1\n"})
    Cache(str(tmp_path / "cache"), str(readers)).keep([(b"v", [b"k"])])
    assert Cache(str(tmp_path / "cache"), str(readers)).find([b"k", b"other"]) == [(b"v", {b"k": 0})]
    monkeypatch.setattr(sys, "version_info", (3, 99, 0))
    assert Cache(str(tmp_path / "cache"), str(readers)).find([b"k"]) == []
    monkeypatch.undo()
    write(readers, {"reader.py": "x = 10\n"})
    assert Cache(str(tmp_path / "cache"), str(readers)).find([b"k"]) == []


def test_no_cache_leaves_nothing(tmp_path: Path) -> None:
    _lint(_repository(tmp_path / "repository"), tmp_path / "cache", "--no-cache")
    assert not (tmp_path / "cache").exists()


def test_a_damaged_database_is_replaced(tmp_path: Path) -> None:
    folder = _repository(tmp_path / "repository")
    first = _lint(folder, tmp_path / "cache")
    file = next((tmp_path / "cache").glob("*.sqlite"))
    file.write_bytes(b"this is no database, whatever its name says" * 100)
    assert _lint(folder, tmp_path / "cache").out == first.out
    assert _lint(folder, tmp_path / "cache").out == first.out
    assert _entries(tmp_path / "cache") == 3


def _replaced(cache: Path, data: bytes) -> None:
    """Put other bytes into every chunk."""
    with sqlite3.connect(next(cache.glob("*.sqlite"))) as connection:
        connection.execute("UPDATE chunks SET data = ?", (data,))
    connection.close()


def _sealed(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(4, "big") + data


@pytest.mark.parametrize(
    "forged",
    [
        b"", b"junk", pickle.dumps(("no", "extract")), pickle.dumps(None), pickle.dumps([]), pickle.dumps([("no", "extract")] * 9),
        pickle.dumps([None, None, None]), pickle.dumps([os.getcwd]), b"\x80\x05\x8c\xff\xff.",
    ],
    ids=["empty", "junk", "tuple", "none", "no entries", "tuples", "nothing", "function", "cut off"],
)  # fmt: skip
def test_forged_entries_are_no_entries(tmp_path: Path, forged: bytes) -> None:
    folder = _repository(tmp_path / "repository")
    first = _lint(folder, tmp_path / "cache")
    _replaced(tmp_path / "cache", _sealed(forged))
    assert _lint(folder, tmp_path / "cache").out == first.out


def test_one_damaged_byte_makes_entries_void(tmp_path: Path) -> None:
    folder = _repository(tmp_path / "repository")
    first = _lint(folder, tmp_path / "cache")
    data = next(row[1] for row in _stored(tmp_path / "cache") if isinstance(row[1], bytes) and b"transition_model" in row[1])
    damaged = data.replace(b"transition_model", b"transition_mode_", 1)
    _replaced(tmp_path / "cache", damaged)
    assert _lint(folder, tmp_path / "cache").out == first.out
    # Otherwise this could not fail.
    _replaced(tmp_path / "cache", _sealed(damaged[4:]))
    assert _lint(folder, tmp_path / "cache").out != first.out


def test_named_tuples_come_back_as_what_they_were() -> None:
    made = extraction.named_tuples(result)
    found = [extract(_TRAINING.encode(), "src/train.py"), extract(b"SELECT * FROM a.b.c", "b.sql")]
    again = extraction.loaded(extraction.dumped(found), made)
    assert again == found
    assert [type(one) for one in again] == [result.Extract, result.Extract]
    assert {type(call) for call in again[0].calls} == {result.Call}


def test_a_folder_that_cannot_be_written_costs_nothing(tmp_path: Path) -> None:
    folder = _repository(tmp_path / "repository")
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert ("REG002", "src/train.py", 4) in _places(_lint(folder, tmp_path / "cache"))


def test_runs_side_by_side_share_the_cache(tmp_path: Path) -> None:
    folder = _repository(tmp_path / "repository")
    command = [sys.executable, "-m", "lakewarden", "lint", ".", "--output-format", "json"]
    runs = [
        subprocess.Popen(
            command,
            cwd=folder,
            env=environment(LAKEWARDEN_CACHE_DIR=str(tmp_path / "cache")),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(4)
    ]
    told = [run.communicate(timeout=120) for run in runs]
    assert {err for _, err in told} == {b""}
    assert len({out for out, _ in told}) == 1
    assert _entries(tmp_path / "cache") == 3


@pytest.mark.skipif(sys.version_info < (3, 11), reason="one process reads everything")
def test_processes_read_what_one_would(tmp_path: Path) -> None:
    """Above three million bytes files are read by several processes; a file that ends a process is read without it."""
    folder = _repository(tmp_path / "repository", filler=14)
    assert sum(file.stat().st_size for file in folder.rglob("*.py")) > 3_000_000
    script = (
        "import os, sys\n"
        "from lakewarden.sources import extraction\n"
        "from lakewarden.sources.repository.code import result\n"
        "from lakewarden.sources.repository.code.extract import extract\n"
        "here = os.getpid()\n"
        "def deadly(data, path):\n"
        "    if os.getpid() != here and path.endswith(sys.argv[2]):\n"
        "        os._exit(9)\n"
        "    return extract(data, path)\n"
        "from pathlib import Path\n"
        "from lakewarden.sources.tree import Tree\n"
        "tree = Tree.of_disk(Path(sys.argv[1]))\n"
        "one = {path: extract(tree.read(path), path) for path, _ in tree.files}\n"
        "extraction._cores = lambda: 2\n"
        "many = extraction.extract_all(tree.files, tree, extraction.Extractor('code', deadly, result), use_cache=False)\n"
        "assert many == one and len(one) == 16\n"
        "print('same')\n"
    )
    for deadly in ("filler_3.py", "nothing"):
        told = subprocess.run(
            [sys.executable, "-c", script, str(folder), deadly],
            env=environment(PYTHONPATH=str(CHECKOUT / "src")),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (told.stdout, told.stderr) == ("same\n", "")
