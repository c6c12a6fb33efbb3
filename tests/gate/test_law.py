"""The law with a candidate: no hiding turns an exit code that was not 0 into 0, and nothing hidden is told as passed."""

from __future__ import annotations

import itertools

import pytest
from tests.gate.complete import MUTATIONS, Story, docket, story

from lakewarden.facts.fact import TABLES
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.gate.checks import CHECKS, Check, demanded, rules_of
from lakewarden.gate.decide import exit_code
from lakewarden.gate.result import LEVELS, GateResult, Outcome
from lakewarden.gate.run import judge
from lakewarden.judge.catalogue import load_rules, tables_of


def outcomes(result: GateResult) -> dict[int, Outcome]:
    return {check.number: check.outcome for check in result.checks}


def mutated(number: int) -> Story:
    table, column, value = MUTATIONS[number]
    told = story()
    for row in told[table]:
        row[column] = value
    return told


def test_a_version_with_its_whole_story_passes_every_check() -> None:
    result = judge(docket(story()))
    assert {n: o for n, o in outcomes(result).items() if o is not Outcome.PASS} == {}
    assert (exit_code(result.checks), result.reached) == (0, "approved")


@pytest.mark.parametrize("number", MUTATIONS)
def test_one_change_fails_its_check(number: int) -> None:
    result = judge(docket(mutated(number)))
    assert outcomes(result)[number] is Outcome.FAIL
    assert exit_code(result.checks) == 1


@pytest.mark.parametrize("table", sorted(story()))
def test_a_table_that_nobody_read_is_never_a_pass(table: str) -> None:
    result = judge(docket(story(), frozenset({table})))
    code = exit_code(result.checks)
    if table in ("workspaces", "metastores", "catalogs", "schemas", "securables"):
        return  # what the version is made of names none of them
    assert code in (3, 4)


CELLS = [
    (table, column)
    for table, rows in story().items()
    for column in sorted({name for row in rows for name in row} - {"key"})
    if TABLES[table].columns[column].nullable
]


@pytest.mark.parametrize(("table", "column"), CELLS)
def test_a_column_that_is_not_known_makes_no_check_pass_that_did_not(table: str, column: str) -> None:
    told = story()
    for row in told[table]:
        row[column] = None
    assert exit_code(judge(docket(told)).checks) != 1


def tables_behind(number: int) -> set[str]:
    """The tables that the rules of a check read, with those that their closures are computed from."""
    (check,) = (one for one in CHECKS if one.number == number)
    found = {table for rule in rules_of(check, load_rules()) for query in rule.queries for table in tables_of(query)}
    return (found | {"commit_evidence", "candidates"}) & story().keys()


@pytest.mark.slow
@pytest.mark.parametrize("number", MUTATIONS)
def test_hiding_never_turns_a_refusal_into_a_pass(number: int) -> None:
    tables = tables_behind(number)
    for table in tables:
        assert exit_code(judge(docket(mutated(number), frozenset({table}))).checks) != 0, table
    for table, column in CELLS:
        if table in tables:
            told = mutated(number)
            for row in told[table]:
                row[column] = None
            assert exit_code(judge(docket(told)).checks) != 0, (table, column)


@pytest.mark.parametrize("check", [one for one in CHECKS if one.rules != ("core",)], ids=lambda check: check.name)
def test_a_check_whose_rule_is_removed_is_missing(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    for code in check.rules:
        left = {name: rule for name, rule in load_rules().items() if name != code}
        with monkeypatch.context() as patch:
            patch.setattr("lakewarden.gate.run.load_rules", lambda left=left: left)
            result = judge(docket(story()))
        assert outcomes(result)[check.number] is Outcome.MISSING


def test_levels_contain_each_other_and_the_last_demands_everything() -> None:
    of = [demanded(level) for level in LEVELS]  # type: ignore[arg-type]
    assert all(lower < higher for lower, higher in itertools.pairwise(of))
    assert of[0] == {1, 2, 3, 4, 5, 19, 20}
    assert of[-1] == {check.number for check in CHECKS} == set(range(1, 21))


def test_every_rule_of_the_gate_belongs_to_a_check() -> None:
    named = {rule.code for check in CHECKS for rule in rules_of(check, load_rules())}
    assert {code for code in load_rules() if code.startswith("GATE")} - named <= {"GATE021", "GATE023"}


def test_nothing_to_check_is_only_said_where_somebody_could_look() -> None:
    told = story()
    told["candidates"] = []
    asked = docket(told)
    assert judge(asked).exit_code == 4
    asked.read.facts.gap(Gap(Cause.UNREACHABLE, "workspaces", "the host does not answer", plane="deployed"))
    result = judge(asked)
    assert (result.exit_code, result.gaps[0]) == (3, "the host does not answer")
