"""What an audit makes of attestations: whose they are, of which version, and whether a broken glass was made up for."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.gate.attestation.given import DIGEST, result

from lakewarden.facts.collect import Facts
from lakewarden.facts.model.gate import Artifact, Candidate
from lakewarden.facts.model.registry import Model, ModelVersion
from lakewarden.gate.attestation.store import store
from lakewarden.gate.attested import archive_of, uri_of, write_attestations
from lakewarden.gate.result import Outcome
from lakewarden.policy.model import AttestationPolicy, Policy

if TYPE_CHECKING:
    from pathlib import Path

    from lakewarden.gate.result import GateResult

VERSION = "7d1f0a6e-0000-4000-8000-000000000001/prod.churn.model/7"
UNSIGNED = Policy(attestation=AttestationPolicy(allow_unsigned=True))


def rows(folder: Path, policy: Policy = UNSIGNED) -> list[dict[str, Any]]:
    facts = Facts()
    model = VERSION.rpartition("/")[0]
    facts.add(Model(key=model, plane="deployed"), ModelVersion(key=VERSION, plane="deployed", model=model))
    write_attestations(facts, archive_of(folder, policy))
    return [row.__dict__ for row in facts.rows["attestations"]]


def glass(at: str) -> GateResult:
    refused = result(kind="break-glass", exit_code=1, ticket="OPS-1", reason="it burns", finished=at)
    checks = tuple(replace(c, outcome=Outcome.FAIL) if c.number == 7 else c for c in refused.checks)
    return replace(refused, checks=checks)


def now(minutes: int = 0) -> str:
    return (dt.datetime.now(dt.timezone.utc) - dt.timedelta(minutes=60 - minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    ("key", "uri"),
    [
        ("meta/prod.ml.churn/7", "databricks-uc://meta/prod.ml.churn/versions/7"),
        ("https://host:5000/a/Churn/7", "mlflow+https://host:5000/a/Churn/versions/7"),
    ],
)
def test_a_version_is_named_by_its_key(key: str, uri: str) -> None:
    assert uri_of(key) == uri


def test_an_attestation_that_nobody_signed_is_believed_only_where_the_policy_says_so(tmp_path: Path) -> None:
    store(result(finished=now()), tmp_path)
    assert {row["valid"] for row in rows(tmp_path)} == {True}
    assert {row["valid"] for row in rows(tmp_path, Policy())} == {False}


def test_what_was_passed_adopted_and_refused_is_told_apart(tmp_path: Path) -> None:
    for number, one in enumerate((result(), result(kind="adoption"), result(kind="rollback"), result(exit_code=1))):
        store(replace(one, finished=now()), tmp_path / str(number))
    told = [{(row["kind"], row["result"]) for row in rows(tmp_path / str(number))} for number in range(4)]
    assert told[:3] == [{("promotion", "PASSED")}, {("adoption", "PASSED")}, {("rollback", "PASSED")}]
    assert told[3] == {("refusal", "FAILED")}


def test_a_broken_glass_is_settled_by_a_whole_gate_alone_and_only_by_a_later_one(tmp_path: Path) -> None:
    def settled(name: str, *results: GateResult) -> list[bool]:
        for one in results:
            store(one, tmp_path / name)
        return [row["settled"] for row in rows(tmp_path / name) if row["kind"] == "break-glass"]

    assert settled("alone", glass(now())) == [False]
    assert settled("before", result(finished=now(-5)), glass(now())) == [False]
    assert settled("adopted", glass(now()), result(kind="adoption", finished=now(5))) == [False]
    assert settled("after", glass(now()), result(finished=now(5))) == [True]


@pytest.mark.parametrize(
    ("read", "digest", "valid"),
    [
        (True, DIGEST, True),
        (True, "ab" * 32, False),
        (True, "none", False),
        (True, None, None),
        # Whose files were not to be read, as in an audit.
        (False, None, True),
    ],
)
def test_an_attestation_is_about_the_bytes_that_were_read(
    tmp_path: Path, read: bool, digest: str | None, valid: bool | None
) -> None:
    """A rollback rests on this alone: the name of a version says nothing of its bytes."""
    store(result(finished=now()), tmp_path)
    facts = Facts()
    facts.add(ModelVersion(key=VERSION, plane="deployed", model=VERSION.rpartition("/")[0]))
    if read:
        facts.add(Candidate(key=VERSION, plane="deployed", version_key=VERSION))
        facts.add(Artifact(key=VERSION, plane="deployed", digest=digest))
    write_attestations(facts, archive_of(tmp_path, UNSIGNED))
    assert {row.__dict__["valid"] for row in facts.rows["attestations"]} == {valid}


def test_an_attestation_of_another_version_says_nothing(tmp_path: Path) -> None:
    store(result(finished=now(), uri=uri_of(VERSION).replace("/7", "/8"), number="8"), tmp_path)
    assert rows(tmp_path) == []


def test_a_statement_that_was_changed_is_not_believed(tmp_path: Path) -> None:
    store(result(finished=now()), tmp_path)
    for file in tmp_path.glob("*.vsa.*"):
        file.write_bytes(b"{}")
    assert {row["kind"] for row in rows(tmp_path)} == {"promotion"}  # the properties are still there
    for file in tmp_path.glob("*.svr.*"):
        file.write_bytes(b"[")
    assert rows(tmp_path) == []
