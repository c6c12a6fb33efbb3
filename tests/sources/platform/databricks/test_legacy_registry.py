"""The workspace registry: stages instead of aliases, webhooks, and workspaces that have none."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contract import Estate, faults, serve
from tests.live import facts_of, verdicts
from tests.sources.platform.databricks.learning import JOBS, WANTED, learning, policy_of, rows, told, verdict

RUN = {"run_id": "run-1", "source": "dbfs:/x"}


def legacy(**more: Any) -> Estate:
    estate = learning()
    versions: list[dict[str, Any]] = [
        {"current_stage": "Production", "tags": {"checked": "yes"}} | RUN,
        {"current_stage": "Staging"} | RUN,
    ]
    estate.legacy_model("Churn's model", id="0123", versions=versions, **more)
    return estate


def test_a_model_there_is_one_outside_unity_catalog() -> None:
    with serve(legacy()) as running:
        facts = facts_of(running, wanted=WANTED)
        key = f"{running.url}/churn's model"
        assert rows(facts, "models")[key]["registry"] == "workspace"
        assert verdict(facts, policy_of(running), "REG001", "models", key) == "fail"
        versions = rows(facts, "model_versions")
    assert versions[f"{key}/1"]["live"] is True
    assert versions[f"{key}/1"]["run"] == versions[f"{key}/2"]["run"] == f"{running.url}/run-1"
    assert rows(facts, "model_version_tags")[f"{key}/1/checked"]["is_approval"] is False
    for table in ("models", "model_versions", "model_aliases", "runs"):
        assert told(facts, table) == set()


def test_a_registry_that_is_switched_off_holds_nothing() -> None:
    estate = learning()
    estate.registry_disabled = True
    with serve(estate) as running:
        facts = facts_of(running, wanted=WANTED)
        found = verdicts(facts, policy_of(running), ("REG001", "REG011"))
    assert told(facts, "models") == told(facts, "registry_hooks") == set()
    assert "unknown" not in found.values()


def test_a_workspace_without_unity_catalog_has_this_registry_alone() -> None:
    estate = legacy()
    served = {"served_entities": [{"name": "e", "entity_name": "Churn's model", "entity_version": "2"}]}
    estate.endpoint("churn", id="e-1", config=served)
    with serve(estate) as running:
        running.faults.add("GET", "/api/2.1/unity-catalog/metastore_summary", faults.disabled())
        facts = facts_of(running, wanted=WANTED)
        key = f"{running.url}/churn's model"
        found = verdicts(facts, policy_of(running), ("REG001", "REG010", "TRK003"))
    assert list(rows(facts, "models")) == [key]
    assert found["REG001", "models", key] == "fail"
    assert found["REG010", "served_entities", f"{running.url}/churn/0"] == "fail"
    assert found["TRK003", "runs", f"{running.url}/run-1"] == "pass"


@pytest.mark.parametrize("fault", [faults.refused(), faults.broken(501, "NOT_IMPLEMENTED"), faults.html()])
def test_any_other_answer_is_no_empty_registry(fault: faults.Fault) -> None:
    with serve(learning()) as running:
        running.faults.add("GET", "/api/2.0/mlflow/registered-models/search", fault)
        running.faults.add("GET", "/api/2.0/mlflow/registry-webhooks/list", fault)
        facts = facts_of(running, wanted=WANTED)
        found = verdicts(facts, policy_of(running), ("REG001", "REG011"))
    assert {parent for _, parent in told(facts, "models") | told(facts, "registry_hooks")} == {running.url}
    assert found["REG001", "models", f"{running.url}/?models"] == "unknown"
    assert found["REG011", "registry_hooks", f"{running.url}/?registry_hooks"] == "unknown"


@pytest.mark.parametrize(
    ("hook", "expected"),
    [
        ({"http_url_spec": {"url": "https://hooks.example.com"}}, "pass"),
        ({"http_url_spec": {"url": "https://hooks.example.com", "enable_ssl_verification": False}}, "fail"),
        ({"job_spec": {"job_id": "11", "workspace_url": "https://x"}}, "pass"),
        ({"http_url_spec": {"url": "https://hooks.example.com"}, "model_name": "prod.ml.churn"}, "fail"),
    ],
)
def test_a_webhook_is_verified_and_can_fire(hook: dict[str, Any], expected: str) -> None:
    with serve(legacy(webhooks=[{"events": ["TRANSITION_REQUEST_CREATED"], **hook}])) as running:
        facts = facts_of(running, wanted=WANTED)
        key = f"{running.url}/Churn's model-1"
        assert verdict(facts, policy_of(running), "REG011", "registry_hooks", key) == expected


@pytest.mark.parametrize(("link", "run"), [("https://other.example.com/#mlflow/1", "?/run-1"), ("HERE/#mlflow/1", "HERE/run-1")])
def test_a_version_may_link_to_a_run_of_another_workspace(link: str, run: str) -> None:
    estate = learning()
    with serve(estate) as running:
        version = {"current_stage": "Production", "run_link": link.replace("HERE", running.url)} | RUN
        estate.legacy_model("churn", versions=[version])
        facts = facts_of(running, wanted=WANTED)
        assert rows(facts, "model_versions")[f"{running.url}/churn/1"]["run"] == run.replace("HERE", running.url)
        assert bool(told(facts, "runs")) == run.startswith("?")


def test_a_version_without_its_stage_may_be_the_one_in_production() -> None:
    estate = legacy()
    path = "/api/2.0/mlflow/model-versions/search"
    estate.answers["GET", path] = {"model_versions": [{"name": "Churn's model", "version": "1", "status": "READY"}]}
    with serve(estate) as running:
        facts = facts_of(running, wanted=WANTED)
    assert not [key for key in rows(facts, "model_versions") if key.startswith(running.url)]
    assert any(str(parent).startswith(running.url) for _, parent in told(facts, "model_versions"))


ACL = "/api/2.0/permissions/registered-models"
RIGHTS = WANTED | {"registry_rights", "principals", "group_members"}


def managed(*acl: dict[str, str], user: str = JOBS) -> Estate:
    """The model, registered by a service principal, with these permissions beside those of admins."""
    estate = learning()
    estate.legacy_model("churn", id="0123", versions=[{"current_stage": "Production", "user_id": user} | RUN])
    admins = {"group_name": "admins", "permission_level": "CAN_MANAGE", "inherited_from": "/registered-models/root"}
    estate.permissions("registered-models", "0123", [admins, *acl])
    return estate


def separate(estate: Estate, *added: tuple[str, faults.Fault]) -> str | None:
    with serve(estate) as running:
        for path, fault in added:
            running.faults.add("GET", path, fault)
        return verdict(facts_of(running, wanted=RIGHTS), policy_of(running), "REG006", "models", f"{running.url}/churn")


@pytest.mark.parametrize(
    ("level", "expected"), [("CAN_EDIT", "pass"), ("CAN_MANAGE_PRODUCTION_VERSIONS", "fail"), ("CAN_MANAGE", "fail")]
)
def test_who_registered_a_version_may_not_move_it_into_production(level: str, expected: str) -> None:
    assert separate(managed({"service_principal_name": JOBS, "permission_level": level})) == expected


def test_a_group_that_may_move_stages_holds_its_members() -> None:
    estate = managed({"group_name": "promoters", "permission_level": "CAN_MANAGE_PRODUCTION_VERSIONS"}, user="guest@example.com")
    estate.group("promoters", members=["guest@example.com"])
    assert separate(estate) == "fail"


def test_permissions_are_asked_for_by_id_and_only_where_a_rule_needs_them() -> None:
    with serve(managed()) as running:
        facts = facts_of(running, wanted=RIGHTS)
        assert [one.path for one in running.asked(f"{ACL}/{{}}")] == [f"{ACL}/0123"]
        assert told(facts, "registry_rights") == set()
    with serve(managed()) as running:
        facts_of(running, wanted=WANTED)
        assert not running.asked(f"{ACL}/{{}}")


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        (ACL + "/{}", faults.refused()),
        (ACL + "/{}", faults.broken(404, "RESOURCE_DOES_NOT_EXIST")),
        ("/api/2.0/mlflow/databricks/registered-models/get", faults.refused()),
        ("/api/2.0/mlflow/model-versions/search", faults.refused()),
    ],
)
def test_what_was_not_seen_of_a_model_is_no_separation(path: str, fault: faults.Fault) -> None:
    assert separate(managed(), (path, fault)) == "unknown"


@pytest.mark.parametrize("user", ["", "4711"])
def test_who_registered_a_version_may_be_told_by_nothing_that_names_a_principal(user: str) -> None:
    assert separate(managed({"user_name": "guest@example.com", "permission_level": "CAN_MANAGE"}, user=user)) == "unknown"
