"""Whether a commit was released, as the Git host compares it with every release branch and tag."""

from __future__ import annotations

from typing import Any

import pytest
from tests.sources.platform.git_host.hosts import QUICK, github
from tests.sources.platform.wire.serving import Says

from lakewarden.facts.collect import Facts
from lakewarden.facts.fact import TABLES
from lakewarden.facts.model.tracking import Run, RunCommit
from lakewarden.facts.model.version_control import BranchCommit
from lakewarden.facts.store import prepare
from lakewarden.policy.model import Policy, ProjectPolicy
from lakewarden.sources.platform.git_host.source import FILLS, collect_repositories, release_globs, repositories_of

COMMIT, MAIN, RELEASE, TAGGED = "c" * 40, "a" * 40, "b" * 40, "d" * 40
AT = "/repos/acme/churn"
PLANE = "deployed"


def routes(main: Any, release: Any, tag: Any = None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "": {"default_branch": "main"},
        "/branches": [
            {"name": "main", "protected": False, "commit": {"sha": MAIN}},
            {"name": "release", "protected": False, "commit": {"sha": RELEASE}},
            {"name": "feature", "protected": False, "commit": {"sha": COMMIT}},
        ],
        "/rules/branches/main": [],
        "/rules/branches/release": [],
        "/tags": [] if tag is None else [{"name": "v1", "commit": {"sha": TAGGED}}],
        f"/compare/{MAIN}...{COMMIT}": main,
        f"/compare/{RELEASE}...{COMMIT}": release,
        f"/compare/{TAGGED}...{COMMIT}": tag,
    }
    return {f"{AT}{path}": value for path, value in found.items() if value is not None}


def released(answers: dict[str, Any], *, project: str = "", refs: tuple[str, ...] = ("release", "v*")) -> bool | None:
    """What follows for a run that names the commit."""
    return said(answers, project=project, refs=refs)[0]


def said(
    answers: dict[str, Any], *, project: str = "", refs: tuple[str, ...] = ("release", "v*"), clone: tuple[bool | None, ...] = ()
) -> tuple[bool | None, str]:
    """The same with what a clone says of it, and what the gaps tell."""
    facts = Facts()
    key = f"{project}@{COMMIT}"
    facts.add(Run(key="w/run", plane=PLANE, workspace="w"))
    facts.add(RunCommit(key="w/run", plane=PLANE, commit=COMMIT, commit_key=key))
    facts.add(*(BranchCommit(key=key, plane=PLANE, is_ancestor=answer) for answer in clone))
    with github(answers) as host:
        churn = ProjectPolicy(name="churn", repository=f"{host.key}.git", release_refs=refs)
        policy = Policy(projects=(churn,))
        keys, globs = repositories_of(policy), release_globs(policy)
        collect_repositories(keys, globs, facts, FILLS, {}, environ=host.environ, options=QUICK)
    needed = frozenset({"branch_commits", "run_commit"})
    ready = prepare(facts, policy, filled=frozenset(TABLES), needed=needed, planes=frozenset({PLANE}), command="audit")
    (answer,) = (row.get("is_ancestor") for row in ready.rows["branch_commits"] if row["key"] == key)
    told = "; ".join(gap.reason for gap in ready.gaps if gap.parent == key)
    return answer if answer is None else bool(answer), told


BEHIND, AHEAD, NO = {"status": "behind"}, {"status": "diverged"}, Says({"message": "no"}, 403)


@pytest.mark.parametrize("project", ["", "churn"])
@pytest.mark.parametrize(
    ("main", "release", "tag", "expected"),
    [
        (BEHIND, BEHIND, None, True),
        (AHEAD, BEHIND, None, True),
        (BEHIND, AHEAD, None, False),
        (AHEAD, AHEAD, None, False),
        (AHEAD, AHEAD, BEHIND, True),
        (BEHIND, AHEAD, AHEAD, False),
        (AHEAD, AHEAD, NO, None),
        (BEHIND, NO, None, None),
        (NO, BEHIND, None, None),
    ],
)
def test_a_commit_is_released_by_a_branch_or_a_tag(
    main: Any, release: Any, tag: Any, expected: bool | None, project: str
) -> None:
    assert released(routes(main, release, tag), project=project) is expected


def test_branches_that_were_not_all_seen_release_nobody_and_condemn_nobody() -> None:
    assert released({**routes(BEHIND, AHEAD), f"{AT}/branches": NO}) is None


def test_more_tags_than_are_compared_condemn_nobody() -> None:
    answers = routes(AHEAD, AHEAD)
    answers[f"{AT}/tags"] = [{"name": f"v{n}", "commit": {"sha": RELEASE}} for n in range(31)]
    assert released(answers) is None
    assert released(answers, refs=("release",)) is None, "tags are asked under the usual names too"


@pytest.mark.parametrize(
    ("clone", "main", "release", "expected"),
    [
        (True, BEHIND, BEHIND, True),
        (False, AHEAD, AHEAD, False),
        (True, BEHIND, AHEAD, None),
        (False, BEHIND, BEHIND, None),
        (None, BEHIND, BEHIND, True),
        (None, AHEAD, AHEAD, False),
        (True, NO, NO, True),
        (False, NO, NO, False),
        (None, NO, NO, None),
    ],
)
@pytest.mark.parametrize("project", ["", "churn"])
def test_host_and_clone_must_agree(clone: bool | None, main: Any, release: Any, expected: bool | None, project: str) -> None:
    answer, told = said(routes(main, release), project=project, refs=("release",), clone=(clone,))
    assert answer is expected
    assert ("by the clone and" in told) is (clone is not None and expected is None)
