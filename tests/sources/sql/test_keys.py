"""The small grammar reads the keys of a table as sqlglot does."""

from __future__ import annotations

import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from lakewarden.sources.repository.code.result import KeyColumn, Made, Span
from lakewarden.sources.repository.sql import ddl
from lakewarden.sources.repository.sql.read import read_statements
from lakewarden.sources.repository.sql.tokens import plain, statements

TYPES = st.sampled_from(["INT", "DECIMAL(10, 2)", "STRUCT<a: INT, b: STRING>", "ARRAY<INT>", "MAP<STRING, INT>", "TIMESTAMP"])
EXTRAS = st.sampled_from(["", "NOT NULL", "COMMENT 'the PRIMARY KEY (x)'", "DEFAULT 1", "GENERATED ALWAYS AS IDENTITY"])
COLUMNS = st.lists(st.sampled_from(["id", "ts", "store", "`key`", "primary_id"]), min_size=1, max_size=4, unique=True)
AFTER = st.sampled_from(
    ["", " USING DELTA", " COMMENT 'x' PARTITIONED BY (id)", " TBLPROPERTIES ('a' = 'b')", " LOCATION 's3://x'"]
)


def keys(sql: str) -> tuple[KeyColumn, ...] | None:
    (found,) = read_statements(plain(sql), lambda _: Span())
    assert isinstance(found, Made)
    return found.keys


def by_sqlglot(sql: str) -> tuple[KeyColumn, ...]:
    parsed = sqlglot.parse_one(sql, dialect="databricks")
    key = parsed.find(exp.PrimaryKey)
    if key is not None:
        return tuple(KeyColumn(column.name.lower(), isinstance(column, exp.TimeseriesKey)) for column in key.expressions)
    inline = parsed.find(exp.PrimaryKeyColumnConstraint)
    column = inline.find_ancestor(exp.ColumnDef) if inline is not None else None
    return () if column is None else (KeyColumn(column.name.lower(), False),)


@given(COLUMNS, st.data())
def test_keys_are_those_that_sqlglot_reads(columns: list[str], data: st.DataObject) -> None:
    items = [f"{column} {data.draw(TYPES)} {data.draw(EXTRAS)}".strip() for column in columns]
    form = data.draw(st.sampled_from(["none", "inline", "unnamed", "named"]))
    of_key = columns[: data.draw(st.integers(1, len(columns)))]
    times = data.draw(st.booleans())
    listed = ", ".join(f"{column} TIMESERIES" if times and column == of_key[-1] else column for column in of_key)
    if form == "inline":
        items[0] = f"{columns[0]} BIGINT PRIMARY KEY"
    elif form != "none":
        items.append(f"{'CONSTRAINT k ' if form == 'named' else ''}PRIMARY KEY ({listed})")
    sql = f"CREATE TABLE a.b.c ({', '.join(items)}){data.draw(AFTER)}"
    assert keys(sql) == by_sqlglot(sql)


def test_sqlglot_is_asked_where_the_small_grammar_finds_no_key() -> None:
    assert keys("CREATE TABLE a.b.c (primary BOOLEAN, id INT)") == ()
    assert keys("CREATE TABLE a.b.c (id INT) TBLPROPERTIES ('a' = 'b', primary = 'c')") == ()
    assert keys("CREATE TABLE a.b.c (id INT) WHATEVER PRIMARY KEY") is None
    (tokens,) = statements("CREATE TABLE a.b.c (id INT, PRIMARY KEY (id, ts TIMESERIES))")
    asked = ddl.by_sqlglot(plain("CREATE TABLE a.b.c (id INT, PRIMARY KEY (id, ts TIMESERIES))"), tokens)
    assert asked == (KeyColumn("id", False), KeyColumn("ts", True))


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE IF NOT EXISTS a.b.c (id BIGINT NOT NULL, CONSTRAINT k PRIMARY KEY(id))",
        "CREATE OR REPLACE TABLE a.b.c (id BIGINT NOT NULL CONSTRAINT k PRIMARY KEY, x INT)",
        "CREATE TABLE a.b.c (id INT, CONSTRAINT f FOREIGN KEY (id) REFERENCES a.b.d (PRIMARY_ID), PRIMARY KEY (id))",
    ],
)
def test_further_forms(sql: str) -> None:
    assert keys(sql) == (KeyColumn("id", False),)
