"""Whether a commit is on the release branch, in real clones: full, shallow, forged, of another repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.running import commit, git, write

from lakewarden.facts.collect import Facts, Scope
from lakewarden.facts.gaps import Cause
from lakewarden.facts.model.live import CommitEvidence
from lakewarden.facts.model.targets import Deployment
from lakewarden.policy.model import Policy, ProjectPolicy
from lakewarden.sources.repository.ancestry import branch_commits

if TYPE_CHECKING:
    from pathlib import Path

POLICY = Policy(projects=(ProjectPolicy(name="churn", release_refs=("release", "v*")),))


@pytest.fixture
def origin(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A repository with a release branch, a feature branch and a tag on neither; the commits by name."""
    folder = tmp_path / "origin"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "release")
    commits = {}
    for name in ("first", "second"):
        write(folder, {"a.txt": name})
        commits[name] = commit(folder)
    git(folder, "checkout", "-q", "-b", "feature")
    write(folder, {"a.txt": "feature"})
    commits["feature"] = commit(folder)
    git(folder, "checkout", "-q", "--orphan", "hotfix")
    write(folder, {"a.txt": "hotfix"})
    commits["hotfix"] = commit(folder)
    git(folder, "tag", "v1.0.1")
    git(folder, "checkout", "-q", "release")
    return folder, commits


def asked(*keys: str) -> Facts:
    facts = Facts()
    for number, key in enumerate(keys):
        facts.add(Deployment(key=f"W/{number}", plane="deployed", commit_key=key))
    return facts


def answers(facts: Facts) -> dict[str, bool | None]:
    return {row.key: row.__dict__["is_ancestor"] for row in facts.rows["branch_commits"]}


def test_ancestry_decides_and_names_do_not(tmp_path: Path, origin: tuple[Path, dict[str, str]]) -> None:
    folder, commits = origin
    git(tmp_path, "clone", "-q", str(folder), "clone")
    clone = tmp_path / "clone"
    # A branch of this clone alone was released by nobody.
    git(clone, "branch", "v-mine", commits["feature"])
    facts = asked(*(f"churn@{one}" for one in commits.values()), "churn@none", "none")
    branch_commits(facts, str(clone), POLICY)
    assert answers(facts) == {
        f"churn@{commits['first']}": True,
        f"churn@{commits['second']}": True,
        f"churn@{commits['feature']}": False,
        f"churn@{commits['hotfix']}": True,  # by its tag
        "churn@none": None,
    }
    assert ("branch_commits", "deployed", Scope()) in facts.complete


def test_a_commit_that_the_clone_does_not_have_is_not_known(tmp_path: Path, origin: tuple[Path, dict[str, str]]) -> None:
    git(tmp_path, "clone", "-q", str(origin[0]), "clone")
    facts = asked(f"churn@{'a' * 40}")
    branch_commits(facts, str(tmp_path / "clone"), POLICY)
    assert answers(facts) == {f"churn@{'a' * 40}": None}
    (gap,) = facts.gaps
    assert "is not in the clone" in gap.reason


def test_a_shallow_clone_knows_nothing_and_says_how_to_mend_it(tmp_path: Path, origin: tuple[Path, dict[str, str]]) -> None:
    folder, commits = origin
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{folder}", "clone")
    facts = asked(f"churn@{commits['second']}")
    branch_commits(facts, str(tmp_path / "clone"), POLICY)
    assert answers(facts) == {}
    (gap,) = facts.gaps
    assert gap.cause is Cause.TRUNCATED
    assert "fetch-depth: 0" in gap.remedy


def test_a_clone_of_one_branch_may_miss_where_a_commit_was_released(tmp_path: Path, origin: tuple[Path, dict[str, str]]) -> None:
    folder, commits = origin
    git(folder, "branch", "v2", "feature")
    git(tmp_path, "clone", "-q", "--single-branch", "--branch", "release", f"file://{folder}", "clone")
    git(tmp_path / "clone", "fetch", "-q", "origin", commits["feature"])
    facts = asked(f"churn@{commits['first']}", f"churn@{commits['feature']}")
    branch_commits(facts, str(tmp_path / "clone"), POLICY)
    assert answers(facts) == {f"churn@{commits['first']}": True, f"churn@{commits['feature']}": None}


@pytest.mark.parametrize("how", ["replace", "grafts", "local branch"])
def test_who_forges_the_history_of_a_clone_changes_nothing(tmp_path: Path, origin: tuple[Path, dict[str, str]], how: str) -> None:
    folder, commits = origin
    git(tmp_path, "clone", "-q", str(folder), "clone")
    clone = tmp_path / "clone"
    if how == "replace":
        git(clone, "replace", "--graft", commits["second"], commits["feature"])
    elif how == "grafts":
        (clone / ".git/info").mkdir(exist_ok=True)
        (clone / ".git/info/grafts").write_text(f"{commits['second']} {commits['feature']}\n")
    else:
        git(clone, "branch", "-f", "v9", commits["feature"])
    facts = asked(f"churn@{commits['feature']}")
    branch_commits(facts, str(clone), POLICY)
    assert answers(facts) == {f"churn@{commits['feature']}": False}


def test_a_commit_that_no_project_claims_has_to_be_released_by_all(tmp_path: Path, origin: tuple[Path, dict[str, str]]) -> None:
    folder, commits = origin
    git(tmp_path, "clone", "-q", str(folder), "clone")
    facts = Facts()
    for name in ("second", "feature"):
        facts.add(CommitEvidence(key=name, plane="deployed", run="r", commit_key=commits[name]))
    two = Policy(projects=(*POLICY.projects, ProjectPolicy(name="fraud", release_refs=("feature",))))
    branch_commits(facts, str(tmp_path / "clone"), two)
    assert answers(facts) == {commits["second"]: True, commits["feature"]: None}


def test_a_folder_that_is_no_clone_is_a_gap(tmp_path: Path) -> None:
    facts = asked("churn@" + "b" * 40)
    branch_commits(facts, str(tmp_path), POLICY)
    assert [gap.facts for gap in facts.gaps] == ["branch_commits"]
    assert ("branch_commits", "deployed", Scope()) not in facts.complete
