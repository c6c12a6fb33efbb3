"""What an audit has seen, object by object: without it nobody could tell later what was mended from what was lost sight of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts.packed import narrow
from lakewarden.judge.result import Finding, Keys, Seen, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lakewarden.facts.collect import Facts
    from lakewarden.facts.placeholders import Row
    from lakewarden.rule import Rule

#: Above so many objects their keys are not written into a report.
MOST_OBJECTS = 200_000
_ROOTS = ("workspaces", "metastores")


def seen_by(
    rules: Iterable[Rule],
    rows: Mapping[str, Sequence[Row]],
    facts: Facts,
    planes: frozenset[str],
    findings: Iterable[Finding],
    shown: Iterable[Finding],
) -> Seen:
    """What was seen of everything that these rules are about; `rows` has placeholders, which `facts` has not."""
    tables = sorted({query.subject for rule in rules for query in rule.queries} & rows.keys())
    many = sum(len(rows[table]) for table in tables) > MOST_OBJECTS
    objects = None if many else {table: keys for table in tables if (keys := _keys(rows[table], seen=True))}
    unseen = {table: keys for table in tables if (keys := _keys(rows[table], seen=False))}
    placeholders = {(table, plane, key) for table, of in unseen.items() for plane, keys in of.items() for key in keys}
    told = {id(finding) for finding in shown}
    unknown = (f for f in findings if f.verdict is Verdict.UNKNOWN and (f.kind, f.plane, f.subject) not in placeholders)
    hidden = (f for f in findings if f.verdict is Verdict.FAIL and id(f) not in told)
    return Seen(
        tuple(sorted(planes)),
        tuple(sorted({row.key for table in _ROOTS for row in facts.rows[table]})),
        objects,
        unseen,
        _by_rule(unknown),
        _by_rule(hidden),
    )


def _keys(rows: Iterable[Row], *, seen: bool) -> dict[str, tuple[str, ...]]:
    """The keys of what was seen, or of the placeholders for what was not, by plane."""
    found: dict[str, list[str]] = {}
    for row in narrow(rows, "plane", "key", "gap"):
        if (row["gap"] is None) is seen:
            found.setdefault(row["plane"], []).append(row["key"])
    return {plane: tuple(sorted(keys)) for plane, keys in sorted(found.items())}


def _by_rule(findings: Iterable[Finding]) -> dict[str, Keys]:
    found: dict[str, dict[str, dict[str, list[str]]]] = {}
    for finding in findings:
        of_table = found.setdefault(finding.rule.code, {}).setdefault(finding.kind, {})
        of_table.setdefault(finding.plane, []).append(finding.subject)
    return {
        code: {table: {plane: tuple(sorted(keys)) for plane, keys in of.items()} for table, of in tables.items()}
        for code, tables in sorted(found.items())
    }
