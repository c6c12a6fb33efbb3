from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lakewarden.sources.repository.code import sqlscan
from lakewarden.sources.repository.code.extract import extract
from lakewarden.sources.repository.sql.tokens import MAX_SQL, plain


def scan(sql: str) -> list[sqlscan.Found]:
    return sqlscan.scan(plain(sql))


WORDS = [
    "CREATE", "TABLE", "DROP", "INSERT", "INTO", "a.b.c", "FROM", "(", ")", "'", "USING", "LOCATION", "'/x'", ";", "AS",
    "SELECT", "IF",
]  # fmt: skip


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("CREATE OR REPLACE TABLE a.b.c AS SELECT * FROM d.e.f", [("write", "a.b.c"), ("read", "d.e.f")]),
        ("create table if not exists `a`.`b-x`.c (id int, PRIMARY KEY(id))", [("write", "`a`.`b-x`.c")]),
        (
            "CREATE OR REFRESH STREAMING TABLE x.y AS SELECT * FROM STREAM read_files('/mnt/x')",
            [("write", "x.y"), ("read", "/mnt/x")],
        ),
        ("CREATE TEMPORARY VIEW v AS SELECT * FROM a.b.c", [("read", "a.b.c")]),
        ("CREATE OR REPLACE VIEW a.b.v AS SELECT * FROM a.b.c", [("read", "a.b.c")]),
        ("CREATE MATERIALIZED VIEW a.b.v AS SELECT * FROM a.b.c", [("read", "a.b.c")]),
        ("CREATE FUNCTION a.b.f() RETURNS INT RETURN 1", []),
        ("CREATE SCHEMA IF NOT EXISTS a.b", [("schema", "a.b")]),
        ("CREATE DATABASE IF NOT EXISTS b LOCATION 's3://x/y'", [("write", "s3://x/y")]),
        ("CREATE SCHEMA a.b MANAGED LOCATION 's3://x/y'", [("schema", "a.b")]),
        ("CREATE CATALOG IF NOT EXISTS prod", []),
        ("CREATE CATALOG IF NOT EXISTS USING SHARE a.b", []),
        ("USE CATALOG prod; USE SCHEMA ml; SET CATALOG dev", [("catalog", "prod"), ("catalog", "dev")]),
        ("USE CATALOG IDENTIFIER(:c)", [("catalog", "\0")]),
        ("USE CATALOG IDENTIFIER('prod')", [("catalog", "prod")]),
        ("INSERT INTO IDENTIFIER(:c || '.ml.t') SELECT * FROM a.b.d", [("write", "\0.ml.t"), ("read", "a.b.d")]),
        (
            "INSERT INTO a.b.c SELECT * FROM a.b.d JOIN a.b.e USING (id)",
            [("write", "a.b.c"), ("read", "a.b.d"), ("read", "a.b.e")],
        ),
        ("INSERT OVERWRITE TABLE a.b.c VALUES (1)", [("write", "a.b.c")]),
        ("MERGE INTO a.b.c t USING a.b.d s ON t.id = s.id", [("write", "a.b.c"), ("read", "a.b.d")]),
        ("UPDATE a.b.c SET x = 1", [("write", "a.b.c")]),
        ("DELETE FROM a.b.c WHERE x", [("write", "a.b.c")]),
        ("TRUNCATE TABLE a.b.c", [("write", "a.b.c")]),
        ("COPY INTO a.b.c FROM 's3://x/y' FILEFORMAT = PARQUET", [("write", "a.b.c"), ("read", "s3://x/y")]),
        ("WITH t AS (SELECT * FROM a.b.c) SELECT * FROM t", [("read", "a.b.c")]),
        ("SELECT extract(year FROM t.d), trim(both FROM t.x) FROM a.b.c", [("read", "a.b.c")]),
        ("SELECT * FROM a.b.f(1)", []),
        ("-- DROP TABLE a.b.c\n/* DROP TABLE a.b.c */ SELECT 'DROP TABLE a.b.c'", []),
        ("DROP VIEW a.b.v", []),
        ("ALTER TABLE a.b.c SET TBLPROPERTIES (x = 1)", []),
        ("", []),
        (";;;", []),
        ("DROP TABLE", []),
        ("CREATE TABLE", []),
        ("INSERT INTO", []),
    ],
)
def test_statements(sql: str, expected: list[tuple[str, str]]) -> None:
    assert [(found.kind, found.name) for found in scan(sql)] == expected


def test_formats_and_locations() -> None:
    table, location = scan("CREATE TABLE a.b.c (x INT)\nUSING parquet\nOPTIONS (a = 'b')\nLOCATION 's3://x/y'")
    assert (table.format, table.is_path) == ("parquet", False)
    assert (location.name, location.format, location.is_path, location.is_place) == ("s3://x/y", "default", True, True)
    (found,) = scan("SELECT * FROM read_files('/Volumes/a', format => 'csv')")
    assert (found.format, found.is_arrival) == ("csv", True)


@pytest.mark.parametrize(
    ("source", "form"),
    [
        ("cloud_files('s3://a', 'csv')", "cloudfiles"),
        ("STREAM read_files('s3://a', format => 'csv')", "cloudfiles"),
        ("STREAM(read_files('s3://a', format => 'csv'))", "cloudfiles"),
        ("read_files('s3://a', format => 'csv')", "csv"),
        ("read_files('s3://a')", "default"),
    ],
)
def test_files_as_they_arrive(source: str, form: str) -> None:
    (_, found) = scan(f"CREATE OR REFRESH STREAMING TABLE a.b.c AS SELECT * FROM {source}")
    assert (found.name, found.format, found.is_path, found.is_arrival) == ("s3://a", form, True, True)


def test_files_that_are_read_where_they_lie_do_not_arrive() -> None:
    assert not any(found.is_arrival for found in scan("SELECT * FROM delta.`s3://a`; CREATE TABLE a.b.c LOCATION 's3://a'"))
    assert [found.is_arrival for found in scan("COPY INTO a.b.c FROM 's3://x/y' FILEFORMAT = PARQUET")] == [False, True]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("CREATE TEMP VIEW v USING csv OPTIONS (header 'true', `path` '/x')", [("read", "/x", "csv")]),
        ("CREATE TEMP VIEW v USING org.x OPTIONS (path '/x')", []),
        ("CREATE TABLE t USING json OPTIONS (path = '/x')", [("write", "t", "json"), ("write", "/x", "default")]),
        ("CREATE TABLE t USING json OPTIONS (paths 'x')", [("write", "t", "json")]),
        ("CREATE TABLE t USING json OPTIONS (", [("write", "t", "json")]),
        ("CREATE TABLE t USING json OPTIONS (path", [("write", "t", "json")]),
        ("INSERT OVERWRITE DIRECTORY '/x' USING csv SELECT * FROM a.b", [("write", "/x", "csv"), ("read", "a.b", "default")]),
        ("INSERT OVERWRITE LOCAL DIRECTORY '/x' SELECT 1", []),
        ("INSERT OVERWRITE DIRECTORY", []),
        ("VACUUM delta.`/x` RETAIN 0 HOURS", [("write", "/x", "delta")]),
        ("CONVERT TO DELTA parquet.`/x`", [("write", "/x", "delta")]),
        ("VACUUM a.b", []),
    ],
)
def test_files_that_statements_name(sql: str, expected: list[tuple[str, str, str]]) -> None:
    assert [(found.kind, found.name, found.format) for found in scan(sql)] == expected


def test_a_location_inside_the_query_is_none_of_the_table() -> None:
    assert [found.kind for found in scan("CREATE TABLE a.b.c AS SELECT location '/x' FROM d")] == ["write"]


def test_where_it_stands() -> None:
    sql = "SELECT 1;\nDROP TABLE a.b.c"
    (found,) = scan(sql)
    assert sql[found.at :].startswith("a.b.c")


@example("SELECT * FROM a.b.c")
@given(st.text(alphabet="abc.`'\"();,-/*\n \0{}$:%", max_size=80) | st.text(max_size=60))
def test_any_text_can_be_scanned(sql: str) -> None:
    for found in scan(sql):
        assert found.kind in ("read", "write", "drop", "catalog")


@given(st.lists(st.sampled_from(WORDS), max_size=14))
def test_any_order_of_words_can_be_scanned(words: list[str]) -> None:
    for found in scan(" ".join(words)):
        assert found.name is not None


def test_what_stands_behind_the_longest_text_is_told() -> None:
    sql = "-- a comment\n" * (MAX_SQL // 13 + 1) + "GRANT SELECT ON TABLE prod.ml.x TO `account users`;\n"
    problems = extract(sql.encode(), "src/grants.sql").problems
    assert [problem.cause for problem in problems] == ["unresolved"]
    assert not extract(sql[-60:].encode(), "src/grants.sql").problems
