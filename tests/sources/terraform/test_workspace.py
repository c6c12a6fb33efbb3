"""Jobs, pipelines, endpoints, experiments, webhooks, and who may use them."""

from __future__ import annotations

from typing import Any

import pytest

SP = "8f4b1c7a-52d1-4f0e-9f0c-6d0d3a1b2c3d"
KEY = "repository/terraform:./jobs.databricks_job.j"


def job(body: str, rest: str = "") -> str:
    return 'resource "databricks_job" "j" {\n' + body + "\n}\n" + rest


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", ("deployer", "none", "none")),
        ('run_as {\nuser_name = "ann@acme.com"\n}', ("user", "ann@acme.com", "job")),
        (f'run_as {{\nservice_principal_name = "{SP}"\n}}', ("service_principal", SP, "job")),
        ("run_as {\nservice_principal_name = var.none\n}", ("service_principal", None, "job")),
        (
            "run_as {\nservice_principal_name = databricks_service_principal.sp.application_id\n}",
            ("service_principal", "repository/terraform:./databricks_service_principal.sp", "job"),
        ),
        (
            "run_as {\nservice_principal_name = data.databricks_service_principal.sp.application_id\n}",
            ("service_principal", None, "job"),
        ),
    ],
)
def test_who_a_job_runs_as(read: Any, body: str, expected: tuple[str | None, ...]) -> None:
    row = read(job(body, 'resource "databricks_service_principal" "sp" {}\n')).one("jobs")
    assert (row.run_as_kind, row.run_as, row.run_as_from) == expected
    assert row.managed_by == "terraform"


def test_a_job_with_all_that_rules_ask_about(read: Any) -> None:
    files = {
        "main.tf": job(
            """
            name = "train"
            max_concurrent_runs = 2
            git_source {
              url = "https://github.com/acme/churn"
              branch = "feature/x"
            }
            parameter {
              name = "model_name"
              default = "a"
            }
            parameter {
              name = "model_version"
              default = "1"
            }
            schedule {
              quartz_cron_expression = "0"
              timezone_id = "UTC"
              pause_status = "PAUSED"
            }
            environment {
              environment_key = "e"
              spec {
                client = "1"
                dependencies = ["pandas", "numpy==1.0"]
              }
            }
            task {
              task_key = "validate"
              max_retries = 3
              environment_key = "e"
              notebook_task {
                notebook_path = "notebooks/validate"
                base_parameters = { commit = "abc", env = var.none }
              }
            }
            task {
              task_key = "deploy"
              depends_on {
                task_key = "validate"
              }
              run_if = "ALL_DONE"
              spark_python_task {
                python_file = "src/deploy.py"
                parameters = ["--env", "prod"]
              }
              library {
                pypi {
                  package = "mlflow"
                }
              }
              library {
                whl = "/Volumes/a/b/c/x-1.0-py3-none-any.whl"
              }
            }
            """
        ),
        "notebooks/validate.py": "# Databricks notebook source\n",
        "src/deploy.py": "",
    }
    seen = read(files)
    row = seen.one("jobs")
    assert (row.name, row.git_ref_kind, row.git_ref, row.max_concurrent_runs, row.pause_status) == (
        "train",
        "branch",
        "feature/x",
        2,
        "PAUSED",
    )
    assert row.is_deployment_job is True
    assert sorted(seen.column("job_params", "name")) == ["model_name", "model_version"]
    tasks = {task.name: task for task in seen.rows("tasks")}
    assert {name: (t.kind, t.code_place, t.file, t.max_retries) for name, t in tasks.items()} == {
        "validate": ("notebook", "git", "repository/notebooks/validate.py", 3),
        "deploy": ("python_file", "git", "repository/src/deploy.py", 0),
    }
    assert tasks["validate"].origin.line == 29
    assert {(r.task.rpartition("/")[2], r.spec, r.pinned, r.path_place) for r in seen.rows("task_libraries")} == {
        ("validate", "pandas", False, "index"),
        ("validate", "numpy==1.0", True, "index"),
        ("deploy", "mlflow", False, "index"),
        ("deploy", "/Volumes/a/b/c/x-1.0-py3-none-any.whl", True, "volume"),
    }
    (edge,) = seen.rows("task_upstream")
    assert (edge.task, edge.upstream, edge.must_succeed) == (f"{KEY}/deploy", f"{KEY}/validate", False)


def test_a_job_that_is_its_only_task(read: Any) -> None:
    seen = read(job('notebook_task {\nnotebook_path = "/Users/ann@acme.com/nb"\n}\nlibrary {\npypi {\npackage = "x"\n}\n}'))
    (task,) = seen.rows("tasks")
    assert (task.name, task.kind, task.code_place) == ("main", "notebook", "person")
    assert seen.column("task_libraries", "spec") == ["x"]


@pytest.mark.parametrize(
    ("path", "source", "place", "file"),
    [
        ('"/Shared/nb"', 'source = "${path.module}/nb.py"', "deployed", "repository/nb.py"),
        ('"${data.databricks_current_user.me.home}/nb"', 'source = "nb.py"', "deployed", "repository/nb.py"),
        ('"/Shared/nb"', 'content_base64 = base64encode("1")', None, None),
    ],
)
def test_code_that_terraform_puts_into_the_workspace(
    read: Any, path: str, source: str, place: str | None, file: str | None
) -> None:
    notebook = f'resource "databricks_notebook" "n" {{\npath = {path}\n{source}\n}}\ndata "databricks_current_user" "me" {{}}\n'
    seen = read(
        {
            "main.tf": job('task {\ntask_key = "t"\nnotebook_task {\nnotebook_path = databricks_notebook.n.path\n}\n}', notebook),
            "nb.py": "",
        }
    )
    (task,) = seen.rows("tasks")
    assert (task.code_place, task.file) == (place, file)


def test_code_in_a_shared_folder_is_not_deployed(read: Any) -> None:
    (task,) = read(job('task {\ntask_key = "t"\nnotebook_task {\nnotebook_path = "/Workspace/Shared/nb"\n}\n}')).rows("tasks")
    assert (task.code_place, task.file) == ("everyone", "none")


def test_tasks_that_cannot_be_told_leave_the_list_open(read: Any) -> None:
    seen = read(job('dynamic "task" {\nfor_each = var.none\ncontent {\ntask_key = task.value\n}\n}'))
    assert seen.one("jobs").key == KEY
    assert [(gap.facts, gap.parent) for gap in seen.gaps(lists=True)] == [("tasks", KEY)]


def test_pipelines(read: Any) -> None:
    seen = read(
        {
            "prod/main.tf": """
                resource "databricks_pipeline" "p" {
                  name = "features"
                  catalog = "shared"
                  schema = "ml"
                  development = true
                  library {
                    notebook {
                      path = "/Repos/ann@acme.com/x/nb"
                    }
                  }
                  library {
                    file {
                      path = "/Workspace/prod/x.py"
                    }
                  }
                }
            """
        }
    )
    row = seen.one("jobs")
    assert (row.kind, row.development, row.managed_by) == ("pipeline", True, "terraform")
    assert sorted(str(place) for place in seen.column("tasks", "code_place")) == ["person", "workspace"]
    assert seen.one("target_catalogs").catalog == "shared"


def test_endpoints(read: Any) -> None:
    seen = read(
        """
        resource "databricks_registered_model" "m" {
          catalog_name = "prod"
          schema_name = "ml"
          name = "churn"
        }
        resource "databricks_model_serving" "e" {
          name = "churn"
          config {
            served_entities {
              name = "a"
              entity_name = databricks_registered_model.m.id
              entity_version = "3"
            }
            served_entities {
              name = "b"
              external_model {
                name = "gpt"
                provider = "openai"
              }
            }
            traffic_config {
              routes {
                served_model_name = "a"
                traffic_percentage = 100
              }
            }
          }
          tags {
            key = "role"
            value = "challenger"
          }
        }
        """
    )
    rows = {row.entity_name: row for row in seen.rows("served_entities")}
    assert (rows["prod.ml.churn"].entity_version, rows["prod.ml.churn"].catalog, rows["prod.ml.churn"].sole_route) == (
        3,
        "prod",
        True,
    )
    assert rows["prod.ml.churn"].challenger is True
    assert rows["none"].external is True


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ('"/Users/ann@acme.com/churn"', "person"),
        ('"/Shared/churn"', "everyone"),
        ('"${data.databricks_current_user.me.home}/churn"', "deployer"),
        ("var.none", None),
    ],
)
def test_experiments(read: Any, path: str, place: str | None) -> None:
    seen = read(
        'provider "databricks" {\nhost = "https://adb-1.azuredatabricks.net"\n}\ndata "databricks_current_user" "me" {}\n'
        'resource "databricks_mlflow_experiment" "e" {\nname = ' + path + "\n}\n"
    )
    row = seen.one("experiments")
    assert (row.path_place, row.host) == (place, "https://adb-1.azuredatabricks.net")


def test_permissions(read: Any) -> None:
    seen = read(
        job(
            f'name = "j"\nrun_as {{\nservice_principal_name = "{SP}"\n}}',
            f"""
            resource "databricks_mlflow_experiment" "e" {{ name = "/Shared/x" }}
            resource "databricks_permissions" "j" {{
              job_id = databricks_job.j.id
              access_control {{
                service_principal_name = "{SP}"
                permission_level = "IS_OWNER"
              }}
              access_control {{
                group_name = "users"
                permission_level = "CAN_MANAGE"
              }}
            }}
            resource "databricks_permissions" "e" {{
              experiment_id = databricks_mlflow_experiment.e.id
              access_control {{
                user_name = "ann@acme.com"
                permission_level = "CAN_EDIT"
              }}
            }}
            resource "databricks_permissions" "d" {{
              directory_path = "/Shared/prod"
              access_control {{
                group_name = var.none
                permission_level = "CAN_EDIT"
              }}
            }}
            resource "databricks_permissions" "cluster" {{
              cluster_id = "1"
              access_control {{
                group_name = "users"
                permission_level = "CAN_RESTART"
              }}
            }}
            """,
        )
    )
    assert {(row.object_kind, row.object_name, row.principal, row.is_run_as, row.level) for row in seen.rows("permissions")} == {
        ("job", "j", f"service_principal:{SP}", True, "IS_OWNER"),
        ("job", "j", "group:users", False, "CAN_MANAGE"),
        ("experiment", "/Shared/x", "user:ann@acme.com", False, "CAN_EDIT"),
        ("directory", "/Shared/prod", None, False, "CAN_EDIT"),
    }
    assert [gap.facts for gap in seen.gaps(lists=False)] == ["permissions"]


def test_who_is_in_a_group(read: Any) -> None:
    seen = read(
        """
        resource "databricks_group" "g" { display_name = "team" }
        resource "databricks_user" "u" { user_name = "ann@acme.com" }
        resource "databricks_group_member" "m" {
          group_id = databricks_group.g.id
          member_id = databricks_user.u.id
        }
        resource "databricks_grant" "x" {
          catalog = "prod"
          principal = databricks_group.g.display_name
          privileges = ["MODIFY"]
        }
        """
    )
    assert [row.has_person for row in seen.rows("principal_summary", key="group:team")] == [True]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('model_name = "churn"', ("churn", False, True, False)),
        ('model_name = "prod.ml.churn"', ("prod.ml.churn", True, True, False)),
        ("", ("none", False, True, False)),
        ('http_url_spec {\nurl = "u"\nenable_ssl_verification = false\n}', ("none", False, False, False)),
        ('http_url_spec {\nurl = "u"\nauthorization = "Bearer x"\n}', ("none", False, True, True)),
        ('http_url_spec {\nurl = "u"\nsecret = var.secret\n}', ("none", False, True, False)),
        ('http_url_spec {\nurl = "u"\nsecret = var.written\n}', ("none", False, True, True)),
        ('job_spec {\njob_id = "1"\naccess_token = "dapi1"\n}', ("none", False, True, True)),
        ('job_spec {\njob_id = "1"\naccess_token = databricks_token.t.token_value\n}', ("none", False, True, False)),
        ("model_name = var.secret", (None, None, True, False)),
    ],
)
def test_webhooks(read: Any, body: str, expected: tuple[object, ...]) -> None:
    rest = 'variable "secret" {}\nvariable "written" {\ndefault = "s3cret"\n}\nresource "databricks_token" "t" {}\n'
    row = read('resource "databricks_mlflow_webhook" "w" {\n' + body + "\n}\n" + rest).one("registry_hooks")
    assert (row.model_name, row.on_unity_catalog, row.tls_verified, row.secret_literal) == expected


def test_a_webhook_that_is_switched_off_is_none(read: Any) -> None:
    assert read('resource "databricks_mlflow_webhook" "w" {\nstatus = "DISABLED"\n}\n').rows("registry_hooks") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            'resource "github_branch_protection" "b" {\nrepository_id = "r"\npattern = "main"\n}',
            ("r/main", "main", 0, 0, False, False),
        ),
        (
            'resource "github_branch_protection_v3" "b" {\nrepository = "r"\nbranch = "main"\nrequired_pull_request_reviews {\n}\n}',
            ("r/main", "main", 1, 0, False, False),
        ),
        (
            (
                'resource "github_repository_ruleset" "b" {\nrepository = "r"\nenforcement = "active"\ntarget = "branch"\n'
                'conditions {\nref_name {\ninclude = ["~ALL"]\n}\n}\nrules {\ndeletion = true\n}\n}'
            ),
            ("r/*", "*", 0, 0, True, False),
        ),
        (
            (
                'resource "github_repository_ruleset" "b" {\nrepository = "r"\nenforcement = "active"\ntarget = "branch"\n'
                'conditions {\nref_name {\ninclude = ["~DEFAULT_BRANCH"]\n}\n}\nrules {\nnon_fast_forward = true\n}\n}'
            ),
            ("r/?", None, 0, 0, False, True),
        ),
        (
            'resource "gitlab_branch_protection" "b" {\nproject = "p"\nbranch = "main"\n}',
            ("p/main", "main", None, None, False, False),
        ),
        (
            (
                'resource "azuredevops_branch_policy_min_reviewers" "b" {\nsettings {\nreviewer_count = 2\nscope {\nrepository_id = "r"\n'
                'repository_ref = "refs/heads/release"\nmatch_type = "Prefix"\n}\n}\n}'
            ),
            ("r/release/*", "release/*", 2, 0, False, False),
        ),
    ],
)
def test_branches(read: Any, text: str, expected: tuple[object, ...]) -> None:
    seen = read(text + "\n")
    row = seen.one("branches")
    assert (
        row.key.removeprefix("repository/"), row.name, row.required_approvals, row.required_checks, row.allows_force_push, row.allows_deletion,
    ) == expected  # fmt: skip
    assert "branches" in seen.source.fills


@pytest.mark.parametrize(
    "text",
    [
        'resource "github_repository_ruleset" "b" {\nenforcement = "disabled"\ntarget = "branch"\nrules {\n}\n}\n',
        'resource "github_repository_ruleset" "b" {\nenforcement = "active"\ntarget = "tag"\nrules {\n}\n}\n',
        'resource "azuredevops_branch_policy_min_reviewers" "b" {\nenabled = false\nsettings {\nscope {\n}\n}\n}\n',
    ],
)
def test_rules_that_are_not_enforced_are_none(read: Any, text: str) -> None:
    assert read(text).rows("branches") == []


def test_without_rules_for_branches_the_git_host_has_to_be_asked(read: Any) -> None:
    assert "branches" not in read('resource "databricks_job" "j" {}\n').source.fills


@pytest.mark.parametrize(
    ("subject", "kind", "acts_in"),
    [
        ('"repo:acme/churn:environment:prod"', "environment", ["production"]),
        ('"repo:acme/churn:environment:blue"', "environment", [None]),
        ('"repo:acme/churn:ref:refs/heads/main"', "release", []),
        ('"project_path:acme/churn:ref_type:branch:ref:feature"', "other", []),
        ('"repo:acme/churn:pull_request"', "pull_request", []),
        ('"sc://acme/churn/deploy"', None, []),
        ("var.none", None, []),
    ],
)
def test_federation(read: Any, subject: str, kind: str | None, acts_in: list[str | None]) -> None:
    seen = read(
        'resource "databricks_service_principal" "sp" {\n  display_name = "sp"\n}\n'
        'resource "databricks_service_principal_federation_policy" "p" {\n'
        "  service_principal_id = databricks_service_principal.sp.id\n  oidc_policy = {\n"
        f'    issuer = "https://token.actions.githubusercontent.com"\n    subject = {subject}\n  }}\n}}\n'
    )
    row = seen.one("ci_credentials")
    assert (row.kind, row.federation_subject, row.ci_job, row.name) == ("oidc", kind, "none", "databricks_service_principal.sp")
    assert bool(seen.gaps("ci_credentials")) == (kind is None)
    assert seen.column("principal_stages", "acts_in") == acts_in
    assert "ci_credentials" in seen.source.fills
