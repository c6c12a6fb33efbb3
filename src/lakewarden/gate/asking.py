"""Asks the rules of a gate and narrows what they say to the chain of one version: passes are looked up, not concluded."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.engines.answer import BrokenQueryError
from lakewarden.engines.duckdb import DuckDBEngine
from lakewarden.facts.store import Prepared, prepare
from lakewarden.gate.result import Said
from lakewarden.judge.findings import FindingMaker
from lakewarden.judge.judge import Ruling, tables_needed, why_not_asked
from lakewarden.policy.model import policy_row
from lakewarden.rule import Profile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lakewarden.facts.collect import Facts
    from lakewarden.gate.chain import Chain
    from lakewarden.policy.model import Policy
    from lakewarden.rule import Query, Rule

_PLANES = frozenset({"deployed"})
#: The tables that a chain may have objects of; a query about another table is about no version.
CHAIN_TABLES = frozenset({
    "candidates", "model_versions", "models", "securables", "model_aliases", "runs", "job_runs", "experiments", "run_commit",
    "branch_commits", "model_version_tags", "required_tags", "run_inputs", "model_identities", "effective_grants", "grants",
    "catalogs", "jobs", "catalog_tables", "branches",
})  # fmt: skip
#: Those that a stored audit may have to show: a gate reads none of them, or not all that rules ask.
SHOWN = frozenset({"catalogs", "jobs", "catalog_tables", "securables", "grants"})
#: What the objects of a closure are found by.
_FOUND_BY = frozenset({"candidates", "job_runs", "version_features"})


class Asked(NamedTuple):
    """What was made ready, and the engine that answers."""

    prepared: Prepared
    engine: DuckDBEngine
    policy: Policy
    filled: frozenset[str]


def narrowed(rules: Iterable[Rule]) -> list[Rule]:
    """The rules with those of their queries that can be about the objects of a chain."""
    found = []
    for rule in rules:
        queries = tuple(query for query in rule.queries if query.subject in CHAIN_TABLES)
        if queries:
            one = copy.copy(rule)
            one.queries = queries
            found.append(one)
    return found


def make_ready(facts: Facts, filled: frozenset[str], policy: Policy, rules: Iterable[Rule]) -> Asked:
    """Prepare what was read for the rules."""
    needed = tables_needed(rules, filled | SHOWN, _PLANES) | _FOUND_BY
    prepared = prepare(facts, policy, filled=filled, needed=needed, planes=_PLANES, command="gate")
    engine = DuckDBEngine()
    engine.load(prepared.rows, policy_row(policy, Profile.STRICT))
    return Asked(prepared, engine, policy, filled)


def ask(asked: Asked, rules: Iterable[Rule], chain: Chain) -> Mapping[str, tuple[Said, ...]]:
    """By code of a rule, what it says of each object of the chain. A rule that is broken says unknown, once."""
    return {rule.code: tuple(of_rule(asked, rule, chain)) for rule in rules}


def of_rule(asked: Asked, rule: Rule, chain: Chain) -> list[Said]:
    """What one rule says of each object of the chain."""
    found: list[Said] = []
    maker = FindingMaker(
        asked.policy, Profile.STRICT, asked.prepared.origins, asked.prepared.gaps, lambda _project, _path: "", lambda _at: "", {}
    )
    for query in rule.queries:
        keys = chain.get(query.subject, set())
        if not keys or why_not_asked(query, asked.filled | SHOWN, _PLANES) is not None:
            continue  # where nothing of the kind can be there, nobody asks; a check that rests on it alone is missing
        try:
            found += _of_query(asked, rule, query, keys, maker)
        except BrokenQueryError as problem:
            reason = f"the rule is broken: {problem}"
            found.append(
                Said(rule.code, rule.name, rule.revision, "unknown", query.subject, "", f"cannot tell: {reason}", reason)
            )
    return found


def _of_query(asked: Asked, rule: Rule, query: Query, keys: set[str], maker: FindingMaker) -> Iterable[Said]:
    rows = asked.engine.each(query.subject, query.query, list(query.conditions), sorted(keys))
    told = [(query, row) for row in rows if row["verdict"] in ("fail", "unknown")]
    findings = {finding.subject: finding for finding in maker.of([Ruling(rule, told=told)])}
    for row in rows:
        finding = findings.get(row["key"])
        gap = None if finding is None or finding.gap is None else asked.prepared.gaps[finding.gap]
        yield Said(
            rule.code,
            rule.name,
            rule.revision,
            row["verdict"],
            query.subject,
            row["key"],
            "" if finding is None else finding.message,
            "" if gap is None else gap.reason,
            "" if gap is None else gap.remedy,
        )
