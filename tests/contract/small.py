"""A small estate with one of each: what an auditor of a machine-learning project meets."""

from __future__ import annotations

import json

from tests.contract.estate import Estate
from tests.contract.store import NOW

COMMIT = "4f3c2d1e4f3c2d1e4f3c2d1e4f3c2d1e4f3c2d1e"
ELSEWHERE = 2222222222222222
JOBS = "00000000-0000-0000-0000-0000000000aa"
METADATA = "/Workspace/.bundle/churn/prod/state/metadata.json"


def small() -> Estate:
    """One workspace: two catalogs of its own and one bound elsewhere, a model from code to endpoint, people and groups."""
    estate = Estate()
    _people(estate)
    _data(estate)
    _learning(estate)
    _work(estate)
    return estate


def _people(estate: Estate) -> None:
    estate.user("ana@example.com")
    estate.user("auditor@example.com", workspace_admin=True)
    estate.user("guest@example.com")
    estate.service_principal("prod-jobs", JOBS)
    estate.group("juniors", ["ana@example.com"])
    estate.group("data-scientists", ["juniors", JOBS], entitlements=[{"value": "workspace-access"}])
    estate.group("platform", ["auditor@example.com"])


def _data(estate: Estate) -> None:
    estate.catalog("dev")
    estate.catalog("prod", isolation_mode="ISOLATED", bindings=[estate.workspace_id, (ELSEWHERE, "BINDING_TYPE_READ_ONLY")])
    estate.catalog("elsewhere", isolation_mode="ISOLATED", bindings=[ELSEWHERE])
    for schema in ("dev.sales", "prod.sales", "prod.ml", "elsewhere.sales"):
        estate.schema(schema)
    for name in ("raw_orders", "orders", "features", "labels", "scores"):
        estate.table(f"prod.sales.{name}", keys=["order_id"] if name == "features" else (), columns=["order_id", "amount"])
    estate.table(
        "dev.sales.scratch",
        format="PARQUET",
        table_type="EXTERNAL",
        storage_location="s3://bucket/scratch",
        owner="ana@example.com",
    )
    estate.grant("metastore", estate.metastore_id, "platform", ["READ_METADATA"])
    estate.grant("catalog", "dev", "data-scientists", ["ALL_PRIVILEGES"])
    estate.grant("catalog", "prod", "data-scientists", ["USE_CATALOG", "USE_SCHEMA"])
    estate.grant("schema", "prod.sales", JOBS, ["SELECT", "MODIFY"])
    estate.grant("table", "prod.sales.raw_orders", "data-scientists", ["SELECT"])
    estate.grant("table", "prod.sales.raw_orders", "ana@example.com", ["SELECT"])
    estate.grant("table", "prod.sales.raw_orders", "platform", ["SELECT"])
    estate.grant("table", "prod.sales.raw_orders", None, ["SELECT"], principal_id=42)
    estate.grant("table", "prod.sales.orders", "guest@example.com", ["BROWSE"])
    estate.tag("tables", "prod.sales.features", "owner_team", "churn")
    estate.storage_credential("credential", aws_iam_role={"role_arn": "arn:aws:iam::1:role/lake"})
    estate.external_location("landing", "s3://bucket/landing")


def _learning(estate: Estate) -> None:
    source = {"run_id": "run-1", "run_workspace_id": estate.workspace_id, "source": "models:/m-1"}
    copied = {"run_id": "run-9", "run_workspace_id": ELSEWHERE, "source": "models:/dev.ml.churn/4", "tags": {"approved": "yes"}}
    estate.model(
        "prod.ml.churn",
        versions=[source, copied, source],
        aliases={"champion": 2},
        tags={"team": "churn"},
        deployment_job_id="11",
    )
    estate.grant("model", "prod.ml.churn", JOBS, ["EXECUTE"])
    estate.grant("model", "prod.ml.churn", "data-scientists", ["CREATE_MODEL_VERSION"], raw=True)
    estate.legacy_model(
        "churn_legacy",
        id="0123456789abcdef0123456789abcdef",
        versions=[{"run_id": "run-1", "current_stage": "Production", "tags": {"checked": "yes"}}, {"current_stage": "Staging"}],
        webhooks=[{"events": ["TRANSITION_REQUEST_CREATED"], "http_url_spec": {"url": "https://hooks.example.com"}}],
        transition_requests={"2": [{"to_stage": "PRODUCTION", "user_id": "ana@example.com", "creation_timestamp": NOW}]},
    )
    estate.permissions(
        "registered-models", "0123456789abcdef0123456789abcdef", [{"group_name": "juniors", "permission_level": "CAN_MANAGE"}]
    )
    estate.experiment("7", "/Shared/churn", tags={"mlflow.ownerEmail": "ana@example.com"})
    tags = {"mlflow.source.type": "JOB", "mlflow.databricks.jobID": "11", "mlflow.databricks.jobRunID": "501"}
    dataset = {
        "name": "prod.sales.features",
        "digest": "d1",
        "source_type": "delta_table",
        "source": '{"table": "prod.sales.features"}',
    }
    context = [{"key": "mlflow.data.context", "value": "training"}]
    estate.run(
        "run-1", "7", params={"depth": "3"}, metrics={"auc": 0.91}, tags=tags, inputs=[{"dataset": dataset, "tags": context}]
    )
    for number in range(2, 5):
        estate.run(f"run-{number}", "7", params={"depth": str(number)})
    estate.logged_model("m-1", "7", source_run_id="run-1", tags={"stage": "candidate"}, params={"depth": "3"})


def _work(estate: Estate) -> None:
    git = {"git_url": "https://github.com/acme/churn", "git_provider": "gitHub", "git_branch": "release"}
    tasks = [{"task_key": name, "notebook_task": {"notebook_path": f"src/{name}"}} for name in ("prepare", "train", "validate")]
    bundle = {"kind": "BUNDLE", "metadata_file_path": METADATA}
    settings = {"name": "[prod] train", "git_source": git, "tasks": tasks, "run_as": {"service_principal_name": JOBS}}
    estate.job(11, settings=settings | {"deployment": bundle, "edit_mode": "UI_LOCKED"}, run_as=JOBS)
    estate.job(12, settings={"name": "adhoc"}, creator="ana@example.com", run_as="ana@example.com")
    estate.job(13, settings={"name": "report"})
    snapshot = git | {"git_snapshot": {"used_commit": COMMIT}}
    estate.job_run(501, 11, git_source=snapshot, tasks=[{"task_key": one["task_key"], "run_id": 600} for one in tasks])
    estate.job_run(502, 12, state={"life_cycle_state": "RUNNING"}, start_time=NOW + 1)
    estate.permissions("jobs", 11, [{"service_principal_name": JOBS, "permission_level": "IS_OWNER"}])
    estate.permissions("jobs", 12, [{"user_name": "ana@example.com", "permission_level": "IS_OWNER"}])
    estate.permissions("jobs", 13, [{"group_name": "admins", "permission_level": "CAN_MANAGE", "inherited_from": "/jobs/"}])
    estate.pipeline("p-1", "features", spec={"catalog": "prod", "schema": "sales", "development": False, "id": "p-1"})
    served = {"served_entities": [{"name": "churn", "entity_name": "prod.ml.churn", "entity_version": "2"}]}
    estate.endpoint("churn", id="e-1", config=served)
    estate.endpoint("databricks-llama")
    estate.permissions("serving-endpoints", "e-1", [{"group_name": "juniors", "permission_level": "CAN_QUERY"}])
    config = {"bundle": {"name": "churn", "target": "prod", "git": {"branch": "release", "commit": COMMIT}}}
    estate.workspace_file(METADATA, json.dumps({"version": 1, "config": config}).encode())
    estate.workspace_file("/Shared/train", b"# Databricks notebook source\n", object_type="NOTEBOOK", language="PYTHON")
    estate.repo(77, "/Repos/ana@example.com/churn", "https://github.com/acme/churn", head_commit_id=COMMIT)
    estate.cluster_policy("policy-1", "ml", '{"spark_version": {"type": "fixed"}}')
    estate.warehouse("warehouse-1")
    estate.deployment(
        "9", target_name="prod", versions=[{"target_name": "prod", "raw": {"git_info": {"branch": "release", "commit": COMMIT}}}]
    )
