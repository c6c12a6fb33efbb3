from __future__ import annotations

from typing import Any

import pytest
from tests.gate.attestation.given import DIGEST, FINISHED, NAMES, POLICY, URI, check, result, with_check

from lakewarden.errors import UsageError
from lakewarden.gate.attestation.statement import passed, svr, vsa
from lakewarden.gate.result import Outcome


def summary(**changed: Any) -> dict[str, Any]:
    found: dict[str, Any] = vsa(result(**changed), "e.json", "e1" * 32)["predicate"]
    return found


def test_one_subject_with_the_name_and_the_digest_of_the_version() -> None:
    for statement in (svr(result()), vsa(result(), "e.json", "e1" * 32)):
        assert statement["_type"] == "https://in-toto.io/Statement/v1"
        assert statement["subject"] == [{"name": URI, "digest": {"sha256": DIGEST}}]


def test_the_properties_are_those_that_passed_and_were_demanded() -> None:
    statement = svr(result())
    assert statement["predicateType"] == "https://in-toto.io/attestation/svr/v0.2"
    assert statement["predicate"] == {
        "verifier": {
            "id": "urn:lakewarden:gate:v1",
            "policies": [{"uri": "lakewarden.toml", "digest": {"sha256": POLICY}}],
        },
        "timeCreated": FINISHED,
        "properties": [
            "LAKEWARDEN_C01_REQUEST",
            "LAKEWARDEN_C02_IDENTITY_PINNED",
            "LAKEWARDEN_C03_PLACE",
            "LAKEWARDEN_C04_TRAINED_IN_PRODUCTION",
            "LAKEWARDEN_C05_OWN_BYTES",
            "LAKEWARDEN_C06_COMMIT",
            "LAKEWARDEN_C07_ON_RELEASE",
            "LAKEWARDEN_C10_DEPLOYED_JOB",
            "LAKEWARDEN_C19_UNCHANGED",
            "LAKEWARDEN_GATE_LINEAGE",
        ],
    }


def test_the_summary_of_a_pass() -> None:
    assert summary() == {
        "verifier": {"id": "urn:lakewarden:gate:v1", "version": {"lakewarden": "0.4.0"}},
        "timeVerified": FINISHED,
        "resourceUri": URI,
        "policy": {"uri": "lakewarden.toml", "digest": {"sha256": POLICY}},
        "inputAttestations": [{"uri": "e.json", "digest": {"sha256": "e1" * 32}}],
        "verificationResult": "PASSED",
        "verifiedLevels": ["LAKEWARDEN_GATE_LINEAGE"],
        "slsaVersion": "1.2",
    }


@pytest.mark.parametrize("number", [number for number in NAMES if number not in {14, 20}])
@pytest.mark.parametrize("outcome", [Outcome.FAIL, Outcome.MISSING])
def test_one_check_that_does_not_pass_fails_the_version_and_is_no_property(number: int, outcome: Outcome) -> None:
    asked = with_check(result(), number, outcome)
    found = vsa(asked, "e.json", "e1" * 32)["predicate"]
    assert (found["verificationResult"], found["verifiedLevels"]) == ("FAILED", ["FAILED"])
    properties = svr(asked)["predicate"]["properties"]
    assert not [each for each in properties if each.startswith((f"LAKEWARDEN_C{number:02}_", "LAKEWARDEN_GATE"))]
    assert len(properties) == 8


def test_a_result_that_contradicts_itself_is_no_pass() -> None:
    """An exit code of 0 beside a check that failed, or one that failed beside checks that all pass."""
    failing = with_check(result(), 7, Outcome.FAIL)
    recorded = with_check(result(), 20, Outcome.PASS)
    assert not passed(result(checks=failing.checks, exit_code=0))
    assert not passed(result(checks=recorded.checks, exit_code=1))
    assert not passed(result(exit_code=3))
    assert passed(result())
    assert passed(result(checks=recorded.checks, exit_code=0))
    assert not passed(result(checks=()))
    assert not passed(result(checks=(check(20),), exit_code=0))
    assert not passed(result(checks=(check(14, required=False),), exit_code=0))


def test_what_is_not_demanded_is_never_told_even_where_it_passes_or_fails() -> None:
    for outcome in Outcome:
        asked = with_check(result(), 14, outcome, required=False)
        assert not [each for each in svr(asked)["predicate"]["properties"] if "C14" in each]
        assert vsa(asked, "e", "e1" * 32)["predicate"]["verifiedLevels"] == ["LAKEWARDEN_GATE_LINEAGE"]


def test_a_waived_check_is_told_as_waived_in_both() -> None:
    asked = with_check(result(), 6, Outcome.WAIVED)
    assert "LAKEWARDEN_C06_WAIVED" in svr(asked)["predicate"]["properties"]
    assert "LAKEWARDEN_C06_COMMIT" not in svr(asked)["predicate"]["properties"]
    assert vsa(asked, "e", "e1" * 32)["predicate"]["verifiedLevels"] == ["LAKEWARDEN_GATE_LINEAGE", "LAKEWARDEN_C06_WAIVED"]


@pytest.mark.parametrize("number", [2, 5, 7])
def test_identity_and_commit_cannot_be_waived(number: int) -> None:
    assert vsa(with_check(result(), number, Outcome.WAIVED), "e", "e1" * 32)["predicate"]["verificationResult"] == "FAILED"


@pytest.mark.parametrize(
    ("changed", "levels"),
    [
        ({"kind": "rollback"}, ["LAKEWARDEN_ROLLBACK"]),
        ({"kind": "adoption"}, ["LAKEWARDEN_ADOPTION"]),
        ({"kind": "break-glass"}, ["FAILED"]),
        ({"first_promotion": True}, ["LAKEWARDEN_GATE_LINEAGE", "LAKEWARDEN_FIRST_PROMOTION"]),
        ({"level": "identity", "reached": "approved"}, ["LAKEWARDEN_GATE_IDENTITY"]),
    ],
)
def test_what_a_decision_is_called(changed: dict[str, Any], levels: list[str]) -> None:
    assert summary(**changed)["verifiedLevels"] == levels
    properties = svr(result(**changed))["predicate"]["properties"]
    wanted = set(levels) - {"FAILED"} or {"LAKEWARDEN_BREAK_GLASS"}
    assert wanted == {each for each in properties if "_C" not in each}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"digest": None}, "SHA-256 of its files is not known"),
        ({"digest": "abc"}, "SHA-256 of its files is not known"),
        ({"uri": None}, "was not found"),
        ({"number": None}, "was not found"),
        ({"policy_digest": None}, "no policy file"),
        ({"kind": "report"}, "--report-only"),
    ],
)
def test_what_cannot_be_attested_says_why(changed: dict[str, Any], told: str) -> None:
    for make in (svr, lambda asked: vsa(asked, "e", "e1" * 32)):
        with pytest.raises(UsageError, match=told) as caught:
            make(result(**changed))
        assert caught.value.advice
