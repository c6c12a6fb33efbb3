from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakewarden.errors import SourceError, UsageError
from lakewarden.facts.collect import Facts, Scope
from lakewarden.facts.gaps import Cause
from lakewarden.sources.repository.changes import ALL_LINES, changed_lines, parse_patch
from lakewarden.sources.repository.git import GitSource, read_checkout, without_credentials
from lakewarden.sources.tree import Tree

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sources.conftest import GitRepository


def read(root: Path, *projects: str) -> Facts:
    import lakewarden.facts.model  # noqa: F401

    facts = Facts()
    context: Any = SimpleNamespace(tree=Tree.of_files(root, {}), layout=SimpleNamespace(projects=projects))
    GitSource().read(context, facts)
    return facts


def rows(facts: Facts, table: str) -> list[dict[str, Any]]:
    return [dict(row.__dict__) for row in facts.rows[table]]


def remote_of(repository: GitRepository, tmp_path: Path, *branches: str) -> GitRepository:
    """A remote called origin that has main and the branches, fetched."""
    origin = type(repository)(tmp_path / "origin")
    origin.write("a.py")
    origin.commit()
    for branch in branches:
        origin.git("branch", branch)
    repository.git("remote", "add", "origin", str(origin.root))
    repository.git("fetch", "--quiet", "origin")
    return origin


def test_a_repository_is_told_for_each_project(repository: GitRepository) -> None:
    repository.write("a.py")
    repository.commit()
    repository.git("remote", "add", "origin", "https://user:secret@github.com/acme/churn.git")
    facts = read(repository.root, "churn", "fraud")
    assert rows(facts, "repositories") == [
        {"key": name, "project": name, "branch": "main", "remote": "https://github.com/acme/churn.git", "shallow": False}
        for name in ("churn", "fraud")
    ]
    assert [(row["key"], row["name"]) for row in rows(facts, "branches")] == [
        ("churn/main", "main"),
        ("fraud/main", "main"),
    ]
    assert {("branches", "declared", Scope("churn")), ("repositories", "declared", Scope("fraud"))} <= facts.complete
    assert [(gap.cause, gap.facts, gap.value) for gap in facts.gaps] == [(Cause.NOT_ASKED, "branches", True)]
    assert "secret" not in repr(facts.gaps)


def test_without_projects_git_is_not_asked(tmp_path: Path) -> None:
    facts = read(tmp_path)
    assert facts.gaps == []
    assert rows(facts, "repositories") == []


def test_branches_of_the_remote_are_known(repository: GitRepository, tmp_path: Path) -> None:
    remote_of(repository, tmp_path, "release", "feature/x")
    repository.git("checkout", "--quiet", "-b", "local", "origin/main")
    repository.git("remote", "set-head", "origin", "main")
    checkout = read_checkout(str(repository.root))
    assert checkout.on_remote == {"feature/x": True, "local": False, "main": True, "release": True}
    assert checkout.branch == "local"
    assert checkout.narrow == ""


def test_a_shallow_clone_does_not_claim_to_know_all_branches(repository: GitRepository, tmp_path: Path) -> None:
    origin = remote_of(repository, tmp_path, "release")
    origin.write("b.py")
    origin.commit()
    repository.git("clone", "--quiet", "--depth=1", f"file://{origin.root}", str(tmp_path / "shallow"))
    shallow = tmp_path / "shallow"
    repository.git("-C", str(shallow), "branch", "mine")
    facts = read(shallow, "churn")
    assert rows(facts, "repositories")[0]["shallow"] is True
    assert {row["name"] for row in rows(facts, "branches")} == {"main", "mine"}
    assert ("branches", "declared", Scope("churn")) not in facts.complete
    assert any(gap.facts == "branches" and not gap.value and "shallow" in gap.reason for gap in facts.gaps)


def test_a_clone_of_one_branch_does_not_claim_to_know_all(repository: GitRepository, tmp_path: Path) -> None:
    origin = remote_of(repository, tmp_path, "release")
    repository.git("clone", "--quiet", "--single-branch", str(origin.root), str(tmp_path / "single"))
    assert read_checkout(str(tmp_path / "single")).narrow == "the checkout does not fetch all branches of the remote"


def test_a_detached_head_is_on_no_branch(repository: GitRepository) -> None:
    repository.write("a.py")
    commit = repository.commit()
    repository.git("checkout", "--quiet", "--detach", commit)
    checkout = read_checkout(str(repository.root))
    assert checkout.branch == "none"
    assert checkout.remote == "none"


def test_a_branch_without_a_commit_is_a_branch(repository: GitRepository) -> None:
    assert read_checkout(str(repository.root)).branch == "main"
    assert read_checkout(str(repository.root)).on_remote == {}


def test_another_remote_is_not_origin(repository: GitRepository, tmp_path: Path) -> None:
    remote_of(repository, tmp_path, "release")
    repository.git("remote", "rename", "origin", "upstream")
    one = read_checkout(str(repository.root))
    assert one.remote == "none"
    assert one.on_remote == {"main": True, "release": True}
    repository.git("remote", "add", "fork", "https://example.com/fork")
    two = read_checkout(str(repository.root))
    assert two.on_remote == {}
    assert two.narrow == "the checkout has several remotes and none is called origin"


def test_a_folder_that_is_no_repository_is_a_gap(tmp_path: Path) -> None:
    facts = read(tmp_path, "churn")
    assert {(gap.cause, gap.facts, gap.reason) for gap in facts.gaps} == {
        (Cause.NOT_ASKED, table, "the folder is not in a Git repository") for table in ("branches", "repositories")
    }
    assert all(gap.remedy for gap in facts.gaps)
    assert facts.complete == set()


def test_a_machine_without_git_is_a_gap(repository: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(SourceError) as caught:
        read_checkout(str(repository.root))
    assert (caught.value.cause, caught.value.reason) == ("failed", "the git command is not installed")
    with pytest.raises(UsageError, match="needs git"):
        changed_lines(str(repository.root), "main")


def test_a_broken_repository_is_a_gap(repository: GitRepository) -> None:
    (repository.root / ".git/config").write_text("[broken\n")
    with pytest.raises(SourceError) as caught:
        read_checkout(str(repository.root))
    assert caught.value.cause == "failed"
    assert "bad config" in caught.value.reason


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("https://github.com/acme/x.git", "https://github.com/acme/x.git"),
        ("https://token@github.com/acme/x.git", "https://github.com/acme/x.git"),
        ("https://user:pass@host:8443/x", "https://host:8443/x"),
        ("https://user:p@ss@host/x", "https://host/x"),
        ("https://user:p/ss@host/x", "https://host/x"),
        ("https://acme@dev.azure.com/acme/p/_git/x", "https://dev.azure.com/acme/p/_git/x"),
        ("HTTPS://host/x?access_token=1#f", "https://host/x"),
        ("https://host/@scope/x", "https://host/@scope/x"),
        ("https://host:8443/@scope/x", "https://host:8443/@scope/x"),
        ("ssh://git@github.com/acme/x.git", "ssh://git@github.com/acme/x.git"),
        ("ssh://git:pass@host:22/x", "ssh://git@host:22/x"),
        ("git@github.com:acme/x.git", "git@github.com:acme/x.git"),
        ("/srv/git/x.git", "/srv/git/x.git"),
        ("https://[::1]:8080/x@y", "https://[::1]:8080/x@y"),
    ],
)
def test_credentials_are_taken_off_a_remote(url: str, clean: str) -> None:
    assert without_credentials(url) == clean


@given(
    st.text(alphabet="ab@:/?#", max_size=8),
    st.sampled_from(["", "user", "user:", "oauth2:", "x-access-token:"]),
    st.sampled_from(["http", "https", "ftp"]),
)
def test_a_password_never_survives(tail: str, user: str, scheme: str) -> None:
    assert "SECRET" not in without_credentials(f"{scheme}://{user}SECRET@host/{tail}")


def test_changed_lines_are_those_since_the_branches_parted(repository: GitRepository) -> None:
    repository.write("a.py", "".join(f"{n}\n" for n in range(1, 11)))
    repository.write("old.py", "x\n")
    repository.commit()
    repository.git("checkout", "--quiet", "-b", "work")
    repository.write("a.py", "1\nTWO\n3\n4\n5\n6\n7\n8\n9\n10\n11\n")
    repository.commit()
    repository.git("checkout", "--quiet", "main")
    repository.write("old.py", "changed on main\n")
    repository.commit()
    repository.git("checkout", "--quiet", "work")
    repository.write("a.py", "1\nTWO\n3\n4\nFIVE\n6\n7\n8\n9\n10\n11\n")
    repository.write("new.py", "n\n")
    repository.write("staged.py", "1\n2\n")
    repository.git("add", "staged.py")
    assert changed_lines(str(repository.root), "main") == {
        "a.py": {2, 5, 11},
        "staged.py": {1, 2},
        "new.py": ALL_LINES,
    }


def test_where_lines_were_removed_both_sides_count(repository: GitRepository) -> None:
    repository.write("a.yml", "1\n2\n3\n4\n")
    repository.write("b.yml", "1\n2\n")
    repository.write("gone.yml", "1\n")
    repository.commit()
    repository.write("a.yml", "1\n2\n4\n")
    repository.write("b.yml", "2\n")
    (repository.root / "gone.yml").unlink()
    assert changed_lines(str(repository.root), "HEAD") == {"a.yml": {2, 3}, "b.yml": {1}, "gone.yml": ALL_LINES}


def test_a_renamed_file_has_only_its_new_lines(repository: GitRepository) -> None:
    repository.write("old.py", "".join(f"line {n}\n" for n in range(50)))
    repository.commit()
    repository.git("mv", "old.py", "new.py")
    repository.write("new.py", "".join(f"line {n}\n" for n in range(49)) + "other\n")
    assert changed_lines(str(repository.root), "HEAD") == {"new.py": {50}, "old.py": ALL_LINES}


def test_what_git_does_not_compare_is_wholly_changed(repository: GitRepository) -> None:
    repository.write(".gitattributes", "*.ipynb -diff\n")
    repository.write("n.ipynb", "{}\n")
    repository.write("b.bin", b"\0\1")
    repository.commit()
    repository.write("n.ipynb", '{"cells": []}\n')
    repository.write("b.bin", b"\0\2")
    assert changed_lines(str(repository.root), "HEAD") == {"n.ipynb": ALL_LINES, "b.bin": ALL_LINES}


def test_odd_names_and_lines_are_told_apart(repository: GitRepository) -> None:
    names = ["日本.py", "new\nline.py", 'quo"te.py', "back\\slash.py", "tab\there.py", "with space ", "b/b/x.py", "a/diff --git"]
    for name in names:
        repository.write(name, "1\n")
    repository.commit()
    tricky = "1\n++ b/other.py\n-- a/x\n@@ -1 +1,9 @@\ndiff --git a/x b/x\n"
    for name in names:
        repository.write(name, tricky)
    assert changed_lines(str(repository.root), "HEAD") == {name: {2, 3, 4, 5} for name in names}


def test_settings_of_the_user_do_not_change_the_diff(repository: GitRepository) -> None:
    repository.write("b/a.py", "1\n")
    repository.commit()
    for key, value in (("diff.noprefix", "true"), ("diff.mnemonicPrefix", "true"), ("color.ui", "always"), ("diff.context", "9")):
        repository.git("config", key, value)
    repository.write("b/a.py", "1\n2\n")
    assert changed_lines(str(repository.root), "HEAD") == {"b/a.py": {2}}


@pytest.mark.parametrize("setting", ["clean", "process"])
def test_a_diff_runs_no_program_of_the_repository(repository: GitRepository, tmp_path: Path, setting: str) -> None:
    proof = tmp_path / "proof"
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\ntouch {proof}\ncat\n")
    script.chmod(0o755)
    repository.write(".gitattributes", "*.py filter=evil diff=evil\n")
    repository.write("a.py", "1\n")
    repository.commit()
    for key in (f"filter.evil.{setting}", "diff.external", "diff.evil.textconv", "diff.evil.command", "core.fsmonitor"):
        repository.git("config", key, str(script))
    repository.git("config", "filter.evil.required", "true")
    repository.write("a.py", "1\n2\n")
    assert changed_lines(str(repository.root), "HEAD") == {"a.py": {2}}
    assert not proof.exists()


def test_in_a_subfolder_paths_are_its_own(repository: GitRepository) -> None:
    repository.write("sub/a.py", "1\n")
    repository.write("b.py", "1\n")
    repository.commit()
    repository.write("sub/a.py", "2\n")
    repository.write("b.py", "2\n")
    repository.write("sub/new.py", "1\n")
    assert changed_lines(str(repository.root / "sub"), "HEAD") == {"a.py": {1}, "new.py": ALL_LINES}


@pytest.mark.parametrize("rev", ["--output=x", "-h", "", " ", "a\nb", "\0"])
def test_what_looks_like_an_option_is_refused(repository: GitRepository, rev: str) -> None:
    with pytest.raises(UsageError, match="is not a revision"):
        changed_lines(str(repository.root), rev)


@pytest.mark.parametrize("rev", ["origin/main", "main..HEAD", "HEAD:a.py", "0000000000000000000000000000000000000000"])
def test_a_revision_that_is_not_there_is_a_usage_error(repository: GitRepository, rev: str) -> None:
    repository.write("a.py")
    repository.commit()
    with pytest.raises(UsageError, match="there is no revision") as caught:
        changed_lines(str(repository.root), rev)
    assert "git fetch origin main" in caught.value.advice or rev != "origin/main"


def test_a_diff_needs_a_repository(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs a Git repository"):
        changed_lines(str(tmp_path), "main")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_patch_without_files_or_with_some(noise: bytes) -> None:
    assert all(isinstance(path, str) for path, _ in parse_patch(noise))
    told = dict(parse_patch(b"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -0,0 +1 @@\n+" + noise.replace(b"\n", b" ") + b"\n"))
    assert told == {"x": {1}}
