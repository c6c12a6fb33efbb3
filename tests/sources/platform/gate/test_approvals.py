"""Who approved a version: in the CI run of the gate, by hosts that answer as documented, and by tags, with the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.contract import serve
from tests.sources.platform.databricks.learning import JOBS, TAGS
from tests.sources.platform.databricks.test_audit_log import COLUMNS, event
from tests.sources.platform.gate.gating import COMPARED, PROMOTER, VALID, Gated, estate_of, gated, iso, policy_of
from tests.sources.platform.git_host.hosts import Hosting, azure, github, gitlab
from tests.sources.platform.wire.serving import Says

if TYPE_CHECKING:
    from tests.contract import Estate

RUN = "/repos/acme/churn/actions/runs/7"
TAGGED = {**VALID, **COMPARED, "approval": "Approved"}


def gate(estate: Estate | None = None, **policy: Any) -> Gated:
    found = estate or estate_of({**VALID, **COMPARED})
    with serve(found) as server:
        return gated(server, None, policy_of(server.url, **policy))


def review(account: str, environment: str = "production", state: str = "approved", kind: str = "User") -> dict[str, Any]:
    return {
        "state": state,
        "comment": "",
        "user": {"login": account, "type": kind},
        "environments": [{"id": 1, "name": environment}],
    }


def run(actor: str = "carl", created_at: str | None = None) -> dict[str, Any]:
    begun = created_at or iso(hours=2)
    return {
        "id": 7,
        "created_at": begun,
        "run_started_at": begun,
        "actor": {"login": actor},
        "triggering_actor": {"login": actor},
    }


def in_github(host: Hosting, monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "acme/churn", "GITHUB_RUN_ID": "7", **host.environ}
    for name, value in {**variables, "GITHUB_SERVER_URL": host.server.url}.items():
        monkeypatch.setenv(name, value)


def by_github(monkeypatch: pytest.MonkeyPatch, *reviews: dict[str, Any], about: Any = None, **more: Any) -> Gated:
    with github({RUN: about or run(), f"{RUN}/approvals": list(reviews)}) as host:
        in_github(host, monkeypatch)
        return gate(**more)


def test_a_review_of_the_protected_environment_approves(monkeypatch: pytest.MonkeyPatch) -> None:
    found = by_github(monkeypatch, review("Ana"))
    assert found.check(16) == "pass"
    assert found.rows("version_approvals") == [
        {"key": "metastore-1/prod.ml.churn/3/production/ana", "independent": True, "in_time": True}
    ]


@pytest.mark.parametrize(
    ("said", "about", "outcome"),
    [
        (review("carl"), run("carl"), "fail"),
        (review("ana"), run("ana"), "fail"),  # an approver who started it
        (review("zoe"), run(), "fail"),
        (review("ana", kind="Bot"), run(), "fail"),
        (review("ana", environment="staging"), run(), "fail"),
        (review("ana", environment="somewhere"), run(), "missing"),
        (review("ana", state="rejected"), run(), "missing"),
        (review("ana"), run(created_at=iso(days=2)), "missing"),
        (review("ana"), Says({"message": "Not Found"}, 404), "missing"),
    ],
)
def test_what_else_reviews_may_be(monkeypatch: pytest.MonkeyPatch, said: dict[str, Any], about: Any, outcome: str) -> None:
    assert by_github(monkeypatch, said, about=about).check(16) == outcome


def test_without_named_approvers_anybody_else_may(monkeypatch: pytest.MonkeyPatch) -> None:
    assert by_github(monkeypatch, review("zoe"), identities={"promote": (PROMOTER,)}).check(16) == "pass"


def test_who_trained_as_a_person_may_be_the_account_that_approved(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = estate_of(
        {**VALID, **COMPARED}, created_by="ana.b@example.com", run={"tags": {**TAGS, "mlflow.user": "ana.b@example.com"}}
    )
    found = by_github(monkeypatch, review("ana"), estate=estate)
    assert found.check(16) == "missing"
    assert "may be the account ana" in found.told(16)


def test_an_approval_without_a_validation_is_not_known_to_be_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert by_github(monkeypatch, review("ana"), estate=estate_of({})).check(16) == "missing"


def by_gitlab(
    monkeypatch: pytest.MonkeyPatch, *approvals: dict[str, Any], environment: str = "production", job: int = 5
) -> Gated:
    deployment = {"id": 9, "deployable": {"id": job, "user": {"username": "carl"}}, "user": {"username": "carl"}}
    routes = {"/deployments": [deployment], "/deployments/9": {**deployment, "approvals": list(approvals)}}
    with gitlab(routes) as host:
        variables = {"GITLAB_CI": "true", "CI_SERVER_URL": host.server.url, "CI_PROJECT_PATH": "acme/churn", "CI_JOB_ID": "5"}
        for name, value in {**variables, **host.environ, "CI_ENVIRONMENT_NAME": environment}.items():
            monkeypatch.setenv(name, value)
        return gate()


def approved(account: str, at: str, status: str = "approved") -> dict[str, Any]:
    return {"user": {"username": account}, "status": status, "created_at": at, "comment": ""}


@pytest.mark.parametrize(
    ("approval", "more", "outcome"),
    [
        (approved("ana", iso(hours=1)), {}, "pass"),
        (approved("ana", iso(days=2)), {}, "fail"),
        (approved("carl", iso(hours=1)), {}, "fail"),
        (approved("project_3_bot_a", iso(hours=1)), {}, "fail"),
        (approved("ana", iso(hours=1), "rejected"), {}, "missing"),
        (approved("ana", iso(hours=1)), {"environment": "staging"}, "fail"),
        (approved("ana", iso(hours=1)), {"environment": ""}, "missing"),
        (approved("ana", iso(hours=1)), {"job": 6}, "missing"),
    ],
)
def test_an_approval_of_a_deployment_of_gitlab(
    monkeypatch: pytest.MonkeyPatch, approval: dict[str, Any], more: dict[str, Any], outcome: str
) -> None:
    assert by_gitlab(monkeypatch, approval, **more).check(16) == outcome


@pytest.mark.parametrize(
    ("who", "stage", "outcome"),
    [("ana@example.com", "promote", "pass"), ("carl@example.com", "promote", "fail"), ("ana@example.com", "other", "missing")],
)
def test_an_approval_of_a_stage_of_azure(monkeypatch: pytest.MonkeyPatch, who: str, stage: str, outcome: str) -> None:
    records = [
        {"id": "s", "type": "Stage", "identifier": "promote"},
        {"id": "c", "type": "Checkpoint", "parentId": "s"},
        {"id": "a", "type": "Checkpoint.Approval", "parentId": "c"},
    ]
    step = {"actualApprover": {"uniqueName": who}, "status": "approved", "lastModifiedOn": iso(hours=1)}
    routes = {
        "/build/builds/8": {"id": 8, "requestedFor": {"uniqueName": "carl@example.com"}},
        "/build/builds/8/timeline": {"records": records},
        "/pipelines/approvals": [{"id": "a", "status": "approved", "steps": [step]}],
    }
    with azure(routes) as host:
        variables = {"TF_BUILD": "True", "SYSTEM_TEAMPROJECT": "ml", "BUILD_BUILDID": "8", "SYSTEM_STAGENAME": stage}
        for name, value in {**variables, **host.environ}.items():
            monkeypatch.setenv(name, value)
        assert gate().check(16) == outcome


# --- tags -------------------------------------------------------------------------------------------------------------


def by_tag(who: str | None, at: str, estate: Estate | None = None, **policy: Any) -> Gated:
    found = estate or estate_of(TAGGED)
    found.user("ana@example.com")
    set_tag = event("setModelVersionTag", who, at, name="prod.ml.churn", version="3", key="approval", value="Approved")
    found.warehouse("wh-1")
    found.system_table("system.access.audit", COLUMNS, [set_tag])
    with serve(found) as server:
        return gated(server, None, policy_of(server.url, **policy), warehouse="wh-1")


def stamp(**ago: float) -> str:
    return iso(**ago).replace("T", " ").removesuffix("Z")


@pytest.mark.parametrize(
    ("who", "hours_ago", "outcome"),
    [
        ("ana@example.com", 1, "pass"),
        ("ana@example.com", 48, "fail"),
        ("zoe@example.com", 1, "fail"),
        (JOBS, 1, "fail"),
        (None, 1, "missing"),
    ],
)
def test_a_tag_counts_by_who_set_it_and_when(who: str | None, hours_ago: int, outcome: str) -> None:
    assert by_tag(who, stamp(hours=hours_ago)).check(16) == outcome


def test_without_the_audit_log_nobody_knows_who_set_a_tag() -> None:
    found = gate(estate_of(TAGGED))
    assert found.check(16) == "missing"
    assert "--warehouse" in found.told(16)
    assert found.rows("version_approvals") == [{"key": "metastore-1/prod.ml.churn/3/tag approval"}]
    assert "is_other" not in found.rows("promoters")[0]


@pytest.mark.parametrize("value", ["pending", "Rejected", ""])
def test_a_tag_that_does_not_approve_is_no_approval(value: str) -> None:
    assert gate(estate_of({**TAGGED, "approval": value})).rows("version_approvals") == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("needs_approval", "true"),
        ("approval_required", "yes"),
        ("disapproved", "true"),
        ("disapproval", "approved"),
        ("not-approved", "yes"),
        ("unapproved", "true"),
    ],
)
def test_a_tag_whose_name_says_the_contrary_is_no_approval(name: str, value: str) -> None:
    assert gate(estate_of({**VALID, **COMPARED, name: value})).rows("version_approvals") == []


@pytest.mark.parametrize(("name", "value"), [("approved", "true"), ("Approval_Check", "Approved"), ("risk.approved", "yes")])
def test_a_tag_that_approves(name: str, value: str) -> None:
    (row,) = gate(estate_of({**VALID, **COMPARED, name: value})).rows("version_approvals")
    assert row["key"].endswith(f"/tag {name}")


def test_who_approved_may_not_promote() -> None:
    found = by_tag("ana@example.com", stamp(hours=1))
    assert found.rows("promoters")[0]["is_other"] is True
    estate = estate_of(TAGGED)
    assert by_tag(estate.admin.name, stamp(hours=1), estate).rows("promoters")[0]["is_other"] is False
