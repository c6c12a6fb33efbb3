"""A stored audit beside a gate: it fills what the gate does not read, for C18 alone, where it is fresh and of this estate."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.gate.complete import FEATURES, HOST, META, MODEL, POLICY, Story, docket, facts_of, story

from lakewarden.cli.gating import snapshots_of
from lakewarden.facts.fact import TABLES
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.snapshot import Header, Snapshot, read, write
from lakewarden.gate.attestation.statement import vsa
from lakewarden.gate.decide import exit_code
from lakewarden.gate.result import Outcome
from lakewarden.gate.run import judge
from lakewarden.gate.stored import stored_audit

if TYPE_CHECKING:
    from pathlib import Path

    from lakewarden.gate.result import CheckResult, GateResult
    from lakewarden.gate.run import Docket

#: What a gate does not read.
UNREAD = frozenset({"jobs", "catalog_tables", "table_keys", "bindings"})
#: What a collect reads of an estate.
COLLECTED = UNREAD | {"workspaces", "metastores", "catalogs", "schemas", "securables", "grants", "principals", "group_members"}
NOW = dt.datetime(2026, 11, 23, 10, tzinfo=dt.timezone.utc)
A_DAY = dt.timedelta(days=1)


def run_story() -> Story:
    """What a gate reads of the whole story."""
    told = {table: rows for table, rows in story().items() if table not in UNREAD}
    told["catalogs"][0].pop("isolation_mode")
    return told


def stored_story() -> Story:
    """What was collected before."""
    return {table: rows for table, rows in story().items() if table in COLLECTED}


def snapshot_of(
    told: Story, *, age: dt.timedelta = dt.timedelta(hours=1), hidden: frozenset[str] = frozenset(), **more: Any
) -> Snapshot:
    begun = (NOW - age).strftime("%Y-%m-%dT%H:%M:%SZ")
    tables = tuple(sorted(COLLECTED))
    header = Header("0", (HOST,), begun, begun, tables, tables, {}, **more)
    return Snapshot(header, facts_of(told, (frozenset(TABLES) - COLLECTED) | hidden))


def gated(*snapshots: Snapshot, told: Story | None = None, hidden: frozenset[str] = UNREAD, days: int = 1) -> GateResult:
    asked: Docket = docket(told or run_story(), hidden)
    policy = replace(POLICY, gate=replace(POLICY.gate, audit_max_age=days))
    named = [(f"{number}.snap", one) for number, one in enumerate(snapshots, 1)]
    return judge(
        asked._replace(policy=policy, stored=stored_audit(named, asked.read.facts, policy, "prod.ml.churn", asked.begun))
    )


def c18(result: GateResult) -> CheckResult:
    return result.checks[17]


def said(result: GateResult) -> str:
    check = c18(result)
    return "\n".join(
        [*(f"{one.rule} {one.verdict} {one.subject} {one.message} {one.remedy}" for one in check.said), check.remedy]
    )


def test_what_the_gate_does_not_read_is_missing() -> None:
    result = gated()
    assert {check.number for check in result.checks if check.outcome is not Outcome.PASS} == {18}
    assert c18(result).outcome is Outcome.MISSING
    assert exit_code(result.checks) == 3
    assert "--snapshot" in c18(result).remedy
    assert c18(result).evidence == ()


def test_a_fresh_audit_of_this_estate_shows_it() -> None:
    result = gated(snapshot_of(stored_story()))
    assert c18(result).outcome is Outcome.PASS, said(result)
    assert exit_code(result.checks) == 0
    (evidence,) = c18(result).evidence
    assert (evidence.value, evidence.source) == ("audit of 2026-11-23T09:00:00Z", "1.snap")
    assert ("jobs", "churn/prod/train") in [(table, row["key"]) for table, row in result.rows]


def test_it_is_what_a_file_keeps(tmp_path: Path) -> None:
    one = snapshot_of(stored_story())
    write(tmp_path / "estate.snap", one.header, one.facts)
    assert c18(gated(read(tmp_path / "estate.snap"))).outcome is Outcome.PASS


def test_the_file_that_it_rests_on_is_attested(tmp_path: Path) -> None:
    one = snapshot_of(stored_story())
    write(tmp_path / "estate.snap", one.header, one.facts)
    digest = hashlib.sha256((tmp_path / "estate.snap").read_bytes()).hexdigest()
    ((name, kept),) = snapshots_of([tmp_path / "estate.snap"], "promotion")
    asked: Docket = docket(run_story(), UNREAD)
    stored = stored_audit([(name, kept), ("old", snapshot_of({}))], asked.read.facts, POLICY, "prod.ml.churn", asked.begun)
    result = judge(asked._replace(stored=stored))
    assert result.inputs == ((name, digest),)
    policed = replace(result, policy_path="lakewarden.toml", policy_digest="cd" * 32, exit_code=0)
    inputs = vsa(policed, "e.json", "e1" * 32)["predicate"]["inputAttestations"]
    assert inputs == [
        {"uri": "e.json", "digest": {"sha256": "e1" * 32}},
        {"uri": "estate.snap", "digest": {"sha256": digest}},
    ]


@pytest.mark.parametrize("table", sorted(COLLECTED - {"workspaces", "metastores", "schemas", "principals", "group_members"}))
def test_one_of_an_older_lakewarden_shows_nothing_of_what_it_did_not_know(table: str) -> None:
    """It names the tables that it could fill: what was made later is among neither its lists nor its tables."""
    told = stored_story()
    told.pop(table, None)
    one = snapshot_of(told, hidden=frozenset({table}))
    tables = tuple(name for name in one.header.filled if name != table)
    one = one._replace(header=one.header._replace(filled=tables, wanted=tables))
    result = gated(one, hidden=UNREAD | {table})
    assert c18(result).outcome is not Outcome.PASS
    assert exit_code(result.checks) != 0


@pytest.mark.parametrize(
    ("age", "days", "outcome"),
    [
        (A_DAY, 1, Outcome.PASS),
        (A_DAY + dt.timedelta(seconds=1), 1, Outcome.MISSING),
        (A_DAY + dt.timedelta(seconds=1), 2, Outcome.PASS),
        (dt.timedelta(seconds=1), 0, Outcome.MISSING),
        (dt.timedelta(hours=-1), 1, Outcome.MISSING),
    ],
    ids=["a day", "more than a day", "more than a day of two", "none is accepted", "still to come"],
)
def test_one_that_is_too_old_counts_for_nothing(age: dt.timedelta, days: int, outcome: Outcome) -> None:
    result = gated(snapshot_of(stored_story(), age=age), days=days)
    assert c18(result).outcome is outcome
    if outcome is Outcome.MISSING:
        assert c18(result).remedy == "collect it again: lakewarden collect -o FILE"
        assert "1.snap" in said(result)
        assert any("1.snap" in gap for gap in result.gaps)
        assert c18(result).evidence == ()


def test_an_error_in_one_that_is_too_old_is_no_error_either() -> None:
    told = stored_story()
    told["jobs"][0]["run_as_kind"] = "user"
    assert c18(gated(snapshot_of(told))).outcome is Outcome.FAIL
    assert c18(gated(snapshot_of(told, age=2 * A_DAY))).outcome is Outcome.MISSING


def test_one_of_another_estate_counts_for_nothing() -> None:
    told = stored_story()
    told["workspaces"] = [{"key": "https://other.example.com", "metastore": "another"}]
    result = gated(snapshot_of(told))
    assert c18(result).outcome is Outcome.MISSING
    assert "is not in that estate" in said(result)


def test_one_of_another_workspace_shows_no_jobs_of_this_one() -> None:
    told = stored_story()
    told["workspaces"] = [{"key": "https://other.example.com", "metastore": META}]
    one = snapshot_of(told, hidden=frozenset({"jobs"}))
    with one.facts.listing("jobs", plane="deployed", of="https://other.example.com"):
        pass
    assert c18(gated(one)).outcome is Outcome.MISSING


def test_facts_of_this_run_win() -> None:
    told, before = run_story(), stored_story()
    told["catalogs"][0]["isolation_mode"], before["catalogs"][0]["isolation_mode"] = "ISOLATED", "OPEN"
    assert c18(gated(snapshot_of(before), told=told)).outcome is Outcome.PASS
    told["catalogs"][0]["isolation_mode"], before["catalogs"][0]["isolation_mode"] = "OPEN", "ISOLATED"
    result = gated(snapshot_of(before), told=told)
    assert c18(result).outcome is Outcome.FAIL
    assert "ENV007 fail meta/prod" in said(result)


def test_a_list_that_this_run_read_to_its_end_has_no_more_than_that() -> None:
    before = stored_story()
    everybody = {"privilege": "ALL_PRIVILEGES", "principal": "group:account users", "principal_kind": "everyone"}
    before["grants"] = [{"key": f"{MODEL}/all", "securable": MODEL, "catalog": "prod", "named": "prod", **everybody}]
    assert c18(gated(snapshot_of(before))).outcome is Outcome.PASS
    result = gated(snapshot_of(before), hidden=UNREAD | {"grants"})
    assert c18(result).outcome is Outcome.FAIL
    assert "DAT006 fail" in said(result)


@pytest.mark.parametrize("kind", ["partial", "shared"])
def test_what_it_does_not_show_stays_a_gap(kind: str) -> None:
    more: dict[str, Any] = {"partial": "stopped"} if kind == "partial" else {"shared": True}
    one = snapshot_of(stored_story(), hidden=frozenset({"jobs"}), **more)
    one.facts.otherwise(Gap(Cause.TRUNCATED, "jobs", "it was stopped before", plane="deployed"))
    result = gated(one)
    assert c18(result).outcome is Outcome.MISSING
    assert kind in str(c18(result).evidence[0].value)


def test_two_that_contradict_each_other_decide_nothing() -> None:
    other = stored_story()
    other["jobs"][0]["run_as_kind"] = "user"
    result = gated(snapshot_of(stored_story()), snapshot_of(other))
    assert c18(result).outcome is Outcome.MISSING
    assert len(c18(result).evidence) == 2


def test_the_findings_of_others_never_block() -> None:
    told = stored_story()
    told["catalogs"].append({"key": f"{META}/prod2", "name": "prod", "catalog_type": "MANAGED", "isolation_mode": "OPEN"})
    told["jobs"].append({**told["jobs"][0], "key": "other", "run_as_kind": "user", "origin": None})
    told["catalog_tables"].append({**told["catalog_tables"][0], "key": f"{META}/prod.ml.other"})
    assert c18(gated(snapshot_of(told))).outcome is Outcome.PASS


def test_a_job_that_was_deleted_since_holds_no_error() -> None:
    told = stored_story()
    told["jobs"] = []
    assert c18(gated(snapshot_of(told))).outcome is Outcome.PASS


@pytest.mark.parametrize("table", sorted(run_story().keys() - COLLECTED))
def test_no_other_check_rests_on_it(table: str) -> None:
    whole = snapshot_of(story(), hidden=frozenset())
    whole = whole._replace(facts=facts_of(story()))  # a file that holds what no collect writes
    hidden = UNREAD | {table}
    before, after = gated(hidden=hidden), gated(whole, hidden=hidden)
    assert [one.outcome for one in after.checks if one.number != 18] == [one.outcome for one in before.checks if one.number != 18]
    assert exit_code(after.checks) != 0 or table == "branches"


CELLS = [
    (table, column)
    for table, rows in stored_story().items()
    for column in sorted({name for row in rows for name in row} - {"key"})
    if TABLES[table].columns[column].nullable
]
#: Errors that the stored audit shows: table, column, value.
ERRORS = [
    ("jobs", "run_as_kind", "user"),
    ("catalogs", "isolation_mode", "OPEN"),
    ("table_keys", "nullable", True),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error[0])
def test_hiding_what_was_stored_never_turns_a_refusal_into_a_pass(error: tuple[str, str, object]) -> None:
    table, column, value = error

    def mutated() -> Story:
        told = stored_story()
        for row in told[table]:
            row[column] = value
        return told

    assert c18(gated(snapshot_of(mutated()))).outcome is Outcome.FAIL
    for hidden in sorted(COLLECTED & {"jobs", "catalogs", "catalog_tables", "table_keys", "workspaces", "bindings"}):
        assert exit_code(gated(snapshot_of(mutated(), hidden=frozenset({hidden}))).checks) != 0, hidden
    for one, name in CELLS:
        if one == table:
            told = mutated()
            for row in told[one]:
                row[name] = None
            assert exit_code(gated(snapshot_of(told)).checks) != 0, (one, name)


@pytest.mark.parametrize("table", sorted(UNREAD - {"bindings"}))
def test_a_table_that_the_audit_lacks_is_never_a_pass(table: str) -> None:
    assert exit_code(gated(snapshot_of(stored_story(), hidden=frozenset({table}))).checks) == 3
    assert FEATURES.startswith(META)


@pytest.mark.parametrize(
    ("table", "column"), [("job_runs", "job"), ("runs", "job_run")], ids=["of which job the run is", "whether a job ran"]
)
def test_a_job_that_is_not_known_is_never_free_of_errors(table: str, column: str) -> None:
    told = run_story()
    for row in told[table]:
        row.pop(column)
    assert c18(gated(snapshot_of(stored_story()), told=told)).outcome is Outcome.MISSING


@pytest.mark.parametrize("table", ["version_features", "job_runs"])
def test_what_the_version_is_made_of_must_be_known(table: str) -> None:
    assert c18(gated(snapshot_of(stored_story()), hidden=UNREAD | {table})).outcome is Outcome.MISSING


def test_a_version_that_no_job_trained_has_none_with_errors() -> None:
    told = run_story()
    told["runs"][0]["job_run"], told["job_runs"] = "none", []
    assert c18(gated(snapshot_of(stored_story()), told=told)).outcome is Outcome.PASS
