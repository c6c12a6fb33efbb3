"""What a rule says about an example."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakewarden.engines.answer import BrokenQueryError
from lakewarden.engines.duckdb import DuckDBEngine
from lakewarden.facts.store import Prepared, prepare
from lakewarden.judge.catalogue import tables_of
from lakewarden.judge.judge import why_not_asked
from lakewarden.policy.model import policy_row
from lakewarden.testing.facts import facts_of, policy_of

if TYPE_CHECKING:
    from lakewarden.rule import Query, Rule
    from lakewarden.testing.examples import Example

Verdicts = tuple[tuple[str, str, str], ...]


def prepare_example(example: Example, needed: frozenset[str]) -> tuple[Prepared, dict[str, Any]]:
    """The facts of an example under its policy, and the row of the view `policy`."""
    policy = policy_of(example)
    facts, filled, planes = facts_of(example, policy)
    return prepare(facts, policy, filled=filled, needed=needed, planes=planes), policy_row(policy)


def judge_example(rule: Rule, example: Example) -> Verdicts:
    """The verdict of each object of an example to which the rule applies, sorted as in the example; raises as `verdicts_of`."""
    policy = policy_of(example)
    facts, filled, planes = facts_of(example, policy)
    asked = [query for query in rule.queries if why_not_asked(query, filled, planes) is None]
    needed = frozenset[str]().union(*(tables_of(query) for query in asked))
    engine = DuckDBEngine()
    engine.load(prepare(facts, policy, filled=filled, needed=needed, planes=planes).rows, policy_row(policy))
    found = []
    for query in asked:
        for (_, key), (verdict, condition) in verdicts_of(engine, query).items():
            if verdict != "not applicable":
                found.append((verdict, key, condition if len(query.conditions) > 1 else ""))
    return tuple(sorted(found))


def verdicts_of(engine: DuckDBEngine, query: Query) -> dict[tuple[str, str], tuple[str, str]]:
    """By plane and key: the verdict, and the first condition that is false (of a fail) or not known.

    Raises:
        BrokenQueryError: the query cannot be run, or does not return each object once.
    """
    answer = engine.ask(query.subject, query.query, list(query.conditions))
    if not answer.whole:
        raise BrokenQueryError("it loses objects, or judges one twice")
    told = {(row["plane"], row["key"]): row for row in answer.told}
    found: dict[tuple[str, str], tuple[str, str]] = {}
    rows = engine.connection.execute(f"SELECT plane, key, applies FROM ({query.query})").fetchall()
    for plane, key, applies in rows:
        row = told.get((plane, key))
        if row is None:
            found[plane, key] = ("not applicable" if applies is False else "pass", "")
        else:
            wanted = False if row["verdict"] == "fail" else None
            found[plane, key] = (row["verdict"], next((c for c in query.conditions if row[c] is wanted), ""))
    return found
