"""What a repository adds to a live estate: roles of tasks whose code is the same, projects of bundles, its own remote."""

from __future__ import annotations

import pytest

from lakewarden.facts.collect import Facts, Scope
from lakewarden.facts.estate.declared import name_projects
from lakewarden.facts.estate.deployed import deployments, with_roles
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.targets import Deployment
from lakewarden.facts.model.version_control import Repository
from lakewarden.facts.model.workloads import Job, Task, TaskUpstream
from lakewarden.policy.model import Policy, ProjectPolicy

KEY = "churn/prod/jobs.train"


def both(deployed_code: str | None) -> Facts:
    facts = Facts()
    for plane, code, role in (("declared", "src/a", "training"), ("deployed", deployed_code, None)):
        facts.add(Job(key=KEY, plane=plane, project="churn", code=code))
        facts.add(Task(key=f"{KEY}/a", plane=plane, project="churn", job=KEY, project_key="churn", role=role))
    return facts


@pytest.mark.parametrize(("code", "role"), [("src/a", "training"), ("/Users/ana@x/a", None), (None, None)])
def test_a_deployed_task_is_what_the_declared_one_is_if_it_runs_its_code(code: str | None, role: str | None) -> None:
    (found,) = [row for row in with_roles(both(code).rows, "tasks") if row.plane == "deployed"]
    assert found.__dict__["role"] == role


def test_a_deployed_task_with_a_role_keeps_it() -> None:
    facts = both("src/a")
    facts.rows["tasks"][1].__dict__["role"] = "deployment"
    assert [row.__dict__["role"] for row in with_roles(facts.rows, "tasks")] == ["training", "deployment"]


def test_what_a_bundle_deployed_gets_the_project_of_the_bundle() -> None:
    facts = both("src/a")
    facts.add(TaskUpstream(key=f"{KEY}/b/a", plane="deployed", task=f"{KEY}/b", upstream=f"{KEY}/a"))
    facts.add(Deployment(key="https://w/churn/prod/state", plane="deployed", project="churn", commit_key="churn@abc"))
    facts.add(Job(key="other/prod/jobs.x", plane="deployed", project="other", name="churn/prod/jobs.x"))
    with facts.listing("tasks", plane="deployed", of=KEY):
        pass
    facts.gap(Gap(Cause.REFUSED, "permissions", "403", plane="deployed", parent=KEY))
    name_projects(facts, [("churn", "retention"), ("fraud", "fraud")])
    keys = {(row.plane, row.key, row.project) for row in facts.rows["jobs"]}
    assert keys == {
        ("declared", KEY, "churn"),
        ("deployed", "retention/prod/jobs.train", "retention"),
        ("deployed", "other/prod/jobs.x", "other"),
    }
    (task,) = [row.__dict__ for row in facts.rows["tasks"] if row.plane == "deployed"]
    assert (task["key"], task["job"], task["project_key"]) == (
        "retention/prod/jobs.train/a",
        "retention/prod/jobs.train",
        "retention",
    )
    (edge,) = facts.rows["task_upstream"]
    assert edge.__dict__["upstream"] == "retention/prod/jobs.train/a"
    (deployment,) = facts.rows["deployments"]
    assert (deployment.key, deployment.__dict__["commit_key"]) == ("https://w/churn/prod/state", "retention@abc")
    assert ("tasks", "deployed", Scope(None, "retention/prod/jobs.train")) in facts.complete
    assert [gap.parent for gap in facts.gaps] == ["retention/prod/jobs.train"]
    assert [row.__dict__.get("name") for row in facts.rows["jobs"] if row.project == "other"] == ["churn/prod/jobs.x"]


def test_bundles_that_cannot_be_told_apart_leave_their_projects_unknown() -> None:
    facts = both("src/a")
    name_projects(facts, [("churn", "churn@a"), ("churn", "churn@b"), (None, "c")])
    assert sorted(str(gap.project) for gap in facts.gaps) == ["c", "churn@a", "churn@b"]
    assert {row.project for row in facts.rows["jobs"]} == {"churn"}


@pytest.mark.parametrize(
    ("recorded", "wanted", "remote", "matches"),
    [
        ("https://github.com/Acme/churn.git", "git@github.com:acme/churn.git", "none", True),
        ("https://github.com/acme/churn", "https://github.com/acme/fraud", "https://github.com/acme/churn", False),
        ("https://github.com/acme/churn", None, "ssh://git@github.com/acme/churn", True),
        ("https://github.com/acme/churn", None, "none", None),
        ("none", "https://github.com/acme/churn", "none", None),
        (None, "https://github.com/acme/churn", "none", None),
    ],
)
def test_the_repository_of_a_deployment(recorded: str | None, wanted: str | None, remote: str, matches: bool | None) -> None:
    facts = Facts()
    facts.add(Deployment(key="d", plane="deployed", project="churn", origin_url=recorded))
    facts.add(Repository(key="churn", project="churn", remote=remote))
    policy = Policy(projects=(ProjectPolicy(name="churn", repository=wanted),))
    (found,) = deployments(facts.rows, policy)
    assert (found.__dict__["origin_matches"], found.__dict__["before_policy"]) == (matches, False)
