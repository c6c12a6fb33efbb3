"""Root modules with their files of variables, and the stage that each is run for."""

from __future__ import annotations

from typing import Any

import pytest

MAIN = """
    variable "env" { type = string }
    variable "size" { default = 1 }
    resource "databricks_catalog" "c" { name = "${var.env}_x" }
"""


def named(seen: Any) -> dict[str, str | None]:
    return {row.key: row.name for row in seen.rows("terraform_roots")}


def test_a_file_of_variables_for_each_stage(read: Any) -> None:
    seen = read({"infra/main.tf": MAIN, "infra/vars/dev.tfvars": 'env = "dev"\n', "infra/vars/prod.tfvars": 'env = "prd"\n'})
    assert named(seen) == {"repository/terraform:infra@dev": "dev", "repository/terraform:infra@prod": "prod"}
    assert seen.stages("catalogs", "name") == {"dev_x": "development", "prd_x": "production"}


def test_a_folder_of_variables_for_each_stage(read: Any) -> None:
    seen = read(
        {
            "infra/main.tf": MAIN,
            "infra/env/dev/a.tfvars": 'env = "dev"\n',
            "infra/env/dev/b.tfvars": "size = 2\n",
            "infra/env/prod/a.tfvars": 'env = "prod"\n',
        }
    )
    assert named(seen) == {"repository/terraform:infra@dev": "dev", "repository/terraform:infra@prod": "prod"}


def test_variables_beside_the_root_module(read: Any) -> None:
    seen = read({"infra/main.tf": MAIN, "config/prod.tfvars": 'env = "prod"\n', "config/other.tfvars": 'nothing = "x"\n'})
    assert named(seen) == {"repository/terraform:infra@prod": "prod"}


def test_what_is_loaded_by_itself_counts_before_what_is_named(read: Any) -> None:
    files = {
        "main.tf": MAIN,
        "terraform.tfvars": 'env = "a"\n',
        "z.auto.tfvars": 'env = "b"\n',
        "a.auto.tfvars.json": '{"env": "c"}',
    }
    assert read(files).one("catalogs").name == "b_x"
    assert read({**files, "prod.tfvars": 'env = "d"\n'}).one("catalogs").name == "d_x"


def test_a_single_file_that_names_no_stage_is_the_only_set(read: Any) -> None:
    assert read({"main.tf": MAIN, "my.tfvars": 'env = "a"\n'}).one("catalogs").name == "a_x"
    assert read({"main.tf": MAIN, "my.tfvars": 'env = "a"\n', "your.tfvars": 'env = "b"\n'}).one("catalogs").name is None


@pytest.mark.parametrize(
    ("path", "variables", "expected"),
    [
        ("envs/prod/main.tf", "", "prod"),
        ("main.tf", "", "none"),
        ("infra/main.tf", 'variable "environment" { default = "staging" }', "staging"),
        ("infra/main.tf", 'locals {\n  env = "prd"\n}', "prd"),
        ("envs/prod/main.tf", 'variable "environment" { default = "dev" }', None),
        ("envs/prod/uc/main.tf", "", "prod"),
        ("prod-eu/main.tf", "", "prod-eu"),
        ("modules/main.tf", 'variable "environment" {}', "none"),
    ],
)
def test_what_names_the_stage(read: Any, path: str, variables: str, expected: str | None) -> None:
    seen = read({path: f'resource "databricks_job" "j" {{}}\n{variables}\n'})
    assert seen.one("terraform_roots").name == expected
    assert (expected is None) == bool(seen.gaps("terraform_roots"))


def test_the_name_of_a_catalog_goes_before_the_root_module(read: Any) -> None:
    seen = read(
        {
            "envs/prod/main.tf": """
                resource "databricks_catalog" "all" {
                  for_each = toset(["dev", "prod", "main"])
                  name = each.key
                }
                resource "databricks_job" "j" { name = "j" }
            """
        }
    )
    assert seen.stages("catalogs", "name") == {"dev": "development", "prod": "production", "main": "production"}
    assert list(seen.stages("jobs").values()) == ["production"]


def test_providers_are_places(read: Any) -> None:
    seen = read(
        {
            "main.tf": """
                provider "databricks" {
                  alias = "prod"
                  host = "https://ADB-1.azuredatabricks.net/"
                }
                provider "databricks" {
                  alias = "account"
                  host = "https://accounts.cloud.databricks.com"
                }
                provider "databricks" { host = var.host }
                variable "host" {}
                resource "databricks_job" "here" {}
                resource "databricks_job" "there" { provider = databricks.prod }
                resource "databricks_group" "g" {
                  provider = databricks.account
                  display_name = "g"
                }
                module "m" {
                  source = "./m"
                  providers = { databricks = databricks.prod }
                }
                module "n" { source = "./m" }
            """,
            "m/main.tf": 'resource "databricks_job" "inside" {}\n',
        }
    )
    assert {row.key: (row.name, row.host) for row in seen.rows("terraform_roots")} == {
        "repository/terraform:.": ("none", None),
        "repository/terraform:.:account": ("none", "none"),
        "repository/terraform:.:prod": ("prod", "https://adb-1.azuredatabricks.net"),
    }
    assert {row.key.rpartition("jobs.")[2]: row.target for row in seen.rows("jobs")} == {
        "databricks_job.here": "repository/terraform:.",
        "databricks_job.there": "repository/terraform:.:prod",
        "module.m.databricks_job.inside": "repository/terraform:.:prod",
        "module.n.databricks_job.inside": "repository/terraform:.",
    }


def test_a_workspace_names_the_stage_where_nothing_else_does(read: Any) -> None:
    seen = read(
        'provider "databricks" {\n  host = "https://churn-prod.cloud.databricks.com"\n}\nresource "databricks_job" "j" {}\n'
    )
    assert list(seen.stages("jobs").values()) == ["production"]


@pytest.mark.parametrize("host", ["https://company.databricks.com", "https://<host>", "https://adb-xxxx.azuredatabricks.net"])
def test_a_host_that_nobody_filled_in(read: Any, host: str) -> None:
    seen = read('provider "databricks" {\n  host = "' + host + '"\n}\nresource "databricks_job" "j" {}\n')
    assert seen.one("terraform_roots").host is None
    assert seen.gaps("terraform_roots", lists=False)


def test_terraform_for_tests_is_left_out(read: Any) -> None:
    job = 'resource "databricks_job" "j" {}\n'
    seen = read({"tests/prod/main.tf": job, "infra/test/main.tf": job})
    assert [row.key for row in seen.rows("terraform_roots")] == ["repository/terraform:infra/test"]
    assert [(skip.path, skip.kind) for skip in seen.facts.skipped] == [("tests/prod", "tests")]
