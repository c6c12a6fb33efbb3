"""An estate of workloads: a bundle in production, a job that a person made, groups in groups, and who may do what."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.contract import Estate

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract import Server

    from lakewarden.facts.collect import Facts

COMMIT = "4f3c2d1e4f3c2d1e4f3c2d1e4f3c2d1e4f3c2d1e"
RUNNER = "00000000-0000-0000-0000-0000000000aa"
DEPLOYER = "00000000-0000-0000-0000-0000000000dd"
ROOT = "/Workspace/apps/churn/prod"
METADATA = f"{ROOT}/state/metadata.json"
TABLES = (
    "principals", "group_members", "jobs", "job_params", "tasks", "task_libraries", "task_upstream", "permissions",
    "entitlements", "deployments",
)  # fmt: skip


def workshop(
    *, jobs: dict[str, str] | None = None, commit: str = COMMIT, shuffled: bool = False, recorded: bool = False
) -> Estate:
    """`jobs` are the resources of the bundle with their ids, `shuffled` seeds in another order; `recorded` links job and record."""
    estate = Estate()
    estate.metastore_owner = estate.admin.name
    for kind in (
        "catalogs",
        "models",
        "model_versions",
        "external_locations",
        "experiments",
        "endpoints",
        "legacy_models",
        "webhooks",
        "repos",
    ):
        estate.none(kind)
    _people(estate)
    steps: list[Callable[[Estate], None]] = [partial(_bundle_job, recorded=recorded), _manual_job, _pipeline, _other]
    for step in reversed(steps) if shuffled else steps:
        step(estate)
    keys = {"train": "11"} if jobs is None else jobs
    config = {
        "bundle": {
            "name": "churn",
            "target": "prod",
            "mode": "production",
            "git": {"commit": commit, "origin_url": "https://token:secret@github.com/acme/churn.git"},
        },
        "workspace": {"file_path": f"{ROOT}/files"},
        "resources": {
            "jobs": {name: {"id": number} for name, number in keys.items()},
            "pipelines": {"features": {"id": "p-1"}},
        },
    }
    estate.workspace_file(METADATA, json.dumps({"version": 1, "config": config}).encode())
    estate.workspace_file(f"{ROOT}/files", object_type="DIRECTORY", object_id=71)
    directory = estate.find("objects", f"{ROOT}/state", ROOT)
    assert directory is not None
    for number in (71, directory["object_id"]):
        acl = [
            {"service_principal_name": DEPLOYER, "permission_level": "CAN_MANAGE"},
            {"group_name": "scientists", "permission_level": "CAN_EDIT", "inherited_from": "/directories/1"},
        ]
        estate.permissions("directories", number, acl)
    return estate


def _people(estate: Estate) -> None:
    estate.user("ana@example.com")
    estate.user("guest@example.com")
    estate.service_principal("runner", RUNNER)
    estate.service_principal("deployer", DEPLOYER, entitlements=[{"value": "allow-cluster-create"}])
    estate.group("juniors", ["ana@example.com"], entitlements=[{"value": "allow-cluster-create"}])
    estate.group("scientists", ["juniors", RUNNER], entitlements=[{"value": "workspace-access"}])
    estate.group("robots", [RUNNER, DEPLOYER])
    estate.group("nobody")


def _bundle_job(estate: Estate, *, recorded: bool = False) -> None:
    tasks: list[dict[str, Any]] = [
        {
            "task_key": "train",
            "notebook_task": {"notebook_path": f"{ROOT}/files/src/train"},
            "environment_key": "default",
        },
        {
            "task_key": "validate",
            "depends_on": [{"task_key": "train"}],
            "spark_python_task": {"python_file": f"{ROOT}/files/src/validate.py"},
            "libraries": [{"pypi": {"package": "scikit-learn"}}, {"whl": f"{ROOT}/files/dist/churn-1.2.0-py3-none-any.whl"}],
        },
        {
            "task_key": "promote",
            "depends_on": [{"task_key": "validate"}],
            "notebook_task": {"notebook_path": "/Workspace/Users/ana@example.com/promote"},
            "existing_cluster_id": "c-1",
        },
    ]
    settings = {
        "name": "train churn",
        "tasks": tasks,
        "environments": [{"environment_key": "default", "spec": {"dependencies": ["mlflow==3.17.2", "pandas"]}}],
        "parameters": [{"name": "model_name", "default": "prod.ml.churn"}],
        "schedule": {"quartz_cron_expression": "0 0 3 * * ?", "timezone_id": "UTC"},
        "deployment": {"kind": "BUNDLE", "metadata_file_path": METADATA} | ({"deployment_id": "9"} if recorded else {}),
        "edit_mode": "UI_LOCKED",
        "run_as": {"service_principal_name": RUNNER},
    }
    estate.job(11, settings=settings, run_as=RUNNER, creator=DEPLOYER)
    estate.permissions(
        "jobs",
        11,
        [
            {"service_principal_name": DEPLOYER, "permission_level": "IS_OWNER"},
            {"service_principal_name": RUNNER, "permission_level": "CAN_MANAGE"},
            {"group_name": "scientists", "permission_level": "CAN_MANAGE"},
            {"group_name": "robots", "permission_level": "CAN_MANAGE"},
        ],
    )


def _manual_job(estate: Estate) -> None:
    git = {"git_url": "https://github.com/acme/x", "git_provider": "gitHub", "git_branch": "try"}
    source = {"import_from_git_branch": "try", "job_config_path": "job.yml", "dirty_state": "NOT_SYNCED"}
    tasks = [{"task_key": "go", "notebook_task": {"notebook_path": "go", "source": "GIT"}}]
    estate.job(
        12,
        settings={"name": "from git", "git_source": git | {"job_source": source}, "tasks": tasks, "max_concurrent_runs": 3},
        creator="ana@example.com",
        run_as="ana@example.com",
    )
    estate.job(13, settings={"name": "by hand"}, creator="ana@example.com", run_as="ana@example.com")
    estate.job(14, settings={"name": "by whom"}, creator=DEPLOYER, run_as=RUNNER)
    for number in (12, 13, 14):
        estate.permissions("jobs", number, [{"user_name": "ana@example.com", "permission_level": "IS_OWNER"}])


def _pipeline(estate: Estate) -> None:
    spec = {
        "id": "p-1",
        "development": True,
        "deployment": {"kind": "BUNDLE", "metadata_file_path": METADATA},
        "libraries": [{"notebook": {"path": f"{ROOT}/files/src/features"}}, {"glob": {"include": "/Workspace/Shared/x/**"}}],
    }
    estate.pipeline("p-1", "features", spec=spec, run_as=RUNNER, creator_user_name=DEPLOYER)
    estate.permissions("pipelines", "p-1", [{"user_name": "ana@example.com", "permission_level": "CAN_VIEW"}])


def _other(estate: Estate) -> None:
    estate.cluster_policy("policy-1", "ml")
    estate.permissions("cluster-policies", "policy-1", [{"group_name": "scientists", "permission_level": "CAN_USE"}])
    version = {"target_name": "prod", "created_by": DEPLOYER, "deployment_mode": "DEPLOYMENT_MODE_PRODUCTION"}
    info = {"git_info": {"branch": "release", "commit": COMMIT, "origin_url": "git@github.com:acme/churn.git"}}
    estate.deployment("9", target_name="prod", last_version_id="2", versions=[version | {"raw": info}, version | {"raw": info}])


def rows(facts: Facts, table: str, server: Server) -> dict[str, dict[str, Any]]:
    """The rows of a table by key, without origin and without where the server happened to listen (`W`)."""
    return {
        row.key.replace(server.url, "W"): {
            column: value.replace(server.url, "W") if isinstance(value, str) else value
            for column, value in row.__dict__.items()
            if column not in ("key", "origin", "plane")
        }
        for row in facts.rows[table]
    }


def told(facts: Facts, server: Server) -> set[tuple[str, str, str | None]]:
    """Cause, table and parent of each gap in a list of workloads."""
    return {
        (gap.cause.value, gap.facts, gap.parent and gap.parent.replace(server.url, "W"))
        for gap in facts.gaps
        if not gap.value and gap.facts in TABLES
    }
