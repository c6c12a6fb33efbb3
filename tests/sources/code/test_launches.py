"""What tasks start code with, target by target: values that wait for it, and the tables that each target writes."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest
from tests.sources.code.reading import rows
from tests.sources.whole import gather_all

if TYPE_CHECKING:
    from lakewarden.facts.collect import Facts

BUNDLE = """
bundle:
  name: churn
variables:
  catalog:
    description: catalog of the stage
targets:
  dev:
    variables: {catalog: dev}
  prod:
    mode: production
    variables: {catalog: prod}
resources:
  jobs:
    score:
      parameters:
        - {name: job_level, default: of_job}
      tasks:
        - task_key: score
"""
NOTEBOOK = """
          notebook_task:
            notebook_path: src/score.py
            base_parameters:
"""
HEAD = "# Databricks notebook source\n"


def bundle(task: str, *lines: str) -> str:
    return BUNDLE + task + "".join(f"              {line}\n" for line in lines)


def read(task: str, code: str, **others: str) -> Facts:
    files = {
        "databricks.yml": task,
        "src/score.py": HEAD + dedent(code),
        **{f"src/{name}.py": text for name, text in others.items()},
    }
    return gather_all(files)


def writes(facts: Facts) -> list[tuple[Any, ...]]:
    return sorted(rows(facts, "stage_writes", "place", "table_name", "catalog"), key=str)


def call(facts: Facts) -> dict[str, Any]:
    return facts.rows["code_calls"][-1].__dict__


WRITE = 'df.write.saveAsTable(f"{catalog}.ml.scores")'


@pytest.mark.parametrize(
    "ask",
    [
        'catalog = dbutils.widgets.get("catalog")',
        'catalog = getArgument("catalog")',
        'dbutils.widgets.text("catalog", "other")\ncatalog = dbutils.widgets.get("catalog")',
        'catalog = dbutils.widgets.getAll()["catalog"]',
        'names = {"c": dbutils.widgets.get("catalog")}\ncatalog = names["c"]',
        'def stage():\n    return dbutils.widgets.get("catalog")\ncatalog = stage()',
        "from helper import catalog",
    ],
)
def test_each_target_writes_its_own_catalog(ask: str) -> None:
    facts = read(
        bundle(NOTEBOOK, "catalog: ${var.catalog}"), f"{ask}\n{WRITE}", helper='catalog = dbutils.widgets.get("catalog")'
    )
    assert writes(facts) == [("churn/dev", "dev.ml.scores", "dev"), ("churn/prod", "prod.ml.scores", "prod")]


@pytest.mark.parametrize(
    ("block", "code"),
    [
        (
            'python_file: src/score.py\n            parameters: ["--catalog", "${var.catalog}"]',
            'import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument("--catalog")\ncatalog = parser.parse_args().catalog',
        ),
        (
            'python_file: src/score.py\n            parameters: ["--catalog-name=${var.catalog}"]',
            'import argparse\np = argparse.ArgumentParser()\np.add_argument("--catalog-name")\nc, _ = p.parse_known_args()\ncatalog = c.catalog_name',
        ),
        ('python_file: src/score.py\n            parameters: ["${var.catalog}"]', "import sys\ncatalog = sys.argv[1]"),
        (
            'python_file: src/score.py\n            parameters: ["--catalog", "${var.catalog}"]',
            "import click\n@click.option('--catalog', default='x')\ndef main(catalog):\n    df.write.saveAsTable(catalog + '.ml.scores')  # skip",
        ),
    ],
)
def test_options_and_arguments(block: str, code: str) -> None:
    write = WRITE if "skip" not in code else ""
    facts = read(f"{BUNDLE}          spark_python_task:\n            {block}\n", f"{code}\n{write}")
    assert writes(facts) == [("churn/dev", "dev.ml.scores", "dev"), ("churn/prod", "prod.ml.scores", "prod")]


def test_environment_variables_and_settings_of_the_cluster() -> None:
    task = f"{NOTEBOOK.rstrip()} {{}}\n          new_cluster:\n            spark_env_vars: {{CATALOG: '${{var.catalog}}'}}\n            spark_conf: {{my.catalog: '${{var.catalog}}'}}\n"
    for ask in (
        'import os\ncatalog = os.environ["CATALOG"]',
        'import os\ncatalog = os.getenv("CATALOG", "x")',
        'catalog = spark.conf.get("my.catalog")',
    ):
        facts = read(BUNDLE + task, f"{ask}\n{WRITE}")
        assert [row[2] for row in writes(facts)] == ["dev", "prod"]


@pytest.mark.parametrize(
    ("default", "expected"),
    [
        (
            'dbutils.widgets.text("catalog", "main")\n',
            [("churn/dev", "main.ml.scores", "main"), ("churn/prod", "main.ml.scores", "main")],
        ),
        ("", [("churn/dev", "{catalog}.ml.scores", None), ("churn/prod", "{catalog}.ml.scores", None)]),
    ],
)
def test_what_the_job_does_not_give_has_its_default_or_is_not_known(default: str, expected: list[tuple[str, ...]]) -> None:
    facts = read(bundle(NOTEBOOK, "other: x"), f'{default}catalog = dbutils.widgets.get("catalog")\n{WRITE}')
    assert writes(facts) == expected
    told = [gap for gap in facts.gaps if gap.facts == "stage_writes" and gap.value]
    assert bool(told) is (expected[0][2] is None)


def test_parameters_that_cannot_be_read_leave_no_default() -> None:
    task = f"{NOTEBOOK.rstrip()} ${{var.nowhere}}\n"
    facts = read(BUNDLE + task, f'dbutils.widgets.text("catalog", "main")\ncatalog = dbutils.widgets.get("catalog")\n{WRITE}')
    assert {row[2] for row in writes(facts)} == {None}


def test_a_value_known_only_once_the_bundle_is_deployed_is_not_known() -> None:
    task = bundle(NOTEBOOK, "catalog: ${workspace.current_user.short_name}")
    facts = read(task, f'dbutils.widgets.text("catalog", "main")\ncatalog = dbutils.widgets.get("catalog")\n{WRITE}')
    assert {row[2] for row in writes(facts)} == {None}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('df.write.saveAsTable("prod.ml.t")', {"prod"}),
        ('spark.sql("INSERT INTO prod.ml.t VALUES (1)")', {"prod"}),
        ('df.writeTo("prod.ml.t").append()', {"prod"}),
        ('from delta.tables import DeltaTable\nDeltaTable.forName(spark, "prod.ml.t").delete()', {"prod"}),
        ('df.write.saveAsTable("hive_metastore.ml.t")', {"hive_metastore"}),
        ('spark.sql("USE CATALOG prod")\ndf.write.saveAsTable("ml.t")', {"prod"}),
        ('spark.catalog.setCurrentCatalog("prod")\ndf.write.saveAsTable("t")', {"prod"}),
        ('spark.sql("USE CATALOG a")\nspark.sql("USE CATALOG b")\ndf.write.saveAsTable("t")', {None}),
        ('df.write.saveAsTable("ml.t")', {None}),
        ("df.write.saveAsTable(name())", {None}),
        ('df.write.save("/Volumes/prod/ml/v/x")', set()),
        ('spark.table("prod.ml.t")', set()),
    ],
)
def test_writes_of_other_kinds(code: str, expected: set[str | None]) -> None:
    assert {row[2] for row in writes(read(bundle(NOTEBOOK, "x: y"), code))} == expected


def test_code_that_no_task_runs_writes_in_no_stage() -> None:
    assert writes(read(bundle(NOTEBOOK, "x: y"), "", unused='df.write.saveAsTable("prod.ml.t")')) == []


def test_the_section_of_a_configuration_file_that_the_target_picks() -> None:
    load = 'import yaml\nconf = yaml.safe_load(open("conf.yml"))\nenv = dbutils.widgets.get("env")\n'
    files = {
        "databricks.yml": bundle(NOTEBOOK, "env: ${bundle.target}"),
        "conf.yml": "dev: {catalog: c_dev}\nprod: {catalog: c_prod}\n",
    }
    for use in ('conf[env]["catalog"]', 'conf["catalog"]', '{"dev": "c_dev", "prod": "c_prod"}[env]'):
        facts = gather_all({**files, "src/score.py": f"{HEAD}{load}catalog = {use}\n{WRITE}"})
        assert writes(facts) == [("churn/dev", "c_dev.ml.scores", "c_dev"), ("churn/prod", "c_prod.ml.scores", "c_prod")]


def test_a_section_that_nothing_picks_is_not_known() -> None:
    files = {
        "databricks.yml": bundle(NOTEBOOK, "x: y"),
        "src/conf.yml": "us: {catalog: c_us}\neu: {catalog: c_eu}\n",
        "src/score.py": f'{HEAD}import yaml\ncatalog = yaml.safe_load(open("conf.yml"))[region]["catalog"]\n{WRITE}',
    }
    assert {row[2] for row in writes(gather_all(files))} == {None}


REGISTER = 'import mlflow\nname = dbutils.widgets.get("model")\nmlflow.register_model("runs:/1/m", name)'


@pytest.mark.parametrize(
    ("model", "argument", "levels"),
    [
        ("${var.catalog}.ml.churn", None, 3),
        ("main.ml.churn", "main.ml.churn", 3),
        ("churn", "churn", 1),
        ("${var.catalog}_churn", None, 1),
    ],
)
def test_what_all_targets_agree_on(model: str, argument: str | None, levels: int) -> None:
    facts = read(bundle(NOTEBOOK, f"model: {model}"), REGISTER)
    assert (call(facts)["argument"], call(facts)["name_levels"]) == (argument, levels)
    told = [gap.reason for gap in facts.gaps if gap.value and gap.facts == "code_calls" and "the argument" in gap.reason]
    assert bool(told) is (argument is None)


def test_where_no_task_starts_it_the_default_counts() -> None:
    facts = gather_all({"score.py": f'{HEAD}dbutils.widgets.text("model", "churn")\n{REGISTER}'})
    assert (call(facts)["argument"], call(facts)["name_levels"]) == ("churn", 1)
    facts = gather_all({"score.py": HEAD + REGISTER})
    assert (call(facts)["argument"], call(facts)["name_levels"]) == (None, None)


def test_a_path_and_a_version_that_are_given_stay_given() -> None:
    code = """
        import mlflow
        dbutils.widgets.text("experiment", "/Users/ann@acme.com/x")
        mlflow.set_experiment(dbutils.widgets.get("experiment"))
        client.set_registered_model_alias("a.b.c", "champion", dbutils.widgets.get("version"))
        mlflow.pyfunc.load_model(f"models:/a.b.c/{dbutils.widgets.get('version')}")
        """
    facts = read(bundle(NOTEBOOK, "experiment: /Shared/x", "version: 3"), code)
    experiment, alias, load = (row.__dict__ for row in facts.rows["code_calls"])
    assert experiment["path_place"] == "parameter"
    assert alias["version_from"] == "parameter"
    assert load["version_from"] == "parameter"


def test_the_catalog_of_a_uri_that_is_given() -> None:
    code = "import mlflow\nmlflow.pyfunc.load_model(f\"models:/{dbutils.widgets.get('model')}@champion\")"
    for model, named in (("a.b.c", "given"), ("churn", "none")):
        facts = read(bundle(NOTEBOOK, f"model: {model}"), code)
        assert [row.__dict__["named"] for row in facts.rows["code_literals"] if row.__dict__["kind"] == "model_uri"] == [named]


def test_data_at_a_path_that_is_given() -> None:
    code = 'spark.read.parquet(dbutils.widgets.get("path"))'
    assert rows(read(bundle(NOTEBOOK, "path: /mnt/raw"), code), "table_access", "address", "name") == [("mount", "/mnt/raw")]
    assert rows(read(bundle(NOTEBOOK, "x: y"), code), "table_access", "address", "name") == [(None, None)]


def test_the_configuration_of_a_pipeline() -> None:
    text = BUNDLE.partition("  jobs:")[0] + (
        "  pipelines:\n    p:\n      catalog: ${var.catalog}\n      configuration: {target_catalog: '${var.catalog}'}\n"
        "      libraries:\n        - notebook: {path: src/score.py}\n"
    )
    code = """
        import dlt
        catalog = spark.conf.get("target_catalog")

        @dlt.table(name=f"{catalog}.ml.scores")
        def scores():
            return spark.readStream.table("raw")

        @dlt.table
        def plain():
            return scores
        """
    facts = read(text, code)
    assert writes(facts) == [("churn/dev", "dev.ml.scores", "dev"), ("churn/prod", "prod.ml.scores", "prod")]


def test_jobs_that_could_not_be_read_leave_the_list_open() -> None:
    text = BUNDLE.partition("resources:")[0] + "python:\n  resources: ['jobs:load']\n"
    assert any(gap.facts == "stage_writes" and not gap.value for gap in read(text, "").gaps)
