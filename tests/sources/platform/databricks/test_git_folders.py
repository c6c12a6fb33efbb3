"""A job that runs from a Git folder deploys what is checked out there, whoever pulled it (SDK, `repos`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.contract import Pages, faults, serve
from tests.live import facts_of, verdicts
from tests.sources.platform.databricks.workshop import COMMIT, RUNNER, TABLES, rows, told, workshop

from lakewarden.policy.model import EnvironmentPolicy, Policy, ProjectPolicy

if TYPE_CHECKING:
    from tests.contract import Estate, Server

FOLDER = "/Repos/ci@example.com/churn"
URL = "https://github.com/acme/churn"
WANTED = frozenset(TABLES)


def estate_of(*, path: str = f"{FOLDER}/src/train", at: str = FOLDER, commit: str | None = COMMIT, others: int = 0) -> Estate:
    """A job that runs from a Git folder, and folders that no job runs from."""
    estate = workshop()
    tasks = [{"task_key": "train", "notebook_task": {"notebook_path": path}}]
    estate.job(15, settings={"name": "from a folder", "tasks": tasks}, creator="ana@example.com", run_as=RUNNER)
    estate.permissions("jobs", 15, [{"user_name": "ana@example.com", "permission_level": "IS_OWNER"}])
    estate.repo(77, at, "https://token:secret@github.com/acme/churn.git", **({"head_commit_id": commit} if commit else {}))
    estate.permissions("repos", 77, [{"group_name": "scientists", "permission_level": "CAN_EDIT"}])
    for number in range(others):
        estate.repo(100 + number, f"/Repos/ci@example.com/other{number}", URL, head_commit_id=COMMIT)
    return estate


def deployed(server: Server, at: str = FOLDER) -> dict[str, Any] | None:
    return rows(facts_of(server, wanted=WANTED), "deployments", server).get(f"W{at}")


@pytest.mark.parametrize(
    ("path", "at"),
    [
        (f"{FOLDER}/src/train", FOLDER),
        (f"/Workspace{FOLDER}/src/train", FOLDER),
        ("/Workspace/Users/ana@example.com/churn/src/train", "/Users/ana@example.com/churn"),
        ("/Users/ana@example.com/churn/src/train", "/Workspace/Users/ana@example.com/churn"),
    ],
)
def test_what_is_checked_out_in_the_folder_is_the_deployment(path: str, at: str) -> None:
    with serve(estate_of(path=path, at=at)) as server:
        found = deployed(server, at.removeprefix("/Workspace"))
    assert found is not None
    assert (found["commit"], found["origin_url"], found["in_force"]) == (COMMIT, "https://github.com/acme/churn.git", True)
    assert (found["created_by"], found["commit_key"]) == (None, f"@{COMMIT}")


def test_a_folder_beside_whose_name_begins_alike_is_another() -> None:
    with serve(estate_of(path=f"{FOLDER}-old/src/train")) as server:
        found = facts_of(server, wanted=WANTED)
        assert f"W{FOLDER}" not in rows(found, "deployments", server)
        assert ("refused", "deployments", "W") in told(found, server)  # its folder is hidden, or gone


def test_a_commit_that_was_never_released_fails_and_one_that_nobody_told_of_is_unknown() -> None:
    from lakewarden.facts.model.version_control import BranchCommit

    with serve(estate_of()) as server:
        where = EnvironmentPolicy(workspaces=(server.url,))
        policy = Policy(environments={"production": where}, projects=(ProjectPolicy(name="churn", repository=URL),))
        for released, verdict in ((False, "fail"), (True, "pass"), (None, "unknown")):
            found = facts_of(server, wanted=WANTED)
            if released is not None:
                found.add(BranchCommit(key=f"@{COMMIT}", plane="deployed", is_ancestor=released))
            assert verdicts(found, policy, ("GIT005",))["GIT005", "deployments", f"{server.url}{FOLDER}"] == verdict


def test_who_may_change_the_folder_may_change_what_is_deployed() -> None:
    with serve(estate_of()) as server:
        found = rows(facts_of(server, wanted=WANTED), "permissions", server)
    assert found[f"W{FOLDER}/group:scientists/CAN_EDIT"]["object_kind"] == "directory"


@pytest.mark.parametrize("fault", [faults.refused(), faults.broken()])
def test_a_list_that_is_not_told_is_a_gap_and_leaves_the_other_deployments(fault: Any) -> None:
    with serve(estate_of()) as server:
        server.faults.add("GET", "/api/2.0/repos", fault)
        found = facts_of(server, wanted=WANTED)
        assert any(table == "deployments" and parent == "W" for _, table, parent in told(found, server))
        assert set(rows(found, "deployments", server)) >= {"W/deployments/9/versions/2"}


def test_folders_of_others_are_a_gap_for_who_is_no_admin() -> None:
    with serve(estate_of()) as server:
        found = facts_of(server, who=server.estate.principals["guest@example.com"], wanted=WANTED)
        assert any(table == "deployments" and parent == "W" for _, table, parent in told(found, server))


def test_a_folder_that_does_not_say_its_commit_is_a_gap() -> None:
    with serve(estate_of(commit=None)) as server:
        found = facts_of(server, wanted=WANTED)
        assert f"W{FOLDER}" not in rows(found, "deployments", server)
        assert ("unresolved", "deployments", "W") in told(found, server)


def test_the_folder_is_found_on_any_page() -> None:
    with serve(estate_of(others=7), pages=Pages(size=2)) as server:
        assert deployed(server) is not None


def place_of(server: Server, *, released: bool | None = True) -> str:
    """The verdict of GIT007 about the task in the folder."""
    from lakewarden.facts.model.version_control import BranchCommit

    found = facts_of(server, wanted=WANTED)
    if released is not None:
        found.add(BranchCommit(key=f"@{COMMIT}", plane="deployed", is_ancestor=released))
    policy = Policy(environments={"production": EnvironmentPolicy(workspaces=(server.url,))})
    return verdicts(found, policy, ("GIT007",))["GIT007", "tasks", f"{server.url}#15/train"]


CLOSED = [
    {"service_principal_name": RUNNER, "permission_level": "CAN_MANAGE"},
    {"group_name": "scientists", "permission_level": "CAN_READ"},
]


def closed_estate(at: str = "/Workspace/prod/churn", permissions: list[dict[str, str]] = CLOSED) -> Estate:
    estate = estate_of(path=f"{at}/src/train", at=at)
    estate.permissions("repos", 77, permissions)
    return estate


def test_a_folder_of_production_that_follows_releases_and_is_closed_to_people_is_as_good_as_a_deployment() -> None:
    with serve(closed_estate()) as server:
        assert [place_of(server, released=known) for known in (True, False, None)] == ["pass", "unknown", "unknown"]


@pytest.mark.parametrize(
    "holder", [{"group_name": "scientists"}, {"user_name": "ana@example.com"}, {"group_name": "nobody-knows"}]
)
@pytest.mark.parametrize("level", ["CAN_EDIT", "CAN_MANAGE"])
def test_a_folder_that_people_may_change_is_not(holder: dict[str, str], level: str) -> None:
    with serve(closed_estate(permissions=[*CLOSED, {**holder, "permission_level": level}])) as server:
        assert place_of(server) == "unknown"


def test_a_folder_whose_permissions_are_not_told_is_not() -> None:
    with serve(closed_estate()) as server:
        server.faults.add("GET", "/api/2.0/permissions/repos/77", faults.refused())
        assert place_of(server) == "unknown"


@pytest.mark.parametrize(("at", "verdict"), [("/Users/ana@example.com/churn", "fail"), ("/Shared/churn", "fail")])
def test_what_lies_in_the_folder_of_a_person_or_of_everyone_is_theirs(at: str, verdict: str) -> None:
    with serve(closed_estate(at)) as server:
        assert place_of(server) == verdict
