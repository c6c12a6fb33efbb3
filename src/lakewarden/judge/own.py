"""Asks rules of one's own, in a locked engine: what they cost, and how they fail, touches no other rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.judge.judge import Ruling, rule_on, tables_needed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lakewarden.facts.store import Prepared
    from lakewarden.judge.request import Judged
    from lakewarden.rule import Rule


def own_rulings(
    rules: Iterable[Rule],
    prepared: Prepared,
    policy_row: Mapping[str, str | bool | int | None],
    judged: Judged,
    inside: Sequence[int] | None,
) -> dict[str, Ruling]:
    """What these rules say, by code; only rows from `inside` are counted, or all. Why one did not end is added to the gaps."""
    rules = list(rules)
    if not rules:
        return {}
    from lakewarden.engines.locked import LockedEngine  # slow to import

    needed = tables_needed(rules, judged.filled, judged.planes)
    tables = {name: rows for name, rows in prepared.rows.items() if name in needed}
    engine = LockedEngine(tables, policy_row, prepared.gaps, judged.policy.own_rule_seconds)
    if inside is not None:
        engine.count_only(inside, judged.scope.projects)
    found = {}
    for rule in rules:
        known = len(prepared.gaps)
        found[rule.code] = rule_on(rule, engine, judged.filled, judged.planes)
        prepared.gaps[known:] = [gap._replace(reason=f"{rule.code}: {gap.reason}") for gap in prepared.gaps[known:]]
    return found
