"""Five ways in which a clone says of a commit what is not so: the plain command believes them, Lakewarden does not."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest
from tests.running import commit, environment, git, write

from lakewarden.errors import SourceError
from lakewarden.facts.collect import Facts, Scope
from lakewarden.facts.gaps import Cause
from lakewarden.facts.model.targets import Deployment
from lakewarden.policy.model import Policy, ProjectPolicy
from lakewarden.sources import git_remote
from lakewarden.sources.git_remote import Remote, address_of, fresh_clone, published_refs
from lakewarden.sources.repository.ancestry import branch_commits, released_by

if TYPE_CHECKING:
    from pathlib import Path


class Project(NamedTuple):
    """A repository on a host, a clone of it with somebody who may change it, and the commits by name."""

    host: Path
    clone: Path
    commits: dict[str, str]

    @property
    def url(self) -> str:
        return self.host.as_uri()

    @property
    def policy(self) -> Policy:
        return Policy(projects=(ProjectPolicy(name="churn", repository=self.url, release_refs=("release",)),))

    def plain(self, name: str, ref: str = "origin/release") -> int:
        """The exit code of the plain command, as a script would run it."""
        command = ["git", "merge-base", "--is-ancestor", self.commits[name], ref]
        return subprocess.run(command, cwd=self.clone, env=environment(), capture_output=True, check=False, timeout=60).returncode

    def by_clone(self, name: str, *, asked: bool = False) -> tuple[bool | None, str]:
        refs = published_refs(Remote(self.url)) if asked else None
        facts = self.asked(name)
        branch_commits(facts, str(self.clone), self.policy, published=refs)
        return told(facts)

    def afresh(self, name: str) -> tuple[bool | None, str]:
        facts = self.asked(name)
        released_by(facts, self.policy)
        return told(facts)

    def asked(self, name: str) -> Facts:
        facts = Facts()
        facts.add(Deployment(key="W/1", plane="deployed", commit_key=f"churn@{self.commits.get(name, name)}"))
        return facts


def told(facts: Facts) -> tuple[bool | None, str]:
    """Is it released, and what to do where that is not known."""
    answers = [row.__dict__["is_ancestor"] for row in facts.rows["branch_commits"]]
    assert len(answers) <= 1
    return (answers[0] if answers else None), " ".join(gap.remedy for gap in facts.gaps)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    host = tmp_path / "host"
    host.mkdir()
    git(host, "init", "-q", "-b", "release")
    git(host, "config", "uploadpack.allowFilter", "true")
    commits = {}
    for name in ("old", "new"):
        write(host, {"a.txt": name})
        commits[name] = commit(host)
    git(host, "checkout", "-q", "-b", "feature")
    write(host, {"a.txt": "feature"})
    commits["feature"] = commit(host)
    git(host, "checkout", "-q", "release")
    git(tmp_path, "clone", "-q", host.as_uri(), "clone")
    return Project(host, tmp_path / "clone", commits)


def test_without_an_attack_all_agree(project: Project) -> None:
    assert (project.plain("old"), project.plain("feature")) == (0, 1)
    for ask in (project.by_clone, project.afresh, lambda name: project.by_clone(name, asked=True)):
        assert [ask(name)[0] for name in ("old", "new", "feature")] == [True, True, False]


def test_a_shallow_clone_knows_nothing_and_says_what_to_do(project: Project, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--depth", "1", "--no-single-branch", project.url, "cut")
    cut = project._replace(clone=tmp_path / "cut")
    git(cut.clone, "fetch", "-q", "--depth", "1", "origin", cut.commits["old"])
    assert cut.plain("old") == 1, "both commits are there, what is between them is not"
    for asked in (False, True):
        answer, remedy = cut.by_clone("old", asked=asked)
        assert answer is None
        assert "fetch-depth: 0" in remedy
    assert cut.afresh("old") == (True, "")


def test_a_replaced_commit(project: Project) -> None:
    git(project.clone, "replace", "--graft", project.commits["new"], project.commits["feature"])
    assert project.plain("feature") == 0
    assert project.by_clone("feature")[0] is False
    assert project.afresh("feature") == (False, "")


def test_a_graft(project: Project) -> None:
    (project.clone / ".git/info").mkdir(exist_ok=True)
    (project.clone / ".git/info/grafts").write_text(f"{project.commits['new']} {project.commits['feature']}\n")
    assert project.plain("feature") == 0
    assert project.by_clone("feature")[0] is False
    assert project.afresh("feature") == (False, "")


def test_a_tag_that_is_called_like_the_branch(project: Project) -> None:
    git(project.clone, "tag", "release", project.commits["feature"])
    assert project.plain("feature", "release") == 0, "with a warning that nobody reads"
    assert project.by_clone("feature")[0] is False
    assert project.by_clone("feature", asked=True)[0] is False
    # Not even where the host has it.
    git(project.host, "tag", "release", project.commits["feature"])
    assert project.by_clone("feature", asked=True)[0] is False
    assert project.afresh("feature") == (False, "")
    assert project.afresh("new") == (True, "")


def test_a_remote_tracking_ref_that_was_moved(project: Project) -> None:
    git(project.clone, "update-ref", "refs/remotes/origin/release", project.commits["feature"])
    assert project.plain("feature") == 0
    assert project.by_clone("feature")[0] is True, "without the remote nobody can see it"
    assert project.by_clone("feature", asked=True)[0] is False
    assert project.afresh("feature") == (False, "")


def test_a_forged_commit_graph(project: Project) -> None:
    """A sixth: Git believes this file of who is whose parent without a look at the objects."""
    old, new = project.commits["old"], project.commits["new"]
    side = git(project.clone, "commit-tree", "-m", "side", f"{old}^{{tree}}")
    git(project.clone, "update-ref", "refs/remotes/origin/side", side)
    git(project.clone, "-c", "commitGraph.generationVersion=1", "commit-graph", "write", "--reachable")
    graph = project.clone / ".git/objects/info/commit-graph"
    graph.chmod(0o644)
    said = bytearray(graph.read_bytes())
    chunks = {bytes(said[n : n + 4]): int.from_bytes(said[n + 4 : n + 12], "big") for n in range(8, 8 + 12 * said[6], 12)}
    order = sorted(bytes.fromhex(one) for one in (*project.commits.values(), side))
    for one, level in ((old, 8), (new, 9)):  # each higher than its parent
        entry = chunks[b"CDAT"] + 36 * order.index(bytes.fromhex(one))
        said[entry + 28 : entry + 32] = (level << 2).to_bytes(4, "big")
        if one == old:
            said[entry + 20 : entry + 24] = order.index(bytes.fromhex(side)).to_bytes(4, "big")
    graph.write_bytes(said)
    forged = project._replace(commits={**project.commits, "side": side})
    assert forged.plain("side") == 0
    assert forged.by_clone("side")[0] is False
    assert forged.by_clone("old")[0] is True


def test_refs_that_the_clone_does_not_have_yet_decide_nothing(project: Project) -> None:
    write(project.host, {"a.txt": "newer"})
    newer = commit(project.host)
    answer, remedy = project.by_clone("feature", asked=True)
    assert answer is None
    assert remedy.startswith("fetch first")
    assert project.by_clone(newer, asked=True)[0] is None
    assert project.afresh(newer) == (True, "")


def test_a_commit_that_no_ref_of_the_host_has_was_not_released(project: Project) -> None:
    git(project.host, "branch", "-q", "-D", "feature")
    assert project.afresh("feature") == (False, "")
    assert project.afresh("a" * 40) == (False, "")
    assert project.afresh("a" * 7)[0] is None


def test_a_host_that_is_a_shallow_clone_itself_decides_nothing(project: Project, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--depth", "1", project.url, "cut")
    facts = project._replace(host=tmp_path / "cut").asked("old")
    released_by(facts, project._replace(host=tmp_path / "cut").policy)
    assert told(facts)[0] is None
    assert [gap.cause for gap in facts.gaps] == [Cause.TRUNCATED]
    assert ("branch_commits", "deployed", Scope()) not in facts.complete


def test_the_environment_of_whoever_runs_it_changes_nothing(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    git(elsewhere, "init", "-q", "-b", "release")
    git(elsewhere, "fetch", "-q", project.url, project.commits["feature"])
    git(elsewhere, "reset", "-q", "--hard", project.commits["feature"])
    for name, value in {
        "GIT_DIR": str(elsewhere / ".git"),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{elsewhere.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": project.url,
        "GIT_GRAFT_FILE": str(tmp_path / "grafts"),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(elsewhere / ".git/objects"),
    }.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "grafts").write_text(f"{project.commits['new']} {project.commits['feature']}\n")
    told_by_git = subprocess.run(["git", "ls-remote", project.url], capture_output=True, check=True, cwd=tmp_path).stdout
    assert told_by_git.startswith(project.commits["feature"].encode()), "Git itself reads another repository"
    assert project.afresh("feature") == (False, "")


def test_a_configuration_that_reads_another_repository_is_told(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    (home / ".gitconfig").write_text(f'[url "{tmp_path.as_uri()}/clone"]\ninsteadOf = {project.url}\n')
    answer, remedy = project.afresh("new")
    assert answer is None
    assert "insteadOf" in remedy


def test_a_hook_and_a_template_run_nothing(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hooks = tmp_path / "home/template/hooks"
    hooks.mkdir(parents=True)
    for name in ("post-checkout", "reference-transaction", "post-index-change"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        (hooks / name).chmod(0o755)
    (tmp_path / "home/.gitconfig").write_text(f"[init]\ntemplateDir = {hooks.parent}\n[core]\nhooksPath = {hooks}\n")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("GIT_CONFIG_GLOBAL", raising=False)
    assert project.afresh("new") == (True, "")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("address", "cause"),
    [
        ("--upload-pack=touch", "not-asked"),
        ("ext::sh -c touch", "not-asked"),
        ("/etc", "not-asked"),
        ("http://127.0.0.1:1/acme/churn", "not-asked"),
        ("https://127.0.0.1:1/acme/churn", "unreachable"),
        ("file:///nowhere/at/all", "failed"),
    ],
)
def test_an_address_that_cannot_be_asked_is_a_gap(address: str, cause: str) -> None:
    with pytest.raises(SourceError) as problem:
        published_refs(Remote(address_of(address)), seconds=20)
    assert problem.value.cause == cause


@pytest.mark.parametrize("address", ["/srv/git/churn.git", "../churn.git", "churn"])
def test_a_folder_is_told_as_what_it_is(address: str) -> None:
    with pytest.raises(SourceError, match=f"{address} is a folder") as problem:
        address_of(address)
    assert "file:///path" in problem.value.remedy


def test_an_address_is_read_as_it_stands_in_a_policy() -> None:
    assert address_of("github.com/acme/Churn.git") == "https://github.com/acme/churn"
    assert address_of("git@github.com:acme/churn.git") == "git@github.com:acme/churn.git"


def test_git_that_does_not_answer_in_time_is_ended_with_all_it_started(project: Project, tmp_path: Path) -> None:
    slow = tmp_path / "slow"
    slow.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nsleep 60\n")
    slow.chmod(0o755)
    answer = git_remote.run(
        str(project.clone), ("ls-remote", f"--upload-pack={slow}", project.url), {**os.environ, "GIT_TERMINAL_PROMPT": "0"}, 1.0
    )
    assert answer.code is None
    assert "within 1 seconds" in answer.error
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", (tmp_path / "pid").read_text()], capture_output=True, text=True, check=False
    )
    assert state.stdout.strip() in ("", "Z"), "gone, or not yet taken leave of by the system"


def test_no_secret_is_in_a_reason_or_an_argument(project: Project) -> None:
    remote = Remote("https://somebody:a-secret@127.0.0.1:1/acme/churn", "Authorization: Basic c2VjcmV0")
    with pytest.raises(SourceError) as problem:
        published_refs(Remote("https://127.0.0.1:1/acme/churn", remote.header))
    assert "c2VjcmV0" not in problem.value.reason
    said = git_remote.environment_of(str(project.clone), remote)
    assert said["GIT_CONFIG_VALUE_0"] == remote.header
    assert "GIT_CONFIG_VALUE_0" not in git_remote.environment_of(str(project.clone), Remote(project.url, remote.header))


def test_a_release_tag_counts_and_an_annotated_one_by_its_commit(project: Project) -> None:
    git(project.host, "tag", "-a", "-m", "release", "v1", project.commits["feature"])
    policy = Policy(projects=(ProjectPolicy(name="churn", repository=project.url, release_refs=("release", "v*")),))
    facts = project.asked("feature")
    released_by(facts, policy)
    assert told(facts) == (True, "")
    with fresh_clone(Remote(project.url), lambda name: name == "v1") as clone:
        assert clone.refs == {"refs/tags/v1": project.commits["feature"]}


def test_a_commit_of_nobody_has_to_be_released_by_the_projects_of_one_repository(project: Project) -> None:
    def policy(*refs: str) -> Policy:
        return Policy(projects=tuple(ProjectPolicy(name=ref, repository=project.url, release_refs=(ref,)) for ref in refs))

    for refs, expected in (
        (("release",), False),
        (("release", "feature"), None),
        (("feature",), True),
        (("gone", "feature"), None),
    ):
        facts = Facts()
        facts.add(Deployment(key="W/1", plane="deployed", commit_key=f"@{project.commits['feature']}"))
        released_by(facts, policy(*refs))
        assert told(facts)[0] is expected, refs


def test_a_project_without_a_repository_is_a_gap(project: Project) -> None:
    facts = project.asked("new")
    released_by(facts, Policy(projects=(ProjectPolicy(name="churn"),)))
    assert told(facts) == (None, "set repository of the project churn in the policy")


@pytest.mark.parametrize(
    "name", ["origin/release", "refs/heads/release", "refs/tags/release", "heads/release", "refs/remotes/origin/release"]
)
def test_a_branch_whose_name_ends_like_the_release_branch(project: Project, name: str) -> None:
    """Whoever may push a branch of his own may call it so."""
    git(project.host, "update-ref", f"refs/heads/{name}", project.commits["feature"])
    git(project.clone, "fetch", "-q", "origin")
    for ask in (project.by_clone, project.afresh, lambda which: project.by_clone(which, asked=True)):
        assert [ask(which)[0] for which in ("new", "feature")] == [True, False]


@pytest.mark.parametrize("name", ["origin/release", "refs/heads/release", "heads/release"])
def test_a_tag_whose_name_ends_like_the_release_branch(project: Project, name: str) -> None:
    git(project.host, "update-ref", f"refs/tags/{name}", project.commits["feature"])
    git(project.clone, "fetch", "-q", "--tags", "origin")
    for ask in (project.by_clone, project.afresh, lambda which: project.by_clone(which, asked=True)):
        assert [ask(which)[0] for which in ("new", "feature")] == [True, False]


def test_of_a_full_name_its_beginning_alone_is_cut_off() -> None:
    assert git_remote.short("refs/heads/refs/tags/release") == "refs/tags/release"
    assert git_remote.short("refs/tags/refs/heads/release") == "refs/heads/release"
