"""The fact tables that Terraform fills, and which of them each type of resource can fill."""

from __future__ import annotations

#: Lists under objects of others: whoever cannot be told may add to them. What an object holds itself is not seen with it.
_GRANTS = frozenset({"grants", "effective_grants"})
_BRANCHES = frozenset({"branches"})
_MOUNTS = frozenset({"config_refs"})
OF_TYPES: dict[str, frozenset[str]] = {
    "databricks_catalog": frozenset({"securables", "catalogs"}),
    "databricks_schema": frozenset({"securables", "schemas", "target_catalogs"}),
    "databricks_sql_table": frozenset({"securables", "catalog_tables", "target_catalogs"}),
    "databricks_table": frozenset({"securables", "catalog_tables", "target_catalogs"}),
    "databricks_volume": frozenset({"securables", "target_catalogs"}),
    "databricks_registered_model": frozenset({"securables", "models", "target_catalogs"}),
    "databricks_external_location": frozenset({"securables", "external_locations"}),
    "databricks_storage_credential": frozenset({"securables"}),
    "databricks_grants": _GRANTS,
    "databricks_grant": _GRANTS,
    "databricks_workspace_binding": frozenset({"bindings"}),
    "databricks_catalog_workspace_binding": frozenset({"bindings"}),
    "databricks_job": frozenset({"jobs"}),
    "databricks_pipeline": frozenset({"jobs", "target_catalogs"}),
    "databricks_model_serving": frozenset({"served_entities"}),
    "databricks_mlflow_experiment": frozenset({"experiments"}),
    "databricks_mlflow_model": frozenset({"models"}),
    "databricks_mount": _MOUNTS,
    "databricks_aws_s3_mount": _MOUNTS,
    "databricks_azure_blob_mount": _MOUNTS,
    "databricks_azure_adls_gen1_mount": _MOUNTS,
    "databricks_azure_adls_gen2_mount": _MOUNTS,
    "databricks_mlflow_webhook": frozenset({"registry_hooks"}),
    "databricks_permissions": frozenset({"permissions", "entitlements"}),
    "databricks_entitlements": frozenset({"entitlements"}),
    "databricks_service_principal_federation_policy": frozenset({"ci_credentials"}),
    "databricks_group": frozenset({"entitlements"}),
    "databricks_user": frozenset({"entitlements"}),
    "databricks_service_principal": frozenset({"entitlements"}),
    "github_branch_protection": _BRANCHES,
    "github_branch_protection_v3": _BRANCHES,
    "github_repository_ruleset": _BRANCHES,
    "gitlab_branch_protection": _BRANCHES,
    "azuredevops_branch_policy_min_reviewers": _BRANCHES,
    "azuredevops_branch_policy_build_validation": _BRANCHES,
}
#: What Terraform is asked about only where it says something of it: the Git host, CI and bundles know the rest.
ELSEWHERE = frozenset({"branches", "ci_credentials", "config_refs"})
#: What resources of Databricks that nobody sees may fill.
_ALL = frozenset[str]().union(*OF_TYPES.values()) - ELSEWHERE
_LISTS = frozenset({"job_params", "tasks", "task_params", "task_libraries", "task_upstream", "table_keys"})
FILLS = _ALL | _LISTS | {"terraform_roots", "principal_summary"}


def of_type(kind: str | None) -> frozenset[str]:
    """The tables that resources of one type can fill; all where the type is not known."""
    return _ALL if kind is None else OF_TYPES.get(kind, frozenset())
