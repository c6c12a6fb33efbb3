"""The judge: asks each rule of the engine and checks that no object was lost and none judged twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lakewarden.engines.answer import BrokenQueryError
from lakewarden.facts.closures import CLOSURES
from lakewarden.facts.fact import TABLES
from lakewarden.judge.catalogue import tables_of
from lakewarden.judge.result import OF_A_GATE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lakewarden.engines.answer import Engine
    from lakewarden.rule import Query, Rule

#: What a gate alone asks about.
_CANDIDATE = "candidates"


@dataclass(frozen=True)
class Ruling:
    """What one rule says before policy looks at it: counts, and the rows that fail or are unknown.

    `told` pairs each such row (a dict with `verdict`) with the query that it comes from.
    """

    rule: Rule
    judged: int = 0
    passed: int = 0
    not_applicable: int = 0
    told: list[tuple[Query, dict[str, Any]]] = field(default_factory=list)
    skipped_reason: str | None = None
    crashed: str | None = None


def tables_needed(rules: Iterable[Rule], filled: frozenset[str], planes: frozenset[str]) -> frozenset[str]:
    """The fact tables that these rules read, of the queries that can be asked at all."""
    return frozenset(
        table
        for rule in rules
        for query in rule.queries
        if why_not_asked(query, filled, planes) is None
        for table in tables_of(query) & TABLES.keys()
    )


def why_not_asked(query: Query, filled: frozenset[str], planes: frozenset[str]) -> str | None:
    """Why a query cannot be asked by this command; None when it can."""
    if query.needs_both and not {"declared", "deployed"} <= planes:
        return "compares what is declared with what is deployed: run `lakewarden audit`"
    if query.subject == _CANDIDATE and _CANDIDATE not in filled:
        return OF_A_GATE
    if query.subject not in filled and query.subject not in CLOSURES:
        return f"needs {query.subject.replace('_', ' ')}, which this command does not read"
    return None


def rule_on(rule: Rule, engine: Engine, filled: frozenset[str], planes: frozenset[str]) -> Ruling:
    """Ask one rule. A broken rule is told as crashed, never as a pass."""
    judged = passed = not_applicable = 0
    told: list[tuple[Query, dict[str, Any]]] = []
    reasons = [why_not_asked(query, filled, planes) for query in rule.queries]
    if all(reasons):
        return Ruling(rule, skipped_reason=reasons[0])
    for query, reason in zip(rule.queries, reasons, strict=True):
        expected = engine.size.get(query.subject, 0)
        if reason is not None or expected == 0:
            continue
        try:
            answer = engine.ask(query.subject, query.query, list(query.conditions))
        except BrokenQueryError as problem:
            return Ruling(rule, crashed=f"its query on {query.subject} is broken: {problem}")
        if not answer.whole:
            lost = (
                f"its query on {query.subject} returned {answer.rows} rows for {expected} objects: some are lost or there twice"
            )
            return Ruling(rule, crashed=lost)
        judged += sum(answer.counts)
        passed += answer.counts[0]
        not_applicable += answer.counts[3]
        told += [(query, row) for row in sorted(answer.told, key=_by_place)]
    return Ruling(rule, judged, passed, not_applicable, told)


def _by_place(row: Mapping[str, Any]) -> tuple[int, str, str]:
    """The order in which rows are told; an engine returns them in any."""
    return -1 if row["origin"] is None else row["origin"], row["plane"], row["key"]


def rule_all(rules: Iterable[Rule], engine: Engine, filled: frozenset[str], planes: frozenset[str]) -> Mapping[str, Ruling]:
    """Ask every rule, by code."""
    return {rule.code: rule_on(rule, engine, filled, planes) for rule in rules}
