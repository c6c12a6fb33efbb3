from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lakewarden.errors import SourceError
from lakewarden.sources.tree import Entry, Tree

if TYPE_CHECKING:
    from tests.sources.conftest import GitRepository


def paths(tree: Tree) -> list[str]:
    return [entry.path for entry in tree.files]


def problem(tree: Tree, path: str) -> SourceError:
    with pytest.raises(SourceError) as caught:
        tree.text(path)
    assert caught.value.cause == "failed"
    assert caught.value.remedy
    return caught.value


def test_files_are_sorted_and_have_their_size(repository: GitRepository) -> None:
    repository.write("b.py", "12345")
    repository.write("a/c.py", "1")
    assert Tree.of_disk(repository.root).files == (Entry("a/c.py", 1), Entry("b.py", 5))


def test_text_is_utf8_with_or_without_mark(repository: GitRepository) -> None:
    repository.write("plain.py", "é\r\n")
    repository.write("mark.py", b"\xef\xbb\xbfx = 1\n")
    tree = Tree.of_disk(repository.root)
    assert tree.text("plain.py") == "é\r\n"
    assert tree.text("mark.py") == "x = 1\n"
    assert tree.read("mark.py") == b"\xef\xbb\xbfx = 1\n"


def test_other_encodings_are_a_gap_with_the_line(repository: GitRepository) -> None:
    repository.write("latin.py", "a = 1\nb = 'é'\n".encode("latin-1"))
    repository.write("wide.sql", "SELECT 1".encode("utf-16"))
    tree = Tree.of_disk(repository.root)
    assert problem(tree, "latin.py").reason == "latin.py is not UTF-8 (line 2, byte 0xe9)"
    assert problem(tree, "wide.sql").reason == "wide.sql is UTF-16, not UTF-8"


def test_a_file_above_the_limit_is_a_gap(repository: GitRepository) -> None:
    big = repository.write("big.py")
    os.truncate(big, 50_000_000)
    repository.write("edge.py", "12345678")
    tree = Tree.of_disk(repository.root)
    assert problem(tree, "big.py").reason == "big.py is larger than the limit of 10.0 MB (50.0 MB)"
    narrow = Tree.of_disk(repository.root, max_bytes=8)
    assert narrow.text("edge.py") == "12345678"
    grows = Tree.of_disk(repository.root, max_bytes=8)
    repository.write("edge.py", "123456789")
    assert "larger than the limit" in problem(grows, "edge.py").reason
    assert narrow.text("edge.py") == "12345678"


def test_what_is_not_checked_out_is_a_gap(repository: GitRepository) -> None:
    repository.write("a/x.py")
    repository.write("b/y.py")
    repository.commit()
    assert Tree.of_disk(repository.root).unseen() == []
    repository.git("sparse-checkout", "set", "a")
    tree = Tree.of_disk(repository.root)
    assert {(gap.cause.value, gap.value) for gap in tree.unseen()} == {("not-asked", False)}
    assert {"targets", "files", "jobs", "catalogs", "permissions"} <= {gap.facts for gap in tree.unseen()}
    assert tree.left_out == {"b/y.py": "not checked out"}


def test_a_file_that_vanishes_is_a_gap(repository: GitRepository) -> None:
    file = repository.write("a.py")
    tree = Tree.of_disk(repository.root)
    file.unlink()
    assert problem(tree, "a.py").reason == "a.py vanished while it was read"


def test_a_file_that_is_not_in_the_tree_is_a_gap(repository: GitRepository) -> None:
    repository.write(".gitignore", ".env\n")
    repository.write(".env", "TOKEN=x")
    tree = Tree.of_disk(repository.root)
    assert problem(tree, "no.py").reason == "no.py is not in the tree"
    assert problem(tree, ".env").reason == ".env is not in the tree"
    assert not tree.exists(".env")


_AS_NOBODY = """
import encodings.utf_8_sig, os, sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from lakewarden.errors import SourceError
from lakewarden.sources.tree import Tree
os.setgid(65534)
os.setuid(65534)
tree = Tree.of_disk(Path(sys.argv[1]))
print([entry.path for entry in tree.files], [skip[:2] for skip in tree.skipped])
print(sorted({(gap.cause.value, gap.scope) for gap in tree.unseen()}))
for path in ("closed.py", "inner/tracked.py"):
    try:
        tree.text(path)
    except SourceError as error:
        print(error.cause, "|", error.reason)
"""


def test_what_may_not_be_read_is_a_gap(repository: GitRepository) -> None:
    closed = repository.write("closed.py")
    repository.write("open.py")
    inner = repository.write("inner/tracked.py").parent
    repository.commit()
    untracked = repository.write("untracked/a.py").parent
    for folder in (repository.root, *list(repository.root.parents)[:-2]):
        folder.chmod(folder.stat().st_mode | 0o005)
    closed.chmod(0)
    inner.chmod(0)
    untracked.chmod(0)
    source = str(Path(__file__).parents[2] / "src")
    code = _AS_NOBODY
    if os.getuid() != 0:
        code = code.replace("os.setgid(65534)\nos.setuid(65534)\n", "")
    done = subprocess.run([sys.executable, "-c", code, str(repository.root), source], capture_output=True, text=True, check=False)
    for path in (inner, untracked):
        path.chmod(0o755)
    assert done.stdout.splitlines() == [
        "['closed.py', 'inner/tracked.py', 'open.py'] [('inner', 'unreadable'), ('untracked', 'unreadable')]",
        "[('failed', 'inner'), ('failed', 'untracked')]",
        "failed | closed.py cannot be read: permission denied",
        "failed | inner/tracked.py cannot be read: permission denied",
    ], done.stderr


@pytest.mark.parametrize("git", [True, False])
def test_links_never_leave_the_root(
    repository: GitRepository, tmp_path: Path, git: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.py").write_text("TOKEN")
    root = repository.root
    repository.write("a.py", "a")
    (root / "file.py").symlink_to(outside / "secret.py")
    (root / "folder").symlink_to(outside)
    (root / "config").symlink_to(".git/config")
    (root / "nowhere").symlink_to("missing")
    (root / "loop").symlink_to("loop")
    if not git:
        monkeypatch.setenv("PATH", str(outside))
    tree = Tree.of_disk(root)
    assert paths(tree) == ["a.py"]
    assert {skip.path: skip.reason for skip in tree.skipped if skip.kind == "link"} == {
        "file.py": "a link that leaves the repository",
        "folder": "a link that leaves the repository",
        "config": "a link into the repository's own store",
        "nowhere": "a link that leads nowhere",
        "loop": "a link that leads nowhere",
    }
    for path in ("file.py", "folder/secret.py", "config", "../outside/secret.py", str(outside / "secret.py"), ".git/config"):
        assert not tree.exists(path), path
        assert problem(tree, path).reason


@pytest.mark.parametrize("git", [True, False])
def test_links_inside_are_followed_and_read_once(repository: GitRepository, git: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    repository.write("common/x.yml", "x")
    root = repository.root
    (root / "resources").mkdir()
    (root / "resources/x.yml").symlink_to("../common/x.yml")
    (root / "shared").symlink_to("common")
    (root / "chain").symlink_to("shared")
    (root / "common/up").symlink_to("..")
    if not git:
        monkeypatch.setenv("PATH", str(root / "resources"))
    tree = Tree.of_disk(root)
    assert paths(tree) == ["common/x.yml"]
    assert [skip for skip in tree.skipped if skip.kind == "link"] == []
    assert tree.links == {"resources/x.yml": "common/x.yml", "shared": "common", "chain": "common", "common/up": ""}
    for path in ("resources/x.yml", "shared/x.yml", "chain/x.yml", "common/up/common/up/shared/./x.yml"):
        assert tree.text(path) == "x"
        assert tree.real(path) == "common/x.yml"
    assert tree.is_dir("chain")
    assert tree.exists("shared")
    assert not tree.is_dir("resources/x.yml")


def test_a_link_to_what_is_not_read_is_named(repository: GitRepository) -> None:
    repository.write(".gitignore", "ignored.py\n")
    repository.write("ignored.py")
    repository.write("node_modules/a.js")
    (repository.root / "link.py").symlink_to("ignored.py")
    (repository.root / "modules").symlink_to("node_modules")
    tree = Tree.of_disk(repository.root)
    assert {skip.path: skip.reason for skip in tree.skipped} == {
        "link.py": "a link to ignored.py, which is not read",
        "node_modules": "packages of Node.js (1 file)",
    }
    assert not tree.exists("link.py")


def test_a_tracked_folder_that_became_a_link_is_not_followed_out(repository: GitRepository, tmp_path: Path) -> None:
    repository.write("folder/a.py")
    repository.commit()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/a.py").write_text("TOKEN")
    (repository.root / "folder/a.py").unlink()
    (repository.root / "folder").rmdir()
    (repository.root / "folder").symlink_to(tmp_path / "outside")
    tree = Tree.of_disk(repository.root)
    assert paths(tree) == []
    assert [skip.path for skip in tree.skipped] == ["folder"]
    assert problem(tree, "folder/a.py").reason


def test_a_skipped_folder_can_be_asked_by_name(repository: GitRepository, tmp_path: Path) -> None:
    repository.write("vendor/x.yml", "v")
    (tmp_path / "secret").write_text("s")
    (repository.root / "vendor/out").symlink_to(tmp_path / "secret")
    tree = Tree.of_disk(repository.root)
    assert paths(tree) == []
    assert tree.exists("vendor/x.yml")
    assert tree.is_dir("vendor")
    assert tree.text("vendor/x.yml") == "v"
    assert not tree.exists("vendor/no.yml")
    assert not tree.exists("vendor/out")
    assert problem(tree, "vendor/out").reason


def test_folders_are_known(repository: GitRepository) -> None:
    repository.write("a/b/c.py")
    tree = Tree.of_disk(repository.root)
    assert [path for path in ("a", "a/b", "a/b/", ".", "", "./a", "a/b/c.py", "x") if tree.is_dir(path)] == [
        "a",
        "a/b",
        "a/b/",
        ".",
        "",
        "./a",
    ]
    assert [path for path in ("a/b/c.py", "a", "a/b/../b/c.py", "a/x", "../repository/a") if tree.exists(path)] == [
        "a/b/c.py",
        "a",
        "a/b/../b/c.py",
    ]


def test_a_name_that_is_no_utf8_can_be_read(repository: GitRepository) -> None:
    with open(os.fsencode(repository.root) + b"/bad\xff.py", "wb") as file:  # noqa: PTH123
        file.write(b"content")
    tree = Tree.of_disk(repository.root)
    assert tree.text("bad\\xff.py") == "content"


def test_a_tree_in_memory_answers_alike() -> None:
    tree = Tree.of_files(Path("/nowhere"), {"b/x.py": "é", "a.bin": b"\xff"})
    assert tree.files == (Entry("a.bin", 1), Entry("b/x.py", 2))
    assert tree.text("b/x.py") == "é"
    assert problem(tree, "a.bin").reason == "a.bin is not UTF-8 (line 1, byte 0xff)"
    assert problem(tree, "c.py").reason == "c.py is not in the tree"
    assert tree.is_dir("b")
    assert not tree.exists("b/y.py")


_TREE = Tree(
    Path("/r"), [Entry("a/b.py", 1)], lambda _: b"x", links={"l": "a", "m": "l", "n": "n/x", "o": "p", "p": "o", "a/u": ""}
)


@example(["a", "b.py"])
@example(["l", "..", "m", "b.py"])
@given(st.lists(st.sampled_from(["a", "b.py", "l", "m", "n", "o", "p", "u", "..", ".", "", "x", "\0"]), max_size=8))
def test_no_path_leads_out_or_around_for_ever(parts: list[str]) -> None:
    path = "/".join(parts)
    real = _TREE.real(path)
    assert real is None or not real.startswith(("..", "/"))
    assert _TREE.exists(path) == (real in {"", "a", "a/b.py"})
    if real == "a/b.py":
        assert _TREE.read(path) == b"x"
    else:
        with pytest.raises(SourceError):
            _TREE.read(path)
