"""The law with a candidate: no hiding turns an exit code that was not 0 into 0, and nothing hidden is told as passed."""

from __future__ import annotations

import itertools
from dataclasses import replace

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


#: What the version is made of names none of these.
ASIDE = {"workspaces", "metastores", "catalogs", "schemas", "securables"}


@pytest.mark.parametrize("table", sorted(story().keys() - ASIDE))
def test_a_table_that_nobody_read_is_never_a_pass(table: str) -> None:
    assert exit_code(judge(docket(story(), frozenset({table}))).checks) in (3, 4)


CELLS = [
    (table, column)
    for table, rows in story().items()
    for column in sorted({name for row in rows for name in row} - {"key"})
    if TABLES[table].columns[column].nullable
]


#: Columns that no check stands on, each with the reason. Whatever is added has to be read by one, or be here.
NO_EVIDENCE = {
    (table, column)
    for table, (columns, _why) in {
        "workspaces": ("metastore", "names where it is; what is asked of it names its own"),
        "catalogs": ("catalog_type name", "a type and a name; who may use it, `isolation_mode`, is read"),
        "schemas": ("catalog", "C18 asks nothing of a schema but by its securable"),
        "securables": ("catalog declared_in kind named owner", "names; who the owner is like, `owner_kind`, is read"),
        "model_versions": (
            "copied_catalog created_by has_description",
            "of a copy alone; read into `is_other`; a rule for people",
        ),
        "runs": ("experiment produced_version workspace", "names; `run_workspace` of the version says which stage it is"),
        "jobs": (
            "development kind managed_by name run_as run_as_from",
            "who it runs as is `run_as_kind`; C10 asks the job run, not the job of today",
        ),
        "catalog_tables": ("catalog layer layer_by name table_type", "names; that it is a feature table is known by the version"),
        "git_repositories": ("system", "a name"),
        "branches": ("name", "a name"),
        "model_version_tags": (
            "catalog is_approval name",
            "names; `is_approval` is told by the name, and what is no approval is none for C16",
        ),
        "candidates": ("tested_stage", "of a copy alone, where models are deployed"),
        "gate_places": ("place", "a name; `is_allowed` is read"),
        "artifacts": ("same_original", "of a copy alone, where models are deployed"),
        "version_comparisons": ("live_version", "a name; `against_live` is read"),
        "promoters": ("identity", "a name; `is_named`, `is_able` and `is_other` are read"),
    }.items()
    for column in columns.split()
}


@pytest.mark.parametrize(("table", "column"), CELLS)
def test_a_column_that_is_not_known_makes_no_check_pass_that_did_not(table: str, column: str) -> None:
    told = story()
    for row in told[table]:
        row[column] = None
    code = exit_code(judge(docket(told)).checks)
    assert code == (0 if (table, column) in NO_EVIDENCE else 3)


def tables_behind(number: int) -> set[str]:
    """The tables that the rules of a check read, with those that their closures are computed from."""
    (check,) = (one for one in CHECKS if one.number == number)
    found = {table for rule in rules_of(check, load_rules()) for query in rule.queries for table in tables_of(query)}
    by = {"job_runs", "runs", "version_features", "git_repositories", "workspaces"} if check.rules == ("core",) else set[str]()
    return (found | by | {"commit_evidence", "candidates"}) & story().keys()


@pytest.mark.slow
@pytest.mark.parametrize("number", MUTATIONS)
def test_hiding_never_turns_a_refusal_into_a_pass(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = tables_behind(number)
    (check,) = (one for one in CHECKS if one.number == number)
    own = {code: load_rules()[code] for code in {"GATE005", *(rule.code for rule in rules_of(check, load_rules()))}}

    def passes(told: Story, hidden: frozenset[str] = frozenset()) -> bool:
        """Does the check's own rule let it pass, and if it does, do all of them?"""
        with monkeypatch.context() as patch:
            patch.setattr("lakewarden.gate.run.load_rules", lambda: own)
            if outcomes(judge(docket(told, hidden)))[number] is not Outcome.PASS:
                return False
        return exit_code(judge(docket(told, hidden)).checks) == 0

    assert passes(story())
    for table in tables:
        assert not passes(mutated(number), frozenset({table})), table
    for table, column in CELLS:
        if table in tables:
            told = mutated(number)
            for row in told[table]:
                row[column] = None
            assert not passes(told), (table, column)


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


def test_where_nobody_approves_no_version_reaches_the_last_level() -> None:
    asked = docket(story())
    parameters = replace(asked.policy.parameters, approval="none")
    result = judge(asked._replace(policy=replace(asked.policy, parameters=parameters), kind="report"))
    assert (outcomes(result)[16], result.reached) == (Outcome.MISSING, "validated")
    assert 'approval = "none"' in result.checks[15].remedy
