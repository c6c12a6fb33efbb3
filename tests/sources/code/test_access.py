from __future__ import annotations

import pytest
from tests.sources.code.reading import access, accesses, read


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        # reads by name
        ("spark.table('prod.ml.f')", ("read", "table", "prod.ml.f", "default")),
        ("spark.read.table('prod.ml.f')", ("read", "table", "prod.ml.f", "default")),
        ("spark.readStream.table('a.b.c')", ("read", "table", "a.b.c", "default")),
        ("spark.read.format('delta').table(f'{catalog}.ml.f')", ("read", "table", "{catalog}.ml.f", "delta")),
        ("spark.table('hive_metastore.ml.f')", ("read", "hive_metastore", "hive_metastore.ml.f", "default")),
        ("spark.table('samples.nyctaxi.trips')", ("read", "sample", "samples.nyctaxi.trips", "default")),
        ("spark.table(name)", ("read", "table", None, "default")),
        ("self.spark.read.table('a.b.c')", ("read", "table", "a.b.c", "default")),
        # reads by path
        ("spark.read.format('delta').load('/mnt/f')", ("read", "mount", "/mnt/f", "delta")),
        ("spark.read.load('dbfs:/mnt/f')", ("read", "mount", "dbfs:/mnt/f", "default")),
        ("spark.read.option('header', True).csv('s3://bucket/x')", ("read", "cloud", "s3://bucket/x", "csv")),
        (
            "spark.read.parquet('abfss://c@a.dfs.core.windows.net/x')",
            ("read", "cloud", "abfss://c@a.dfs.core.windows.net/x", "parquet"),
        ),
        ("spark.read.json('/Volumes/a/b/c')", ("read", "volume", "/Volumes/a/b/c", "json")),
        ("spark.read.json('dbfs:/Volumes/a/b/c')", ("read", "volume", "dbfs:/Volumes/a/b/c", "json")),
        ("spark.read.csv('dbfs:/databricks-datasets/x')", ("read", "sample", "dbfs:/databricks-datasets/x", "csv")),
        ("spark.read.csv('/databricks-datasets/x')", ("read", "sample", "/databricks-datasets/x", "csv")),
        ("spark.read.csv('file:/tmp/x')", ("read", "local", "file:/tmp/x", "csv")),
        ("spark.read.csv('/FileStore/x')", ("read", "dbfs", "/FileStore/x", "csv")),
        ("spark.read.csv('data/x')", ("read", "path", "data/x", "csv")),
        ("spark.read.format('csv').load(f'/mnt/{name}')", ("read", "mount", "/mnt/{name}", "csv")),
        ("spark.read.format('delta').load(path)", ("read", None, None, "delta")),
        ("spark.read.format(fmt).load('/mnt/x')", ("read", "mount", "/mnt/x", None)),
        ("spark.read.load('/mnt/x', format='csv')", ("read", "mount", "/mnt/x", "csv")),
        ("spark.readStream.format('cloudFiles').option('x', 1).load('/mnt/in')", ("read", "mount", "/mnt/in", "cloudfiles")),
        # writes
        ("df.write.saveAsTable('a.b.c')", ("write", "table", "a.b.c", "default")),
        ("df.write.format('parquet').mode('overwrite').saveAsTable('a.b.c')", ("write", "table", "a.b.c", "parquet")),
        ("df.write.mode('append').insertInto('a.b.c')", ("write", "table", "a.b.c", "default")),
        ("df.write.saveAsTable('a.b.c', format='parquet')", ("write", "table", "a.b.c", "parquet")),
        ("df.write.format('delta').save('/mnt/x')", ("write", "mount", "/mnt/x", "delta")),
        ("df.write.option('path', '/mnt/x').save()", ("write", "mount", "/mnt/x", "default")),
        ("df.write.mode('overwrite').parquet('gs://b/x')", ("write", "cloud", "gs://b/x", "parquet")),
        ("df.select('a').filter('b').write.csv('/dbfs/x')", ("write", "dbfs", "/dbfs/x", "csv")),
        ("df.writeTo('a.b.c').using('iceberg').createOrReplace()", ("write", "table", "a.b.c", "iceberg")),
        ("df.writeStream.format('delta').toTable('a.b.c')", ("write", "table", "a.b.c", "delta")),
        ("df.writeStream.option('checkpointLocation', '/x').start('/mnt/out')", ("write", "mount", "/mnt/out", "default")),
        ("w = df.write.format('orc')\nw.save('/mnt/x')", ("write", "mount", "/mnt/x", "orc")),
        # Delta
        ("from delta.tables import DeltaTable\nDeltaTable.forPath(spark, '/mnt/x')", ("read", "mount", "/mnt/x", "delta")),
        ("from delta.tables import *\nDeltaTable.forName(spark, 'a.b.c')", ("read", "table", "a.b.c", "delta")),
        (
            "from delta import DeltaTable\nDeltaTable.create(spark).tableName('a.b.c').execute()",
            ("write", "table", "a.b.c", "delta"),
        ),
        # Python
        ("import pandas as pd\npd.read_csv('/dbfs/x.csv')", ("read", "dbfs", "/dbfs/x.csv", "csv")),
        ("import pandas as pd\npd.read_csv('x.csv')", ("read", "local", "x.csv", "csv")),
        ("from pandas import read_parquet\nread_parquet('/Volumes/a/b/c/x')", ("read", "volume", "/Volumes/a/b/c/x", "parquet")),
        ("import pyspark.pandas as ps\nps.read_table('a.b.c')", ("read", "table", "a.b.c", "default")),
        ("df.to_csv('/dbfs/x.csv')", ("write", "dbfs", "/dbfs/x.csv", "csv")),
        ("with open('/dbfs/x', 'w') as f: pass", ("write", "dbfs", "/dbfs/x", "file")),
        ("f = open('/dbfs/x')", ("read", "dbfs", "/dbfs/x", "file")),
        ("dbutils.fs.mount(source='wasbs://x', mount_point='/mnt/x')", ("write", "mount", "/mnt/x", "default")),
        # SQL
        ("spark.sql('DROP TABLE IF EXISTS a.b.c')", ("drop", "table", "a.b.c", "default")),
        ("spark.sql(f'DROP TABLE {catalog}.b.c')", ("drop", "table", "{catalog}.b.c", "default")),
        ("spark.sql('CREATE TABLE a.b.c (x INT) USING PARQUET')", ("write", "table", "a.b.c", "parquet")),
        ("spark.sql('SELECT * FROM delta.`/mnt/x`')", ("read", "mount", "/mnt/x", "delta")),
        ("spark.sql('SELECT * FROM hive_metastore.x.y')", ("read", "hive_metastore", "hive_metastore.x.y", "default")),
        ("q = 'SELECT * FROM a.b.c WHERE x'\nspark.sql(q)", ("read", "table", "a.b.c", "default")),
    ],
)
def test_one_access(source: str, expected: tuple[str, str | None, str | None, str | None]) -> None:
    assert accesses(source) == [expected]


@pytest.mark.parametrize(
    "source",
    [
        "spark.read.format('jdbc').load()",
        "df.write.format('kafka').save()",
        "spark.read.format('mlflow-experiment').load(experiment)",
        "import pandas as pd\npd.read_csv('https://example.com/x.csv')",
        "df.to_csv('x.csv')",
        "open('x.csv')",
        "open(path)",
        "file.write('x')",
        "f.read()",
        "print('DROP TABLE a.b.c')",
        '"""\nspark.table(\'a.b.c\')\n"""',
        "# spark.table('a.b.c')",
        "spark.sql('SHOW TABLES IN a.b')",
        "spark.sql('GRANT SELECT ON TABLE a.b.c TO x')",
    ],
)
def test_no_access(source: str) -> None:
    assert accesses(source) == []


@pytest.mark.parametrize(
    "source", ["df.write.option('path', '/mnt/x').saveAsTable('a.b.c')", "df.write.saveAsTable(name='a.b.c', path='/mnt/x')"]
)
def test_a_path_that_goes_with_a_table(source: str) -> None:
    assert accesses(source) == [("write", "table", "a.b.c", "default"), ("write", "mount", "/mnt/x", "default")]


def test_a_location_goes_with_its_table() -> None:
    assert accesses("spark.sql(\"CREATE TABLE a.b.c USING DELTA LOCATION '/mnt/x'\")") == [
        ("write", "table", "a.b.c", "delta"),
        ("write", "mount", "/mnt/x", "default"),  # the format is told with the table
    ]


def test_the_folder_that_several_paths_share() -> None:
    source = """
        for name, path in {"a": "/mnt/x/a", "b": "/mnt/x/b"}.items():
            spark.read.csv(path)
        for path in ["/mnt/x", "dbfs:/x"]:
            spark.read.csv(path)
        for path in ["a", "b"]:
            spark.read.csv(f"/mnt/{path}")
        """
    assert [(a[1], a[2]) for a in accesses(source)] == [("mount", "/mnt/x/{*}"), (None, None), ("mount", "/mnt/{path}")]


def test_a_path_below_the_mount_of_dbfs_may_be_a_volume() -> None:
    assert accesses("import pandas as pd\npd.read_csv('/dbfs/' + x)") == [("read", None, "/dbfs/{x}", "csv")]


def test_a_delta_table_that_is_merged_is_written() -> None:
    source = """
        from delta.tables import DeltaTable
        target = DeltaTable.forName(spark, "a.b.c")
        target.alias("t").merge(df, "t.id = id").whenMatchedUpdateAll().execute()
        """
    assert [(a[0], a[2]) for a in accesses(source)] == [("read", "a.b.c"), ("write", "a.b.c")]


def test_feature_tables() -> None:
    source = """
        from databricks.feature_engineering import FeatureEngineeringClient
        fe = FeatureEngineeringClient()
        fe.create_table(name=f"{catalog}.ml.f", primary_keys=["id"], df=df)
        fe.write_table(name=f"{catalog}.ml.f", df=df)
        fe.read_table(name=f"{catalog}.ml.f")
        fe.drop_table(name=f"{catalog}.ml.f")
        """
    assert [(a.access, a.name, a.is_feature) for a in read(source).accesses] == [
        ("write", "{catalog}.ml.f", True),
        ("write", "{catalog}.ml.f", True),
        ("read", "{catalog}.ml.f", True),
        ("drop", "{catalog}.ml.f", True),
    ]


def test_what_is_not_known_is_explained() -> None:
    assert access("spark.read.format('delta').load(path)").unclear == ("its path",)
    assert access("spark.table(name)").unclear == ("the name of its table",)
    assert access("spark.table(f'{catalog}.a.b')").unclear == ()
    assert access("spark.sql(query())").unclear == ("the statement that it runs",)


def test_a_frame_read_from_a_parameter_is_still_a_frame() -> None:
    source = "def f(df, path):\n    df.write.parquet(path)\n"
    found = access(source)
    assert (found.access, found.address, found.format) == ("write", None, "parquet")


def test_several_paths() -> None:
    assert [a[2] for a in accesses("spark.read.parquet('/mnt/a', '/mnt/b')\nspark.read.csv(['/mnt/c', '/mnt/d'])")] == [
        "/mnt/a", "/mnt/b", "/mnt/c", "/mnt/d",
    ]  # fmt: skip


def test_a_look_up_of_features() -> None:
    source = """
        from databricks.feature_engineering import FeatureLookup
        a = FeatureLookup(table_name="prod.ml.f", lookup_key="id")
        b = FeatureLookup(table_name=f"{catalog}.ml.g", lookup_key="id", timestamp_lookup_key="ts")
        """
    assert [(found.table, found.by_time) for found in read(source).lookups] == [("prod.ml.f", False), (None, True)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import dlt\n@dlt.table\ndef scores(): ...", ("write", "table", "scores", "default")),
        ("import dlt\n@dlt.table()\ndef scores(): ...", ("write", "table", "scores", "default")),
        ("import dlt\n@dlt.table(name='ml.scores')\ndef f(): ...", ("write", "table", "ml.scores", "default")),
        (
            "from pyspark import pipelines as dp\n@dp.materialized_view(name='a.b.c')\ndef f(): ...",
            ("write", "table", "a.b.c", "default"),
        ),
        ("from dlt import table\n@table(comment='x')\ndef f(): ...", ("write", "table", "f", "default")),
        ("import dlt\ndlt.create_streaming_table('s')", ("write", "table", "s", "default")),
        ("import dlt\n@dlt.view\ndef f(): ...", None),
        ("from pyspark import pipelines as dp\n@dp.temporary_view()\ndef f(): ...", None),
        ("df.writeStream.format('delta').toTable('a.b.c')", ("write", "table", "a.b.c", "delta")),
        (
            "from delta import DeltaTable\nDeltaTable.createOrReplace(spark).tableName('a.b.c').execute()",
            ("write", "table", "a.b.c", "delta"),
        ),
        ("spark.catalog.createTable('a.b.c', source='parquet')", ("write", "table", "a.b.c", "parquet")),
        ("FeatureEngineeringClient().write_table(name='a.b.c', df=df)", ("write", "table", "a.b.c", "default")),
        ("df.to_parquet('/dbfs/x')", ("write", "dbfs", "/dbfs/x", "parquet")),
        ("frame.write_parquet('/dbfs/x')", ("write", "dbfs", "/dbfs/x", "parquet")),
    ],
)
def test_tables_of_pipelines_and_other_ways(source: str, expected: tuple[str, ...] | None) -> None:
    assert accesses(source) == ([] if expected is None else [expected])


def test_a_table_that_is_created_at_a_path() -> None:
    found = accesses("spark.catalog.createTable('a.b.c', path='/mnt/x', source='delta')")
    assert found == [("write", "table", "a.b.c", "delta"), ("write", "mount", "/mnt/x", "delta")]


def test_a_raw_table_of_a_pipeline_is_a_sign_of_ingestion() -> None:
    assert "ingestion" in read("import dlt\n@dlt.table\ndef raw_events(): ...").signs
    assert "ingestion" not in read("import dlt\n@dlt.table\ndef events(): ...").signs


def test_constants_of_a_class_are_what_the_class_says() -> None:
    source = 'import pandas as pd\nclass Config:\n    PATH = "/dbfs/FileStore/x.parquet"\ndef main():\n    pd.read_parquet(Config.PATH)\n'
    assert accesses(source) == [("read", "dbfs", "/dbfs/FileStore/x.parquet", "parquet")]
    moved = 'import pandas as pd\nclass Config:\n    PATH = "/dbfs/x"\nConfig.PATH = choose()\npd.read_parquet(Config.PATH)\n'
    assert accesses(moved) == [("read", None, None, "parquet")]


@pytest.mark.parametrize("name", ["'/dbfs/conf/a.yaml'", "f'/dbfs/conf/{x}.yml'", "'/dbfs/a.toml'", "'/dbfs/a.ini'"])
def test_files_of_settings_are_no_data(name: str) -> None:
    assert accesses(f"open({name})") == []
    assert [found[1] for found in accesses("open('/dbfs/conf/a.csv')")] == ["dbfs"]


_SESSION = "from pyspark.sql import SparkSession\nspark = SparkSession.builder"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (f"{_SESSION}.master('local[*]').getOrCreate()", ["local", "local", "cloud"]),
        (f"{_SESSION}.appName('a').master('local').getOrCreate()", ["local", "local", "cloud"]),
        (f"{_SESSION}.appName('a').getOrCreate()", ["path", "dbfs", "cloud"]),
        (f"# Databricks notebook source\n{_SESSION}.master('local[*]').getOrCreate()", ["path", "dbfs", "cloud"]),
        ("", ["path", "dbfs", "cloud"]),
    ],
)
def test_paths_of_a_session_that_a_script_makes(source: str, expected: list[str | None]) -> None:
    reads = "spark.read.parquet('data/a')\nspark.read.parquet('/data/a')\nspark.read.parquet('s3://a')\n"
    assert [found[1] for found in accesses(f"{source}\n{reads}")] == expected
