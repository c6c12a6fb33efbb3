"""Grants on the tables of a schema by one statement, as far as the information schema is known to show them all.

Of a table it shows either all grants or one's own alone, as it does for who holds MANAGE ("TABLE_PRIVILEGES", note). So a
table counts only where a grant on its schema or catalog to somebody else, which is known from the API, is shown for it too; or
where the auditor owns what it is in. The tables of a schema with the fewest and the most grants are asked from the API as
well: where the two differ, none counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lakewarden.facts.completeness import Completeness
from lakewarden.facts.estate.members import closure, members_of
from lakewarden.sources.platform.databricks import one_statement
from lakewarden.sources.platform.estate import DEPLOYED
from lakewarden.sources.platform.wire.errors import Failed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lakewarden.facts.fact import Fact
    from lakewarden.sources.platform.databricks.statements import Row, Warehouse
    from lakewarden.sources.platform.estate import Estate

#: Grants on one securable, as the API tells them.
Assignments = list[dict[str, Any]]

_STATEMENT = """
SELECT t.table_name AS name, p.grantee AS grantee, p.privilege_type AS privilege, p.inherited_from AS inherited_from
FROM system.information_schema.tables t
LEFT JOIN system.information_schema.table_privileges p
  ON p.table_catalog = t.table_catalog AND p.table_schema = t.table_schema AND p.table_name = t.table_name
 AND p.table_catalog = :catalog AND p.table_schema = :schema
 AND (coalesce(upper(p.inherited_from), 'NONE') NOT IN ('CATALOG', 'SCHEMA', 'METASTORE')
      OR p.grantee = :grantee AND replace(upper(p.privilege_type), ' ', '_') = :privilege)
WHERE t.table_catalog = :catalog AND t.table_schema = :schema
"""
_ABOVE = frozenset({"CATALOG", "SCHEMA", "METASTORE"})
#: What is granted on a schema or catalog and holds for its tables, the surest first.
_HANDED_DOWN = ("SELECT", "MODIFY", "ALL_PRIVILEGES")
_EVERYONE = "everyone:"


class _Witness(NamedTuple):
    """A grant above the tables to somebody else; none where the auditor owns the schema or the catalog."""

    grantee: str = ""
    privilege: str = ""


class _Schema(NamedTuple):
    """A schema with the tables of which the grants are wanted."""

    catalog: str
    name: str
    tables: Sequence[Fact]
    witness: _Witness


def told(
    estate: Estate, warehouse: Warehouse, tables: Iterable[Fact], ask: Callable[[Fact], Assignments]
) -> dict[str, Assignments]:
    """The grants of those tables of which a statement tells them all, by key. `ask` asks the API about one table."""
    return one_statement.told(warehouse, list(_schemas(estate, tables)), lambda schema: _of_schema(warehouse, schema, ask))


def _schemas(estate: Estate, tables: Iterable[Fact]) -> Iterable[_Schema]:
    """The schemas that are worth a statement, each with its witness; those where nothing would prove it whole are left out."""
    of_schema: dict[str, list[Fact]] = {}
    for row in tables:
        of_schema.setdefault(row.key.rpartition(".")[0], []).append(row)
    others = _Others(estate)
    owners = {row.key: row.__dict__.get("owner") for row in estate.facts.rows["securables"] if row.plane == DEPLOYED}
    above: dict[str, list[Fact]] = {}
    for grant in estate.facts.rows["grants"]:
        above.setdefault(grant.__dict__["securable"], []).append(grant)
    for key, rows in of_schema.items():
        catalog, _, name = key.partition("/")[2].partition(".")
        if len(rows) < one_statement.FEWEST:
            continue
        places = (key, key.rpartition(".")[0])
        grants = [grant for place in places for grant in above.get(place, ())]
        witness = _witness(grants, others)
        if witness is None and others.owns(owners.get(place) for place in places) and not others.manages(grants):
            witness = _Witness()
        if witness is not None:
            yield _Schema(catalog, name, rows, witness)


def _witness(grants: Iterable[Fact], others: _Others) -> _Witness | None:
    found = {
        (grant.__dict__["privilege"], str(grant.__dict__["principal"]).partition(":")[2])
        for grant in grants
        if grant.__dict__["privilege"] in _HANDED_DOWN and others.surely(grant.__dict__.get("principal"))
    }
    if not found:
        return None
    privilege, grantee = min(found, key=lambda one: (_HANDED_DOWN.index(one[0]), one[1]))
    return _Witness(grantee, privilege)


class _Others:
    """Who is surely not the auditor, nor a group that it is in."""

    def __init__(self, estate: Estate) -> None:
        self._rights = estate.rights
        self._members = members_of(estate.facts.rows, Completeness(estate.facts, frozenset(), "audit"), DEPLOYED)

    def surely(self, principal: str | None) -> bool:
        """Is the principal (`kind:name`) somebody else? Not of a group of which not all members are known."""
        if principal is None or principal.startswith(_EVERYONE):
            return False
        names = {None if one is None else one.partition(":")[2] for one in closure(principal, self._members)}
        return None not in names and names.isdisjoint(self._rights.me.names)

    def owns(self, owners: Iterable[object]) -> bool:
        """Does the auditor own one of these, or the metastore?"""
        return self._rights.is_metastore_admin or any(self._rights.owns(owner) for owner in owners)

    def manages(self, grants: Iterable[Fact]) -> bool:
        """May one of these grants give MANAGE to the auditor?"""
        return any(
            grant.__dict__["privilege"] == "MANAGE" and not self.surely(grant.__dict__.get("principal")) for grant in grants
        )


def _of_schema(warehouse: Warehouse, schema: _Schema, ask: Callable[[Fact], Assignments]) -> dict[str, Assignments]:
    """The grants of the tables of one schema. Raises a SourceError where statement and API do not agree."""
    named = {"catalog": schema.catalog, "schema": schema.name, **schema.witness._asdict()}
    of_table: dict[str, list[Row]] = {}
    for row in warehouse.rows(_STATEMENT, named):
        of_table.setdefault(str(row["name"]).lower(), []).append(row)
    found: dict[str, Assignments] = {}
    for table in schema.tables:
        grants = _direct(of_table.get(table.key.rpartition(".")[2], []), schema.witness)
        if grants is not None:
            found[table.key] = [{"principal": grantee, "privileges": [privilege]} for grantee, privilege in sorted(grants)]
    by_key = {table.key: table for table in schema.tables}
    for sample in one_statement.samples(found):
        said = ask(by_key[sample])
        if _pairs(said) != _pairs(found[sample]):
            raise Failed(f"{schema.catalog}.{schema.name}: the information schema tells other grants than the API")
        found[sample] = said
    return found


def _direct(rows: Sequence[Row], witness: _Witness) -> set[tuple[str, str]] | None:
    """The grants on a table itself; None where they may not be all."""
    seen, found = not witness.grantee, set[tuple[str, str]]()
    if not rows:
        return None
    for row in rows:
        grantee, privilege, source = row["grantee"], row["privilege"], (row["inherited_from"] or "NONE").upper()
        if grantee is None and privilege is None:
            continue  # a table without a grant
        if not grantee or not privilege:
            return None  # a principal that was deleted has a number, which only the API tells
        privilege = privilege.upper().replace(" ", "_")
        if source in _ABOVE:
            seen = seen or (grantee, privilege) == witness
        elif source != "NONE" or (privilege == "MANAGE" and not witness.grantee):
            return None
        else:
            found.add((grantee, privilege))
    return found if seen else None


def _pairs(assignments: Assignments) -> set[tuple[str, str]]:
    """Who holds what, without principals that were deleted."""
    return {
        (str(one["principal"]), str(privilege).upper().replace(" ", "_"))
        for one in assignments
        if one.get("principal")
        for privilege in one.get("privileges") or ()
    }
