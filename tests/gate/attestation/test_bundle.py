from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.gate.attestation.given import check, result

from lakewarden.facts.origin import Origin
from lakewarden.gate.attestation.bundle import TYPE, bundle, shown_path
from lakewarden.gate.attestation.canonical import NotCanonicalError, canonical, parsed
from lakewarden.gate.result import Evidence, Outcome

TOKEN = "dapi" + "0123456789abcdef" * 2
SECRETS = [
    TOKEN,
    "ghp_" + "A1b2C3d4" * 5,
    "glpat-abcdefghijklmnop",
    "AKIAIOSFODNN7EXAMPLE",
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl",
    "https://me:hunter2secret@git.example.com/r.git",
    "client_secret=Zm9vYmFyYmF6",
    "Authorization: Bearer abc.def-123456",
    "-----BEGIN PRIVATE KEY-----MIIEvQ",
]
HIDDEN = [
    TOKEN, "A1b2C3d4", "abcdefghijklmnop", "IOSFODNN7", "eyJhbGci", "hunter2secret", "Zm9vYmFy", "abc.def-123456", "MIIEvQ"
]  # fmt: skip


def read(content: bytes) -> Any:
    return json.loads(content)


def test_it_holds_what_was_asked_every_row_every_check_and_the_tools() -> None:
    asked = result()
    found = read(bundle(asked))
    assert found["type"] == TYPE
    assert found["request"]["asked"] == "models:/prod.churn.model@challenger"
    assert found["subject"] == {"digest": asked.digest, "model": "prod.churn.model", "uri": asked.uri, "version": "7"}
    assert found["policy"] == {"path": "lakewarden.toml", "sha256": asked.policy_digest}
    assert [each["check"] for each in found["checks"]] == [each.code for each in asked.checks]
    assert found["checks"][0]["evidence"][0]["time"] == "2026-03-01T11:59:00Z"
    assert found["rows"] == [{"table": "model_versions", "row": dict(asked.rows[0][1])}]
    assert found["chain"][2] == {"kind": "commit", "value": "c" * 40, "source": "git-snapshot"}
    assert found["tools"]["lakewarden"] == "0.4.0"
    assert "python" in found["tools"]


def test_it_is_the_same_whatever_order_rows_and_their_columns_come_in() -> None:
    rows = tuple((table, {"key": key, "a": 1, "b": None}) for table in ("runs", "job_runs") for key in "xyz")
    turned = tuple((table, dict(reversed(row.items()))) for table, row in reversed(rows))
    assert bundle(result(rows=rows)) == bundle(result(rows=turned))
    assert bundle(result(rows=rows)) != bundle(result(rows=rows[1:]))


@pytest.mark.parametrize(("secret", "hidden"), list(zip(SECRETS, HIDDEN, strict=True)), ids=range(len(SECRETS)))
def test_a_planted_secret_is_nowhere(secret: str, hidden: str) -> None:
    first = replace(
        check(1, Outcome.FAIL),
        remedy=f"use {secret}",
        evidence=(Evidence("env", f"the task has {secret} set", f"https://h/?x={secret}", None, None),),
        said=tuple(said._replace(message=secret, reason=secret, subject=f"job/{secret}") for said in check(1).said),
    )
    asked = result(
        asked=secret,
        checks=(first, *result().checks[1:]),
        gaps=(f"could not read: {secret}",),
        chain=(result().chain[0]._replace(value=secret, source=secret),),
        rows=(("runs", {"key": secret, "list": [secret, {"x": secret}], secret: 1, "origin": Origin(url=secret)}),),
        policy_path=secret,
        project=secret,
    )
    found = bundle(asked)
    assert hidden.encode() not in found
    assert b"[removed]" in found


def test_a_secret_that_the_run_was_given_is_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "correct horse battery")
    rows = (("runs", {"key": "a/correct horse battery", "note": "short-lived pa55phrase"}),)
    found = bundle(result(rows=rows), ["pa55phrase"])
    assert b"correct horse" not in found
    assert b"pa55phrase" not in found


def test_values_of_parameters_are_left_out_but_for_those_that_name_code() -> None:
    rows = (
        ("run_params", {"key": "r/lr", "name": "lr", "value": "0.1"}),
        ("run_params", {"key": "r/ssn", "name": "customer", "value": "Jane Doe"}),
        ("run_tags", {"key": "r/c", "name": "mlflow.source.git.commit", "value": "c" * 40}),
        ("code_literals", {"key": "p#1", "value": "prod.churn.features"}),
        ("task_params", {"key": "t/p", "name": "limit", "value": 7}),
        ("things", {"key": "k", "access_token": "plain words"}),
    )
    found = {each["row"]["key"]: each["row"] for each in read(bundle(result(rows=rows)))["rows"]}
    assert found["r/lr"]["value"] == found["r/ssn"]["value"] == found["k"]["access_token"] == "[removed]"
    assert found["r/ssn"]["name"] == "customer"
    assert found["r/c"]["value"] == "c" * 40
    assert found["p#1"]["value"] == "prod.churn.features"
    assert found["t/p"]["value"] == 7


def test_what_json_readers_differ_about_becomes_text() -> None:
    rows = (("runs", {"key": "k", "auc": 0.25, "id": 2**60, "half": "\ud800", "outcome": Outcome.PASS, "long": "x y " * 300}),)
    (row,) = (each["row"] for each in read(bundle(result(rows=rows)))["rows"])
    assert row == {"key": "k", "auc": "0.25", "id": str(2**60), "half": "?", "outcome": "pass", "long": ("x y " * 300).strip()}


def test_waivers_are_told_with_who_answers_for_them() -> None:
    checks = (*result().checks[:-1], check(14, Outcome.WAIVED))
    (waiver,) = read(bundle(result(checks=checks)))["waivers"]
    assert waiver == {
        "check": "C14", "kind": "policy", "owner": "team", "reason": "until the next training", "ticket": "ML-1", "until": "2026-04-01"
    }  # fmt: skip


def test_no_folder_of_this_machine_is_told() -> None:
    assert shown_path("/home/me/repo/lakewarden.toml") == shown_path("C:\\repo\\lakewarden.toml") == "lakewarden.toml"
    assert shown_path("../shared/lakewarden.toml") == "lakewarden.toml"
    assert shown_path("ml/lakewarden.toml") == "ml/lakewarden.toml"
    assert read(bundle(result(policy_path="/home/me/lakewarden.toml")))["policy"]["path"] == "lakewarden.toml"


@pytest.mark.parametrize("value", [0.5, 2**53, {1: 2}, "\ud800", object(), {"a": [1.0]}])
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(NotCanonicalError):
        canonical(value)


@pytest.mark.parametrize(
    "text", ['{"a":1,"a":2}', '{"x":{"b":1,"c":2,"b":1}}', "NaN", "[Infinity]", "{", "", "[" * 100_000, '{"a":1} x']
)
def test_json_that_readers_differ_about_is_not_read(text: str) -> None:
    with pytest.raises(NotCanonicalError):
        parsed(text.encode())


def test_json_of_another_encoding_is_not_read() -> None:
    for encoding in ("utf-16", "utf-8-sig"):
        with pytest.raises(NotCanonicalError):
            parsed('{"a":"é"}'.encode(encoding))
