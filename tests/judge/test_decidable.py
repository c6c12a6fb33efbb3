"""What can be decided, what would unlock the rest, and when it is less than before."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakewarden.judge.catalogue import load_rules
from lakewarden.judge.decidable import DECIDABLE, IN_PART, NOTHING, ORDER, UNDECIDABLE, Decided, Prospect, decided, grant_of, less
from lakewarden.judge.result import RuleOutcome
from lakewarden.rule import Severity


@pytest.mark.parametrize(
    ("remedy", "statement"),
    [
        ("GRANT READ METADATA ON METASTORE `m-1` TO `ann@x`", "GRANT READ METADATA ON METASTORE TO `ann@x`"),
        ("GRANT BROWSE ON CATALOG `prod` TO `ann@x`", "GRANT BROWSE ON CATALOG `prod` TO `ann@x`"),
        ("GRANT READ METADATA ON SCHEMA `prod.ml` TO `ann@x`", "GRANT READ METADATA ON SCHEMA `prod`.`ml` TO `ann@x`"),
        ("GRANT EXECUTE ON MODEL `prod.ml.churn` TO `a`", "GRANT EXECUTE ON FUNCTION `prod`.`ml`.`churn` TO `a`"),
        ("GRANT BROWSE ON EXTERNAL LOCATION `land.ing` TO `a`", "GRANT BROWSE ON EXTERNAL LOCATION `land.ing` TO `a`"),
    ],
)
def test_a_remedy_that_is_a_grant_becomes_a_statement(remedy: str, statement: str) -> None:
    grant = grant_of(remedy)
    assert grant is not None
    assert grant.statement == statement


@pytest.mark.parametrize(
    "remedy", ["add `ann` to the group admins", "grant CAN_VIEW on the endpoint x", "GRANT ON `a` TO `b`", ""]
)
def test_what_is_no_grant_is_none(remedy: str) -> None:
    assert grant_of(remedy) is None


@pytest.mark.parametrize(
    ("wide", "narrow", "covered"),
    [
        ("READ METADATA ON METASTORE `m`", "BROWSE ON CATALOG `prod`", True),
        ("READ METADATA ON METASTORE `m`", "READ METADATA ON CATALOG `prod`", True),
        ("READ METADATA ON CATALOG `prod`", "BROWSE ON CATALOG `prod`", True),
        ("READ METADATA ON CATALOG `dev`", "BROWSE ON CATALOG `prod`", False),
        ("BROWSE ON CATALOG `prod`", "READ METADATA ON CATALOG `prod`", False),
        ("READ METADATA ON METASTORE `m`", "EXECUTE ON MODEL `prod.ml.churn`", False),
    ],
)
def test_which_grant_makes_another_needless(wide: str, narrow: str, covered: bool) -> None:
    one, other = grant_of(f"GRANT {wide} TO `a`"), grant_of(f"GRANT {narrow} TO `a`")
    assert one is not None
    assert other is not None
    assert one.covers(other) is covered


Counts = st.integers(0, 5)


@given(st.sampled_from(ORDER), Counts, Counts)
def test_the_same_is_never_less(state: str, judged: int, unseen: int) -> None:
    found = Prospect((Decided("DAT001", state, judged, min(judged, unseen)),), ())
    assert less({"DAT001": (state, judged, min(judged, unseen))}, found) == []


@pytest.mark.parametrize(
    ("before", "now", "is_less"),
    [
        ((DECIDABLE, 4, 0), Decided("DAT001", IN_PART, 4, 1), True),
        ((DECIDABLE, 4, 0), Decided("DAT001", UNDECIDABLE, 1, 1), True),
        ((IN_PART, 4, 1), Decided("DAT001", IN_PART, 4, 2), True),
        ((IN_PART, 4, 2), Decided("DAT001", IN_PART, 4, 1), False),
        ((IN_PART, 4, 2), Decided("DAT001", DECIDABLE, 4, 0), False),
        ((UNDECIDABLE, 1, 1), Decided("DAT001", IN_PART, 4, 1), False),
        ((DECIDABLE, 4, 0), Decided("DAT001", "not asked", 0, 0, "ignored"), True),
        ((DECIDABLE, 4, 0), Decided("DAT001", "nothing to judge", 0, 0), True),
    ],
)
def test_when_less_can_be_decided(before: tuple[str, int, int], now: Decided, is_less: bool) -> None:
    assert bool(less({"DAT001": before}, Prospect((now,), ()))) is is_less


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        ({"judged": 2, "not_applicable": 2}, NOTHING),
        ({"judged": 2, "not_applicable": 1, "passed": 1}, DECIDABLE),
        ({"judged": 2, "not_applicable": 1, "unknown": 1}, IN_PART),
        ({"judged": 2, "unknown": 2}, UNDECIDABLE),
    ],
)
def test_what_a_rule_is_not_about_is_nothing_that_it_decides(outcome: dict[str, Any], state: str) -> None:
    found = RuleOutcome(load_rules()["DAT011"], Severity.WARNING, **outcome)
    assert decided(found, outcome.get("unknown", 0)).state == state
