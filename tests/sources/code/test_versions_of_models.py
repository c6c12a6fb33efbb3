"""Which version is promoted, which model is registered: REG004 and DEP008 rest on this."""

from __future__ import annotations

import pytest
from tests.sources.code.reading import call, calls

CLIENT = "from mlflow import MlflowClient\nclient = MlflowClient()\n"
SEARCH = "mlflow.search_model_versions"


@pytest.mark.parametrize(
    "source",
    [
        "v = max(int(mv.version) for mv in client.search_model_versions(f\"name='{n}'\"))",
        "v = max([int(mv.version) for mv in client.search_model_versions('x')])",
        "vs = client.search_model_versions('x')\nv = max(vs, key=lambda m: int(m.version)).version",
        "vs = client.search_model_versions('x')\nv = sorted(vs, key=lambda m: m.version)[-1].version",
        "v = sorted(client.search_model_versions('x'), key=lambda m: m.creation_timestamp, reverse=True)[0]",
        "v = client.search_model_versions('x', order_by=['version_number DESC'], max_results=1)[0].version",
        "v = client.search_model_versions('x')[0].version",
        "latest = 0\nfor mv in client.search_model_versions('x'):\n    n = int(mv.version)\n    if n > latest:\n        latest = n\nv = latest",
        "v = None\nfor mv in client.search_model_versions('x'):\n    if v is None or int(mv.version) > v:\n        v = int(mv.version)",
        "v = 1\nfor mv in client.search_model_versions('x'):\n    v = max(v, int(mv.version))",
    ],
)
def test_picking_the_newest(source: str) -> None:
    text = f"{CLIENT}{source}\nclient.set_registered_model_alias('a.b.c', 'champion', v)"
    assert call(text, SEARCH).version_from == "newest"
    assert call(text, "mlflow.set_registered_model_alias").version_from == "found"


def test_picking_the_newest_in_a_function_as_templates_do() -> None:
    source = f"""{CLIENT}
import mlflow
def get_latest_model_version(model_name):
    latest_version = 1
    mlflow_client = MlflowClient(registry_uri="databricks-uc")
    for mv in mlflow_client.search_model_versions(f"name='{{model_name}}'"):
        version_int = int(mv.version)
        if version_int > latest_version:
            latest_version = version_int
    return latest_version
version = get_latest_model_version(name)
mlflow.pyfunc.load_model(f"models:/{{name}}/{{version}}")
"""
    assert call(source, SEARCH).version_from == "newest"
    assert call(source, "mlflow.load_model").version_from == "found"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("for mv in client.search_model_versions('x'):\n    client.delete_model_version(mv.name, mv.version)", "none"),
        ("n = len(client.search_model_versions('x'))", "none"),
        ("v = client.search_model_versions(f\"run_id='{run_id}'\")[0]", "run"),
        ("v = sorted(client.search_model_versions('x'), key=lambda m: m.tags['auc'])[-1]", "newest"),
        ("v = max(int(m.version) for m in client.search_model_versions('x') if m.run_id == run_id)", "none"),
        ("v = max([m.version for m in client.search_model_versions('x') if run.info.run_id == m.run_id and m])", "none"),
    ],
)
def test_other_searches(source: str, expected: str) -> None:
    assert call(f"{CLIENT}{source}", SEARCH).version_from == expected


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("3", "literal"),
        ("'3'", "literal"),
        ("mlflow.register_model('runs:/1/m', 'a').version", "run"),
        ("mlflow.sklearn.log_model(m, 'm', registered_model_name='a').registered_model_version", "run"),
        ("dbutils.widgets.get('version')", "parameter"),
        ("dbutils.jobs.taskValues.get('train', 'version')", "parameter"),
        ("os.environ['VERSION']", "parameter"),
        ("args.version", None),
        ("client.get_model_version_by_alias('a', 'challenger').version", "alias"),
        ("client.get_latest_versions('a', stages=['None'])[0].version", "found"),
        ("max(v.version for v in client.search_model_versions('a') if v.run_id == run_id)", "run"),
        ("str(int(dbutils.widgets.get('version')))", "parameter"),
    ],
)
def test_where_a_version_comes_from(version: str, expected: str | None) -> None:
    source = f"import mlflow, os\n{CLIENT}client.set_registered_model_alias('a.b.c', 'champion', {version})"
    assert call(source, "mlflow.set_registered_model_alias").version_from == expected


def test_arguments_of_the_command_line_are_parameters() -> None:
    source = f"""{CLIENT}
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--version")
args = parser.parse_args()
client.set_registered_model_alias("a.b.c", "champion", args.version)
"""
    assert call(source, "mlflow.set_registered_model_alias").version_from == "parameter"


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("'models:/a.b.c@champion'", "alias"),
        ("f'models:/{name}@champion'", "alias"),
        ("'models:/a.b.c/3'", "literal"),
        ("'models:/a/latest'", "newest"),
        ("f'models:/{n}/{dbutils.widgets.get(\"v\")}'", "parameter"),
        ("f'runs:/{run_id}/model'", "run"),
        ("uri", None),
    ],
)
def test_what_is_loaded(uri: str, expected: str | None) -> None:
    assert call(f"import mlflow\nmlflow.pyfunc.load_model({uri})", "mlflow.load_model").version_from == expected
    assert call(f"import mlflow\nmlflow.pyfunc.spark_udf(spark, {uri})", "mlflow.spark_udf").version_from == expected


@pytest.mark.parametrize(
    ("setup", "uri", "expected"),
    [
        ("with mlflow.start_run() as run: pass", "f'runs:/{run.info.run_id}/model'", "run"),
        ("run_id = mlflow.active_run().info.run_id", "'runs:/' + run_id + '/model'", "run"),
        ("info = mlflow.sklearn.log_model(m, 'm')", "info.model_uri", "run"),
        ("info = mlflow.sklearn.log_model(m, name='m')", "f'models:/{info.model_id}'", "run"),
        (
            "best = mlflow.search_runs(order_by=['metrics.auc DESC'], max_results=1)",
            "f'runs:/{best.iloc[0].run_id}/model'",
            "search",
        ),
        (
            "best = MlflowClient().search_runs(['1'], order_by=['metrics.auc DESC'])[0]",
            "'runs:/{}/model'.format(best.info.run_id)",
            "search",
        ),
        (
            "with mlflow.start_run() as p:\n    best = mlflow.search_runs(filter_string=f\"tags.mlflow.parentRunId = '{p.info.run_id}'\")",
            "f'runs:/{best.run_id[0]}/model'",
            "run",
        ),
        ("", "f'runs:/{dbutils.widgets.get(\"run\")}/model'", "parameter"),
        ("", "'models:/staging.ml.churn/3'", "copy"),
        ("", "uri", None),
        ("", "'runs:/0123/model'", None),
    ],
)
def test_which_model_is_registered(setup: str, uri: str, expected: str | None) -> None:
    source = f"import mlflow\nfrom mlflow import MlflowClient\n{setup}\nmlflow.register_model({uri}, 'a.b.c')"
    assert call(source, "mlflow.register_model").model_from == expected


def test_which_model_a_logged_one_is() -> None:
    source = """
        import mlflow
        mlflow.sklearn.log_model(m, "m")
        mlflow.sklearn.log_model(m, "m", registered_model_name="a.b.c")
        mlflow.sklearn.log_model(m, "m", **options)
        """
    assert [found.model_from for found in calls(source, "mlflow.log_model")] == ["none", "run", None]
