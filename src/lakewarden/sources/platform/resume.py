"""A reading that was broken off: what it leaves, and what the next one need not ask again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts.collect import Facts, list_of
from lakewarden.facts.fact import TABLES
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.sources.platform.estate import DEPLOYED, plane_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lakewarden.facts.collect import ListOf
    from lakewarden.facts.fact import Fact

#: Lists that cost a request for each object, each after those that its parents are in. Their collectors skip those that were
#: read to their end. All else is asked again:
#: * catalogs, external locations and models are lists over a metastore, and cheap; that of models shows which catalogs the list
#:   of catalogs left out;
#: * versions of models, since the features that their runs were trained on stand in these answers alone;
#: * jobs, pipelines, experiments, endpoints and their runs and permissions: what they run as, their ids and their bundles are
#:   handed from collector to collector, and are not facts.
BY_OBJECT = ("schemas", "catalog_tables", "bindings", "grants", "table_keys", "model_aliases")
#: Of these the collectors of open-source Unity Catalog read everything again.
_OF_DATABRICKS = frozenset({"schemas", "catalog_tables", "bindings"})
#: Tables whose rows are written with a securable of this kind, and how many names stand in the key of what they are listed of.
_SECURABLES = {"schemas": "schema", "catalog_tables": "table"}
_NAMES_ABOVE = {"schemas": 1, "catalog_tables": 2}
_REMEDY = "go on with it: lakewarden collect --resume FILE -o FILE"


def break_off(facts: Facts, tables: Iterable[str], why: str) -> None:
    """Say of all lists that were not read to their end why: whatever a collector has said before it was interrupted."""
    for table in sorted(set(tables)):
        facts.otherwise(Gap(Cause.TRUNCATED, table, why, _REMEDY, plane_of(table)))


def what_is_whole(before: Facts) -> Facts:
    """Of an earlier reading the lists that are not asked again, with their rows and securables."""
    kept = Facts()
    # Only workspaces of Databricks have a number.
    metastores = {row.__dict__.get("metastore") for row in before.rows["workspaces"] if row.__dict__.get("number") is not None}
    # A list that one workspace read to its end may have a gap that another told.
    doubtful = {list_of(gap) for gap in before.gaps if not gap.value} | _without_workspace(before)
    kept.complete = {at for at in before.complete - doubtful if _is_kept(at, metastores)}
    whole = {(table, scope.parent) for table, _, scope in kept.complete}
    for table in BY_OBJECT:
        rows = [row for row in before.rows[table] if (table, _parent(row)) in whole]
        keys = {row.key for row in rows}
        kept.add(*rows)
        if table in _SECURABLES:
            kept.add(*(row for row in before.rows["securables"] if row.plane == DEPLOYED and row.key in keys))
        for gap in before.gaps:
            if gap.facts == table and gap.value and ((table, gap.parent) in whole or gap.parent in keys):
                kept.gap(gap)
    return kept


def _is_kept(at: ListOf, metastores: set[object]) -> bool:
    table, plane, scope = at
    if table not in BY_OBJECT or plane != DEPLOYED or scope.parent is None:
        return False
    metastore, _, name = scope.parent.partition("/")
    if table in _NAMES_ABOVE and name.count(".") != _NAMES_ABOVE[table] - 1:
        return False  # the keys of its rows do not tell that they are its
    return table not in _OF_DATABRICKS or metastore in metastores


def _without_workspace(before: Facts) -> set[ListOf]:
    """The lists of bindings with a workspace that was not read, which is told of no binding by its key: so it is found again."""
    parents = {_parent(row) for row in before.rows["bindings"] if row.__dict__.get("workspace") is None}
    return {at for at in before.complete if at[0] == "bindings" and at[2].parent in parents}


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
        above = TABLES[table].parents.values() or TABLES[table].listed_by
        parents = {row.key for name in above for row in facts.rows[name]}
        gone = {at for at in facts.complete if at[0] == table and at[2].parent is not None and at[2].parent not in parents}
        of = {scope.parent for _, _, scope in gone}
        rows = {row.key for row in facts.rows[table] if _parent(row) in of}
        facts.rows[table] = [row for row in facts.rows[table] if row.key not in rows]
        if table in _SECURABLES:
            left = [row for row in facts.rows["securables"] if row.key not in rows or row.__dict__["kind"] != _SECURABLES[table]]
            facts.rows["securables"] = left
        facts.complete -= gone


def _parent(row: Fact) -> object:
    """The key of what the row is listed of; schemas and tables have it in their own."""
    if row.table in _NAMES_ABOVE:
        metastore, _, name = row.key.partition("/")
        return f"{metastore}/{'.'.join(name.split('.')[: _NAMES_ABOVE[row.table]])}"
    (column,) = TABLES[row.table].parents
    return row.__dict__.get(column)
