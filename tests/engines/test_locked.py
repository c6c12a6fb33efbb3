"""The engine of rules that others wrote: it reads its facts, nothing else, and comes to an end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from lakewarden.engines.answer import BrokenQueryError
from lakewarden.engines.locked import LockedEngine
from lakewarden.facts.fact import TABLES
from lakewarden.facts.gaps import NO_TABLE, Cause, Gap
from lakewarden.policy.model import Policy, policy_row

if TYPE_CHECKING:
    from pathlib import Path

ENDLESS = "SELECT s.*, TRUE AS applies, (SELECT max(sin(a.range) * cos(b.range)) FROM range(60000) a, range(60000) b, range(60000) c) > 5 AS ok FROM jobs s"
GREEDY = "SELECT s.*, TRUE AS applies, (SELECT len(list(a.range::VARCHAR || b.range)) FROM range(100000) a, range(100000) b) > 5 AS ok FROM jobs s"
FAIR = "SELECT s.*, TRUE AS applies, s.run_as_kind = 'user' AS ok FROM jobs s"


def engine(seconds: float = 30, memory: int = 64) -> tuple[LockedEngine, list[Gap]]:
    gaps = [Gap(Cause.UNRESOLVED, "jobs", "seen before")]
    blank: dict[str, Any] = dict.fromkeys(TABLES["jobs"].columns)
    rows = [
        {**blank, "key": "a", "plane": "declared", "project": "p", "run_as_kind": "user"},
        {**blank, "key": "b", "plane": "declared", "project": "p", "run_as_kind": "group"},
        {**blank, "key": "c", "plane": "declared", "project": "p", "gap": 0},
    ]
    return LockedEngine({"jobs": rows}, policy_row(Policy()), gaps, seconds, memory), gaps


def test_a_query_is_answered() -> None:
    asked, gaps = engine()
    answer = asked.ask("jobs", FAIR, ["ok"])
    assert (answer.whole, answer.counts, len(gaps)) == (True, (1, 1, 1, 0), 1)


@pytest.mark.parametrize(("query", "why"), [(ENDLESS, "did not end within 0.3 seconds"), (GREEDY, "more than 64 MiB of memory")])
def test_a_query_that_runs_away_leaves_all_unknown_and_the_next_is_answered(query: str, why: str) -> None:
    asked, gaps = engine(0.3 if query is ENDLESS else 60)
    begun = time.monotonic()
    answer = asked.ask("jobs", query, ["ok"])
    assert time.monotonic() - begun < 30
    assert (answer.whole, answer.counts) == (True, (0, 0, 3, 0))
    assert [(row["key"], row["verdict"], row["gap"]) for row in answer.told] == [
        ("a", "unknown", 1), ("b", "unknown", 1), ("c", "unknown", 0),
    ]  # fmt: skip
    assert (gaps[1].cause, gaps[1].facts, why in gaps[1].reason) == (Cause.FAILED, NO_TABLE, True)
    assert asked.ask("jobs", FAIR, ["ok"]).counts == (1, 1, 1, 0)
    assert len(gaps) == 2


STATEMENTS = (
    "ATTACH '{file}'",
    "COPY jobs TO '{file}'",
    "COPY jobs FROM '{there}'",
    "EXPORT DATABASE '{file}'",
    "IMPORT DATABASE '{file}'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD '{there}'",
    "SET threads = 2",
    "RESET threads",
    "SET lock_configuration = false",
    "SET enable_external_access = true",
    "PRAGMA memory_limit = '4GB'",
    "SELECT * FROM read_csv('{there}')",
    "SELECT * FROM read_text('{there}')",
    "SELECT * FROM read_text('https://example.com/')",
    "SELECT * FROM '{there}'",
    "SELECT * FROM glob('/*')",
    "SELECT getenv('HOME')",
    "SELECT * FROM python_rows",
    "CREATE SECRET (TYPE S3)",
)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_nothing_but_the_facts_can_be_reached(statement: str, tmp_path: Path) -> None:
    there, file = tmp_path / "there.csv", tmp_path / "file"
    there.write_text("a,b\n1,2\n")
    python_rows = [{"a": 1}]
    asked, _ = engine()
    with pytest.raises(duckdb.Error):
        asked.connection.execute(statement.format(there=there, file=file)).fetchall()
    assert not file.exists()
    assert python_rows


@pytest.mark.parametrize(
    "rest", ["jobs s) q; DROP TABLE jobs; SELECT * FROM (SELECT 1", "jobs s; SELECT 1", "jobs s) q; SET x = 1 --"]
)
def test_a_query_is_one_select(rest: str) -> None:
    asked, _ = engine()
    with pytest.raises(BrokenQueryError):
        asked.ask("jobs", f"SELECT s.*, TRUE AS applies, TRUE AS ok FROM {rest}", ["ok"])
    assert asked.ask("jobs", FAIR, ["ok"]).counts == (1, 1, 1, 0)
