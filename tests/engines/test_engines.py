"""Both engines say the same, of every rule over all examples and over examples with holes."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakewarden.engines.answer import BrokenQueryError
from lakewarden.engines.duckdb import DuckDBEngine
from lakewarden.engines.embedded import EmbeddedEngine
from lakewarden.engines.shape import cheap_part, columns_read, each_once, looked_up
from lakewarden.engines.sqlite import SqliteEngine, translated
from lakewarden.facts.fact import TABLES
from lakewarden.judge.catalogue import load_rules, tables_of
from lakewarden.policy.model import Policy, policy_row
from lakewarden.testing.estate import Estate, PolicyRow, build_estates
from lakewarden.testing.examples import read_examples

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from lakewarden.engines.answer import Answer, Engine
    from lakewarden.facts.placeholders import Row

EXAMPLES = Path(__file__).parents[1] / "rules"
QUERIES = [(rule.code, query) for rule in load_rules().values() for query in rule.queries]
POLICY = policy_row(Policy())


@pytest.fixture(scope="module")
def estates() -> dict[PolicyRow, Estate]:
    needed = frozenset(table for _, query in QUERIES for table in tables_of(query))
    return build_estates((e for path in sorted(EXAMPLES.rglob("*.md")) for e in read_examples(path)), needed)


def duckdb_of(tables: Mapping[str, list[Row]], policy: Mapping[str, Any] = POLICY) -> DuckDBEngine:
    engine = DuckDBEngine()
    engine.load(tables, policy)
    return engine


def said(answer: Answer) -> tuple[Any, ...]:
    """An answer whose rows are in one order, with the types of their values."""
    rows = sorted((row["plane"], row["key"], repr(list(row.items()))) for row in answer.told)
    return answer.rows, answer.whole, answer.counts, rows


def compare(tables: Mapping[str, list[Row]], policy: Mapping[str, Any], duckdb: DuckDBEngine) -> int:
    """How many rows both engines told alike."""
    sqlite = SqliteEngine(tables, policy, columns_read(query.query for _, query in QUERIES))
    told = 0
    for code, query in QUERIES:
        if sqlite.size.get(query.subject):
            asked = (query.subject, query.query, list(query.conditions))
            answer = sqlite.ask(*asked)
            assert said(answer) == said(duckdb.ask(*asked)), code
            told += len(answer.told)
    return told


def test_every_rule_says_the_same_of_all_examples(estates: dict[PolicyRow, Estate]) -> None:
    assert sum(compare(e.tables, dict(policy), e.engine) for policy, e in estates.items()) > 1_000


@pytest.mark.parametrize("seed", range(3))
def test_every_rule_says_the_same_where_much_is_not_known(estates: dict[PolicyRow, Estate], seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  (no secret)
    policy, estate = max(estates.items(), key=lambda found: sum(map(len, found[1].tables.values())))
    tables = {name: [_with_holes(name, row, chance) for row in rows] for name, rows in estate.tables.items()}
    assert compare(tables, dict(policy), duckdb_of(tables, dict(policy))) > 1_000


def test_counting_in_the_engine_and_taking_a_sub_select_once_changes_no_answer(
    estates: dict[PolicyRow, Estate], monkeypatch: pytest.MonkeyPatch
) -> None:
    policy, estate = max(estates.items(), key=lambda found: sum(map(len, found[1].tables.values())))
    chance = random.Random(7)  # noqa: S311  (no secret)
    tables = {name: [_with_holes(name, row, chance) for row in rows] for name, rows in estate.tables.items()}
    assert {code for code, query in QUERIES if each_once(query.query)[1]} >= {"DAT003", "DAT012"}
    monkeypatch.setattr("lakewarden.engines.duckdb._FEW_ROWS", 0)
    monkeypatch.setattr("lakewarden.engines.duckdb._MANY_ROWS", 0)
    engine = DuckDBEngine(1)
    engine.load(tables, dict(policy))
    assert compare(tables, dict(policy), engine) > 1_000


@pytest.mark.parametrize(
    "query",
    [
        "SELECT t.*, (SELECT any_of(k.x) FROM k k WHERE k.y = t.z) AS a, (SELECT all_of(k.x) FROM k k WHERE k.y = t.z) AS b FROM t t",
        "SELECT t.*, (SELECT any_of(k.x = p.q) FROM k k) AS a, (SELECT any_of(k.x = p.q) FROM k k) AS b FROM t t CROSS JOIN policy p",
        "SELECT t.*, '(SELECT 1)' AS a, '(SELECT 1)' AS b FROM t t",
        "SELECT t.*, any_of(o.x), (SELECT any_of(k.x) FROM k k), (SELECT any_of(k.x) FROM k k) FROM t t JOIN t o ON o.y = t.y GROUP BY ALL",
    ],
)
def test_a_query_stays_as_it_is_where_no_sub_select_is_about_the_subject_alone_and_there_twice(query: str) -> None:
    assert each_once(query) == (query, ())


def test_a_sub_select_that_stands_there_twice_is_taken_once() -> None:
    sub = "(SELECT any_of(k.x = ')' AND (k.y)) FROM k k WHERE k.y = t.z)"
    once, beside = each_once(f"SELECT t.*, p.q OR {sub} AS a, NOT {sub} AS b FROM t t CROSS JOIN policy p")
    inside = f"FROM (SELECT t.*, {sub} AS shared_0 FROM t t) t CROSS JOIN policy p"
    assert once == f"SELECT t.*, p.q OR t.shared_0 AS a, NOT t.shared_0 AS b {inside}"
    assert beside == ("shared_0",)


def _with_holes(table: str, row: Row, chance: random.Random) -> Row:
    keep = ("origin", "gap", "project")
    nullable = {column.name for column in TABLES[table].columns.values() if column.nullable} - set(keep)
    return {name: None if name in nullable and chance.random() < 0.2 else value for name, value in row.items()}


def jobs(*rows: dict[str, Any]) -> dict[str, list[Row]]:
    return {"jobs": [{"key": f"j{n}", "plane": "declared", "origin": None, "gap": None, **row} for n, row in enumerate(rows)]}


def told_by(engine: Engine, outputs: str, *conditions: str) -> list[dict[str, Any]]:
    query = f"SELECT j.*, {outputs} FROM jobs j"
    return engine.ask("jobs", query, conditions or ["ok"]).told


_TASK = {**{c.name: "?" for c in TABLES["tasks"].columns.values() if not c.nullable}, "plane": "declared", "job": "j0"}
_TRUTH = st.sampled_from((True, False, None))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(_TRUTH, _TRUTH), min_size=1, max_size=6))
def test_three_valued_aggregates_over_any_list(pairs: list[tuple[bool | None, bool | None]]) -> None:
    tasks = [
        {**_TASK, "key": f"t{n}", "job": "j0" if mine else "other", "max_retries": None if x is None else int(x)}
        for n, (x, mine) in enumerate(pairs)
    ]
    tables = {**jobs({}, {}), "tasks": tasks}
    for name in ("any_of", "all_of"):
        query = (
            f"SELECT j.*, TRUE AS applies, (SELECT {name}(t.max_retries = 1 AND (t.key <> 'a)' OR NOT (t.key = ''''))) FROM tasks t "
            "WHERE t.plane = j.plane AND t.job = j.key) AS ok FROM jobs j"
        )
        assert said(SqliteEngine(tables, POLICY).ask("jobs", query, ["ok"])) == said(duckdb_of(tables).ask("jobs", query, ["ok"]))


def test_booleans_of_a_row_stay_booleans() -> None:
    tables = jobs({"development": True, "name": "é"})
    (row,) = told_by(
        SqliteEngine(tables, POLICY), "TRUE AS applies, NOT j.development AS ok, j.development AS d, upper(j.name) AS n"
    )
    assert (row["applies"], row["ok"], row["d"], row["n"]) == (True, False, True, "É")
    assert row["development"] is True


@pytest.mark.parametrize("value", ["a\ud800", "a\0b", "'); DROP TABLE jobs; --", '"', "\\ud800"])
def test_any_text_can_be_compared(value: str) -> None:
    tables = jobs({"name": value, "kind": value}, {"name": value, "kind": "other"}, {"max_concurrent_runs": 2**70})
    answer = SqliteEngine(tables, POLICY).ask("jobs", "SELECT j.*, TRUE AS applies, j.name = j.kind AS ok FROM jobs j", ["ok"])
    assert answer.counts == (1, 1, 1, 0)
    assert answer.told[0]["name"] == value


@pytest.mark.parametrize(
    "query",
    [
        "SELECT j.*, TRUE AS applies, n.x AS ok FROM jobs j LEFT JOIN no_table n ON n.key = j.key",
        "SELECT j.*, TRUE AS applies, j.nothing AS ok FROM jobs j",
        "SELECT j.*, TRUE AS applies FROM jobs j",
        "SELECT j.*, TRUE AS applies, any_of(j.name AS ok FROM jobs j",
        "this is no SQL",
    ],
)
def test_a_broken_query_is_told(query: str) -> None:
    with pytest.raises(BrokenQueryError):
        SqliteEngine(jobs({}), POLICY).ask("jobs", query, ["ok"])


def test_objects_that_are_lost_or_there_twice_are_noticed() -> None:
    tables = {**jobs({}, {}), "tasks": [{**_TASK, "key": f"t{n}"} for n in range(2)]}
    engine = SqliteEngine(tables, POLICY)
    for join in ("JOIN", "LEFT JOIN"):
        query = f"SELECT j.*, TRUE AS applies, TRUE AS ok FROM jobs j {join} tasks t ON t.job = j.key"
        assert not engine.ask("jobs", query, ["ok"]).whole


def test_a_look_up_by_key_of_a_table_with_one_key_twice_is_noticed() -> None:
    query = (
        "SELECT j.*, TRUE AS applies, t.max_retries = 1 AS ok FROM jobs j LEFT JOIN tasks t ON t.plane = j.plane AND t.key = 'a'"
    )
    assert looked_up(query) == frozenset({"tasks"})
    for number in (2, 40):
        tables = {**jobs({}, {}), "tasks": [{**_TASK, "key": f"t{n}"} for n in range(number)]}
        engine = SqliteEngine(tables, POLICY)
        assert engine.ask("jobs", query, ["ok"]).whole
        tables["tasks"] += [{**_TASK, "key": "a"}, {**_TASK, "key": "a"}]
        engine = SqliteEngine(tables, POLICY)
        answer = engine.ask("jobs", query, ["ok"])
        assert (answer.rows, answer.whole) == (4, False)


@pytest.mark.parametrize(
    ("joins", "tables"),
    [
        ("", set()),
        ("CROSS JOIN policy p", set()),
        ("LEFT JOIN files f ON f.plane = j.plane AND f.key = j.file || '/x' CROSS JOIN policy p", {"files"}),
        ("LEFT JOIN files f ON f.key = j.file AND f.plane = j.plane AND f.is_test", {"files"}),
        ("LEFT JOIN files f ON f.key = j.file", None),
        ("LEFT JOIN files f ON f.plane = j.plane AND f.path = j.file", None),
        ("LEFT JOIN files f ON f.plane = j.plane AND f.key = f.path", None),
        ("LEFT JOIN files f ON f.plane = j.plane AND f.key = j.file || f.path", None),
        ("LEFT JOIN files f ON f.plane = j.plane AND f.key = j.file OR f.is_test", None),
        ("LEFT JOIN files f ON f.plane = j.plane AND f.key = j.file = j.x", None),
        ("LEFT JOIN files f ON f.plane = j.plane AND NOT f.key = j.file", None),
        ("LEFT JOIN files f ON (f.plane = j.plane AND f.key = j.file)", None),
        ("JOIN files f ON f.plane = j.plane AND f.key = j.file", None),
        ("INNER JOIN files f ON f.plane = j.plane AND f.key = j.file", None),
        ("LEFT JOIN files f ON f.plane = j.plane AND f.key = j.file FULL JOIN tasks t ON t.key = j.key", None),
        ("CROSS JOIN files f", None),
        ("WHERE j.development", None),
        ("GROUP BY ALL", None),
        (", files f", None),
    ],
)
def test_what_returns_each_object_once(joins: str, tables: AbstractSet[str] | None) -> None:
    query = f"SELECT j.*, (SELECT any_of(t.x = ' FROM ') FROM tasks t WHERE t.job = j.key) AS applies,\n  TRUE AS ok FROM jobs j {joins}"
    assert looked_up(query) == (None if tables is None else frozenset(tables))


def test_only_the_columns_that_queries_name_are_read() -> None:
    read = columns_read(
        [
            "SELECT j.*, j.name = 'j.kind' AS ok FROM jobs j LEFT JOIN files f ON f.key = j.file",
            "SELECT t.*, any_of(j.x) AS ok FROM tasks t JOIN jobs j ON j.plane = t.plane AND bare",
        ]
    )
    assert {"name", "file", "x", "plane", "bare"} <= read["jobs"]
    assert "kind" not in read["jobs"]
    assert "name" not in read["files"]


def test_an_object_that_a_rule_is_not_about_is_counted_once_in_either_engine() -> None:
    tables = jobs(
        *(
            {"development": value, "origin": n, "gap": gap}
            for n, (value, gap) in enumerate((value, gap) for value in (True, False, None) for gap in (None, 7))
        )
    )
    query = "SELECT j.*, j.development AS applies, TRUE AS ok FROM jobs j"
    for only in (None, [0, 2, 3, 4]):
        sqlite, duckdb = SqliteEngine(tables, POLICY), duckdb_of(tables)
        for engine in (sqlite, duckdb):
            if only is not None:
                engine.count_only(only)
        answers = [engine.ask("jobs", query, ["ok"]) for engine in (sqlite, duckdb)]
        assert said(answers[0]) == said(answers[1])
        assert answers[0].counts[3] == 2


def test_only_what_is_asked_about_is_counted_in_either_engine() -> None:
    tables = jobs({"origin": 1, "project": "a"}, {"origin": 2, "project": "a"}, {"project": "b"})
    query = "SELECT j.*, TRUE AS applies, FALSE AS ok FROM jobs j"
    engines: list[SqliteEngine | DuckDBEngine | EmbeddedEngine] = [
        SqliteEngine(tables, POLICY),
        duckdb_of(tables),
        EmbeddedEngine(tables, POLICY),
    ]
    for engine in engines:
        engine.count_only([1], frozenset({"a"}))
        answer = engine.ask("jobs", query, ["ok"])
        assert (answer.rows, answer.counts, len(answer.told)) == (3, (0, 1, 0, 0), 3)


def test_names_that_are_words_of_sql_and_texts_that_look_like_names() -> None:
    assert translated("SELECT d.*, d.commit = 'a.b' AS ok, 'it''s x.y' AS z FROM deployments d GROUP BY ALL") == (
        "SELECT d.rowid, d.\"commit\" = 'a.b' AS \"ok\", 'it''s x.y' AS \"z\" FROM deployments d GROUP BY d.rowid"
    )


@pytest.mark.parametrize(("rows", "few"), [(900, True), (1100, False)])
def test_comparing_each_with_all_others_moves_to_the_engine_of_many(rows: int, few: bool) -> None:
    engine = EmbeddedEngine(jobs(*({"name": str(n % 2)} for n in range(rows))), POLICY)
    query = "SELECT j.*, TRUE AS applies, all_of(o.name = j.name) AS ok FROM jobs j JOIN jobs o ON o.plane = j.plane GROUP BY ALL"
    assert engine.ask("jobs", query, ["ok"]).counts == (0, rows, 0, 0)
    assert ("_sqlite" in vars(engine)) == few


@pytest.mark.parametrize(
    ("applies", "cheap"),
    [
        ("c.a AND (SELECT any_of(r.x) FROM r r WHERE r.k = c.k)", "c.a"),
        ("c.a = ' AND ' AND NOT (c.b OR c.d) AND NOT (SELECT any_of(r.x) FROM r r)", "c.a = ' AND ' AND NOT (c.b OR c.d)"),
        ("c.a AND c.b", None),
        ("(SELECT any_of(r.x AND r.y) FROM r r)", None),
        ("c.a OR c.b AND (SELECT any_of(r.x) FROM r r)", None),
        ("CASE WHEN c.a AND c.b THEN (SELECT any_of(r.x) FROM r r) END", None),
        ("c.a BETWEEN 1 AND 2 AND (SELECT any_of(r.x) FROM r r)", None),
    ],
)
def test_the_part_of_applies_that_takes_no_sub_select(applies: str, cheap: str | None) -> None:
    assert cheap_part(f"SELECT c.*, c.z AS other, {applies} AS applies, c.q AND c.w AS ok FROM calls c") == cheap
