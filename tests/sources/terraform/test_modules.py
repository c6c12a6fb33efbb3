"""Variables, locals, modules, repeated resources: what a root module makes."""

from __future__ import annotations

from typing import Any

import pytest

CATALOG = 'resource "databricks_catalog" "c" {\n  name = %s\n}\n'


def names(seen: Any) -> list[str | None]:
    return sorted(seen.column("catalogs", "name"), key=str)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"Prod"', "prod"),
        ("var.with_default", "d"),
        ("var.without", None),
        ("local.one", "d_x"),
        ("local.circle", None),
        ("local.none", None),
        ("var.none", None),
        ('"${terraform.workspace}_x"', None),
        ("var.object.name", "n"),
        ("var.object.kind", "k"),
        ('var.object.other == null ? "absent" : "there"', "absent"),
        ("var.texts[0]", "1"),
        ("each.key", None),
        ("databricks_schema.other.name", "s"),
        ("databricks_schema.other.id", "main.s"),
        ("databricks_cluster.x.id", None),
        ("data.databricks_catalog.d.name", "d"),
        ("data.databricks_current_user.me.home", "/users/${workspace.current_user.username}"),
        ('trimspace(file("${path.module}/name.txt"))', "from_file"),
        ('yamldecode(file("conf/x.yml")).name', "from_yaml"),
        ('file("none.txt")', None),
        ('fileexists("name.txt") ? "there" : "absent"', "there"),
        ('join("_", fileset("conf", "*.yml"))', "x.yml_y.yml"),
    ],
)
def test_the_name_of_a_catalog(read: Any, text: str, expected: str | None) -> None:
    rest = """
        variable "with_default" { default = "d" }
        variable "without" { type = string }
        variable "object" {
          type = object({ name = string, kind = optional(string, "k"), other = optional(string) })
          default = { name = "n" }
        }
        variable "texts" {
          type = list(string)
          default = [1]
        }
        locals {
          one = "${var.with_default}_x"
          circle = local.square
          square = local.circle
        }
        resource "databricks_schema" "other" {
          catalog_name = "main"
          name = "s"
        }
        data "databricks_catalog" "d" { name = "d" }
        data "databricks_current_user" "me" {}
        resource "databricks_cluster" "x" {}
    """
    files = {
        "main.tf": CATALOG % text,
        "rest.tf": rest,
        "name.txt": "from_file\n",
        "conf/x.yml": "name: from_yaml\n",
        "conf/y.yml": "",
    }
    seen = read(files)
    assert names(seen) == [expected]
    assert (expected is None) == bool(seen.gaps("securables", lists=False))


@pytest.mark.parametrize(
    ("meta", "expected"),
    [
        ('for_each = toset(["a", "b"])\n name = each.key', ["a", "b"]),
        ('for_each = { x = "a", y = "b" }\n name = "${each.key}_${each.value}"', ["x_a", "y_b"]),
        ('count = 2\n name = "c${count.index}"', ["c0", "c1"]),
        ('count = var.on ? 1 : 0\n name = "c"', ["c"]),
        ('count = var.on ? 0 : 1\n name = "c"', []),
        ("for_each = {}\n name = each.key", []),
        ('for_each = { for n in ["a", "b"] : n => { z = n } if n != "b" }\n name = each.value.z', ["a"]),
    ],
)
def test_repeated_resources(read: Any, meta: str, expected: list[str]) -> None:
    seen = read('variable "on" { default = true }\nresource "databricks_catalog" "c" {\n' + meta + "\n}\n")
    assert names(seen) == expected
    assert not seen.gaps(lists=True)


@pytest.mark.parametrize(
    "meta", ["for_each = var.x", "count = var.x", 'for_each = ["a"]', "count = -1 * var.x", "count = 100000"]
)
def test_repetitions_that_cannot_be_told_leave_the_list_open(read: Any, meta: str) -> None:
    seen = read('variable "x" {}\nresource "databricks_catalog" "c" {\n' + meta + '\n name = "c"\n}\n')
    assert names(seen) == []
    assert {gap.facts for gap in seen.gaps(lists=True)} == {"catalogs", "securables"}
    assert {gap.origin.line for gap in seen.gaps(lists=True)} == {2}


def test_a_module_is_seen_through_each_of_its_callers(read: Any) -> None:
    seen = read(
        {
            "modules/catalog/main.tf": """
                variable "env" { type = string }
                variable "suffix" { default = "sales" }
                resource "databricks_catalog" "this" { name = "${var.env}_${var.suffix}" }
                output "name" { value = databricks_catalog.this.name }
            """,
            "envs/prod/main.tf": """
                module "catalog" {
                  source = "../../modules/catalog"
                  env = "prod"
                }
                resource "databricks_schema" "s" {
                  catalog_name = module.catalog.name
                  name = "ml"
                }
            """,
            "envs/dev/main.tf": """
                module "catalog" {
                  for_each = toset(["a", "b"])
                  source = "../../modules/catalog"
                  env = "dev"
                  suffix = each.key
                }
                resource "databricks_schema" "s" {
                  catalog_name = module.catalog["b"].name
                  name = "ml"
                }
            """,
        }
    )
    assert sorted(row.key for row in seen.rows("catalogs")) == [
        "repository/terraform:envs/dev/dev_a",
        "repository/terraform:envs/dev/dev_b",
        "repository/terraform:envs/prod/prod_sales",
    ]
    assert {row.origin.path for row in seen.rows("catalogs")} == {"modules/catalog/main.tf"}
    assert sorted(seen.column("schemas", "catalog")) == ["dev_b", "prod_sales"]
    assert {row.key for row in seen.rows("terraform_roots")} == {
        "repository/terraform:envs/dev",
        "repository/terraform:envs/prod",
    }


def test_modules_in_modules(read: Any) -> None:
    seen = read(
        {
            "main.tf": 'module "a" {\n  source = "./a"\n  names = ["x", "y"]\n}\n',
            "a/main.tf": 'variable "names" {}\nmodule "b" {\n  count = length(var.names)\n  source = "../b"\n  name = var.names[count.index]\n}\n',
            "b/main.tf": 'variable "name" {}\n' + CATALOG % "var.name",
        }
    )
    assert names(seen) == ["x", "y"]


def test_modules_that_call_each_other_in_a_circle(read: Any) -> None:
    call = 'module "m" {\n  source = "../%s"\n}\n'
    seen = read({"a/main.tf": call % "b" + CATALOG % '"a"', "b/main.tf": call % "a"})
    assert names(seen) == ["a"]
    assert any("calls itself" in gap.reason for gap in seen.gaps("catalogs", lists=True))


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("databricks/examples/databricks//modules/uc", "not-asked"),
        ("git::https://github.com/acme/databricks-catalog.git?ref=v1", "not-asked"),
        ("./nowhere", "unresolved"),
        ("terraform-aws-modules/vpc/aws", None),
    ],
)
def test_modules_that_are_not_in_the_repository(read: Any, source: str, told: str | None) -> None:
    seen = read(CATALOG % '"c"' + 'module "m" {\n  source = "' + source + '"\n}\n')
    assert names(seen) == ["c"]
    assert {gap.cause.value for gap in seen.gaps("catalogs", lists=True)} == ({told} if told else set())


def test_an_override_replaces_what_it_names(read: Any) -> None:
    seen = read(
        {
            "main.tf": CATALOG % '"a"',
            "main_override.tf": 'resource "databricks_catalog" "c" {\n  isolation_mode = "ISOLATED"\n}\n',
        }
    )
    row = seen.one("catalogs")
    assert (row.name, row.isolation_mode) == ("a", "ISOLATED")


def test_the_json_form(read: Any) -> None:
    text = """{"variable": {"env": {"default": "prod"}},
        "resource": {"databricks_catalog": {"c": {"name": "${var.env}_x"}},
                     "databricks_grants": {"g": {"catalog": "${databricks_catalog.c.name}",
                       "grant": [{"principal": "team", "privileges": ["USE_CATALOG"]}]}}}}"""
    seen = read({"main.tf.json": text})
    assert names(seen) == ["prod_x"]
    assert seen.column("grants", "principal") == ["group:team"]


def test_a_repository_without_databricks_is_not_parsed(read: Any) -> None:
    seen = read({"main.tf": 'resource "aws_s3_bucket" "b" {\n', "m/main.tf": "a"})
    assert seen.facts.gaps == []
    assert seen.facts.files_read == 0


def test_work_is_bounded(read: Any) -> None:
    doubling = "".join(f'  l{n} = "${{local.l{n - 1}}}${{local.l{n - 1}}}"\n' for n in range(1, 60))
    seen = read('locals {\n  l0 = "x"\n' + doubling + "}\n" + CATALOG % "local.l59")
    assert names(seen) == [None]
    deep = "".join(f"  d{n} = local.d{n + 1}\n" for n in range(2000)) + '  d2000 = "x"\n'
    assert names(read("locals {\n" + deep + "}\n" + CATALOG % "local.d0")) == [None]
    nested = "[for a in l : [for b in l : [for c in l : [for d in l : d]]]]".replace("l", "range(100)")
    assert names(read(CATALOG % f"length(flatten({nested}))")) == [None]
