"""Answers with 200 that leave something out, or hold what nobody here knows: what they may hide is unknown and never a pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.contract import Estate, serve
from tests.contract.small import small
from tests.live import facts_of, verdicts
from tests.sources.platform.databricks.learning import KEY, MODEL, learning, policy_of, told

if TYPE_CHECKING:
    from tests.live import Verdicts

    from lakewarden.facts.collect import Facts

OF = "metastore-1/"
UNITY = "/api/2.1/unity-catalog"
MLFLOW = "/api/2.0/mlflow"


def lake() -> Estate:
    """A production schema with a table of features, of a format that is not Delta."""
    estate = Estate(complete=True)
    estate.metastore_owner = estate.admin.name
    estate.group("owners", [estate.admin.name])
    estate.catalog("prod", owner="owners")
    estate.schema("prod.ml", owner="owners")
    estate.table("prod.ml.features", owner="owners", format="PARQUET", table_type="EXTERNAL", columns=["id"])
    return estate


def answered(estate: Estate, path: str, answer: dict[str, Any], *codes: str, method: str = "GET") -> tuple[Facts, Verdicts]:
    """What is read and said where one request is answered so."""
    estate.metastore_owner = estate.admin.name
    estate.answers[method, path] = answer
    with serve(estate) as server:
        facts = facts_of(server)
        found = verdicts(facts, policy_of(server), codes)
        return facts, {(code, kind, key.replace(server.url, "W")): verdict for (code, kind, key), verdict in found.items()}


@pytest.mark.parametrize(
    ("type_", "verdict"),
    [
        ("EXTERNAL", "fail"),
        ("EXTERNAL_SHALLOW_CLONE", "fail"),
        ("MANAGED_SHALLOW_CLONE", "fail"),
        ("external", "fail"),
        ("MANAGED_ICE_SHEET", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
        ("FOREIGN", "not applicable"),
        ("VIEW", "not applicable"),
    ],
)
def test_a_table_of_a_type_that_nobody_knows_may_be_any_table(type_: str | None, verdict: str) -> None:
    row = {"name": "features", "table_type": type_, "data_source_format": "PARQUET", "owner": "owners"}
    _, found = answered(lake(), f"{UNITY}/tables", {"tables": [row]}, "DAT001")
    assert found["DAT001", "catalog_tables", f"{OF}prod.ml.features"] == verdict


@pytest.mark.parametrize("privileges", [{}, {"privileges": None}, {"privileges": []}])
def test_somebody_with_grants_that_are_not_named_may_hold_any(privileges: dict[str, Any]) -> None:
    answer = {"privilege_assignments": [{"principal": "account users", **privileges}]}
    facts, found = answered(lake(), f"{UNITY}/permissions/table/prod.ml.features", answer, "DAT005", "DAT006")
    assert told(facts, "grants") == {("failed", f"{OF}prod.ml.features")}
    assert found["DAT005", "catalog_tables", f"{OF}prod.ml.features"] == "unknown"
    assert found["DAT006", "grants", f"{OF}prod.ml.features/?grants"] == "unknown"


def test_the_group_that_the_platform_makes_of_all_users_of_a_workspace_is_everybody() -> None:
    estate = lake()
    estate.grant("table", "prod.ml.features", "_workspace_users_acme_1234567890", ["MODIFY"], raw=True)
    with serve(estate) as server:
        found = verdicts(facts_of(server), policy_of(server), ("DAT005", "DAT006"))
    assert found["DAT005", "catalog_tables", f"{OF}prod.ml.features"] == "fail"
    (grant,) = (key for code, kind, key in found if (code, kind) == ("DAT006", "grants"))
    assert found["DAT006", "grants", grant] == "fail"


@pytest.mark.parametrize("lacks", ["catalog_name", "name", "all"])
def test_a_model_without_a_name_leaves_every_list_of_models_open(lacks: str) -> None:
    row = {"catalog_name": "prod", "schema_name": "ml", "name": "churn", "owner": "x"}
    row = {} if lacks == "all" else {field: value for field, value in row.items() if field != lacks}
    facts, _ = answered(learning(), f"{UNITY}/models", {"registered_models": [row]})
    assert told(facts, "models") >= {("failed", f"{OF}prod"), ("failed", f"{OF}dev")}


def test_models_of_a_catalog_that_the_list_of_catalogs_leaves_out_are_not_forgotten() -> None:
    row = {"full_name": "hidden.ml.churn", "catalog_name": "hidden", "schema_name": "ml", "name": "churn", "owner": "x"}
    facts, found = answered(learning(), f"{UNITY}/models", {"registered_models": [row]}, "ENV007")
    assert ("failed", "metastore-1") in told(facts, "catalogs")
    assert "unknown" in found.values()


@pytest.mark.parametrize("lacks", ["alias_name", "version_num"])
def test_an_alias_without_its_parts_leaves_the_aliases_of_its_model_open(lacks: str) -> None:
    alias = {"alias_name": "champion", "version_num": 2}
    answer = {"full_name": MODEL, "aliases": [{name: value for name, value in alias.items() if name != lacks}]}
    facts, _ = answered(learning(), f"{UNITY}/models/{MODEL}", answer)
    assert told(facts, "model_aliases") == {("failed", KEY)}


@pytest.mark.parametrize("config", [{}, {"config_version": 1}, {"served_entities": []}, {"traffic_config": {"routes": []}}])
def test_an_endpoint_that_names_nothing_that_it_serves_leaves_open_what_is_live(config: dict[str, Any]) -> None:
    answer = {"name": "churn", "id": "e-1", "config": config}
    facts, _ = answered(learning(), "/api/2.0/serving-endpoints/churn", answer)
    assert {cause for cause, _ in told(facts, "served_entities")} == {"failed"}


@pytest.mark.parametrize(
    ("method", "path", "answer", "table"),
    [
        ("GET", "/api/2.2/jobs/list", {"jobs": [{"settings": {"name": "a"}}, {"settings": {"name": "b"}}]}, "jobs"),
        ("GET", "/api/2.0/pipelines", {"statuses": [{"name": "a"}]}, "jobs"),
        ("POST", f"{MLFLOW}/experiments/search", {"experiments": [{"name": "/Shared/a"}]}, "experiments"),
        ("GET", f"{MLFLOW}/registered-models/search", {"registered_models": [{"tags": []}]}, "models"),
        ("GET", f"{MLFLOW}/model-versions/search", {"model_versions": [{"current_stage": "Production"}]}, "model_versions"),
        ("GET", f"{MLFLOW}/registry-webhooks/list", {"webhooks": [{"status": "ACTIVE"}]}, "registry_hooks"),
        ("GET", f"{UNITY}/models/prod.ml.churn/versions", {"model_versions": [{"source": "models:/m-1"}]}, "model_versions"),
        ("GET", "/api/2.0/serving-endpoints", {"endpoints": [{"id": "e-1"}]}, "served_entities"),
        ("GET", "/api/2.0/policies/clusters/list", {"policies": [{"name": "ml"}]}, "entitlements"),
    ],
)
def test_what_came_without_the_id_by_which_it_is_told_apart_leaves_its_list_open(
    method: str, path: str, answer: dict[str, Any], table: str
) -> None:
    facts, found = answered(small(), path, answer, method=method)
    assert "failed" in {cause for cause, _ in told(facts, table)}
    assert not [key for _, _, key in found if "None" in key]


@pytest.mark.parametrize(("level", "verdict"), [("CAN_REWRITE", "unknown"), ("CAN_MANAGE", "fail"), ("CAN_READ", "pass")])
def test_a_permission_level_that_nobody_knows_may_let_somebody_do_anything(level: str, verdict: str) -> None:
    entry = {"user_name": "ana@example.com", "all_permissions": [{"permission_level": level, "inherited": False}]}
    answer = {"object_id": "/experiments/7", "object_type": "experiment", "access_control_list": [entry]}
    _, found = answered(small(), "/api/2.0/permissions/experiments/7", answer, "TRK006")
    assert found["TRK006", "permissions", f"W/experiments/7/user:ana@example.com/{level}"] == verdict


@pytest.mark.parametrize(
    ("type_", "verdict"),
    [("MANAGED_CATALOG", "fail"), ("DATA_CLEAN_ROOM", "unknown"), (None, "unknown"), ("SYSTEM_CATALOG", "not applicable")],
)
def test_a_catalog_of_a_type_that_nobody_knows_may_be_any_catalog(type_: str | None, verdict: str) -> None:
    row = {"name": "prod", "owner": "owners", "catalog_type": type_, "isolation_mode": "OPEN"}
    _, found = answered(lake(), f"{UNITY}/catalogs", {"catalogs": [row]}, "ENV007")
    assert found["ENV007", "catalogs", f"{OF}prod"] == verdict


def test_an_auditor_without_a_name_owns_nothing_of_nobody() -> None:
    estate = lake()
    estate.metastore_owner = ""
    estate.answers["GET", "/api/2.0/preview/scim/v2/Me"] = {"id": "1", "groups": []}
    with serve(estate) as server:
        facts = facts_of(server)
    assert ("refused", "metastore-1") in told(facts, "catalogs")
