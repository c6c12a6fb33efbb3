"""An estate with one production model, trained by a job of a bundle in this workspace, from code to endpoint."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.contract import Estate
from tests.contract.store import NOW
from tests.live import verdicts

from lakewarden.policy.model import EnvironmentPolicy, Policy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.contract import Server

    from lakewarden.facts.collect import Facts

COMMIT = "4f3c2d1e" * 5
OTHER = "0badc0de" * 5
JOBS = "00000000-0000-0000-0000-0000000000aa"
METADATA = "/Workspace/.bundle/churn/prod/state/metadata.json"
MODEL = "prod.ml.churn"
KEY = f"metastore-1/{MODEL}"
TAGS = {
    "mlflow.source.type": "JOB",
    "mlflow.user": JOBS,
    "mlflow.databricks.jobID": "11",
    "mlflow.databricks.jobRunID": "501",
}
TABLE: dict[str, Any] = {"delta_table_name": "prod.sales.features", "delta_table_version": 12}
DATASET: dict[str, Any] = {"name": "features", "digest": "d", "source_type": "delta_table", "source": json.dumps(TABLE)}
INPUT: dict[str, Any] = {"dataset": DATASET, "tags": [{"key": "mlflow.data.context", "value": "training"}]}
TASK: dict[str, Any] = {
    "task_key": "train",
    "run_id": 601,
    "notebook_task": {"notebook_path": "/Workspace/train", "source": "WORKSPACE"},
}


def learning(
    *,
    version: Mapping[str, Any] | None = None,
    job_run: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    run: Mapping[str, Any] | None = None,
    endpoint: Mapping[str, Any] | None = None,
    deployed: int = NOW - 1000,
) -> Estate:
    """The estate, with changes: `version` of the champion, `job_run` and `settings` of its job, `run` of its run, `endpoint`
    beside the names of what it serves, and when the bundle was deployed.
    """
    estate = Estate(complete=True)
    estate.metastore_owner = estate.admin.name
    estate.service_principal("prod-jobs", JOBS)
    estate.user("guest@example.com")
    for name in ("prod", "dev"):
        estate.catalog(name)
        estate.schema(f"{name}.ml")
    champion = {"run_id": "run-1", "run_workspace_id": estate.workspace_id, "source": "models:/m-1", "comment": "churn"}
    estate.model(MODEL, versions=[{"source": "models:/m-0"}, champion | dict(version or {})], aliases={"champion": 2})
    estate.experiment("7", "/Shared/churn")
    about: dict[str, Any] = {
        "params": {"depth": "3"},
        "metrics": {"auc": 0.9},
        "tags": TAGS,
        "inputs": [INPUT],
        "start_time": NOW + 10,
    }
    estate.run("run-1", "7", **(about | dict(run or {})))
    of_job = {"name": "train", "deployment": {"kind": "BUNDLE", "metadata_file_path": METADATA}}
    estate.job(11, settings=of_job if settings is None else settings, run_as=JOBS)
    estate.job_run(501, 11, **({"tasks": [TASK]} | dict(job_run or {})))
    config = {"bundle": {"name": "churn", "target": "prod", "git": {"commit": COMMIT}}}
    estate.workspace_file(METADATA, json.dumps({"version": 1, "config": config}).encode(), modified_at=deployed)
    served = {"served_entities": [{"name": "churn", "entity_name": MODEL, "entity_version": "2"}]}
    estate.endpoint("churn", id="e-1", **({"config": served} | dict(endpoint or {})))
    return estate


def policy_of(*servers: Server) -> Policy:
    """Production is the catalog `prod` and the workspaces of these servers."""
    places = tuple(server.url for server in servers)
    return Policy(
        environments={
            "production": EnvironmentPolicy(catalogs=("prod",), workspaces=places),
            "development": EnvironmentPolicy(catalogs=("dev",), workspaces=("https://dev.example.com",)),
        },
        required_tags=("owner",),
    )


def verdict(facts: Facts, policy: Policy, code: str, kind: str, key: str) -> str | None:
    """What one rule says of one object."""
    return verdicts(facts, policy, (code,)).get((code, kind, key))


def rows(facts: Facts, table: str) -> dict[str, dict[str, Any]]:
    """The rows of a table by key, without where and when they were read."""
    hidden = ("key", "plane", "origin", "project")
    return {row.key: {k: v for k, v in row.__dict__.items() if k not in hidden} for row in facts.rows[table]}


def told(facts: Facts, table: str) -> set[tuple[str, str | None]]:
    """Cause and parent of every gap about a list of the table."""
    return {(gap.cause.value, gap.parent) for gap in facts.gaps if gap.facts == table and not gap.value}


def reasons(facts: Facts, table: str) -> dict[str | None, str]:
    """Why values of rows are not known, by key."""
    return {gap.parent: gap.reason for gap in facts.gaps if gap.facts == table and gap.value}


WANTED = frozenset(
    {
        "models", "model_aliases", "model_versions", "model_version_tags", "registry_hooks", "served_entities", "experiments",
        "runs", "run_inputs", "job_runs", "commit_evidence",
    }
)  # fmt: skip
