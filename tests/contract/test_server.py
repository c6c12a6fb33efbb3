from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import requests
from databricks.sdk.errors import BadRequest, NotFound
from databricks.sdk.errors import NotImplemented as Unimplemented
from tests.contract import Estate, Pages, serve

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.conftest import Serve


def test_an_operation_that_nobody_seeded_is_a_violation(serving: Serve) -> None:
    server = serving(Estate())
    with pytest.raises(Unimplemented):
        list(server.client().jobs.list())
    assert server.expected_violations() == ["GET /api/2.2/jobs/list: jobs are not seeded"]


def test_an_operation_that_the_server_does_not_play_is_a_violation(serving: Serve) -> None:
    server = serving(Estate(complete=True))
    with pytest.raises(Unimplemented):
        list(server.client().clusters.list())
    assert server.expected_violations() == ["GET /api/2.1/clusters/list: nothing answers this operation"]


def test_an_unknown_path_is_a_violation(serving: Serve) -> None:
    server = serving(Estate(complete=True))
    with pytest.raises(NotFound, match="No API found"):
        server.client().api_client.do("GET", "/api/2.1/jobs/list-all")
    assert server.expected_violations() == ["GET /api/2.1/jobs/list-all: databricks-sdk has no such operation"]


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.api_client.do("GET", "/api/2.2/jobs/list", query={"max_results": 5}),
        lambda client: client.api_client.do("POST", "/api/2.0/mlflow/runs/search", body={"experiments": ["7"]}),
    ],
)
def test_an_unknown_parameter_is_a_violation(serving: Serve, estate: Estate, ask: Callable[[Any], Any]) -> None:
    server = serving(estate)
    with pytest.raises(BadRequest, match="Unknown parameter"):
        ask(server.client())
    (told,) = server.expected_violations()
    assert "unknown in the" in told


def test_a_filter_that_is_not_understood_is_a_violation(serving: Serve, estate: Estate) -> None:
    server = serving(estate)
    with pytest.raises(Unimplemented):
        list(server.client().experiments.search_runs(experiment_ids=["7"], filter="metrics.auc > 0.5"))
    assert server.expected_violations()


def test_a_test_with_violations_fails() -> None:
    with pytest.raises(AssertionError, match="jobs are not seeded"), serve(Estate()) as server:
        requests.get(f"{server.url}/api/2.2/jobs/list", headers={"Authorization": "Bearer token-of-admin@example.com"}, timeout=5)


def test_none_of_a_kind_can_be_said(serving: Serve) -> None:
    estate = Estate()
    estate.none("jobs")
    assert list(serving(estate).client().jobs.list()) == []


def test_a_path_of_the_sdk_can_be_given_its_answer(serving: Serve) -> None:
    estate = Estate()
    estate.answer("GET", "/api/2.1/unity-catalog/metastores/m", {"name": "m"}, cls="catalog.MetastoreInfo")
    assert serving(estate).client().metastores.get("m").name == "m"


def test_the_log_counts_requests_and_knows_no_token(serving: Serve, estate: Estate) -> None:
    server = serving(estate, Pages(size=100, empty=()))
    list(server.client().tables.list("prod", "sales"))
    (asked,) = server.asked("/api/2.1/unity-catalog/tables")
    assert server.operations == {("GET", "/api/2.1/unity-catalog/tables")}
    assert (asked.method, asked.principal, asked.query["catalog_name"]) == ("GET", "admin@example.com", "prod")
    assert len(server.asked()) == 1
    assert len(server.log) > 1
    assert estate.admin.token not in repr(server.log)


def test_the_host_tells_its_configuration_without_a_token(serving: Serve, estate: Estate) -> None:
    server = serving(estate)
    told = requests.get(f"{server.url}/.well-known/databricks-config", timeout=5).json()
    assert told == {"oidc_endpoint": f"{server.url}/oidc", "workspace_id": str(estate.workspace_id)}
    assert server.url.startswith("http://127.0.0.1:")


def test_many_ask_at_once(serving: Serve, estate: Estate) -> None:
    server = serving(estate, Pages(size=100, empty=()))
    client = server.client()
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: len(list(client.tables.list("prod", "sales"))), range(64)))
    assert found == [5] * 64


def test_the_registry_can_be_switched_off(serving: Serve) -> None:
    estate = Estate(complete=True)
    estate.registry_disabled = True
    with pytest.raises(BadRequest, match="disabled"):
        list(serving(estate).client().model_registry.list_models())


def test_answers_of_one_class_are_read_by_it_without_loss(serving: Serve, estate: Estate) -> None:
    from tests.contract.seeds import checked

    client = serving(estate, Pages(size=100, empty=())).client()
    for path, query, cls in (
        ("/api/2.1/unity-catalog/metastore_summary", {}, "catalog.GetMetastoreSummaryResponse"),
        ("/api/2.1/unity-catalog/current-metastore-assignment", {}, "catalog.MetastoreAssignment"),
        ("/api/2.1/unity-catalog/catalogs", {}, "catalog.ListCatalogsResponse"),
        ("/api/2.1/unity-catalog/bindings/catalog/prod", {}, "catalog.GetWorkspaceBindingsResponse"),
        ("/api/2.1/unity-catalog/effective-permissions/table/prod.sales.orders", {}, "catalog.EffectivePermissionsList"),
        ("/api/2.1/unity-catalog/workspace-bindings/catalogs/prod", {}, "catalog.GetCatalogWorkspaceBindingsResponse"),
        ("/api/2.0/mlflow/registered-models/list", {}, "ml.ListModelsResponse"),
        ("/api/2.0/mlflow/databricks/registered-models/get", {"name": "churn_legacy"}, "ml.GetModelResponse"),
        ("/api/2.0/mlflow/registry-webhooks/list", {}, "ml.ListRegistryWebhooks"),
        (
            "/api/2.0/mlflow/transition-requests/list",
            {"name": "churn_legacy", "version": "2"},
            "ml.ListTransitionRequestsResponse",
        ),
        ("/api/2.0/mlflow/experiments/list", {}, "ml.ListExperimentsResponse"),
        ("/api/2.0/mlflow/runs/get", {"run_id": "run-1"}, "ml.GetRunResponse"),
        ("/api/2.0/mlflow/logged-models/m-1", {}, "ml.GetLoggedModelResponse"),
        ("/api/2.2/jobs/get", {"job_id": 11}, "jobs.Job"),
        ("/api/2.2/jobs/runs/get", {"run_id": 501}, "jobs.Run"),
        ("/api/2.0/pipelines", {}, "pipelines.ListPipelinesResponse"),
        ("/api/2.0/serving-endpoints", {}, "serving.ListEndpointsResponse"),
        ("/api/2.0/serving-endpoints/churn", {}, "serving.ServingEndpointDetailed"),
        ("/api/2.0/permissions/jobs/11", {}, "iam.ObjectPermissions"),
        ("/api/2.0/preview/scim/v2/Groups", {"count": 10}, "iam.ListGroupsResponse"),
        ("/api/2.0/preview/scim/v2/Me", {}, "iam.User"),
        ("/api/2.0/workspace/list", {"path": "/Shared"}, "workspace.ListResponse"),
        ("/api/2.0/repos", {}, "workspace.ListReposResponse"),
        ("/api/2.0/policies/clusters/list", {}, "compute.ListPoliciesResponse"),
        ("/api/2.0/sql/warehouses", {}, "sql.ListWarehousesResponse"),
        ("/api/2.0/bundle/deployments", {}, "bundle.ListDeploymentsResponse"),
    ):
        body = client.api_client.do("GET", path, query=query)
        assert checked(cls, body) == body, path
        assert json.dumps(body)


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.jobs.get(99),
        lambda client: client.jobs.get_run(99),
        lambda client: client.experiments.get_run("99"),
        lambda client: client.experiments.get_experiment("99"),
        lambda client: client.catalogs.get("none"),
        lambda client: client.schemas.get("prod.none"),
        lambda client: client.tables.get("prod.sales.none"),
        lambda client: list(client.tables.list("prod", "none")),
        lambda client: client.registered_models.get("prod.ml.none"),
        lambda client: client.model_versions.get("prod.ml.churn", 99),
        lambda client: client.model_versions.get_by_alias("prod.ml.churn", "none"),
        lambda client: client.model_registry.get_model("none"),
        lambda client: client.pipelines.get("none"),
        lambda client: client.serving_endpoints.get("none"),
        lambda client: client.workspace.get_status("/none"),
        lambda client: client.groups.get("1"),
        lambda client: client.permissions.get("jobs", "99"),
    ],
)
def test_what_is_not_there_is_not_found_and_no_violation(serving: Serve, estate: Estate, ask: Callable[[Any], Any]) -> None:
    with pytest.raises(NotFound):
        ask(serving(estate).client())
