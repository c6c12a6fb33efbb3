from __future__ import annotations

import pytest
from tests.sources.code.reading import literals, read


@pytest.mark.parametrize(
    ("uri", "value", "named", "by"),
    [
        ("'models:/prod.ml.churn@champion'", "models:/prod.ml.churn@champion", "prod", "alias"),
        ("'models:/churn/Production'", "models:/churn/Production", "none", "stage"),
        ("'models:/churn@Production'", "models:/churn@Production", "none", "alias"),
        ("'models:/churn/3'", "models:/churn/3", "none", "number"),
        ("'models:/churn/latest'", "models:/churn/latest", "none", "latest"),
        ("f'models:/{name}/Staging'", "models:/{name}/Staging", None, "stage"),
        ("'models:/' + name + '/Production'", "models:/{name}/Production", None, "stage"),
        ("'models:/{}/Production'.format(name)", "models:/{?}/Production", None, "stage"),
        ("'models:/%s/Production' % name", "models:/{name}/Production", None, "stage"),
        ("f'models:/prod.ml.{name}/{dbutils.widgets.get(\"v\")}'", "models:/prod.ml.{name}/{v}", "prod", "parameter"),
        ("f'models:/{name}/{version}'", "models:/{name}/{version}", None, None),
        ("f'models:/{name}@{alias}'", "models:/{name}@{alias}", None, "alias"),
    ],
)
def test_uris_of_models(uri: str, value: str, named: str | None, by: str | None) -> None:
    (found,) = literals(f"x = {uri}", "model_uri")
    assert (found.named, found.version_by) == (named, by)
    assert found.value.replace("{name}", "{?}") == value.replace("{name}", "{?}")


@pytest.mark.parametrize(
    "source",
    [
        "print('models:/churn/Production')",
        "logger.info(f'loading models:/{name}/Production')",
        "raise ValueError('models:/churn/Production')",
        "assert x, 'models:/churn/Production'",
        "'''models:/churn/Production'''",
        "# models:/churn/Production",
        "if uri.startswith('models:/'): pass",
        "x = 'models:/churn'",
        "displayHTML('<b>models:/churn/Production</b>')",
    ],
)
def test_dead_text(source: str) -> None:
    assert literals(source, "model_uri") == []


def test_a_run_is_kept_where_a_model_is_loaded_by_it_only() -> None:
    source = """
        import mlflow
        uri = f"runs:/{run_id}/model"
        mlflow.register_model(uri, "a")
        mlflow.pyfunc.load_model(uri)
        """
    assert [(found.value, found.version_by, found.named) for found in literals(source, "model_uri")] == [
        ("runs:/{run_id}/model", "run", "given")
    ]


@pytest.mark.parametrize(
    ("source", "named", "default"),
    [
        ("catalog = 'prod'", "prod", False),
        ("CATALOG_NAME: str = 'Prod'", "prod", False),
        ("self.uc_catalog = 'prod'", "prod", False),
        ("f(catalog='prod')", "prod", False),
        ("x = {'catalog': 'prod'}", "prod", False),
        ("x['catalog'] = 'prod'", "prod", False),
        ("def f(catalog='prod'): ...", "prod", True),
        ("def f(*, catalog='prod'): ...", "prod", True),
        ("dbutils.widgets.text('catalog', 'prod')", "prod", True),
        ("dbutils.widgets.dropdown(name='catalog', defaultValue='prod', choices=[])", "prod", True),
        ("parser.add_argument('--catalog', default='prod')", "prod", True),
        ("import os\nos.getenv('CATALOG', 'prod')", "prod", True),
        ("spark.conf.get('my.catalog', 'prod')", "prod", True),
        ("spark.sql('USE CATALOG prod')", "prod", False),
        ("spark.sql('USE CATALOG `prod`')", "prod", False),
        ("spark.catalog.setCurrentCatalog('prod')", "prod", False),
    ],
)
def test_catalogs(source: str, named: str, default: bool) -> None:
    assert [(found.named, found.is_default) for found in literals(source, "catalog")] == [(named, default)]


@pytest.mark.parametrize(
    ("source", "value", "write", "default"),
    [
        ("spark.table('prod.ml.f')", "prod.ml.f", False, False),
        ("spark.table(f'prod.ml.{x}')", "prod.ml.{x}", False, False),
        ("df.write.saveAsTable('prod.ml.f')", "prod.ml.f", True, False),
        ("spark.sql('DROP TABLE prod.ml.f')", "prod.ml.f", True, False),
        ("dbutils.widgets.text('input_table', 'prod.ml.f')", "prod.ml.f", None, True),
        ("output_table = 'prod.ml.f'", "prod.ml.f", None, False),
        ("import mlflow\nmlflow.register_model(u, 'prod.ml.f')", "prod.ml.f", True, False),
        (
            "from databricks.feature_engineering import FeatureLookup\nFeatureLookup(table_name='prod.ml.f')",
            "prod.ml.f",
            False,
            False,
        ),
    ],
)
def test_tables(source: str, value: str, write: bool | None, default: bool) -> None:
    assert [(f.value, f.named, f.is_write, f.is_default) for f in literals(source, "table")] == [(value, "prod", write, default)]


@pytest.mark.parametrize(
    "source",
    [
        "spark.table(f'{catalog}.ml.f')",
        "spark.table('ml.f')",
        "module = 'sklearn.ensemble.forest'",
        "model_host = 'www.example.com'",
        "input_file = 'a.b.csv'",
        "logging.getLogger('a.b.c')",
    ],
)
def test_no_table(source: str) -> None:
    assert literals(source, "table") == []


def test_a_catalog_in_a_constant_is_told_where_it_is_written() -> None:
    source = """
        CATALOG = "prod"
        spark.table(f"{CATALOG}.ml.f")
        spark.table(f"{CATALOG}.ml.g")
        """
    assert [(f.kind, f.span.line) for f in read(source).literals] == [("catalog", 2)]


def test_a_catalog_in_a_constant_of_another_name_is_told_once() -> None:
    source = """
        where = "prod"
        spark.table(f"{where}.ml.f")
        spark.table(f"{where}.ml.g")
        """
    assert [(f.kind, f.named, f.span.line) for f in read(source).literals] == [("table", "prod", 3)]


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("https://ADB-12.3.azuredatabricks.net/api", ["https://adb-12.3.azuredatabricks.net"]),
        ("dbc-1a2b.cloud.databricks.com", ["https://dbc-1a2b.cloud.databricks.com"]),
        ("https://1.gcp.databricks.com?o=1", ["https://1.gcp.databricks.com"]),
        ("https://docs.databricks.com/x", []),
        ("https://accounts.cloud.databricks.com", []),
        ("https://<workspace>.azuredatabricks.net", []),
    ],
)
def test_hosts(text: str, hosts: list[str]) -> None:
    assert [found.value for found in literals(f"HOST = {text!r}", "host")] == hosts


def test_experiments() -> None:
    source = """
        import mlflow
        mlflow.set_experiment("/Shared/churn")
        mlflow.set_experiment(f"/Shared/{env}/churn")
        dbutils.widgets.text("experiment_name", "/Shared/default")
        """
    assert [(f.value, f.named, f.is_default, f.is_write) for f in literals(source, "experiment")] == [
        ("/Shared/churn", "/Shared/churn", False, True),
        ("/Shared/default", "/Shared/default", True, None),
    ]


@pytest.mark.parametrize(
    ("source", "named", "write", "default"),
    [
        ("VOLUME = '/Volumes/prod/ml/raw'", "prod", None, False),
        ("spark.read.csv('/Volumes/prod/ml/raw')", "prod", False, False),
        ("df.write.save('dbfs:/Volumes/prod/ml/raw')", "prod", True, False),
        ("open('/dbfs/Volumes/prod/ml/raw/a.txt', 'w')", "prod", True, False),
        ("dbutils.widgets.text('path', '/Volumes/prod/ml/raw')", "prod", None, True),
    ],
)
def test_volumes(source: str, named: str, write: bool | None, default: bool) -> None:
    assert [(f.named, f.is_write, f.is_default) for f in literals(source, "volume")] == [(named, write, default)]


def test_a_volume_of_a_variable_catalog_names_none() -> None:
    assert read("spark.read.csv(f'/Volumes/{catalog}/ml/raw')").literals == ()


def test_what_is_written_through_a_variable_counts_where_the_variable_is_set() -> None:
    source = """
        import mlflow
        model_name = "prod.ml.churn"
        mlflow.MlflowClient().set_registered_model_alias(model_name, "champion", 3)
        """
    assert [(f.value, f.is_write, f.span.line) for f in read(source).literals] == [("prod.ml.churn", True, 3)]


def test_an_experiment_is_told_once_by_the_call_that_uses_it() -> None:
    found = literals("import mlflow\nmlflow.set_experiment(experiment_name='/Shared/dev/churn')", "experiment")
    assert [(f.value, f.is_write) for f in found] == [("/Shared/dev/churn", True)]


@pytest.mark.parametrize(
    "source",
    [
        "dbutils.widgets.text('model_uri', 'models:/churn/1')",
        "parser.add_argument('--model-uri', default='models:/churn/1')",
        "import os\nos.getenv('MODEL_URI', 'models:/churn/1')",
    ],
)
def test_a_uri_may_be_a_default(source: str) -> None:
    assert [f.is_default for f in literals(source, "model_uri")] == [True]


def test_a_host_may_be_a_default() -> None:
    assert [f.is_default for f in literals("dbutils.widgets.text('h', 'https://a-dev.cloud.databricks.com')", "host")] == [True]


def test_a_uri_beside_a_default_is_none() -> None:
    source = "import mlflow\nload('models:/churn/1')\ndbutils.widgets.text('model_uri', 'models:/churn/1')"
    assert [f.is_default for f in literals(source, "model_uri")] == [False, True]


@pytest.mark.parametrize(
    ("uri", "by"),
    [
        ("f'runs:/{run.info.run_id}/model'", "run"),
        ("f'runs:/{dbutils.widgets.get(\"run_id\")}/model'", "parameter"),
        ("'runs:/0a1b/model'", "run"),
    ],
)
def test_a_run_may_be_a_parameter(uri: str, by: str) -> None:
    found = literals(f"import mlflow\nrun = mlflow.start_run()\nmlflow.pyfunc.load_model({uri})", "model_uri")
    assert [f.version_by for f in found] == [by]


def test_an_entry_of_a_stage_may_name_that_stage() -> None:
    source = """
        settings = {
            "dev": {"catalog": "churn_dev"},
            "prod": {"catalog": "churn_prod", "source_catalog": "sales_dev"},
            "catalog": "churn_staging",
        }
        """
    assert [f.named for f in read(source).literals] == ["sales_dev", "churn_staging"]


@pytest.mark.parametrize(
    "source",
    [
        "from loguru import logger\nlogger.info('load models:/churn/3')",
        "from acme.log import LOGGER\nLOGGER.warning('load models:/churn/3')",
    ],
)
def test_what_a_logger_of_another_module_shows_names_nothing(source: str) -> None:
    assert literals(source, "model_uri") == []


@pytest.mark.parametrize(
    "sql",
    [
        "concat( 'models:/churn ', kind, '/Production')",
        "'models:/churn_' || m.kind || '/Production'",
    ],
)
def test_a_uri_that_sql_joins(sql: str) -> None:
    (found,) = literals(f'df.withColumn("uri", fn.expr("{sql}"))', "model_uri")
    assert found.version_by == "stage"
    assert found.value.endswith("kind}/Production")


def test_a_uri_that_sql_joins_without_version() -> None:
    assert literals("df.selectExpr(\"concat('models:/churn', kind)\", \"concat('models:/a', 'b')\")", "model_uri") == []
