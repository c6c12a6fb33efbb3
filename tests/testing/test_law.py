"""The law of the rules: each kind of hiding finds the rule that it is there for."""

from __future__ import annotations

from typing import Any

import pytest

from lakewarden.engines.duckdb import DuckDBEngine
from lakewarden.policy.model import Policy, policy_row
from lakewarden.rule import CORE, ERROR, HIGH, Rule
from lakewarden.testing.law import breaches

ROWS: dict[str, list[dict[str, Any]]] = {
    "projects": [{"key": "p"}],
    "targets": [
        {"key": "p/dev", "project_key": "p", "name": "dev", "mode": "development"},
        {"key": "p/prod", "project_key": "p", "name": "prod"},
    ],
    "jobs": [
        {"key": "p/prod/j", "target": "p/prod", "place": "p/prod", "run_as": "ann", "run_as_kind": "user", "kind": "job"},
        {"key": "p/prod/j", "plane": "deployed", "run_as": "bob", "run_as_kind": "user", "kind": "job"},
    ],
    "tasks": [
        {"key": "p/prod/j/t", "job": "p/prod/j", "project_key": "p", "role": "training", "file": "p/a.py"},
        {"key": "p/prod/j/u", "job": "p/prod/j", "project_key": "p", "role": "other", "file": "none"},
    ],
    "files": [{"key": "p/a.py", "path": "a.py", "language": "python"}, {"key": "p/b.py", "path": "b.py", "language": "python"}],
}


def broken(subject: str, applies: str, ok: str, rest: str = "") -> set[str]:
    """What a rule with this query breaks the law by."""
    query = f"SELECT s.*, {applies} AS applies, {ok} AS ok FROM {subject} s {rest}"
    rule = Rule(
        code="X001", name="x", severity=ERROR, confidence=HIGH, profile=CORE, subject=subject, query=query, message="m"
    )  # fmt: skip
    engine = DuckDBEngine()
    rows = {name: [{"plane": "declared", "project": "p", **row} for row in given] for name, given in ROWS.items()}
    engine.load(rows, policy_row(Policy()))
    return {breach.hidden for breach in breaches(rule, engine)}


def a_list(condition: str, by: str = "x.job = s.key") -> str:
    return f"(SELECT {condition} FROM tasks x WHERE x.plane = s.plane AND {by})"


@pytest.mark.parametrize(
    ("subject", "applies", "ok", "rest"),
    [
        ("jobs", "TRUE", "s.run_as_kind <> 'user'", ""),
        ("jobs", "TRUE", a_list("all_of(x.role <> 'training')"), ""),
        ("projects", a_list("any_of(x.role = 'training')", "x.project_key = s.key"), "FALSE", ""),
        ("tasks", "TRUE", "f.language = 'python'", "LEFT JOIN files f ON f.plane = s.plane AND f.key = s.file"),
        ("tasks", "TRUE", "CASE WHEN f.key IS NULL THEN FALSE WHEN f.gap IS NULL THEN TRUE END", "LEFT JOIN files f ON f.plane = s.plane AND f.key = s.file"),
    ],
)  # fmt: skip
def test_rules_that_keep_the_law(subject: str, applies: str, ok: str, rest: str) -> None:
    assert broken(subject, applies, ok, rest) == ({"tasks.file", "tasks.file of row 1"} if "IS NULL" in ok else set())


@pytest.mark.parametrize(
    ("subject", "ok", "rest", "hidden"),
    [
        ("jobs", "coalesce(s.run_as <> 'ann', TRUE)", "", "jobs.run_as"),
        ("jobs", a_list("coalesce(bool_and(x.role <> 'training'), TRUE)"), "", "tasks.role of row 1"),
        ("jobs", a_list("count(*) = 2"), "", "whether the lists of tasks are complete"),
        ("projects", a_list("count(*) = 2", "x.project_key = s.key"), "", "row 1 of jobs with its lists"),
        ("files", "CASE WHEN t.key IS NULL THEN s.path <> 'b.py' ELSE TRUE END",
         "LEFT JOIN targets t ON t.plane = s.plane AND t.key = 'p/' || 'prod'", "what is in targets"),
        ("jobs", "o.run_as IS NULL OR o.run_as = s.run_as",
         "LEFT JOIN jobs o ON o.plane <> s.plane AND o.key = s.key", "what is deployed"),
        ("targets", "CASE WHEN s.mode IS NULL AND s.name IS NULL THEN TRUE ELSE s.mode = 'x' OR s.name = 'x' END", "",
         "targets.name and targets.mode"),
    ],
)  # fmt: skip
def test_each_hiding_finds_its_breach(subject: str, ok: str, rest: str, hidden: str) -> None:
    assert hidden in broken(subject, "TRUE", ok, rest)
