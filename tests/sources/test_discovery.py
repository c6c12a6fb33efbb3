from __future__ import annotations

import os
import shutil
import string
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakewarden.errors import UsageError
from lakewarden.sources.discovery import Scope, discover, find_root, scope_of
from lakewarden.sources.globs import matcher

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.sources.conftest import GitRepository


def paths(root: Path, exclude: tuple[str, ...] = ()) -> list[str]:
    return sorted(entry.path for entry in discover(str(root), exclude).files)


def skipped(root: Path, exclude: tuple[str, ...] = ()) -> dict[str, tuple[str, str]]:
    return {skip.path: (skip.kind, skip.reason) for skip in discover(str(root), exclude).skipped}


def write(root: Path, *names: str) -> None:
    for name in names:
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("x\n")


@pytest.fixture
def hide_git(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], None]:
    """Leaves a machine without the git command."""

    def hide() -> None:
        (tmp_path / "empty").mkdir()
        monkeypatch.setenv("PATH", str(tmp_path / "empty"))

    return hide


def test_tracked_and_new_files_are_found_and_ignored_ones_are_not(repository: GitRepository) -> None:
    for name in ("databricks.yml", "src/train.py", "forced.log"):
        repository.write(name)
    repository.write(".gitignore", "*.log\n/local/\n")
    repository.git("add", "--all", "--force")
    repository.git("commit", "--quiet", "--message", "x")
    repository.write("src/new.py")
    repository.write("other.log")
    repository.write("local/secret.yml")
    assert paths(repository.root) == [".gitignore", "databricks.yml", "forced.log", "src/new.py", "src/train.py"]
    assert skipped(repository.root) == {}


def test_a_file_deleted_on_disk_is_gone(repository: GitRepository) -> None:
    repository.write("a.py")
    repository.write("b.py").parent.mkdir(exist_ok=True)
    repository.commit()
    (repository.root / "a.py").unlink()
    assert paths(repository.root) == ["b.py"]


def test_a_file_in_conflict_is_found_once(repository: GitRepository) -> None:
    repository.write("a.py", "one\n")
    repository.commit()
    repository.git("checkout", "--quiet", "-b", "other")
    repository.write("a.py", "two\n")
    repository.commit()
    repository.git("checkout", "--quiet", "main")
    repository.write("a.py", "three\n")
    repository.commit()
    with pytest.raises(Exception, match="merge"):
        repository.git("merge", "other")
    assert paths(repository.root) == ["a.py"]


def test_a_folder_that_is_no_repository_still_has_its_gitignore(tmp_path: Path) -> None:
    write(tmp_path, "databricks.yml", "out/x.py", "sub/keep.py", "sub/drop.py")
    (tmp_path / ".gitignore").write_text("out/\n")
    (tmp_path / "sub/.gitignore").write_text("drop.py\n")
    assert paths(tmp_path) == [".gitignore", "databricks.yml", "sub/.gitignore", "sub/keep.py"]
    assert not (tmp_path / ".git").exists()


def test_without_git_every_file_is_read_and_that_is_said(tmp_path: Path, hide_git: Callable[[], None]) -> None:
    root = tmp_path / "root"
    write(
        root,
        "a.py",
        "out/x.py",
        "node_modules/p/i.js",
        ".git/config",
        "env/pyvenv.cfg",
        "env/lib/x.py",
        "sub/.git/HEAD",
        "sub/a.py",
    )
    (root / ".gitignore").write_text("out/\n")
    hide_git()
    found = skipped(root)
    assert paths(root) == [".gitignore", "a.py", "out/x.py"]
    assert found[".gitignore"] == ("not applied", ".gitignore could not be applied: the git command is not installed")
    assert found["node_modules"][0] == "vendored"
    assert found["env"][0] == "vendored"
    assert found["sub"][0] == "repository"
    assert len(found) == 4


def test_a_broken_repository_is_walked_and_that_is_said(tmp_path: Path) -> None:
    write(tmp_path, "a.py")
    (tmp_path / ".git").write_text("gitdir: /nowhere\n")
    assert paths(tmp_path) == [".git", "a.py"] or paths(tmp_path) == ["a.py"]
    assert skipped(tmp_path)[".gitignore"][0] == "not applied"


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("node_modules", "vendored"),
        ("web/node_modules", "vendored"),
        (".venv", "vendored"),
        ("venv", "vendored"),
        ("lib/python3/site-packages", "vendored"),
        ("vendor", "vendored"),
        ("third_party", "vendored"),
        ("build/lib", "generated"),
        ("dist", "generated"),
        ("mlruns", "generated"),
        ("a/.databricks", "generated"),
        (".bundle", "generated"),
        ("__pycache__", "generated"),
        (".terraform", "generated"),
        ("{{.input_root_dir}}", "template"),
        ("{{cookiecutter.name}}", "template"),
    ],
)
@pytest.mark.parametrize("git", [True, False])
def test_trees_of_others_are_left_out_and_named_once(
    repository: GitRepository, folder: str, kind: str, git: bool, hide_git: Callable[[], None]
) -> None:
    for name in (f"{folder}/a.py", f"{folder}/b/dist/c.py", "kept.py"):
        repository.write(name)
    if not git:
        hide_git()
    found = skipped(repository.root)
    found.pop(".gitignore", None)
    assert paths(repository.root) == ["kept.py"]
    assert list(found) == [folder]
    assert found[folder][0] == kind
    assert not git or found[folder][1].endswith("(2 files)")


@pytest.mark.parametrize(
    "name", ["library.py", "build/x.py", "lib/a.py", "distribution/a.py", "vendors/a.py", ".bundles/a.yml", "vendor.py"]
)
def test_names_that_only_look_alike_are_read(repository: GitRepository, name: str) -> None:
    repository.write(name)
    assert paths(repository.root) == [name]
    assert skipped(repository.root) == {}


def test_a_virtual_environment_is_known_by_its_marker(repository: GitRepository) -> None:
    repository.write("aaa/first.py")
    repository.write("env-3.11/pyvenv.cfg")
    repository.write("env-3.11/lib/a.py")
    assert paths(repository.root) == ["aaa/first.py"]
    assert skipped(repository.root) == {"env-3.11": ("vendored", "a virtual environment (2 files)")}


def test_templates_are_named_each(repository: GitRepository) -> None:
    for name in ("databricks.yml.tmpl", "conf/x.yml.j2", "{{.project_name}}.py", "plain.yml"):
        repository.write(name)
    assert paths(repository.root) == ["plain.yml"]
    assert {path: kind for path, (kind, _) in skipped(repository.root).items()} == {
        "databricks.yml.tmpl": "template",
        "conf/x.yml.j2": "template",
        "{{.project_name}}.py": "template",
    }


def test_odd_names_are_no_obstacle(repository: GitRepository) -> None:
    names = [
        "a: b/x.py",
        "trailing /y.py",
        "日本語/学習.py",
        "new\nline.py",
        'quo"te.py',
        "back\\slash.py",
        "esc\x1b[2J.py",
        "-rf.py",
        "*.py",
    ]
    for name in names:
        repository.write(name)
    assert paths(repository.root) == sorted(names)
    repository.commit()
    assert paths(repository.root) == sorted(names)


def test_a_name_that_is_no_utf8_is_escaped(repository: GitRepository) -> None:
    with open(os.fsencode(repository.root) + b"/bad\xff.py", "wb") as file:  # noqa: PTH123
        file.write(b"1")
    repository.write("bad\\xff.txt")
    found = discover(str(repository.root))
    assert sorted(entry.path for entry in found.files) == ["bad\\xff.py", "bad\\xff.txt"]
    assert found.names == {"bad\\xff.py": "bad\udcff.py"}
    repository.write("bad\\xff.py")
    taken = discover(str(repository.root))
    assert len(taken.files) == 2
    assert [skip.path for skip in taken.skipped] == ["bad\\xff.py"]


def test_a_submodule_and_a_nested_repository_are_named(repository: GitRepository, tmp_path: Path) -> None:
    other = type(repository)(tmp_path / "other")
    other.write("a.py")
    other.commit()
    repository.git("submodule", "--quiet", "add", str(other.root), "libs/other")
    repository.commit()
    nested = type(repository)(repository.root / "nested")
    nested.write("b.py")
    nested.commit()
    assert paths(repository.root) == [".gitmodules"]
    assert {path: kind for path, (kind, _) in skipped(repository.root).items()} == {
        "libs/other": "repository",
        "nested": "repository",
    }
    shutil.rmtree(repository.root / "libs/other")
    (repository.root / "libs/other").mkdir()
    assert skipped(repository.root)["libs/other"] == ("repository", "a submodule that is not checked out")


def test_a_sparse_checkout_is_said(repository: GitRepository) -> None:
    for name in ("a/x.py", "b/y.py", "b/z.py"):
        repository.write(name)
    repository.commit()
    repository.git("sparse-checkout", "set", "a")
    assert paths(repository.root) == ["a/x.py"]
    assert skipped(repository.root) == {".": ("not checked out", "2 tracked files are left out by a sparse checkout")}


def test_a_pipe_is_no_file(repository: GitRepository) -> None:
    os.mkfifo(repository.root / "pipe.py")
    repository.write("a.py")
    assert paths(repository.root) == ["a.py"]


def test_what_the_policy_excludes_is_counted(repository: GitRepository) -> None:
    for name in ("legacy/a.py", "legacy/deep/b.py", "src/a.py", "src/a.sql"):
        repository.write(name)
    assert paths(repository.root, ("legacy", "*.sql", "nothing")) == ["src/a.py"]
    assert skipped(repository.root, ("legacy", "*.sql", "nothing")) == {
        "legacy": ("excluded", "excluded by the policy (2 files)"),
        "*.sql": ("excluded", "excluded by the policy (1 file)"),
    }


def test_configuration_of_the_repository_runs_no_program(repository: GitRepository, tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\ntouch {proof}\n")
    script.chmod(0o755)
    repository.write("a.py")
    repository.git("config", "core.fsmonitor", str(script))
    assert paths(repository.root) == ["a.py"]
    assert not proof.exists()


def test_variables_of_a_hook_do_not_redirect_git(
    repository: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = type(repository)(tmp_path / "other")
    repository.write("a.py")
    repository.commit()
    monkeypatch.setenv("GIT_DIR", str(other.root / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.root))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.root / ".git/index"))
    assert paths(repository.root) == ["a.py"]


def test_a_subfolder_is_listed_with_the_rules_of_the_repository(repository: GitRepository) -> None:
    repository.write(".gitignore", "*.log\n")
    for name in ("sub/a.py", "sub/a.log", "b.py"):
        repository.write(name)
    repository.commit()
    assert paths(repository.root / "sub") == ["a.py"]


def test_an_empty_folder_has_no_files(tmp_path: Path) -> None:
    assert paths(tmp_path) == []


def test_a_folder_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        discover(str(tmp_path / "no"))


def test_the_root_is_the_work_tree(repository: GitRepository, tmp_path: Path) -> None:
    repository.write("sub/databricks.yml")
    file = repository.write("sub/src/a.py")
    for path in (repository.root, repository.root / "sub", file):
        assert find_root(path) == repository.root.resolve()
    repository.commit()
    repository.git("worktree", "add", "--quiet", str(tmp_path / "second"))
    assert find_root(tmp_path / "second/sub") == (tmp_path / "second").resolve()


def test_without_a_repository_the_root_is_the_bundle_or_the_folder(tmp_path: Path) -> None:
    write(tmp_path, "bundle/databricks.yml", "bundle/src/a.py", "plain/a.py")
    assert find_root(tmp_path / "bundle/src/a.py") == tmp_path / "bundle"
    assert find_root(tmp_path / "plain/a.py") == tmp_path / "plain"
    assert find_root(tmp_path / "plain") == tmp_path / "plain"
    with pytest.raises(UsageError, match="no such file or folder"):
        find_root(tmp_path / "no")


def test_a_bundle_file_in_the_home_folder_does_not_make_it_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "databricks.yml", "work/a.py")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_root(tmp_path / "work") == tmp_path / "work"


def test_the_scope_is_what_was_named(repository: GitRepository, tmp_path: Path) -> None:
    file = repository.write("sub/src/a.py")
    root = repository.root
    assert scope_of(root, [root]) == Scope()
    assert scope_of(root, []) == Scope()
    assert scope_of(root, [file, root / "sub"]) == Scope(("sub/src/a.py", "sub"))
    assert scope_of(root, [root / "sub", root]) == Scope()
    with pytest.raises(UsageError, match="is not under"):
        scope_of(root, [tmp_path])
    with pytest.raises(UsageError, match="no such file"):
        scope_of(root, [root / "no"])


def test_a_scope_covers_whole_names_only() -> None:
    scope = Scope(("sub", "a.py"))
    assert [path for path in ("sub", "sub/x", "subway/x", "a.py", "a.pyc", "b/a.py") if scope.covers(path)] == [
        "sub",
        "sub/x",
        "a.py",
    ]
    assert Scope().covers("anything")


@pytest.mark.parametrize(
    ("glob", "hits", "misses"),
    [
        ("*.sql", ["a.sql", "x/a.sql", "a.sql/inside"], ["a.sqlx"]),
        ("legacy", ["legacy/a", "x/legacy/a"], ["legacy2/a"]),
        ("legacy/", ["legacy/a"], ["legacyx"]),
        ("/legacy", ["legacy/a"], ["x/legacy/a"]),
        ("src/*.py", ["src/a.py"], ["src/b/a.py", "x/src/a.py"]),
        ("src/**/a.py", ["src/a.py", "src/x/y/a.py"], ["a.py"]),
        ("**/x.py", ["x.py", "a/b/x.py"], ["ax.py"]),
        ("src/**", ["src/a", "src/a/b"], ["srcs/a"]),
        ("./src/a?.py", ["src/ab.py"], ["src/a/.py", "src/a.py"]),
        ("f[0-9!].py", ["f1.py", "f!.py"], ["fa.py"]),
        ("f[!0-9].py", ["fa.py"], ["f1.py", "f/.py"]),
        ("f[z-a].py", ["fz.py", "f-.py"], ["fm.py"]),
        ("f[.py", ["f[.py"], ["f.py"]),
    ],
)
def test_globs(glob: str, hits: list[str], misses: list[str]) -> None:
    match = matcher([glob])
    assert [path for path in hits if match(path) != glob] == []
    assert [path for path in misses if match(path) is not None] == []


@given(st.text(alphabet=string.ascii_letters + "*?[]!^-\\/.{}()|+", max_size=20), st.text(max_size=20))
def test_every_glob_can_be_used(glob: str, path: str) -> None:
    assert matcher([glob])(path) in {glob, None}


@given(st.text(alphabet="ab/.-", min_size=1, max_size=12).filter(lambda text: text.strip("./") == text and "//" not in text))
def test_a_path_without_wildcards_matches_itself(path: str) -> None:
    assert matcher([path])(path) == path
