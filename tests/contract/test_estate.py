from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.contract import Estate, Pages, Server, serve
from tests.contract.small import COMMIT, ELSEWHERE, JOBS, METADATA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from databricks.sdk import WorkspaceClient


@pytest.fixture(scope="module")
def server(estate: Estate) -> Iterator[Server]:
    with serve(estate) as server:
        yield server


@pytest.fixture(scope="module")
def client(server: Server) -> WorkspaceClient:
    return server.client()


def _got(client: WorkspaceClient, path: str, **query: Any) -> Any:
    return client.api_client.do("GET", path, query=query)


def test_the_workspace_says_who_it_is_and_who_asks(server: Server, client: WorkspaceClient, estate: Estate) -> None:
    assert client.get_workspace_id() == estate.workspace_id
    assert client.current_user.me().user_name == estate.admin.name
    assert client.metastores.current().metastore_id == client.metastores.summary().metastore_id == estate.metastore_id
    mine = server.client(estate.principals[JOBS]).current_user.me()
    assert (mine.user_name, [group.display for group in mine.groups or ()]) == (JOBS, ["data-scientists"])


def test_the_catalog_is_read_by_the_sdk(client: WorkspaceClient) -> None:
    assert [one.name for one in client.catalogs.list()] == ["dev", "prod"]
    assert client.catalogs.get("prod").as_dict()["isolation_mode"] == "ISOLATED"
    assert [one.full_name for one in client.schemas.list("prod")] == ["prod.sales", "prod.ml"]
    assert client.schemas.get("prod.ml").catalog_name == "prod"
    assert len(list(client.tables.list("prod", "sales"))) == 5
    features = client.tables.get("prod.sales.features")
    assert features.table_constraints is not None
    assert features.table_constraints[0].primary_key_constraint is not None
    assert features.table_constraints[0].primary_key_constraint.child_columns == ["order_id"]
    assert client.tables.exists("prod.sales.features").table_exists
    assert [one.full_name for one in client.tables.list_summaries("prod", table_name_pattern="raw%")] == ["prod.sales.raw_orders"]
    assert [one.name for one in client.external_locations.list()] == ["landing"]
    assert client.external_locations.get("landing").url == "s3://bucket/landing"
    assert client.storage_credentials.get("credential").name == next(iter(client.storage_credentials.list())).name
    tags = list(client.entity_tag_assignments.list("tables", "prod.sales.features"))
    assert [(one.tag_key, one.tag_value) for one in tags] == [("owner_team", "churn")]


def test_lists_of_tables_leave_out_what_they_are_asked_to(client: WorkspaceClient) -> None:
    bare = next(iter(client.tables.list("prod", "sales", omit_columns=True, omit_username=True)))
    assert (bare.columns or None, bare.owner) == (None, None)


def test_bindings_tell_the_workspaces_and_how(client: WorkspaceClient, estate: Estate) -> None:
    found = [
        (one.workspace_id, one.as_dict()["binding_type"]) for one in client.workspace_bindings.get_bindings("catalog", "prod")
    ]
    assert found == [(estate.workspace_id, "BINDING_TYPE_READ_WRITE"), (ELSEWHERE, "BINDING_TYPE_READ_ONLY")]
    assert client.workspace_bindings.get("prod").workspaces == [estate.workspace_id, ELSEWHERE]


def test_effective_grants_say_where_they_come_from(client: WorkspaceClient) -> None:
    found = list(client.grants.list_effective("table", "prod.sales.raw_orders", principal="data-scientists"))
    (row,) = found
    told = {(one.privilege.value, one.inherited_from_name) for one in row.privileges or () if one.privilege}
    assert told == {("SELECT", None), ("USE_CATALOG", "prod"), ("USE_SCHEMA", "prod")}
    assert [one.principal for one in client.grants.list_effective("table", "prod.sales.labels", principal=JOBS)] == [JOBS]
    assert list(client.grants.list("table", "prod.sales.labels", principal=JOBS)) == []


def test_raw_answers_hold_what_the_sdk_drops(client: WorkspaceClient) -> None:
    path = "/api/2.1/unity-catalog/privilege-assignments/function/prod.ml.churn"
    typed = {one.principal: one.privileges for one in client.grants.list("function", "prod.ml.churn")}
    assert typed["data-scientists"] == []
    raw = [row for token in _pages(client, path, "privilege_assignments") for row in token]
    assert {"principal": "data-scientists", "privileges": ["CREATE_MODEL_VERSION"]} in raw
    rows = [
        row
        for page in _pages(
            client, "/api/2.1/unity-catalog/privilege-assignments/table/prod.sales.raw_orders", "privilege_assignments"
        )
        for row in page
    ]
    assert {"principal_id": 42, "privileges": ["SELECT"]} in rows
    jobs = [row for page in _pages(client, "/api/2.2/jobs/list", "jobs") for row in page]
    assert (jobs[0]["run_as_user_name"], "run_as" in jobs[0]["settings"]) == (JOBS, False)
    version = _got(client, "/api/2.0/bundle/deployments/9/versions/1")
    assert version["git_info"]["commit"] == COMMIT


def _pages(client: WorkspaceClient, path: str, field: str, cursor: str = "page_token", **query: Any) -> Iterator[list[Any]]:
    while True:
        body = _got(client, path, **query)
        yield body.get(field, [])
        if not body.get("next_page_token"):
            return
        query[cursor] = body["next_page_token"]


def test_models_tell_their_aliases_only_when_asked_one_by_one(client: WorkspaceClient) -> None:
    (listed,) = client.registered_models.list()
    assert (listed.full_name, listed.aliases or None) == ("prod.ml.churn", None)
    assert [one.full_name for one in client.registered_models.list(catalog_name="prod", schema_name="ml")] == ["prod.ml.churn"]
    assert not client.registered_models.get("prod.ml.churn").aliases
    aliases = client.registered_models.get("prod.ml.churn", include_aliases=True).aliases
    assert [(one.alias_name, one.version_num) for one in aliases or ()] == [("champion", 2)]
    assert [one.version for one in client.model_versions.list("prod.ml.churn")] == [1, 2, 3]
    version = client.model_versions.get("prod.ml.churn", 2, include_aliases=True)
    assert (version.run_workspace_id, version.source, len(version.aliases or ())) == (ELSEWHERE, "models:/dev.ml.churn/4", 1)
    assert client.model_versions.get_by_alias("prod.ml.churn", "champion").version == 2


def test_mlflows_own_paths_tell_tags_and_the_deployment_job(client: WorkspaceClient) -> None:
    uc = "/api/2.0/mlflow/unity-catalog"
    model = _got(client, f"{uc}/registered-models/get", name="prod.ml.churn")["registered_model"]
    assert (model["deployment_job_id"], model["tags"]) == ("11", [{"key": "team", "value": "churn"}])
    assert model["aliases"] == [{"alias": "champion", "version": "2"}]
    version = _got(client, f"{uc}/model-versions/get", name="prod.ml.churn", version="2")["model_version"]
    assert (version["tags"], version["run_tracking_server_id"]) == ([{"key": "approved", "value": "yes"}], str(ELSEWHERE))
    assert (
        _got(client, f"{uc}/registered-models/alias", name="prod.ml.churn", alias="champion")["model_version"]["version"] == "2"
    )
    searched = [row for page in _pages(client, f"{uc}/registered-models/search", "registered_models") for row in page]
    assert "tags" not in searched[0]
    assert "aliases" not in searched[0]
    found = [
        row
        for page in _pages(client, f"{uc}/model-versions/search", "model_versions", filter="name='prod.ml.churn'")
        for row in page
    ]
    assert [row["version"] for row in found] == ["1", "2", "3"]
    assert all("tags" not in row for row in found)


def test_the_workspace_registry_keeps_permissions_by_id(client: WorkspaceClient) -> None:
    (model,) = client.model_registry.list_models()
    assert {one.current_stage for one in model.latest_versions or ()} == {"Production", "Staging"}
    about = client.model_registry.get_model("churn_legacy").registered_model_databricks
    assert about is not None
    assert about.id is not None
    acl = client.permissions.get("registered-models", about.id).access_control_list
    assert [one.group_name for one in acl or ()] == ["juniors"]
    with pytest.raises(Exception, match="does not exist"):
        client.permissions.get("registered-models", "churn_legacy")
    (hook,) = client.model_registry.list_webhooks(model_name="churn_legacy")
    assert hook.http_url_spec is not None
    assert len(list(client.model_registry.list_transition_requests("churn_legacy", "2"))) == 1
    found = list(client.model_registry.search_model_versions(filter="name='churn_legacy'"))
    assert [one.version for one in found] == ["1", "2"]
    latest = list(client.model_registry.get_latest_versions("churn_legacy", stages=["Production"]))
    assert [one.version for one in latest] == ["1"]
    with pytest.raises(Exception, match="filter"):
        list(client.model_registry.search_model_versions())


def test_runs_tell_parameters_metrics_tags_and_inputs(client: WorkspaceClient) -> None:
    run = client.experiments.get_run("run-1").run
    assert run is not None
    assert run.as_dict()["data"]["params"] == [{"key": "depth", "value": "3"}]
    assert run.as_dict()["inputs"]["dataset_inputs"][0]["dataset"]["name"] == "prod.sales.features"
    assert [one.name for one in client.experiments.list_experiments()] == ["/Shared/churn"]
    assert [one.experiment_id for one in client.experiments.search_experiments(filter="name = '/Shared/churn'")] == ["7"]
    assert client.experiments.get_experiment("7").experiment == client.experiments.get_by_name("/Shared/churn").experiment
    assert len(list(client.experiments.search_runs(experiment_ids=["7"]))) == 4
    found = list(client.experiments.search_runs(experiment_ids=["7"], filter="params.depth = '4' and status = 'FINISHED'"))
    assert [one.info.run_id for one in found if one.info] == ["run-4"]
    model = client.experiments.get_logged_model("m-1").model
    assert model is not None
    assert model.as_dict()["info"]["source_run_id"] == "run-1"
    first = client.experiments.search_logged_models(experiment_ids=["7"])
    assert first.next_page_token


def test_jobs_tell_their_commit_and_their_deployment(client: WorkspaceClient) -> None:
    job = client.jobs.get(11)
    assert job.settings is not None
    assert [task.task_key for task in job.settings.tasks or ()] == ["prepare", "train", "validate"]
    assert job.settings.run_as is not None
    assert job.run_as_user_name == JOBS
    run = client.jobs.get_run(501)
    assert run.git_source is not None
    assert run.git_source.git_snapshot is not None
    assert run.git_source.git_snapshot.used_commit == COMMIT
    assert len(run.tasks or ()) == 3
    assert [one.job_id for one in client.jobs.list()] == [11, 12, 13]
    assert [one.job_id for one in client.jobs.list(name="ADHOC")] == [12]
    expanded = next(iter(client.jobs.list(expand_tasks=True)))
    assert expanded.settings is not None
    assert len(expanded.settings.tasks or ()) == 3
    assert [one.run_id for one in client.jobs.list_runs()] == [502, 501]
    assert [one.run_id for one in client.jobs.list_runs(completed_only=True)] == [501]
    entry = (client.permissions.get("jobs", "13").access_control_list or [])[0]
    assert entry.all_permissions is not None
    assert entry.all_permissions[0].inherited


def test_pipelines_endpoints_and_deployments(client: WorkspaceClient) -> None:
    assert [one.name for one in client.pipelines.list_pipelines()] == ["features"]
    spec = client.pipelines.get("p-1").spec
    assert spec is not None
    assert spec.catalog == "prod"
    listed = {one.name: one.id for one in client.serving_endpoints.list()}
    assert listed == {"churn": "e-1", "databricks-llama": None}
    config = client.serving_endpoints.get("churn").config
    assert config is not None
    assert [one.entity_version for one in config.served_entities or ()] == ["2"]
    with pytest.raises(Exception, match="does not exist"):
        client.permissions.get("serving-endpoints", "churn")
    deployed = _got(client, "/api/2.0/bundle/deployments/9")
    assert deployed["target_name"] == "prod"


def test_files_are_downloaded_byte_for_byte(client: WorkspaceClient) -> None:
    config = json.loads(client.workspace.download(METADATA).read())["config"]
    assert config["bundle"]["git"]["commit"] == COMMIT
    assert client.workspace.get_status(METADATA).size
    assert [one.path for one in client.workspace.list("/Workspace/.bundle/churn/prod/state")] == [METADATA]
    assert client.workspace.export("/Shared/train").content
    assert [one.path for one in client.workspace.list("/Shared")] == ["/Shared/train"]


def test_people_policies_warehouses_and_repos(client: WorkspaceClient) -> None:
    groups = {one.display_name: one for one in client.groups.list()}
    assert [member.display for member in groups["data-scientists"].members or ()] == ["juniors", "prod-jobs"]
    assert len(list(client.users.list())) == 4
    assert client.groups.get(groups["juniors"].id or "").display_name == "juniors"
    (found,) = client.service_principals.list(filter=f"applicationId eq {JOBS}")
    assert found.display_name == "prod-jobs"
    assert [one.display_name for one in client.groups.list(filter='displayName eq "platform"')] == ["platform"]
    bare = next(iter(client.groups.list(attributes="displayName")))
    assert (bare.display_name, bare.members) == ("juniors", [])
    assert [one.name for one in client.cluster_policies.list()] == ["ml"]
    assert client.cluster_policies.get("policy-1").name == "ml"
    assert [one.id for one in client.warehouses.list()] == ["warehouse-1"]
    assert [one.head_commit_id for one in client.repos.list()] == [COMMIT]


def test_a_workspace_of_the_same_metastore_has_jobs_of_its_own(estate: Estate) -> None:
    other = estate.sibling(ELSEWHERE, complete=True)
    with serve(other, Pages(size=10)) as server:
        client = server.client()
        assert client.get_workspace_id() == ELSEWHERE
        assert [one.name for one in client.catalogs.list()] == ["dev", "prod", "elsewhere"]
        assert list(client.jobs.list()) == []
        assert len(list(client.groups.list(filter='displayName eq "platform"'))) == 1
        with pytest.raises(Exception, match="does not exist"):
            client.experiments.get_run("run-1")
