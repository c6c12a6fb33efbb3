"""Which gap explains an unknown verdict."""

from __future__ import annotations

from typing import Any

import pytest

from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.origin import Origin
from lakewarden.judge.causes import Causes
from lakewarden.rule import Query

QUERY = Query("jobs", "SELECT j.*, TRUE AS applies, j.name = 'x' AS ok FROM jobs j LEFT JOIN tasks t ON t.job = j.key", "m")
ROW = {"key": "p/prod/j", "plane": "declared", "project": "p", "gap": None, "target": "p/prod", "name": None}
HERE = Origin("r/jobs.yml", 10, 1, 20)


def gap(reason: str, table: str = "jobs", **given: Any) -> Gap:
    return Gap(Cause.UNRESOLVED, table, reason, **{"project": "p", "value": True, **given})


FAR_TO_NEAR = [
    gap("anywhere", project=None),
    gap("project"),
    gap("file", origin=Origin("r/jobs.yml"), value=False),
    gap("value", origin=Origin("r/jobs.yml", 30)),
    gap("lines", origin=Origin("r/jobs.yml", 15)),
    gap("parent", parent="p/prod", value=False),
]


@pytest.mark.parametrize("count", range(1, len(FAR_TO_NEAR) + 1))
def test_the_nearest_gap_explains(count: int) -> None:
    for gaps in (FAR_TO_NEAR[:count], FAR_TO_NEAR[:count][::-1]):
        assert gaps[Causes(gaps).of(QUERY, ROW, HERE)].reason == FAR_TO_NEAR[count - 1].reason


@pytest.mark.parametrize(
    "other",
    [
        gap("x", project="q"),
        gap("x", plane="deployed"),
        gap("x", table="targets"),
        gap("x", parent="p/dev"),
        gap("x", project="q", origin=HERE),
    ],
)
def test_what_is_about_something_else_explains_nothing(other: Gap) -> None:
    gaps = [other]
    assert gaps[Causes(gaps).of(QUERY, ROW, HERE)].reason == "name of jobs not known"
    assert len(gaps) == 2


def test_of_gaps_as_near_the_first_counts_and_the_subject_goes_first() -> None:
    gaps = [gap("task", "tasks"), gap("first"), gap("second")]
    assert Causes(gaps).of(QUERY, ROW, HERE) == 1
    known = {**ROW, "name": "x"}
    assert Causes(gaps).of(QUERY, known, HERE) == 0, "a value of the subject that is known needs no explanation"


def test_the_gap_of_the_row_itself_goes_before_all() -> None:
    assert Causes(list(FAR_TO_NEAR)).of(QUERY, {**ROW, "gap": 0}, HERE) == 0


def test_a_row_of_no_project_is_explained_by_gaps_of_any() -> None:
    gaps = [gap("other", project="q"), gap("here", project="q", origin=Origin("r/jobs.yml", 12))]
    assert Causes(gaps).of(QUERY, {**ROW, "project": None}, HERE) == 1
    assert Causes(gaps).of(QUERY, {**ROW, "project": None}, None) == 0


COMPARED = Query(
    "jobs", "SELECT c.*, TRUE AS applies, all_of(o.name <> c.name) AS ok FROM jobs c JOIN jobs o ON TRUE GROUP BY ALL", "m"
)


def test_what_is_not_known_of_another_row_explains_a_comparison_with_it() -> None:
    known = {**ROW, "name": "x", "plane": "deployed"}
    others = [gap("who runs", plane="deployed", project=None, parent="another"), gap("declared", parent="another")]
    assert Causes(others).of(COMPARED, known, None) == 0
    for query, row in ((QUERY, known), (COMPARED, {**known, "name": None})):
        gaps = list(others)
        assert gaps[Causes(gaps).of(query, row, None)].reason not in ("who runs", "declared")


@pytest.mark.parametrize(("plane", "told"), [("declared", "what the repository says"), ("deployed", "what was seen")])
def test_a_row_of_which_all_is_known_is_told_by_where_it_was_seen(plane: str, told: str) -> None:
    gaps: list[Gap] = []
    assert gaps[Causes(gaps).of(QUERY, {**ROW, "name": "x", "plane": plane}, None)].reason == f"{told} does not decide it"
