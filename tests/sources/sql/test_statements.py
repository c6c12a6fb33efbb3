from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakewarden.sources.repository.code.result import Granted, Made, Owned, Span, SqlStatement, Unread, Used
from lakewarden.sources.repository.code.values import HOLE
from lakewarden.sources.repository.sql.read import is_foreign, read_statements
from lakewarden.sources.repository.sql.tokens import plain, statements, unclosed


def read(sql: str) -> list[SqlStatement]:
    text = plain(sql)
    return list(read_statements(text, lambda at: Span(line=1 + text.sql.count("\n", 0, at))))


def one(sql: str) -> SqlStatement:
    (found,) = read(sql)
    return found


def grant(sql: str) -> tuple[str, list[str], str, str, list[str]]:
    found = one(sql)
    assert isinstance(found, Granted)
    name = "" if found.name is None else found.name.text
    return found.verb, [p.text for p in found.privileges], found.kind, name, [p.text for p in found.principals]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("GRANT SELECT ON TABLE a.b.c TO g", ("grant", ["SELECT"], "table", "a.b.c", ["g"])),
        ("grant select on a.b.c to `data scientists`", ("grant", ["SELECT"], "table", "a.b.c", ["data scientists"])),
        (
            "GRANT SELECT, MODIFY ON SCHEMA a.b TO ann@acme.com",
            ("grant", ["SELECT", "MODIFY"], "schema", "a.b", ["ann@acme.com"]),
        ),
        ("GRANT ALL PRIVILEGES ON CATALOG a TO g", ("grant", ["ALL_PRIVILEGES"], "catalog", "a", ["g"])),
        ("GRANT ALL ON CATALOG a TO g", ("grant", ["ALL_PRIVILEGES"], "catalog", "a", ["g"])),
        ("GRANT CREATE MODEL VERSION ON MODEL a.b.c TO g", ("grant", ["CREATE_MODEL_VERSION"], "model", "a.b.c", ["g"])),
        ("GRANT USAGE, CREATE ON DATABASE a.b TO g", ("grant", ["USE_SCHEMA", "CREATE"], "schema", "a.b", ["g"])),
        ("GRANT USAGE ON CATALOG a TO g", ("grant", ["USE_CATALOG"], "catalog", "a", ["g"])),
        ("GRANT CREATE CATALOG ON METASTORE TO g", ("grant", ["CREATE_CATALOG"], "metastore", "", ["g"])),
        ("GRANT READ FILES ON EXTERNAL LOCATION `l-1` TO g", ("grant", ["READ_FILES"], "external_location", "`l-1`", ["g"])),
        (
            "GRANT CREATE EXTERNAL TABLE ON STORAGE CREDENTIAL s TO g",
            ("grant", ["CREATE_EXTERNAL_TABLE"], "storage_credential", "s", ["g"]),
        ),
        ("GRANT USE CONNECTION ON CONNECTION k TO g", ("grant", ["USE_CONNECTION"], "connection", "k", ["g"])),
        ("GRANT READ VOLUME ON VOLUME a.b.v TO g", ("grant", ["READ_VOLUME"], "volume", "a.b.v", ["g"])),
        ("GRANT EXECUTE ON FUNCTION a.b.f TO g", ("grant", ["EXECUTE"], "function", "a.b.f", ["g"])),
        ("GRANT SELECT ON MATERIALIZED VIEW a.b.v TO g", ("grant", ["SELECT"], "table", "a.b.v", ["g"])),
        ("GRANT SELECT (id, name) ON TABLE a.b.c TO g", ("grant", ["SELECT"], "table", "a.b.c", ["g"])),
        ("GRANT SELECT ON TABLE a.b.c TO g, h WITH GRANT OPTION", ("grant", ["SELECT"], "table", "a.b.c", ["g", "h"])),
        ("GRANT SELECT ON TABLE a.b.c TO 'ann@acme.com'", ("grant", ["SELECT"], "table", "a.b.c", ["ann@acme.com"])),
        ("REVOKE ALL PRIVILEGES ON TABLE a.b.c FROM g", ("revoke", ["ALL_PRIVILEGES"], "table", "a.b.c", ["g"])),
        ("DENY SELECT ON TABLE a.b.c TO g", ("deny", ["SELECT"], "table", "a.b.c", ["g"])),
        ("GRANT SELECT ON TABLE ${c}.b.t TO `{{ g }}`", ("grant", ["SELECT"], "table", f"{HOLE}.b.t", [HOLE])),
        ("GRANT SELECT ON TABLE IDENTIFIER(:c || '.b.t') TO g", ("grant", ["SELECT"], "table", f"{HOLE}.b.t", ["g"])),
        ("GRANT SELECT ON TABLE table TO g", ("grant", ["SELECT"], "table", "table", ["g"])),
    ],
)
def test_grants(sql: str, expected: tuple[str, list[str], str, str, list[str]]) -> None:
    assert grant(sql) == expected


@pytest.mark.parametrize(
    "sql",
    [
        "-- GRANT SELECT ON TABLE a.b.c TO g",
        "/* GRANT SELECT ON TABLE a.b.c TO g; */ SELECT 1",
        "SELECT 'GRANT SELECT ON TABLE a.b.c TO g'",
        "GRANT SELECT ON SHARE s TO RECIPIENT r",
        "GRANT SELECT ON ALL TABLES IN SCHEMA s TO PUBLIC",
        "GRANT USAGE ON SCHEMA s TO PUBLIC",
        "GRANT USAGE ON WAREHOUSE w TO ROLE r",
        "GRANT SELECT ON TABLE a TO ROLE r",
        "GRANT admin TO ann",
        "GRANT USE CATALOG ON CATALOG <catalog> TO g",
        "GRANT USE CATALOG ON CATALOG a TO `<your principal>`",
        "ALTER TABLE a.b.c SET TAGS ('x' = 'y')",
        "ALTER SCHEMA a.b SET TAGS ('owner' = 'x')",
        "ALTER DATABASE x OWNER TO <owner>",
        "COMMENT ON TABLE a.b.c IS 'GRANT'",
        "SHOW GRANTS ON TABLE a.b.c",
        "CREATE FUNCTION a.b.f() RETURNS STRING LANGUAGE PYTHON AS $$ GRANT SELECT ON TABLE a TO b; $$; SELECT 1",
    ],
)
def test_what_grants_nothing(sql: str) -> None:
    assert not [found for found in read(sql) if isinstance(found, (Granted, Owned, Unread))]


@pytest.mark.parametrize(
    "sql", ["GRANT SELECT ON TABLE a.b.c", "GRANT SELECT ON TABLE a.b.c FOR g", "REVOKE SELECT ON TABLE a.b.c TO g"]
)
def test_a_grant_that_does_not_parse_is_told(sql: str) -> None:
    found = one(sql)
    assert isinstance(found, Unread)
    assert found.verb == "grant"


@pytest.mark.parametrize(
    ("sql", "kind", "name", "owner"),
    [
        ("ALTER TABLE a.b.c OWNER TO `g h`", "table", "a.b.c", "g h"),
        ("ALTER TABLE a.b.c SET OWNER TO g", "table", "a.b.c", "g"),
        ("ALTER CATALOG a OWNER TO `ann@acme.com`", "catalog", "a", "ann@acme.com"),
        ("ALTER EXTERNAL LOCATION l OWNER TO g", "external_location", "l", "g"),
        ("ALTER MATERIALIZED VIEW a.b.v OWNER TO g", "table", "a.b.v", "g"),
        ("ALTER MODEL a.b.m OWNER TO ${g}", "model", "a.b.m", HOLE),
    ],
)
def test_owners(sql: str, kind: str, name: str, owner: str) -> None:
    found = one(sql)
    assert isinstance(found, Owned)
    assert (found.kind, found.name.text, found.owner.text) == (kind, name, owner)


def made(sql: str) -> Made:
    found = one(sql)
    assert isinstance(found, Made)
    return found


@pytest.mark.parametrize(
    ("sql", "kind", "table_type"),
    [
        ("CREATE TABLE a.b.c (x INT)", "table", "MANAGED"),
        ("CREATE OR REPLACE TABLE a.b.c AS SELECT 1 AS location", "table", "MANAGED"),
        ("CREATE TABLE a.b.c (x INT) LOCATION 's3://x'", "table", "EXTERNAL"),
        ("CREATE EXTERNAL TABLE a.b.c (x INT) LOCATION 's3://x'", "table", "EXTERNAL"),
        ("CREATE OR REPLACE TEMP VIEW a.b.c AS SELECT 1", "table", "temporary"),
        ("CREATE VIEW a.b.c AS SELECT 1", "table", "VIEW"),
        ("CREATE OR REFRESH MATERIALIZED VIEW a.b.c AS SELECT 1", "table", "MATERIALIZED_VIEW"),
        ("CREATE OR REFRESH LIVE TABLE a.b.c AS SELECT 1", "table", "MATERIALIZED_VIEW"),
        ("CREATE LIVE VIEW a.b.c AS SELECT 1", "table", "temporary"),
        ("CREATE OR REFRESH STREAMING TABLE a.b.c AS SELECT 1", "table", "STREAMING_TABLE"),
        ("CREATE PRIVATE STREAMING TABLE a.b.c", "table", "temporary"),
        ("REPLACE TABLE a.b.c (x INT)", "table", "MANAGED"),
        ("CREATE SCHEMA IF NOT EXISTS a.b.c", "schema", "none"),
        ("CREATE CATALOG a.b.c", "catalog", "none"),
        ("CREATE EXTERNAL VOLUME a.b.c LOCATION 's3://x'", "volume", "none"),
        ("CREATE OR REPLACE FUNCTION a.b.c() RETURNS INT RETURN 1", "function", "none"),
        ("CREATE TABLE IDENTIFIER('a.b.c') (x INT)", "table", "MANAGED"),
    ],
)
def test_what_is_created(sql: str, kind: str, table_type: str) -> None:
    found = made(sql)
    assert (found.kind, found.name.text, found.table_type) == (kind, "a.b.c", table_type)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("CREATE TABLE t (id INT)", ()),
        ("CREATE TABLE t (id INT PRIMARY KEY, x STRUCT<a: INT, b: INT>)", (("id", False),)),
        (
            "CREATE TABLE t (id INT NOT NULL, ts TIMESTAMP, CONSTRAINT k PRIMARY KEY (id, ts TIMESERIES) RELY)",
            (("id", False), ("ts", True)),
        ),
        ("CREATE TABLE t (`Id` INT, PRIMARY KEY(`Id`), FOREIGN KEY (x) REFERENCES y (z))", (("id", False),)),
        ("CREATE TABLE t (id DECIMAL(10, 2) CHECK (id > 0), PRIMARY KEY (id))", (("id", False),)),
        ("CREATE TABLE t (id BIGINT GENERATED ALWAYS AS IDENTITY (START WITH 1) PRIMARY KEY)", (("id", False),)),
        (
            "CREATE OR REFRESH MATERIALIZED VIEW t (id INT NOT NULL PRIMARY KEY, CONSTRAINT v EXPECT (id > 0)) AS SELECT 1",
            (("id", False),),
        ),
        ("ALTER TABLE t ADD CONSTRAINT k PRIMARY KEY (id, ts TIMESERIES)", (("id", False), ("ts", True))),
        ("ALTER STREAMING TABLE t ADD PRIMARY KEY (id)", (("id", False),)),
        ("ALTER TABLE t ADD CONSTRAINT k PRIMARY KEY (${key})", ((None, None),)),
        ("ALTER TABLE t ADD CONSTRAINT k PRIMARY KEY (id, ${ts} TIMESERIES)", (("id", False), (None, True))),
        ("ALTER TABLE t ADD CONSTRAINT k PRIMARY KEY", None),
        ("CREATE TABLE t SHALLOW CLONE a.b.c", None),
        ("CREATE TABLE t LIKE a.b.c", None),
    ],
)
def test_keys(sql: str, expected: object) -> None:
    keys = made(sql).keys
    assert (keys if keys is None else tuple(tuple(key) for key in keys)) == expected


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE t DROP PRIMARY KEY IF EXISTS",
        "ALTER TABLE t ADD COLUMN primary INT",
        "ALTER TABLE t ADD CONSTRAINT k CHECK (a > 1)",
    ],
)
def test_an_alter_that_adds_no_key(sql: str) -> None:
    assert not [found for found in read(sql) if isinstance(found, Made) and found.keys]


@pytest.mark.parametrize(
    ("sql", "kind", "name"),
    [
        ("USE CATALOG prod", "catalog", "prod"),
        ("SET CATALOG prod", "catalog", "prod"),
        ("USE CATALOG 'prod'", "catalog", "prod"),
        ("USE CATALOG IDENTIFIER({{catalog}})", "catalog", HOLE),
        ("USE ml", "schema", "ml"),
        ("USE SCHEMA prod.ml", "schema", "prod.ml"),
        ("USE DATABASE ml", "schema", "ml"),
    ],
)
def test_the_current_catalog_and_schema(sql: str, kind: str, name: str) -> None:
    found = one(sql)
    assert isinstance(found, Used)
    assert (found.kind, found.name.text, found.sure) == (kind, name, True)


def test_statements_have_their_lines() -> None:
    sql = "SELECT 1; -- a; b\n/* ; \n */ GRANT SELECT ON TABLE a.b.c\n TO g;\n\nUSE CATALOG\n x"
    assert [(type(found), found.span.line) for found in read(sql)] == [(Granted, 3), (Used, 6)]


def test_templates_over_lines_keep_the_count_of_lines() -> None:
    sql = "{{ config(\n  materialized = 'table'\n) }}\n{% if x %}\nUSE CATALOG prod"
    assert one(sql).span.line == 5


def test_scripts_and_immediate_statements() -> None:
    sql = "BEGIN GRANT SELECT ON TABLE a.b.c TO g; IF x THEN USE CATALOG prod; END IF; END"
    granted, used = read(sql)
    assert isinstance(granted, Granted)
    assert isinstance(used, Used)
    assert not used.sure
    assert isinstance(one("EXECUTE IMMEDIATE 'GRANT SELECT ON TABLE a.b.c TO g'"), Granted)
    assert isinstance(one("EXECUTE IMMEDIATE statement"), Unread)


@pytest.mark.parametrize(
    ("sql", "foreign"),
    [
        ("CREATE TABLE t (id SERIAL PRIMARY KEY)", True),
        ("CREATE TABLE t (id INT AUTO_INCREMENT)", True),
        ("CREATE TABLE t (id UUID DEFAULT gen_random_uuid())", True),
        ("CREATE INDEX i ON t (a)", True),
        ("CREATE EXTENSION pg_trgm", True),
        ("CREATE WAREHOUSE w", True),
        ("CREATE TABLE t (uuid STRING, role STRING, index INT, number INT)", False),
        ("CREATE BLOOMFILTER INDEX ON t FOR COLUMNS (a)", False),
        ("CREATE OR REFRESH STREAMING TABLE t AS SELECT 1", False),
        ("SELECT serial FROM t", False),
        ("", False),
    ],
)
def test_sql_of_other_systems(sql: str, foreign: bool) -> None:
    assert is_foreign(sql) is foreign


def test_a_quotation_mark_that_is_never_closed() -> None:
    assert unclosed("SELECT 'a") == 7
    assert unclosed("SELECT 'it''s', \"b\", `c` -- don't") is None


@given(st.text(alphabet="abGRANT selectON.`'\"();,-/*\n \0{}$:%<>|", max_size=80) | st.text(max_size=60))
def test_any_text_can_be_read(sql: str) -> None:
    read(sql)
    assert sum(len(found) for found in statements(plain(sql).sql)) <= len(sql)


@pytest.mark.parametrize(
    "sql", ["(" * 50_000, "GRANT " * 50_000, "CREATE TABLE t (" + "a INT, " * 40_000, "'" * 99_999, "{{" * 50_000]
)
def test_long_and_hostile_texts(sql: str) -> None:
    assert len(read(sql)) <= 1
