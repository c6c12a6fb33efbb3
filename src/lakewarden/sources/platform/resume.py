"""A reading that was broken off: what it leaves, and what the next one need not ask again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts.collect import Facts
from lakewarden.facts.fact import TABLES
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.sources.platform.estate import DEPLOYED, plane_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lakewarden.facts.fact import Fact

#: Lists that cost a request for each object. Their collectors skip those that were read to their end; all else is cheap to
#: read again, and gives collectors what they hand to each other.
BY_OBJECT = ("grants", "table_keys", "model_aliases")
_REMEDY = "go on with it: lakewarden collect --resume FILE -o FILE"


def break_off(facts: Facts, tables: Iterable[str], why: str) -> None:
    """Say of all lists that were not read to their end why: whatever a collector has said before it was interrupted."""
    for table in sorted(set(tables)):
        facts.otherwise(Gap(Cause.TRUNCATED, table, why, _REMEDY, plane_of(table)))


def what_is_whole(before: Facts) -> Facts:
    """Of an earlier reading the lists that are not asked again, with their rows."""
    kept = Facts()
    kept.complete = {at for at in before.complete if at[0] in BY_OBJECT and at[1] == DEPLOYED and at[2].parent is not None}
    whole = {(table, scope.parent) for table, _, scope in kept.complete}
    for table in BY_OBJECT:
        rows = [row for row in before.rows[table] if (table, _parent(row)) in whole]
        keys = {row.key for row in rows}
        kept.add(*rows)
        for gap in before.gaps:
            if gap.facts == table and gap.value and ((table, gap.parent) in whole or gap.parent in keys):
                kept.gap(gap)
    return kept


def parents_of(facts: Facts) -> dict[str, set[str]]:
    """By table: the keys of the objects whose lists were read to their end."""
    found: dict[str, set[str]] = {}
    for table, _, scope in facts.complete:
        if scope.parent is not None:
            found.setdefault(table, set()).add(scope.parent)
    return found


def prune(facts: Facts) -> None:
    """Leave out the lists of objects that are no longer there."""
    for table in BY_OBJECT:
        parents = {row.key for above in TABLES[table].parents.values() for row in facts.rows[above]}
        facts.rows[table] = [row for row in facts.rows[table] if _parent(row) in parents]
        facts.complete -= {
            at for at in facts.complete if at[0] == table and at[2].parent is not None and at[2].parent not in parents
        }


def _parent(row: Fact) -> object:
    (column,) = TABLES[row.table].parents
    return row.__dict__.get(column)
