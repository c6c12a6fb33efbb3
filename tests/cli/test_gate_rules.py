"""Rules of a gate in commands that have no candidate: not asked, with a reason, and in nobody's way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.running import inside, write

from lakewarden.errors import ExitCode
from lakewarden.judge.decidable import prospect
from lakewarden.judge.result import OF_A_GATE

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    write(tmp_path, {"databricks.yml": "bundle: {name: churn}\ntargets: {prod: {mode: production}}\n"})
    return tmp_path


def test_lint_tells_them_apart_in_json_and_leaves_them_out_of_the_text(repository: Path) -> None:
    ran = inside(repository, "lint", "--output-format", "json")
    why = {rule["code"]: rule["skipped_reason"] for rule in ran.json["rules"]}
    assert why["GATE008"] == why["GATE009"] == OF_A_GATE
    assert "GATE" not in str(ran.json["gaps"])
    assert "candidate" not in str(ran.json["summary"])
    assert "GATE" not in inside(repository, "lint").out


def test_who_asks_for_one_of_them_is_told_where(repository: Path) -> None:
    ran = inside(repository, "lint", "--select", "GATE008")
    assert ran.code == ExitCode.NOTHING_CHECKED
    assert "run `lakewarden gate`" in " ".join(ran.out.split())


def test_doctor_says_nothing_of_them() -> None:
    from tests.reports.samples import result

    from lakewarden.judge.catalogue import load_rules
    from lakewarden.judge.result import RuleOutcome
    from lakewarden.rule import Severity

    own = RuleOutcome(load_rules()["GATE009"], Severity.ERROR, skipped_reason=OF_A_GATE)
    sample = result()
    shown = prospect(type(sample)(**{**sample.__dict__, "rules": (*sample.rules, own)}))
    assert "GATE009" not in {rule.code for rule in shown.rules}
    assert shown.rules == prospect(sample).rules
