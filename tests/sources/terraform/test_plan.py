"""Plans, as `terraform show -json` writes them."""

from __future__ import annotations

import json
from typing import Any

PLAN: dict[str, Any] = {
    "format_version": "1.2",
    "variables": {"environment": {"value": "prod"}},
    "planned_values": {
        "root_module": {
            "resources": [
                {
                    "address": "databricks_job.j",
                    "mode": "managed",
                    "type": "databricks_job",
                    "name": "j",
                    "values": {
                        "name": "train",
                        "max_concurrent_runs": 1,
                        "run_as": [{"user_name": "ann@acme.com", "service_principal_name": None}],
                        "task": [
                            {
                                "task_key": "t",
                                "notebook_task": [{"notebook_path": "/Users/ann@acme.com/nb", "base_parameters": None}],
                                "library": [],
                            }
                        ],
                    },
                },
                {
                    "address": "databricks_permissions.p",
                    "mode": "managed",
                    "type": "databricks_permissions",
                    "name": "p",
                    "values": {"access_control": [{"group_name": "users", "permission_level": "CAN_MANAGE"}]},
                },
                {
                    "address": "databricks_mlflow_webhook.w",
                    "mode": "managed",
                    "type": "databricks_mlflow_webhook",
                    "name": "w",
                    "values": {
                        "model_name": "m",
                        "http_url_spec": [{"url": "u", "secret": "s3cret", "enable_ssl_verification": True}],
                    },
                    "sensitive_values": {"http_url_spec": [{"secret": True}]},
                },
                {"address": "data.databricks_group.g", "mode": "data", "type": "databricks_group", "name": "g", "values": {}},
                {"address": "aws_s3_bucket.b", "mode": "managed", "type": "aws_s3_bucket", "name": "b", "values": {}},
            ],
            "child_modules": [
                {
                    "address": 'module.c["a"]',
                    "resources": [
                        {
                            "address": 'module.c["a"].databricks_catalog.c',
                            "mode": "managed",
                            "type": "databricks_catalog",
                            "name": "c",
                            "values": {"name": "prod_a", "isolation_mode": None},
                        }
                    ],
                }
            ],
        }
    },
    "resource_changes": [
        {"address": "databricks_permissions.p", "change": {"actions": ["create"], "after_unknown": {"job_id": True, "id": True}}},
        {
            "address": 'module.c["a"].databricks_catalog.c',
            "change": {"actions": ["create"], "after_unknown": {"owner": True, "storage_root": True}},
        },
    ],
    "configuration": {
        "provider_config": {
            "databricks": {
                "name": "databricks",
                "expressions": {"host": {"constant_value": "https://adb-1.azuredatabricks.net"}},
            },
            "databricks.dev": {"name": "databricks", "alias": "dev", "expressions": {"host": {"references": ["var.host"]}}},
        },
        "root_module": {
            "resources": [
                {"address": "databricks_job.j", "provider_config_key": "databricks"},
                {
                    "address": "databricks_permissions.p",
                    "provider_config_key": "databricks",
                    "expressions": {"job_id": {"references": ["databricks_job.j.id", "databricks_job.j"]}},
                },
            ],
            "module_calls": {
                "c": {"module": {"resources": [{"address": "databricks_catalog.c", "provider_config_key": "databricks.dev"}]}}
            },
        },
    },
}


def test_a_plan_is_read_as_terraform_worked_it_out(read: Any) -> None:
    text = json.dumps(PLAN, indent=1)
    seen = read({"out/prod.tfplan.json": text})
    root = "repository/terraform:out/prod.tfplan.json"
    row = seen.one("jobs")
    assert (row.key, row.name, row.run_as_kind, row.run_as) == (f"{root}/jobs.databricks_job.j", "train", "user", "ann@acme.com")
    assert text.splitlines()[row.origin.line - 1].strip() == '"address": "databricks_job.j",'
    assert seen.column("tasks", "code_place") == ["person"]
    assert seen.one("permissions").object_name == "train"
    assert seen.one("registry_hooks").secret_literal is False, "what is a secret in the plan may come from anywhere"
    catalog = seen.one("catalogs")
    assert (catalog.name, catalog.isolation_mode, catalog.target) == ("prod_a", "OPEN", f"{root}:dev")
    assert seen.one("securables").owner_kind is None
    assert {(r.key.removeprefix(root), r.name, r.host) for r in seen.rows("terraform_roots")} == {
        ("", "prod", "https://adb-1.azuredatabricks.net"),
        (":dev", "dev", None),
    }
    assert seen.stages("jobs") == {row.key: "production"}


def test_a_plan_replaces_the_root_module_in_its_folder(read: Any) -> None:
    main = 'resource "databricks_job" "other" {\n  name = "other"\n}\n'
    seen = read({"prod/main.tf": main, "prod/plan.json": json.dumps(PLAN), "dev/main.tf": main})
    assert sorted(seen.column("jobs", "name")) == ["other", "train"]


def test_other_files_are_no_plans(read: Any) -> None:
    seen = read({"plan.json": '{"steps": []}', "data.json": json.dumps(PLAN), "main.tf": ""})
    assert seen.rows("jobs") == []
    assert seen.facts.gaps == []
