"""The tables that code creates, gives keys to and looks features up in, by project."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.code import FeatureLookup
from lakewarden.facts.model.data import CatalogTable, TableKey
from lakewarden.sources.repository.sql.follow import compatible
from lakewarden.sources.repository.sql.layers import layer_by_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lakewarden.sources.repository.code.result import KeyColumn, Lookup, Made
    from lakewarden.sources.repository.sql.names import Full
    from lakewarden.sources.repository.sql.write import Place, Writer


class MadeHere(NamedTuple):
    """A table that a file creates or gives a key."""

    place: Place
    name: Full
    made: Made


class LookedUpHere(NamedTuple):
    """A table in which a file looks features up."""

    place: Place
    name: Full
    lookup: Lookup


class _Table(NamedTuple):
    """Everything that a project does with one table."""

    made: list[MadeHere]
    looked_up: list[LookedUpHere]


def write_tables(writer: Writer, made: Iterable[MadeHere], looked_up: Iterable[LookedUpHere]) -> None:
    """Write each table once, with its layer and its keys, and each look-up of features."""
    projects: dict[str, dict[str, _Table]] = {}
    for here in made:
        _of(projects, here.place.project, here.name.same).made.append(here)
    for there in looked_up:
        _of(projects, there.place.project, there.name.same).looked_up.append(there)
        _lookup(writer, there)
    for tables in projects.values():
        keyed: dict[str, list[str]] = {}
        for same, table in tables.items():
            if any(here.made.keys != () for here in table.made):
                own = same.rpartition(".")[2]
                keyed.setdefault("?" if "?" in own else own, []).append(same)
        for same, table in tables.items():
            if not same.endswith("?"):
                others = (*keyed.get(same.rpartition(".")[2], ()), *keyed.get("?", ()))
                _table(writer, same, table, [other for other in others if other != same])


def _of(projects: dict[str, dict[str, _Table]], project: str, same: str) -> _Table:
    return projects.setdefault(project, {}).setdefault(same, _Table([], []))


def _table(writer: Writer, same: str, table: _Table, keyed: list[str]) -> None:
    """Write one table. `keyed` are names that may be its own, under which a primary key is declared."""
    created = [here for here in table.made if here.made.verb == "create" and here.made.table_type != "temporary"]
    used = bool(table.looked_up) or any(here.made.is_feature for here in table.made)
    if not created and not used:
        return
    place, name = (created or table.made or table.looked_up)[0][:2]
    span = created[0].made.span if created else table.made[0].made.span if table.made else table.looked_up[0].lookup.span
    key, origin = place.key(name), place.origin(span)
    writer.facts.add(
        CatalogTable(
            key=key,
            project=place.project,
            origin=origin,
            name=name.known or name.shown,
            catalog=name.catalog,
            table_type=_one({here.made.table_type for here in created}),
            layer="feature" if used else layer_by_name(name.parts),
            layer_by="use" if used else "name",
            declared_in="code",
        )
    )
    writer.securable(place, "table", name, span)
    for here in table.made:
        for number, column in enumerate(here.made.keys or ()):
            _key(writer, key, here, column, number)
    if any(here.made.keys for here in table.made):
        return
    hole = None
    if not created:
        hole = Gap(Cause.NOT_ASKED, "table_keys", f"{name.shown} is created elsewhere", "run `lakewarden audit`")
    elif any(here.made.keys is None for here in table.made):
        hole = Gap(Cause.UNRESOLVED, "table_keys", f"the primary key of {name.shown} could not be read")
    elif any(compatible(same, other) for other in keyed):
        hole = Gap(Cause.UNRESOLVED, "table_keys", f"a primary key is declared for a table that may be {name.shown}")
    if hole is not None:
        writer.facts.gap(hole._replace(project=place.project, parent=key, origin=origin))


def _one(kinds: set[str]) -> str | None:
    """The type of a table; that of a stored one where it is created in several ways."""
    stored = kinds - {"VIEW"}
    return min(stored) if stored else "VIEW" if kinds else None


def _key(writer: Writer, table: str, here: MadeHere, column: KeyColumn, number: int) -> None:
    place, name, made = here
    key = f"{table}/{column.column or f'?{place.path}#{number}'}"
    if not writer.new_key(key):
        return
    origin = place.origin(made.span)
    if column.is_timeseries is None:
        what = f"the columns of the key of {name.shown} are not written out"
        writer.facts.unresolved("table_keys", what, project=place.project, origin=origin)
    writer.facts.add(
        TableKey(
            key=key,
            project=place.project,
            origin=origin,
            catalog_table=table,
            kind="PRIMARY KEY",
            is_timeseries=column.is_timeseries,
            nullable=False,  # Unity Catalog takes no other columns
        )
    )


def _lookup(writer: Writer, there: LookedUpHere) -> None:
    place, name, lookup = there
    origin = place.origin(lookup.span)
    known = not name.same.endswith("?")
    unclear = [] if known else ["the table of FeatureLookup"]
    if lookup.by_time is None:
        unclear.append("whether the look-up is made as of a point in time")
    for what in unclear:
        writer.facts.unresolved(
            "feature_lookups", f"{what} is not known before the code runs", project=place.project, origin=origin
        )
    file = f"{place.project}/{place.path}"
    writer.facts.add(
        FeatureLookup(
            key=writer.number_in(file),
            project=place.project,
            origin=origin,
            file=file,
            catalog_table=place.key(name) if known else None,
            by_time=lookup.by_time,
        )
    )
