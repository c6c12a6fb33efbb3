"""The judge: three-valued verdicts, and rules that lose or double an object."""

from __future__ import annotations

from typing import Any

import pytest

from lakewarden.engines.duckdb import DuckDBEngine
from lakewarden.judge.judge import rule_on, tables_needed
from lakewarden.policy.model import Policy, policy_row
from lakewarden.rule import CORE, ERROR, HIGH, Query, Rule

DECLARED = frozenset({"declared"})
FILLED = frozenset({"jobs", "tasks", "targets"})


def a_rule(query: str, *, subject: str = "jobs", needs_both: bool = False) -> Rule:
    return Rule(
        code="X001",
        name="x",
        severity=ERROR,
        confidence=HIGH,
        profile=CORE,
        queries=(Query(subject, query, "job {key}", needs_both),),
    )


def engine_with(**tables: list[dict[str, Any]]) -> DuckDBEngine:
    engine = DuckDBEngine()
    rows = {name: [{"plane": "declared", **row} for row in given] for name, given in tables.items()}
    engine.load(rows, policy_row(Policy()))
    return engine


@pytest.mark.parametrize(
    ("applies", "ok", "verdict"),
    [
        ("TRUE", "TRUE", "pass"),
        ("TRUE", "FALSE", "fail"),
        ("TRUE", "NULL", "unknown"),
        ("FALSE", "TRUE", "not applicable"),
        ("FALSE", "FALSE", "not applicable"),
        ("FALSE", "NULL", "not applicable"),
        ("NULL", "TRUE", "pass"),
        ("NULL", "FALSE", "unknown"),
        ("NULL", "NULL", "unknown"),
    ],
)
def test_verdict_in_three_valued_logic(applies: str, ok: str, verdict: str) -> None:
    engine = engine_with(jobs=[{"key": "a"}])
    query = f"SELECT j.*, {applies}::BOOLEAN AS applies, {ok}::BOOLEAN AS ok FROM jobs j"
    answer = engine.ask("jobs", query, ["ok"])
    counts = dict(zip(("pass", "fail", "unknown", "not applicable"), answer.counts, strict=True))
    assert counts == {name: int(name == verdict) for name in counts}
    assert [row["verdict"] for row in answer.told] == [verdict] * (verdict in ("fail", "unknown"))


def test_a_subject_that_was_not_seen_is_unknown_whatever_the_query_says() -> None:
    engine = engine_with(jobs=[{"key": "a", "gap": 0}])
    answer = engine.ask("jobs", "SELECT j.*, TRUE AS applies, TRUE AS ok FROM jobs j", ["ok"])
    assert answer.counts == (0, 0, 1, 0)


@pytest.mark.parametrize(
    "rest",
    [
        "WHERE j.key <> 'a'",
        "JOIN jobs o ON o.plane = j.plane",
        "JOIN jobs o ON o.key = 'b' WHERE j.key = 'a' OR j.key = 'b'",
    ],
)
def test_a_rule_that_loses_or_doubles_an_object_has_crashed(rest: str) -> None:
    engine = engine_with(jobs=[{"key": "a"}, {"key": "b"}])
    query = f"SELECT j.*, TRUE AS applies, TRUE AS ok FROM jobs j {rest}"
    ruling = rule_on(a_rule(query), engine, FILLED, DECLARED)
    if rest.startswith("JOIN jobs o ON o.key"):
        assert ruling.crashed is None
    else:
        assert ruling.crashed is not None
        assert "lost or there twice" in ruling.crashed
        assert ruling.passed == 0


def test_one_object_lost_and_one_twice_is_noticed() -> None:
    """The number of rows alone would not tell."""
    engine = engine_with(jobs=[{"key": "a"}, {"key": "b"}])
    query = "SELECT j.*, TRUE AS applies, TRUE AS ok FROM jobs j JOIN jobs o ON TRUE WHERE j.key = 'a'"
    ruling = rule_on(a_rule(query), engine, FILLED, DECLARED)
    assert ruling.crashed is not None


def test_a_broken_query_has_crashed_and_says_why() -> None:
    engine = engine_with(jobs=[{"key": "a"}])
    ruling = rule_on(a_rule("SELECT j.*, TRUE AS applies, nothing AS ok FROM jobs j"), engine, FILLED, DECLARED)
    assert ruling.crashed is not None
    assert "nothing" in ruling.crashed


def test_a_rule_without_subjects_is_judged_zero_times() -> None:
    ruling = rule_on(a_rule("this is no SQL"), engine_with(jobs=[]), FILLED, DECLARED)
    assert (ruling.judged, ruling.crashed, ruling.skipped_reason) == (0, None, None)


def test_a_subject_that_no_source_fills_is_not_asked() -> None:
    rule = a_rule("SELECT b.*, TRUE AS applies, TRUE AS ok FROM branches b", subject="branches")
    ruling = rule_on(rule, engine_with(), FILLED, DECLARED)
    assert ruling.skipped_reason == "needs branches, which this command does not read"


def test_a_comparison_of_planes_is_not_asked_over_one() -> None:
    rule = a_rule("SELECT j.*, TRUE AS applies, TRUE AS ok FROM jobs j", needs_both=True)
    engine = engine_with(jobs=[{"key": "a"}])
    assert rule_on(rule, engine, FILLED, DECLARED).skipped_reason is not None
    assert rule_on(rule, engine, FILLED, frozenset({"declared", "deployed"})).passed == 1


@pytest.mark.parametrize("rows", [100, 20_000])
def test_few_and_many_objects_are_counted_alike(rows: int) -> None:
    engine = engine_with(jobs=[{"key": str(number), "name": None if number % 3 == 0 else "x"} for number in range(rows)])
    query = "SELECT j.*, TRUE AS applies, j.name = 'x' AS ok FROM jobs j"
    answer = engine.ask("jobs", query, ["ok"])
    unknown = len(range(0, rows, 3))
    assert answer.whole
    assert answer.counts == (rows - unknown, 0, unknown, 0)
    assert {row["key"] for row in answer.told} == {str(number) for number in range(0, rows, 3)}


@pytest.mark.parametrize(
    ("values", "any_of", "all_of"),
    [
        ([], False, True),
        ([True], True, True),
        ([False], False, False),
        ([None], None, None),
        ([True, None], True, None),
        ([False, None], None, False),
        ([True, False, None], True, False),
    ],
)
def test_three_valued_aggregates(values: list[bool | None], any_of: bool | None, all_of: bool | None) -> None:
    engine = DuckDBEngine()
    found = engine.connection.execute("SELECT any_of(x), all_of(x) FROM (SELECT unnest(?::BOOLEAN[]) AS x)", [values]).fetchone()
    assert found == (any_of, all_of)


def test_a_rule_that_reads_a_table_that_does_not_exist_crashes_alone() -> None:
    query = "SELECT j.*, TRUE AS applies, TRUE AS ok FROM jobs j LEFT JOIN no_table n ON n.key = j.key"
    rule = a_rule(query)
    assert tables_needed([rule], FILLED, DECLARED) == {"jobs"}
    ruling = rule_on(rule, engine_with(jobs=[{"key": "a"}]), FILLED, DECLARED)
    assert ruling.crashed is not None
    assert "no_table" in ruling.crashed
    assert ruling.passed == 0
