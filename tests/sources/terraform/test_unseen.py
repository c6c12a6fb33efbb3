"""What is not seen is a gap, never a complete list, a default or a pass."""

from __future__ import annotations

import json

import pytest
from tests.sources.terraform.conftest import see

_PROVIDER = 'provider "databricks" {\n  host = "https://acme.cloud.databricks.com"\n}\n'
_REQUIRED = 'terraform {\n  required_providers {\n    databricks = {\n      source = "databricks/databricks"\n    }\n  }\n}\n'


@pytest.mark.parametrize("reached", [_PROVIDER, _REQUIRED], ids=["provider", "required provider"])
@pytest.mark.parametrize(
    "source",
    ['"./nope"', '"../../nope"', "var.source", '"git::https://git.acme.com/platform/uc.git?ref=v1"', '"git@git.acme.com:uc.git"'],
)
def test_a_module_that_is_not_in_the_repository_may_make_anything(reached: str, source: str) -> None:
    seen = see({"prod/main.tf": f'{reached}module "m" {{\n  source = {source}\n}}\n'})
    assert {"catalogs", "grants", "jobs"} <= {gap.facts for gap in seen.gaps(lists=True)}


def test_a_module_that_is_given_the_provider_may_make_anything() -> None:
    call = 'module "m" {\n  source = "app.terraform.io/acme/lake/aws"\n  providers = {\n    databricks = databricks\n  }\n}\n'
    assert see({"prod/main.tf": _PROVIDER + call}).gaps("catalogs", lists=True)


@pytest.mark.parametrize("source", ["terraform-aws-modules/vpc/aws", "Azure/naming/azurerm", "app.terraform.io/acme/net/google"])
def test_a_module_of_another_cloud_makes_nothing_of_databricks(source: str) -> None:
    assert not see({"prod/main.tf": f'{_PROVIDER}module "m" {{\n  source = "{source}"\n}}\n'}).gaps()


def test_terraform_without_databricks_says_nothing() -> None:
    files = {"main.tf": 'provider "aws" {}\nmodule "m" {\n  source = "git::https://git.acme.com/x.git"\n}\n'}
    assert not see(files).gaps()
    assert not see(files).rows("terraform_roots")


_CATALOG = 'resource "databricks_catalog" "c" {\n  name = "prod"\n}\n'


@pytest.mark.parametrize("path", ["prod/main.tf", "prod/tfplan.json"])
def test_a_file_in_utf_16_is_not_passed_over(path: str) -> None:
    plan = json.dumps({"format_version": "1.2", "planned_values": {"root_module": {"resources": []}}})
    assert see({path: (_CATALOG if path.endswith(".tf") else plan).encode("utf-16")}).gaps("catalogs", lists=True)


def test_a_plan_that_is_too_large_is_counted() -> None:
    seen = see({"prod/tfplan.json": b" " * 10_000_001})
    assert [(skipped.path, skipped.kind) for skipped in seen.facts.skipped] == [("prod/tfplan.json", "unreadable")]


def test_a_file_of_variables_elsewhere_that_cannot_be_read_is_told() -> None:
    files = {"infra/main.tf": 'variable "n" {\n  default = "dev"\n}\n' + _CATALOG.replace('"prod"', "var.n")}
    assert see({**files, "envs/prod.tfvars": b'n = "\xe9"\n'}).gaps("catalogs", lists=True)


def test_no_set_of_variables_is_dropped_in_silence() -> None:
    files: dict[str, str | bytes] = {f"prod-{n}.tfvars": f'n = "c{n}"\n' for n in range(40)}
    files["main.tf"] = 'variable "n" {}\n' + _CATALOG.replace('"prod"', "var.n")
    seen = see(files)
    assert len(seen.rows("catalogs")) == 40 or seen.gaps("catalogs", lists=True)


def test_endpoints_whose_models_are_not_known() -> None:
    seen = see(
        {
            "main.tf": """
            resource "databricks_model_serving" "s" {
              name = "s"
              config {
                dynamic "served_entities" {
                  for_each = var.models
                  content {
                    entity_name = served_entities.value
                  }
                }
              }
            }
            """
        }
    )
    assert seen.gaps("served_entities", lists=True)


def test_a_hook_whose_receiver_is_not_known_is_not_verified() -> None:
    seen = see(
        {
            "main.tf": """
            resource "databricks_mlflow_webhook" "h" {
              events = ["MODEL_VERSION_CREATED"]
              dynamic "http_url_spec" {
                for_each = var.urls
                content {
                  url = http_url_spec.value
                }
              }
            }
            """
        }
    )
    assert (seen.one("registry_hooks").tls_verified, seen.one("registry_hooks").secret_literal) == (None, None)


def test_who_uses_a_cluster_policy_is_not_known_where_the_level_is_not() -> None:
    seen = see(
        {
            "main.tf": """
            resource "databricks_permissions" "p" {
              cluster_policy_id = "1"
              access_control {
                group_name       = "users"
                permission_level = var.level
              }
            }
            """
        }
    )
    assert [(row.__dict__["principal"], row.__dict__["starts_compute"]) for row in seen.rows("entitlements")] == [
        ("group:users", None)
    ]
    assert seen.gaps("entitlements")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("enforcement = var.e\nrules {\n  pull_request {\n    required_approving_review_count = 1\n  }\n}", (None, True)),
        ('enforcement = "active"\nrules {\n  pull_request {\n    required_approving_review_count = 1\n  }\n}', (1, True)),
        (
            'enforcement = "active"\nrules {\n  dynamic "pull_request" {\n    for_each = var.r\n    content {}\n  }\n}',
            (None, True),
        ),
    ],
)
def test_a_ruleset_that_may_not_be_enforced_asks_for_nothing_known(body: str, expected: tuple[int | None, bool | None]) -> None:
    include = 'conditions {\n  ref_name {\n    include = ["refs/heads/main"]\n    exclude = []\n  }\n}\n'
    seen = see({"main.tf": f'resource "github_repository_ruleset" "r" {{\ntarget = "branch"\n{body}\n{include}}}\n'})
    row = seen.one("branches")
    assert (row.required_approvals, row.allows_force_push) == expected


def test_a_catalog_without_a_value_is_not_left_out_of_what_a_stage_reaches() -> None:
    schema = 'resource "databricks_schema" "s" {\n  catalog_name = var.catalog\n  name = "ml"\n}\nvariable "catalog" {}\n'
    assert see({"environments/prod/main.tf": schema}).gaps("target_catalogs", lists=True)


def test_a_principal_that_a_federation_lets_in_for_an_environment_without_a_stage() -> None:
    seen = see(
        {
            "main.tf": """
            resource "databricks_service_principal" "deploy" {
              display_name = "deploy"
            }
            resource "databricks_service_principal_federation_policy" "p" {
              service_principal_id = databricks_service_principal.deploy.id
              policy_id            = "p"
              oidc_policy {
                issuer  = "https://token.actions.githubusercontent.com"
                subject = "repo:acme/churn:environment:blue"
              }
            }
            """
        }
    )
    assert [row.__dict__["acts_in"] for row in seen.rows("principal_stages")] == [None]


def test_terragrunt_is_told() -> None:
    seen = see({"prod/databricks/terragrunt.hcl": 'terraform {\n  source = "git::https://git.acme.com/platform/uc.git"\n}\n'})
    assert {"catalogs", "grants", "jobs"} <= {gap.facts for gap in seen.gaps(lists=True)}


def test_terragrunt_of_another_cloud_is_only_named() -> None:
    seen = see({"prod/vpc/terragrunt.hcl": 'terraform {\n  source = "tfr:///acme/vpc/aws"\n}\n'})
    assert not seen.facts.gaps
    assert [skipped.path for skipped in seen.facts.skipped] == ["prod/vpc/terragrunt.hcl"]
