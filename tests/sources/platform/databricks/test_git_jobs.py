"""A job that takes its code from Git deploys the commit that its last run checked out (SDK, `jobs.list_runs`)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from tests.contract import faults, serve
from tests.contract.store import NOW
from tests.live import facts_of, verdicts
from tests.sources.platform.databricks.workshop import COMMIT, RUNNER, TABLES, rows, workshop

from lakewarden.policy.model import EnvironmentPolicy, Policy, ProjectPolicy
from lakewarden.sources.platform.databricks.git_jobs import takes_git

if TYPE_CHECKING:
    from tests.contract import Estate, Server

URL = "https://github.com/acme/churn"
OTHER = "b" * 40
WANTED = frozenset(TABLES)
LIST = "/api/2.2/jobs/runs/list"
NOTEBOOK = {"task_key": "train", "notebook_task": {"notebook_path": "src/train"}}
WORKSPACE = {"task_key": "train", "notebook_task": {"notebook_path": "/Shared/train", "source": "WORKSPACE"}}


def estate_of(
    *runs: str | None, task: dict[str, Any] = NOTEBOOK, ref: dict[str, str] | None = None, created: int = NOW
) -> Estate:
    """A job with a Git source, and its runs, the newest last; None for one that checked nothing out."""
    estate = workshop()
    source = {"git_url": "https://token:secret@github.com/acme/churn.git", "git_provider": "gitHub"}
    source |= ref or {"git_branch": "release"}
    settings = {"name": "from git", "tasks": [task], "git_source": source}
    estate.job(15, settings=settings, creator="ana@example.com", run_as=RUNNER, raw={"created_time": created})
    estate.permissions("jobs", 15, [{"user_name": "ana@example.com", "permission_level": "IS_OWNER"}])
    for number, commit in enumerate(runs):
        snapshot = source | ({} if commit is None else {"git_snapshot": {"used_commit": commit}})
        estate.job_run(800 + number, 15, start_time=NOW + number, git_source=snapshot)
    return estate


def deployed(server: Server) -> dict[str, Any] | None:
    return rows(facts_of(server, wanted=WANTED), "deployments", server).get("W/jobs/15/git_source")


@pytest.mark.parametrize("runs", [(COMMIT,), (OTHER, COMMIT), (OTHER, COMMIT, None)])
def test_the_newest_commit_that_a_run_checked_out_is_deployed(runs: tuple[str | None, ...]) -> None:
    with serve(estate_of(*runs)) as server:
        found = deployed(server)
    assert found is not None
    assert (found["commit"], found["origin_url"], found["in_force"]) == (COMMIT, f"{URL}.git", True)
    assert (found["created_by"], found["commit_key"]) == (None, f"@{COMMIT}")


def test_a_commit_that_the_job_names_needs_no_run() -> None:
    with serve(estate_of(OTHER, ref={"git_commit": COMMIT})) as server:
        found = deployed(server)
        assert server.asked("GET", LIST) == []
    assert found is not None
    assert found["commit"] == COMMIT


def test_tasks_of_the_workspace_take_nothing_from_git() -> None:
    with serve(estate_of(COMMIT, task=WORKSPACE)) as server:
        assert deployed(server) is None


def test_a_new_job_that_never_ran_has_deployed_nothing() -> None:
    with serve(estate_of(created=int(time.time() * 1000))) as server:
        assert deployed(server) is None


@pytest.mark.parametrize("runs", [(), (None,)])
def test_what_no_run_tells_is_unknown(runs: tuple[str | None, ...]) -> None:
    created = int(time.time() * 1000) - 90 * 24 * 3600 * 1000
    with serve(estate_of(*runs, created=created)) as server:
        found = deployed(server)
        policy = Policy(environments={"production": EnvironmentPolicy(workspaces=(server.url,))})
        judged = verdicts(facts_of(server, wanted=WANTED), policy, ("GIT005",))
        assert judged["GIT005", "deployments", f"{server.url}/jobs/15/git_source"] == "unknown"
    assert found is not None
    assert found["commit"] is None


@pytest.mark.parametrize("fault", [faults.refused(), faults.broken()])
def test_runs_that_are_not_told_leave_the_commit_unknown_and_the_other_deployments(fault: Any) -> None:
    with serve(estate_of(COMMIT)) as server:
        server.faults.add("GET", LIST, fault)
        found = facts_of(server, wanted=WANTED)
        seen = rows(found, "deployments", server)
        assert seen["W/jobs/15/git_source"]["commit"] is None
        assert "W/deployments/9/versions/2" in seen
        reasons = [gap.reason for gap in found.gaps if gap.parent == f"{server.url}/jobs/15/git_source" and gap.value]
        assert any(LIST in reason for reason in reasons), reasons


def test_a_commit_that_was_never_released_fails_and_one_that_nobody_told_of_is_unknown() -> None:
    from lakewarden.facts.model.version_control import BranchCommit

    with serve(estate_of(COMMIT)) as server:
        where = EnvironmentPolicy(workspaces=(server.url,))
        policy = Policy(environments={"production": where}, projects=(ProjectPolicy(name="churn", repository=URL),))
        for released, verdict in ((False, "fail"), (True, "pass"), (None, "unknown")):
            found = facts_of(server, wanted=WANTED)
            if released is not None:
                found.add(BranchCommit(key=f"@{COMMIT}", plane="deployed", is_ancestor=released))
            judged = verdicts(found, policy, ("GIT005", "GIT008"))
            assert judged["GIT005", "deployments", f"{server.url}/jobs/15/git_source"] == verdict


@pytest.mark.parametrize(
    ("task", "from_git"),
    [
        (NOTEBOOK, True),
        (WORKSPACE, False),
        ({"for_each_task": {"inputs": "[1]", "task": NOTEBOOK}}, True),
        ({"for_each_task": {"inputs": "[1]", "task": WORKSPACE}}, False),
        ({"sql_task": {"file": {"path": "a.sql"}, "warehouse_id": "w"}}, True),
        ({"sql_task": {"query": {"query_id": "q"}, "warehouse_id": "w"}}, False),
        ({"python_wheel_task": {"package_name": "churn", "entry_point": "train"}}, False),
        ({"dbt_task": {"commands": ["dbt run"], "source": None}}, True),
    ],
)
def test_which_tasks_take_code_from_git(task: dict[str, Any], from_git: bool) -> None:
    assert takes_git(task) is from_git
