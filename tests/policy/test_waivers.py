from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakewarden.policy.model import AcceptedGap, Policy, WaiverPolicy, WaiverRules
from lakewarden.policy.waivers import accepted, apply

TODAY = dt.date(2026, 6, 1)
RULES = {"ENV002": "catalog-per-stage", "ENV003": "workspace-per-stage"}


class ARule(NamedTuple):
    code: str


class AFinding(NamedTuple):
    rule: ARule
    subject: str
    environment: str | None = None


FINDINGS = [
    AFinding(ARule("ENV003"), "churn/dev", "development"),
    AFinding(ARule("ENV003"), "churn/prod", "production"),
    AFinding(ARule("ENV002"), "churn/prod", "production"),
]


def waiver(rule: str = "ENV003", subject: str = "churn/*", **more: Any) -> WaiverPolicy:
    return WaiverPolicy(rule, subject, "reason", **more)


def held(*waivers: WaiverPolicy, **rules: Any) -> tuple[set[int], list[str]]:
    policy = Policy(waivers=waivers, waiver_policy=WaiverRules(**rules))
    result = apply(policy, FINDINGS, today=TODAY, rules=RULES, asked={"ENV003"})
    return set(result.findings), [problem.kind for problem in result.problems]


@pytest.mark.parametrize(
    ("one", "waived", "problems"),
    [
        (waiver(), {0, 1}, []),
        (waiver("workspace-per-stage"), {0, 1}, []),
        (waiver(subject="CHURN/prod"), {1}, []),
        (waiver(subject="churn"), set(), ["unused"]),
        (waiver("ENV002", "nothing"), set(), []),
        (waiver("ENV003", environment="production"), {1}, []),
        (waiver("ENV"), set(), ["unknown_rule"]),
        (waiver("ENV033"), set(), ["unknown_rule"]),
        (waiver(expires=TODAY), {0, 1}, []),
        (waiver(expires=TODAY - dt.timedelta(1)), set(), ["expired"]),
        (waiver(starts=TODAY), {0, 1}, []),
        (waiver(starts=TODAY + dt.timedelta(1)), set(), []),
        (waiver(covers=2), {0, 1}, []),
        (waiver(covers=1), set(), ["exceeded"]),
    ],
)
def test_a_waiver(one: WaiverPolicy, waived: set[int], problems: list[str]) -> None:
    assert held(one) == (waived, problems)


@pytest.mark.parametrize(
    ("one", "rules", "problems"),
    [
        (waiver(), {"require": ("owner",)}, ["missing_field"]),
        (waiver(owner=""), {"require": ("owner",)}, ["missing_field"]),
        (waiver(owner="me"), {"require": ("owner",)}, []),
        (waiver(), {"unwaivable": ("ENV003",)}, ["unwaivable"]),
        (waiver(), {"unwaivable": ("ENV",)}, ["unwaivable"]),
        (waiver(), {"unwaivable": ("ENV002",)}, []),
        (waiver(ticket="RISK-12"), {"ticket_pattern": r"RISK-\d+"}, []),
        (waiver(ticket="RISK-12x"), {"ticket_pattern": r"RISK-\d+"}, ["bad_ticket"]),
        (waiver(), {"ticket_pattern": r"RISK-\d+"}, ["bad_ticket"]),
        (waiver(), {"max_days": 10}, ["too_long"]),
        (waiver(expires=TODAY + dt.timedelta(10)), {"max_days": 10}, []),
        (waiver(expires=TODAY + dt.timedelta(11)), {"max_days": 10}, ["too_long"]),
        (waiver(starts=TODAY - dt.timedelta(5), expires=TODAY + dt.timedelta(6)), {"max_days": 10}, ["too_long"]),
    ],
)
def test_what_every_waiver_must_say(one: WaiverPolicy, rules: dict[str, Any], problems: list[str]) -> None:
    assert held(one, **rules) == (set() if problems else {0, 1}, problems)


def test_an_exceeded_waiver_lists_the_subjects() -> None:
    policy = Policy(waivers=(waiver(covers=1),))
    (problem,) = apply(policy, FINDINGS, today=TODAY, rules=RULES).problems
    assert problem.subjects == ("churn/dev", "churn/prod")
    assert problem.key == "waivers[1]"
    assert "approved for 1, and matches 2: churn/dev, churn/prod" in problem.message


def test_the_first_of_two_waivers_counts_and_both_are_used() -> None:
    first, second = waiver(subject="churn/prod"), waiver()
    result = apply(Policy(waivers=(first, second)), FINDINGS, today=TODAY, rules=RULES, asked={"ENV003"})
    assert result.problems == ()
    assert result.findings == {0: second, 1: first}


def test_unused_is_claimed_only_of_rules_that_were_asked_in_full() -> None:
    result = apply(Policy(waivers=(waiver(subject="gone"),)), FINDINGS, today=TODAY, rules=RULES, asked=())
    assert result.problems == ()


def test_accepted_gaps() -> None:
    old, new = AcceptedGap("a/*", "r", expires=TODAY - dt.timedelta(1)), AcceptedGap("a/b", "r", expires=TODAY)
    policy = Policy(accepted_gaps=(old, new))
    assert accepted(policy, "a/b", TODAY) is new
    assert accepted(policy, "a/c", TODAY) is None


@given(
    st.lists(
        st.builds(
            WaiverPolicy,
            st.sampled_from([*RULES, *RULES.values(), "XX"]),
            st.sampled_from(["*", "churn/dev", "churn/*", "no"]),
            st.just("r"),
            environment=st.sampled_from([None, "production"]),
            covers=st.none() | st.integers(1, 3),
            expires=st.none() | st.dates(TODAY - dt.timedelta(3), TODAY + dt.timedelta(3)),
        ),
        max_size=4,
    )
)
def test_what_is_waived_is_matched_and_no_waiver_with_a_problem_waives(waivers: list[WaiverPolicy]) -> None:
    result = apply(Policy(waivers=tuple(waivers)), FINDINGS, today=TODAY, rules=RULES, asked=RULES)
    wrong = {id(problem.waiver) for problem in result.problems}
    for index, one in result.findings.items():
        assert id(one) not in wrong
        assert one.rule in {FINDINGS[index].rule.code, RULES[FINDINGS[index].rule.code]}
        assert one.expires is None or one.expires >= TODAY
