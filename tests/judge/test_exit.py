"""Why a run is incomplete, in words."""

from __future__ import annotations

import datetime as dt

import pytest

from lakewarden.judge.catalogue import load_rules
from lakewarden.judge.exit import why_incomplete
from lakewarden.judge.result import RuleOutcome
from lakewarden.policy.model import Policy
from lakewarden.rule import Profile


@pytest.mark.parametrize(("count", "told"), [(1, "1 object"), (2, "2 objects"), (1200, "1,200 objects")])
def test_the_strict_profile_counts_what_nobody_could_tell(count: int, told: str) -> None:
    rule = load_rules()["GIT005"]
    outcome = RuleOutcome(rule, rule.severity, judged=count, unknown=count)
    assert why_incomplete((), (outcome,), Policy(), Profile.STRICT, dt.date(2026, 3, 1)) == (f"GIT005 could not tell for {told}",)
    assert why_incomplete((), (outcome,), Policy(), Profile.CORE, dt.date(2026, 3, 1)) == ()
