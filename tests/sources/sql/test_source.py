"""The source of SQL over whole repositories."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from lakewarden.facts.collect import Facts
from lakewarden.policy.model import Policy
from lakewarden.sources.registry import read_repository
from lakewarden.sources.repository.layout import Layout
from lakewarden.sources.source import Context
from lakewarden.sources.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Mapping

BUNDLE = """
bundle:
  name: churn
variables:
  catalog:
    default: dev_ml
targets:
  dev:
    default: true
  prod:
    variables:
      catalog: prod_ml
resources:
  jobs:
    setup:
      tasks:
        - task_key: setup
          notebook_task:
            notebook_path: src/setup.py
            base_parameters:
              catalog: ${var.catalog}
"""


def gather(files: Mapping[str, str | bytes]) -> Facts:
    facts = Facts()
    tree = Tree.of_files(Path("nowhere"), {path: dedent(text) if isinstance(text, str) else text for path, text in files.items()})
    policy = Policy()
    read_repository(Context(tree, policy, Layout.of_tree(tree, policy), use_cache=False), facts)
    return facts


def rows(facts: Facts, table: str, *columns: str) -> list[tuple[Any, ...]]:
    return sorted((tuple(row.__dict__.get(column) for column in columns) for row in facts.rows[table]), key=str)


def tables(files: Mapping[str, str | bytes]) -> list[tuple[Any, ...]]:
    return rows(gather(files), "catalog_tables", "name", "table_type", "layer", "layer_by")


def keys(files: Mapping[str, str | bytes]) -> list[tuple[Any, ...]]:
    return rows(gather(files), "table_keys", "key", "is_timeseries")


def grants(files: Mapping[str, str | bytes]) -> list[tuple[Any, ...]]:
    return rows(gather(files), "grants", "securable", "principal", "privilege", "named")


NOTEBOOK = """\
# Databricks notebook source
spark.sql("USE CATALOG prod")

# COMMAND ----------

# MAGIC %sql
# MAGIC USE SCHEMA ml;
# MAGIC CREATE TABLE customers (id INT);

# COMMAND ----------

spark.sql("ALTER TABLE customers ADD CONSTRAINT pk PRIMARY KEY (id)")
orders.write.saveAsTable("orders")

# COMMAND ----------

# MAGIC %run ./other

# COMMAND ----------

more.write.saveAsTable("more")
"""


def test_cells_of_sql_and_python_are_followed_in_their_order() -> None:
    facts = gather({"a.py": NOTEBOOK})
    assert rows(facts, "catalog_tables", "key", "catalog") == [
        ("repository/?.?.more", None),
        ("repository/prod.ml.customers", "prod"),
        ("repository/prod.ml.orders", "prod"),
    ]
    (key,) = facts.rows["table_keys"]
    assert key.key == "repository/prod.ml.customers/id"
    assert key.origin is not None
    assert (key.origin.path, key.origin.line, key.origin.cell) == ("a.py", 12, 2)


def test_a_jupyter_notebook_has_cells_and_no_lines() -> None:
    notebook = '{"cells": [{"cell_type": "code", "source": ["%sql\\n", "GRANT SELECT ON TABLE prod.ml.t TO g"]}], "metadata": {}}'
    (grant,) = gather({"a.ipynb": notebook}).rows["grants"]
    assert grant.origin is not None
    assert grant.origin.cell == 0


@pytest.mark.parametrize(
    "code",
    [
        "spark.sql({text})",
        "spark.sql(sqlQuery={text})",
        "sqlContext.sql({text})",
        "self.spark.sql({text})",
        "from common import get_spark\nspark = get_spark()\nspark.sql({text})",
        "from pyspark.sql import SparkSession\nsession = SparkSession.builder.getOrCreate()\nsession.sql({text})",
        "statement = {text}\nspark.sql(statement)",
        "for statement in [{text}]:\n    spark.sql(statement)",
        "for statement in ({text}, 'SELECT 1'):\n    spark.sql(statement)",
        "from databricks import sql\nwith sql.connect() as c, c.cursor() as cursor:\n    cursor.execute({text})",
        "from databricks.sdk import WorkspaceClient\nw = WorkspaceClient()\nw.statement_execution.execute_statement({text}, 'id')",
        "w.statement_execution.execute_statement(warehouse_id='id', statement={text})",
        "for s in [{text}]:\n    try:\n        w.statement_execution.execute_statement(statement=s)\n    except ValueError as e:\n        print(e)",
        "def run_sql(statement):\n    spark.sql(statement)\n\nrun_sql({text})",
    ],
)
def test_where_sql_stands_in_python(code: str) -> None:
    assert grants({"a.py": code.format(text='"GRANT SELECT ON TABLE prod.ml.t TO g"')}) == [
        ("repository/prod.ml.t", "group:g", "SELECT", "prod")
    ]


@pytest.mark.parametrize(
    "code",
    [
        "print({text})",
        "# spark.sql({text})",
        "logger.info({text})",
        "HELP = {text}",
        "def f():\n    {text}",
        "import sqlite3\ncursor = sqlite3.connect('x').cursor()\ncursor.execute({text})",
    ],
)
def test_sql_that_nobody_runs(code: str) -> None:
    assert grants({"a.py": code.format(text='"GRANT SELECT ON TABLE prod.ml.t TO g"')}) == []


def test_what_a_test_grants_and_creates_is_no_part_of_the_lakehouse() -> None:
    facts = gather({"tests/test_a.py": "spark.sql('GRANT SELECT ON TABLE prod.ml.t TO g')\ndf.write.saveAsTable('prod.ml.x')"})
    assert facts.rows["grants"] == facts.rows["catalog_tables"] == []


def test_a_parameter_is_filled_in_for_each_target_that_runs_the_code() -> None:
    setup = """\
    # Databricks notebook source
    catalog = dbutils.widgets.get("catalog")
    spark.sql(f"GRANT SELECT ON SCHEMA {catalog}.ml TO readers")
    spark.sql("GRANT SELECT ON SCHEMA shared.ml TO readers")
    """
    facts = gather({"databricks.yml": BUNDLE, "src/setup.py": setup})
    assert rows(facts, "grants", "securable", "catalog", "target", "named") == [
        ("churn/dev/dev_ml.ml", "dev_ml", "churn/dev", "target"),
        ("churn/prod/prod_ml.ml", "prod_ml", "churn/prod", "target"),
        ("churn/shared.ml", "shared", None, "shared"),
    ]


def test_a_parameter_of_code_that_no_task_runs_is_said_to_be_one() -> None:
    assert grants({"a.sql": "GRANT SELECT ON SCHEMA ${catalog}.ml TO readers"}) == [
        ("repository/?.ml", "group:readers", "SELECT", "parameter")
    ]


def test_what_is_granted_twice_is_told_at_both_places() -> None:
    grant = "GRANT SELECT ON SCHEMA prod.ml TO readers"
    facts = gather({"a.sql": f"{grant};\n{grant}", "b.sql": grant})
    assert rows(facts, "grants", "key") == [
        ("repository/prod.ml/group:readers/SELECT",),
        ("repository/prod.ml/group:readers/SELECT@a.sql#1",),
        ("repository/prod.ml/group:readers/SELECT@b.sql#0",),
    ]


def test_owners_and_what_is_created() -> None:
    sql = "CREATE CATALOG prod; CREATE SCHEMA prod.ml; ALTER SCHEMA prod.ml OWNER TO `ann@acme.com`; CREATE VOLUME prod.ml.v"
    facts = gather({"a.sql": sql})
    assert rows(facts, "securables", "key", "kind", "owner", "owner_kind", "declared_in") == [
        ("repository/prod", "catalog", "deployer", "deployer", "code"),
        ("repository/prod.ml", "schema", "ann@acme.com", "user", "code"),
        ("repository/prod.ml.v", "volume", "deployer", "deployer", "code"),
    ]
    assert rows(facts, "catalogs", "name", "catalog_type") == [("prod", "MANAGED")]
    assert rows(facts, "schemas", "key", "catalog") == [("repository/prod.ml", "prod")]


def test_what_is_granted_on_a_schema_reaches_its_tables_in_other_files() -> None:
    facts = gather({"a.sql": "GRANT SELECT ON SCHEMA prod.ml TO g", "b.sql": "CREATE TABLE prod.ml.t (x INT)"})
    assert rows(facts, "effective_grants", "securable", "principal", "to_owner") == [
        ("repository/prod.ml", "group:g", False),
        ("repository/prod.ml.t", "group:g", False),
    ]


def test_what_code_grants_reaches_what_a_bundle_declares() -> None:
    bundle = """
    bundle: {name: churn}
    targets: {prod: {}, dev: {}}
    resources: {schemas: {ml: {catalog_name: "${bundle.target}", name: ml}}}
    """
    facts = gather({"databricks.yml": bundle, "a.sql": "GRANT SELECT ON CATALOG prod TO g"})
    assert ("churn/prod/prod.ml", "group:g") in rows(facts, "effective_grants", "securable", "principal")
    assert ("churn/dev/dev.ml", "group:g") not in rows(facts, "effective_grants", "securable", "principal")


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("fe.create_table(name='a.b.t', primary_keys=['id'])", [("id", False)]),
        ("fe.create_table('a.b.t', 'id')", [("id", False)]),
        ("fe.create_table(name='a.b.t', primary_keys=['id', 'ts'], timeseries_columns='ts')", [("id", False), ("ts", True)]),
        ("fe.create_table(name='a.b.t', primary_keys=['id'], timeseries_column='ts')", [("id", False), ("ts", True)]),
        ("fe.create_table(name='a.b.t', primary_keys=['id'], timestamp_keys=['ts'])", [("id", False), ("ts", True)]),
        ("fe.create_feature_table(name='a.b.t', keys='id')", [("id", False)]),
        ("fe.register_table(delta_table='a.b.t', primary_keys=['id'])", [("id", False)]),
        ("fe.create_table(name='a.b.t', primary_keys=keys)", [("?a.py#0", False)]),
        ("fe.create_table(name='a.b.t', primary_keys=['id'], timestamp_keys=when)", [("?a.py#1", True), ("id", None)]),
        ("fe.create_table(name='a.b.t')", []),
        ("fe.create_table(name='a.b.t', **options)", []),
    ],
)
def test_keys_of_the_feature_client(call: str, expected: list[tuple[str, bool | None]]) -> None:
    code = f"from databricks.feature_engineering import FeatureEngineeringClient\nfe = FeatureEngineeringClient()\n{call}"
    assert keys({"a.py": code}) == [(f"repository/a.b.t/{column}", time) for column, time in expected]


def test_keys_that_may_be_given_are_a_gap_and_none_are_none() -> None:
    start = "from databricks.feature_engineering import FeatureEngineeringClient\nfe = FeatureEngineeringClient()\n"
    hidden = gather({"a.py": start + "fe.create_table(name='a.b.t', **options)"})
    assert [gap.parent for gap in hidden.gaps if gap.facts == "table_keys"] == ["repository/a.b.t"]
    absent = gather({"a.py": start + "fe.create_table(name='a.b.t', df=df)"})
    assert not [gap for gap in absent.gaps if gap.facts == "table_keys"]


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("prod.ml.customer_features", "feature"),
        ("prod.feature_store.customers", "feature"),
        ("prod.features.customers", "feature"),
        ("prod.ml.feature_table", "feature"),
        ("prod.feature_store_example.trips", "other"),
        ("prod.ml.feature_importance", "other"),
        ("prod.ml.features_registry", "other"),
        ("prod.ml.customers", "other"),
        ("prod.ml.churn_labels", "label"),
        ("prod.features.labels", "label"),
        ("prod.ml.predictions", "prediction"),
        ("prod.ml.feature_drift", "monitor"),
        ("prod.raw.events", "raw"),
        ("prod.bronze.events", "raw"),
    ],
)
def test_layers_by_name(name: str, layer: str) -> None:
    assert tables({"a.sql": f"CREATE TABLE {name} (x INT)"}) == [(name, "MANAGED", layer, "name")]


def test_a_table_in_which_features_are_looked_up_is_one_of_features() -> None:
    lookup = "from databricks.feature_engineering import FeatureLookup\nFeatureLookup(table_name='prod.ml.t', lookup_key='id')"
    assert tables({"a.sql": "CREATE TABLE prod.ml.t (x INT)", "b.py": lookup}) == [("prod.ml.t", "MANAGED", "feature", "use")]
    facts = gather({"b.py": lookup})
    assert rows(facts, "catalog_tables", "table_type", "layer") == [(None, "feature")]
    assert [gap.parent for gap in facts.gaps if gap.facts == "table_keys"] == ["repository/prod.ml.t"]


def test_tables_of_pipelines() -> None:
    code = """\
    import dlt

    @dlt.table(schema="id INT NOT NULL, CONSTRAINT pk PRIMARY KEY (id)")
    def order_features():
        return spark.table("prod.raw.orders")

    @dlt.table(name="prod.ml.web_features")
    def web():
        return spark.table("prod.raw.clicks")
    """
    facts = gather({"a.py": code})
    assert rows(facts, "catalog_tables", "key", "table_type", "layer") == [
        ("repository/?.?.order_features", "MATERIALIZED_VIEW", "feature"),
        ("repository/prod.ml.web_features", "MATERIALIZED_VIEW", "feature"),
    ]
    assert [row.key for row in facts.rows["table_keys"]] == ["repository/?.?.order_features/id"]


def test_sql_of_another_system_is_left_alone() -> None:
    sql = "CREATE TABLE accounts (id SERIAL PRIMARY KEY, name VARCHAR(10));\nGRANT SELECT ON accounts TO web;\nSELECT 'x"
    facts = gather({"postgres.sql": sql})
    assert facts.rows["grants"] == facts.rows["catalog_tables"] == facts.rows["securables"] == []
    assert not [gap for gap in facts.gaps if gap.facts in ("files", "table_access", "securables")]


def test_a_statement_that_is_made_while_the_code_runs_may_grant() -> None:
    facts = gather({"a.py": "def run(query):\n    spark.sql(query)\n"})
    assert [(gap.facts, gap.project) for gap in facts.gaps if gap.facts == "securables"] == [("securables", "repository")]


def test_each_statement_and_cell_that_cannot_be_read_is_told() -> None:
    cells = ["spark.sql(a)", "x = (", "y = ["]
    code = "# Databricks notebook source\n" + "\n\n# COMMAND ----------\n\n".join(cells)
    facts = gather(
        {"a.py": "spark.sql(a)\nspark.sql(b)\n", "b.py": code, "c.sql": "EXECUTE IMMEDIATE x;\nEXECUTE IMMEDIATE y;\n"}
    )
    told = {(gap.origin.path, gap.origin.line) for gap in facts.gaps if gap.facts == "securables" and gap.origin is not None}
    assert told == {("a.py", 1), ("a.py", 2), ("b.py", 2), ("b.py", 6), ("b.py", 10), ("c.sql", 1), ("c.sql", 2)}


def test_a_file_full_of_what_cannot_be_read_stays_readable() -> None:
    facts = gather({"a.py": "".join(f"spark.sql(x{n})\n" for n in range(300))})
    assert 1 < len([gap for gap in facts.gaps if gap.facts == "securables"]) <= 20


def test_one_corrupt_file_changes_nothing_for_the_good_ones() -> None:
    good = {"a.sql": "GRANT SELECT ON SCHEMA prod.ml TO g; CREATE TABLE prod.ml.t (id INT PRIMARY KEY)", "b.py": NOTEBOOK}
    corrupt: dict[str, str | bytes] = {
        "bad.sql": b"\xff\xfeGRANT",
        "open.sql": "GRANT SELECT ON SCHEMA prod.x TO 'g",
        "nul.sql": b"GRANT \0 ON",
        "deep.sql": "(" * 20_000,
        "bad.py": "spark.sql(",
        "bad.ipynb": "{",
        "half.sql": "GRANT SELECT ON; CREATE TABLE; ALTER TABLE; USE; REVOKE; DENY ON TO; ALTER X OWNER TO",
    }
    alone, together = gather(good), gather({**good, **corrupt})
    for table in ("grants", "securables", "catalog_tables", "table_keys", "effective_grants"):
        assert {row.key for row in alone.rows[table]} == {row.key for row in together.rows[table]}
    told = {gap.origin.path for gap in together.gaps if gap.origin is not None}
    assert {"bad.sql", "open.sql", "nul.sql", "bad.py", "bad.ipynb", "half.sql"} <= told
