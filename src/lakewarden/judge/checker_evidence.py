"""How a query may read evidence: by look-up, by list, or by comparing each subject with all others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlglot import exp

from lakewarden.facts.fact import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator


def check_joins(select: exp.Select, subject: str, alias: str) -> Iterator[str]:
    """Joins beside the subject: LEFT JOIN on a key, CROSS JOIN policy, or one self-join that is aggregated."""
    itself = 0
    for join in select.args.get("joins") or ():
        table = join.this
        if not isinstance(table, exp.Table):
            yield "join a fact table by name: sub-selects in FROM hide where evidence comes from"
        elif table.name == "policy":
            if join.kind != "CROSS" and (join.side or join.args.get("on") is not None):
                yield "write CROSS JOIN policy: it has exactly one row"
        elif join.side == "LEFT":
            yield from _lookup(join, table)
        elif table.name == subject and join.args.get("on") is not None and not join.side:
            itself += 1
            yield from _plane_named(join.args["on"], table.alias_or_name, alias)
        else:
            yield f"a join with {table.name} loses subjects without a match: write LEFT JOIN on its key, or a sub-select with any_of"
    group = select.args.get("group")
    if itself and (group is None or not group.args.get("all")):
        yield "a self-join needs GROUP BY ALL, so that each subject comes back once"
    if group is not None and not itself:
        yield "GROUP BY belongs to a self-join: read lists by a sub-select with any_of or all_of"
    if itself > 1:
        yield "join the subject with itself once"


def _lookup(join: exp.Join, table: exp.Table) -> Iterator[str]:
    """A look-up names the unique key of its table, and the plane."""
    on = join.args.get("on")
    alias = table.alias_or_name
    if on is None:
        yield f"LEFT JOIN {table.name} ON {alias}.plane = … AND {alias}.key = …"
        return
    keys = [side for eq in _conjuncts(on) if isinstance(eq, exp.EQ) for side in (eq.left, eq.right)]
    if not any(isinstance(side, exp.Column) and side.table == alias and side.name == "key" for side in keys):
        yield f"look {table.name} up by its unique key ({alias}.key = …): another column may match twice, or lose a placeholder"
    yield from _plane_named(on, alias, None)


def _plane_named(on: exp.Expression, alias: str, _other: str | None) -> Iterator[str]:
    sides = [side for eq in _conjuncts(on) if isinstance(eq, exp.EQ) for side in (eq.left, eq.right)]
    if not any(isinstance(side, exp.Column) and side.table == alias and side.name == "plane" for side in sides):
        yield f"name the plane in the join ({alias}.plane = …): the same key may stand on two planes"


def check_list(sub: exp.Select, outer: exp.Select, subject: str, outer_alias: str) -> Iterator[str]:
    """A list: SELECT any_of(…) FROM list l WHERE l.plane = s.plane AND l.parent = s.key."""
    source = sub.args.get("from_") or sub.args.get("from")
    if source is None or not isinstance(source.this, exp.Table) or source.this.name not in TABLES:
        yield "read a list FROM one fact table"
        return
    table, alias = TABLES[source.this.name], source.this.alias_or_name
    outputs = sub.expressions
    one = outputs[0].unalias() if len(outputs) == 1 else None
    if not (isinstance(one, exp.Anonymous) and one.name.lower() in ("any_of", "all_of")):
        yield "a sub-select returns exactly one any_of(…) or all_of(…)"
    inner = {alias}
    for join in sub.args.get("joins") or ():
        if join.side != "LEFT" or not isinstance(join.this, exp.Table):
            yield "inside a list, look other tables up by LEFT JOIN on their key"
        else:
            inner.add(join.this.alias_or_name)
            yield from _lookup(join, join.this)
    if one is not None and any(c.table not in inner for c in one.find_all(exp.Column)):
        yield "an outer column inside an aggregate gives another result on Spark: compare it outside, or let the store prepare the comparison"
    yield from _read_by_parent(sub, outer, table.table, alias, subject, outer_alias)


def _read_by_parent(sub: exp.Select, outer: exp.Select, name: str, alias: str, subject: str, outer_alias: str) -> Iterator[str]:
    """The WHERE of a list: equality on plane and on one parent column, nothing else."""
    where = sub.args.get("where")
    outer_tables = {outer_alias: subject, **{j.this.alias_or_name: j.this.name for j in outer.args.get("joins") or ()}}
    parents, planes = 0, 0
    for part in _conjuncts(where.this) if where is not None else ():
        sides = (part.left, part.right) if isinstance(part, exp.EQ) else ()
        mine = next((s for s in sides if isinstance(s, exp.Column) and s.table == alias), None)
        theirs = next((s for s in sides if isinstance(s, exp.Column) and s.table in outer_tables), None)
        if mine is None or theirs is None:
            yield f"`{part.sql()}` in the WHERE of a list hides rows that are not known: put it inside any_of or all_of"
        elif mine.name == "plane":
            planes += 1
        elif mine.name in TABLES[name].parents:
            parents += 1
            yield from _points_to(theirs, outer_tables[theirs.table], TABLES[name].parents[mine.name])
        else:
            yield f"read {name} by its own parent column ({', '.join(TABLES[name].parents) or 'it has none'}), not by {mine.name}: placeholders stand under parents"
    if parents != 1:
        yield f"read {name} by exactly one parent column ({', '.join(TABLES[name].parents) or 'it has none'})"
    if planes != 1:
        yield f"name the plane: {alias}.plane = {outer_alias}.plane"


def _points_to(column: exp.Column, table: str, parent: str) -> Iterator[str]:
    """The outer side is the parent's key, or a column that holds it."""
    if (column.name == "key" and table in (parent, "securables")) or (column.name == "key" and parent == "securables"):
        return
    known = TABLES[table].columns.get(column.name) if table in TABLES else None
    if known is None or known.references != parent:
        yield f"{table}.{column.name} is no key of {parent}"


def _conjuncts(node: exp.Expression) -> list[Any]:
    """The parts of an AND; expressions of sqlglot, whose class is called differently from version to version."""
    return list(node.flatten()) if isinstance(node, exp.And) else [node.unnest()]
