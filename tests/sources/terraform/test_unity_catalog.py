"""Catalogs, what is in them, who owns it and who may do what with it."""

from __future__ import annotations

from typing import Any

import pytest

SP = "8f4b1c7a-52d1-4f0e-9f0c-6d0d3a1b2c3d"


@pytest.mark.parametrize(
    ("body", "kind", "mode"),
    [
        ("", "MANAGED", "OPEN"),
        ('isolation_mode = "ISOLATED"', "MANAGED", "ISOLATED"),
        ("isolation_mode = null", "MANAGED", "OPEN"),
        ("isolation_mode = var.none", "MANAGED", None),
        ('connection_name = "pg"', "FOREIGN", "OPEN"),
        ("connection_name = databricks_connection.pg.id", "FOREIGN", "OPEN"),
        ("connection_name = var.none", None, "OPEN"),
        ('provider_name = "p"\nshare_name = "s"', "DELTASHARING", "OPEN"),
        ("lifecycle {\n ignore_changes = [isolation_mode]\n}", "MANAGED", None),
        ("lifecycle {\n ignore_changes = all\n}", "MANAGED", None),
        ("lifecycle {\n ignore_changes = [owner]\n}", "MANAGED", "OPEN"),
    ],
)
def test_catalogs(read: Any, body: str, kind: str | None, mode: str | None) -> None:
    connection = 'resource "databricks_connection" "pg" {}\n'
    seen = read(connection + 'resource "databricks_catalog" "c" {\nname = "Prod"\n' + body + "\n}\n")
    row = seen.one("catalogs")
    assert (row.key, row.name, row.catalog_type, row.isolation_mode) == ("repository/terraform:./prod", "prod", kind, mode)
    assert bool(seen.gaps("catalogs")) == (kind is None or mode is None)


@pytest.mark.parametrize(
    "binding",
    [
        'resource "databricks_workspace_binding" "b" {\nsecurable_name = databricks_catalog.c.name\nworkspace_id = 1\n}\n',
        'resource "databricks_catalog_workspace_binding" "b" {\nsecurable_name = "prod"\nworkspace_id = 1\n}\n',
        'resource "databricks_catalog_workspace_binding" "b" {\ncatalog_name = "PROD"\nworkspace_id = 1\n}\n',
    ],
)
def test_a_binding_says_that_a_catalog_is_isolated_somewhere(read: Any, binding: str) -> None:
    seen = read('resource "databricks_catalog" "c" {\nname = "prod"\n}\n' + binding)
    assert seen.one("catalogs").isolation_mode is None
    row = seen.one("bindings")
    assert (row.securable, row.workspace, row.binding_type) == ("repository/terraform:./prod", None, "BINDING_TYPE_READ_WRITE")
    assert {gap.facts for gap in seen.gaps()} == {"catalogs", "bindings"}


def test_bindings_of_other_things_and_of_what_cannot_be_told(read: Any) -> None:
    catalog = 'resource "databricks_catalog" "c" {\nname = "prod"\n}\n'
    other = 'resource "databricks_workspace_binding" "b" {\nsecurable_name = "%s"\nsecurable_type = "%s"\nworkspace_id = 1\n}\n'
    assert read(catalog + other % ("prod", "storage_credential")).one("catalogs").isolation_mode == "OPEN"
    assert read(catalog + other % ("dev", "catalog")).one("catalogs").isolation_mode == "OPEN"
    seen = read(catalog + 'resource "databricks_workspace_binding" "b" {\nsecurable_name = var.none\nworkspace_id = 1\n}\n')
    assert seen.one("catalogs").isolation_mode is None
    assert {gap.facts for gap in seen.gaps(lists=True)} == {"bindings"}


def test_isolation_binds_the_workspace_that_terraform_works_in(read: Any) -> None:
    seen = read({"envs/prod/main.tf": 'resource "databricks_catalog" "c" {\nname = "main"\nisolation_mode = "ISOLATED"\n}\n'})
    row = seen.one("bindings")
    assert (row.workspace, row.binding_type) == ("repository/terraform:envs/prod", None)
    assert list(seen.stages("bindings").values()) == ["production"]


def test_everything_that_has_a_full_name(read: Any) -> None:
    seen = read(
        """
        resource "databricks_schema" "s" {
          catalog_name = "Main"
          name = "ml"
        }
        resource "databricks_sql_table" "t" {
          catalog_name = databricks_schema.s.catalog_name
          schema_name = databricks_schema.s.name
          name = "raw_events"
          table_type = "external"
          data_source_format = "parquet"
        }
        resource "databricks_sql_table" "v" {
          catalog_name = "main"
          schema_name = "ml"
          name = "v"
          table_type = "VIEW"
        }
        resource "databricks_sql_table" "m" {
          catalog_name = "main"
          schema_name = "ml"
          name = "m"
          table_type = "MANAGED"
        }
        resource "databricks_volume" "v" {
          catalog_name = "main"
          schema_name = "ml"
          name = "files"
          volume_type = "MANAGED"
        }
        resource "databricks_registered_model" "m" {
          catalog_name = "main"
          schema_name = "ml"
          name = "churn"
        }
        resource "databricks_mlflow_model" "old" { name = "Old" }
        """
    )
    start = "repository/terraform:./"
    assert {row.key.removeprefix(start): row.kind for row in seen.rows("securables")} == {
        "main.ml": "schema",
        "main.ml.raw_events": "table",
        "main.ml.v": "table",
        "main.ml.m": "table",
        "main.ml.files": "volume",
        "main.ml.churn": "model",
    }
    assert {row.name: (row.table_type, row.format, row.layer) for row in seen.rows("catalog_tables")} == {
        "main.ml.raw_events": ("EXTERNAL", "PARQUET", "raw"),
        "main.ml.v": ("VIEW", "none", "other"),
        "main.ml.m": ("MANAGED", "DELTA", "other"),
    }
    assert {gap.cause.value for gap in seen.gaps("table_keys", lists=True)} == {"not-asked"}
    assert {(row.name, row.catalog, row.registry) for row in seen.rows("models")} == {
        ("main.ml.churn", "main", "unity_catalog"),
        ("old", "none", "workspace"),
    }


@pytest.mark.parametrize(
    ("owner", "expected"),
    [
        (None, ("deployer", "deployer")),
        ('"ann@acme.com"', ("user", "ann@acme.com")),
        (f'"{SP}"', ("service_principal", SP)),
        ('"data-engineers"', ("group", "data-engineers")),
        ('"account users"', ("everyone", "account users")),
        ("databricks_group.g.display_name", ("group", "owners")),
        (
            "databricks_service_principal.sp.application_id",
            ("service_principal", "repository/terraform:./databricks_service_principal.sp"),
        ),
        ("databricks_service_principal.named.application_id", ("service_principal", SP)),
        ("data.databricks_group.admins.display_name", ("group", "admins")),
        ("data.databricks_current_user.me.user_name", (None, None)),
        ("var.none", (None, None)),
    ],
)
def test_owners(read: Any, owner: str | None, expected: tuple[str | None, str | None]) -> None:
    rest = f"""
        resource "databricks_group" "g" {{ display_name = "owners" }}
        resource "databricks_service_principal" "sp" {{ display_name = "sp" }}
        resource "databricks_service_principal" "named" {{ application_id = "{SP}" }}
        data "databricks_group" "admins" {{ display_name = "admins" }}
        data "databricks_current_user" "me" {{}}
    """
    said = "" if owner is None else f"owner = {owner}"
    seen = read({"main.tf": f'resource "databricks_catalog" "c" {{\nname = "c"\n{said}\n}}\n', "rest.tf": rest})
    row = seen.one("securables")
    assert (row.owner_kind, row.owner) == expected
    assert bool(seen.gaps("securables")) == (expected[0] is None)


GRANTS = """
    resource "databricks_catalog" "c" { name = "prod" }
    resource "databricks_schema" "s" {
      catalog_name = databricks_catalog.c.name
      name = "ml"
      owner = "owners"
    }
    resource "databricks_grants" "c" {
      catalog = databricks_catalog.c.name
      grant {
        principal = "readers"
        privileges = ["USE_CATALOG", "use schema"]
      }
    }
    resource "databricks_grant" "s" {
      schema = databricks_schema.s.id
      principal = "owners"
      privileges = ["ALL_PRIVILEGES"]
    }
"""


def test_grants_and_what_is_inherited(read: Any) -> None:
    seen = read(GRANTS)
    start = "repository/terraform:./"
    assert {
        (row.securable.removeprefix(start), row.principal, row.principal_kind, row.privilege) for row in seen.rows("grants")
    } == {
        ("prod", "group:readers", "group", "USE_CATALOG"),
        ("prod", "group:readers", "group", "USE_SCHEMA"),
        ("prod.ml", "group:owners", "group", "ALL_PRIVILEGES"),
    }
    assert {(row.securable.removeprefix(start), row.privilege, row.to_owner) for row in seen.rows("effective_grants")} == {
        ("prod", "USE_CATALOG", False),
        ("prod", "USE_SCHEMA", False),
        ("prod.ml", "USE_CATALOG", False),
        ("prod.ml", "USE_SCHEMA", False),
        ("prod.ml", "ALL_PRIVILEGES", True),
    }
    assert seen.facts.gaps == []


def test_grants_of_one_root_module_on_what_another_makes(read: Any) -> None:
    files = {
        "uc/main.tf": 'resource "databricks_catalog" "c" {\nname = "prod"\n}\n',
        "access/main.tf": 'resource "databricks_grant" "g" {\ncatalog = "prod"\nprincipal = "readers"\nprivileges = ["SELECT"]\n}\n',
    }
    seen = read(files)
    assert seen.one("grants").securable == "repository/terraform:uc/prod"
    assert seen.one("securables").kind == "catalog"


def test_grants_on_what_nobody_here_declares(read: Any) -> None:
    seen = read('resource "databricks_grant" "g" {\nschema = "Prod.ML"\nprincipal = "a@b.c"\nprivileges = ["SELECT"]\n}\n')
    row = seen.one("securables")
    assert (row.key, row.kind, row.catalog, row.owner_kind) == ("repository/terraform:./prod.ml", "schema", "prod", "deployer")
    assert seen.one("grants").principal_kind == "user"


@pytest.mark.parametrize(
    ("text", "tables"),
    [
        ('catalog = "c"\nprincipal = "a"\nprivileges = var.none', {"grants", "effective_grants"}),
    ],
)
def test_grants_that_cannot_be_told_leave_lists_open(read: Any, text: str, tables: set[str]) -> None:
    seen = read('resource "databricks_grant" "g" {\n' + text + "\n}\n")
    assert seen.rows("grants") == []
    assert {gap.facts for gap in seen.gaps(lists=True)} == tables


@pytest.mark.parametrize(
    ("text", "folder", "named", "kind"),
    [
        ("catalog = var.given", "uc", "parameter", "catalog"),
        ('schema = "lake_${var.given}.ml"', "uc", "parameter", "schema"),
        ('schema = "${databricks_catalog.c.name}.ml"', "uc", "parameter", "schema"),
        ("catalog = var.given", "uc/prod", "target", "catalog"),
        ("catalog = data.other.x.name", "uc", None, "catalog"),
    ],
)
def test_a_grant_on_what_cannot_be_told_keeps_its_row(read: Any, text: str, folder: str, named: str | None, kind: str) -> None:
    made = 'variable "given" {}\nresource "databricks_catalog" "c" {\nname = "lake_${var.given}"\n}\n'
    grant = 'resource "databricks_grant" "g" {\n' + text + '\nprincipal = "account users"\nprivileges = ["MODIFY"]\n}\n'
    seen = read({f"{folder}/main.tf": made + grant})
    row = seen.one("grants")
    assert (row.catalog, row.named, row.principal_kind, row.privilege) == (None, named, "everyone", "MODIFY")
    assert seen.one("securables", key=row.securable).kind == kind
    assert {gap.facts for gap in seen.gaps(lists=True)} >= {"grants", "effective_grants"}
    assert {gap.facts for gap in seen.gaps(lists=False)} >= {"grants", "securables"}
    assert seen.one("securables", key=f"repository/terraform:{folder}/databricks_catalog.c").named in ("parameter", "target")


def test_a_principal_that_cannot_be_told_keeps_its_row(read: Any) -> None:
    seen = read('resource "databricks_grant" "g" {\ncatalog = "c"\nprincipal = var.none\nprivileges = ["SELECT", var.none]\n}\n')
    assert {(row.principal, row.privilege) for row in seen.rows("grants")} == {(None, "SELECT"), (None, None)}
    assert seen.gaps("grants", lists=False)


def test_dynamic_blocks(read: Any) -> None:
    text = """
        resource "databricks_grants" "g" {
          catalog = "c"
          dynamic "grant" {
            for_each = %s
            iterator = it
            content {
              principal = it.key
              privileges = it.value
            }
          }
        }
    """
    seen = read(text % '{ "a" = ["SELECT"], "b" = ["MODIFY"] }')
    assert sorted(seen.column("grants", "principal")) == ["group:a", "group:b"]
    assert seen.facts.gaps == []
    seen = read(text % "var.none")
    assert seen.rows("grants") == []
    assert {(gap.facts, gap.parent) for gap in seen.gaps(lists=True)} == {
        ("grants", "repository/terraform:./c"),
        ("effective_grants", "repository/terraform:./c"),
    }


@pytest.mark.parametrize(
    ("storage", "serves"),
    [
        ('"s3://bucket/prod"', True),
        ('"s3://bucket"', True),
        ('"s3://bucket-2/prod"', None),
        ("databricks_external_location.l.url", True),
        ("null", None),
        ("var.none", None),
    ],
)
def test_the_storage_of_a_production_catalog(read: Any, storage: str, serves: bool | None) -> None:
    location = 'resource "databricks_external_location" "l" {\nname = "l"\nurl = "s3://bucket/"\ncredential_name = "c"\n}\n'
    catalog = 'resource "databricks_catalog" "c" {\nname = "prod"\nstorage_root = %s\n}\n'
    assert read(location + catalog % storage).one("external_locations").serves_production is serves
    assert (
        read(location + catalog.replace("prod", "dev") % '"s3://bucket/x"').one("external_locations").serves_production is False
    )


def test_catalogs_that_stages_write(read: Any) -> None:
    body = 'resource "databricks_schema" "s" {\ncatalog_name = "shared"\nname = "%s"\n}\nresource "databricks_catalog" "own" {\nname = "own"\n}\n'
    seen = read({"envs/dev/main.tf": body % "a", "envs/prod/main.tf": body % "b", "infra/main.tf": body % "c"})
    assert {(row.target, row.catalog, row.schema, row.access) for row in seen.rows("target_catalogs")} == {
        ("repository/terraform:envs/dev", "shared", "a", "own"),
        ("repository/terraform:envs/prod", "shared", "b", "own"),
    }


def test_a_catalog_that_a_stage_makes_is_its_own(read: Any) -> None:
    schema = 'resource "databricks_schema" "s" {\ncatalog_name = databricks_catalog.c.name\nname = "a"\n}\n'
    assert (
        read({"prod/main.tf": 'resource "databricks_catalog" "c" {\nname = "main"\n}\n' + schema}).rows("target_catalogs") == []
    )
