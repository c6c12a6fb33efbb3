"""Placeholder rows: what was not seen, told as rows whose keys are filled and all else NULL.

One under each parent of a list that is not complete; for a table of objects one without a name for each project, on a live
plane for each place where they are listed, and one for each object of that kind that another fact names. An object that was
not seen has lists that were not seen.
"""

from __future__ import annotations

from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any

from lakewarden.facts.completeness import planes_of_parents
from lakewarden.facts.fact import TABLES
from lakewarden.facts.packed import narrow, one_of_each

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, MutableSequence, Sequence

    from lakewarden.facts.completeness import Completeness
    from lakewarden.facts.fact import Fact
    from lakewarden.facts.origin import Origin
    from lakewarden.facts.places import Places

Row = dict[str, Any]
#: What a placeholder takes from the row that it is told of.
_TOLD = ("key", "plane", "project", "origin", "gap")


def in_order(tables: frozenset[str]) -> list[str]:
    """The tables, parents before their lists."""
    graph = {
        name: {p for p in (*TABLES[name].parents.values(), *TABLES[name].listed_by) if p in tables and p != name}
        for name in sorted(tables)
    }
    return list(TopologicalSorter(graph).static_order())


def add_placeholders(
    rows: Mapping[str, MutableSequence[Row]],
    planes: frozenset[str],
    complete: Completeness,
    origins: dict[Origin, int],
    places: Places,
) -> None:
    """Add to `rows` a placeholder for everything that `complete` does not know to have been listed to its end. `origins`
    numbers the places of rows, `places` attributes them.
    """
    tables = frozenset(rows)
    referred = _referred(rows, tables)
    for name in in_order(tables):
        table = TABLES[name]
        for plane in sorted(planes):
            live = plane != "declared"
            if live and not _is_live(name):
                continue  # nothing of the kind is there
            if table.observed and plane == "deployed" and "observed" in planes:
                continue  # it is told there
            if complete.whole(name, plane) and not table.parents and not (live and table.listed_by):
                continue
            if table.parents:
                unseen = list(_of_lists(name, plane, rows, complete, places))
            elif live:
                unseen = list(_of_places(name, plane, rows, complete, places))
            else:
                unseen = list(_of_objects(name, plane, rows, complete, origins))
            for row in unseen if live else ():
                complete.note(name, plane, row["gap"])
            named = list(_named(name, plane, rows, complete, referred.get((name, plane), {})))
            if live:  # of the two the one that knows its place
                known = {row["key"] for row in unseen}
                named = [row for row in named if row["key"] not in known]
            found = [*named, *unseen]
            _keep_apart(found, rows[name], plane)
            rows[name].extend(found)


def _is_live(name: str) -> bool:
    """Is there anything of the kind on a live plane: is it listed for something that is? Targets and workflows of CI are things
    of a repository, although projects, which have them, are on every plane.
    """
    table = TABLES[name]
    return bool(table.listed_by) or any(_is_live(parent) for parent in table.parents.values() if parent != name)


def _keep_apart(found: list[Row], seen: Sequence[Row], plane: str) -> None:
    """Give a placeholder another key where an object that was seen, or another placeholder, has its key."""
    mine = {row["key"].rstrip("?") for row in found}
    others = narrow(seen, "plane", "key") if found else ()
    taken = {row["key"] for row in others if row["plane"] == plane and row["key"].rstrip("?") in mine}
    for row in found:
        while row["key"] in taken:
            row["key"] += "?"
        taken.add(row["key"])


def _of_lists(name: str, plane: str, rows: Mapping[str, Sequence[Row]], complete: Completeness, places: Places) -> Iterator[Row]:
    """One placeholder under each parent whose list was not read to its end."""
    table = TABLES[name]
    whole = complete.whole(name, plane)
    for column, parent_table in table.parents.items():
        for parent in narrow(rows.get(parent_table, ()), *_TOLD, *((table.place_column,) if table.place_column else ())):
            if parent["plane"] != plane:
                continue
            unseen: int | None = parent["gap"]
            if unseen is None and plane != "declared" and parent_table == "projects":
                unseen = complete.any_gap_of(name, plane, parent["key"])
            elif unseen is None and not whole:
                unseen = complete.gap_of(name, plane, parent["project"], parent["key"])
            if unseen is not None:
                yield {
                    "key": f"{parent['key']}/?{name}",
                    "plane": plane,
                    "project": parent["project"],
                    **_parents(name, parent["project"]),
                    **(_place(table, parent, places) if plane != "declared" else {}),
                    column: parent["key"],
                    "origin": parent["origin"],
                    "gap": unseen,
                }


def _place(table: type[Fact], parent: Row, places: Places) -> Row:
    """The place of a row of a list, where it is that of its parent by the same column."""
    column = table.place_column
    if column is None or parent.get(column) is None or column == "key":
        return {}
    place = places.of(table, {"key": parent["key"], column: parent[column]})
    return {column: parent[column], "environment": place.environment, "stage": place.stage}


def _parents(name: str, project: str | None) -> dict[str, str]:
    """The parents of something that was not seen, by which rules read lists: its project is known, the others are not."""
    return {column: project or "?" if of == "projects" else "?" for column, of in TABLES[name].parents.items()}


def _of_objects(
    name: str, plane: str, rows: Mapping[str, Sequence[Row]], complete: Completeness, origins: dict[Origin, int]
) -> Iterator[Row]:
    """A placeholder without a name for each project whose objects were not all listed, where the project or the gap is."""
    for project in rows.get("projects", ()):
        if project["plane"] == plane:
            unseen = complete.gap_of(name, plane, project["key"])
            if unseen is not None:
                key = f"{project['key']}/?{name}"
                at, place = project["origin"], complete.gaps[unseen].origin
                if at is None and place is not None:
                    at = origins.setdefault(place, len(origins))
                yield {"key": key, "plane": plane, "project": project["key"], "origin": at, "gap": unseen}


def _of_places(name: str, plane: str, rows: Mapping[str, Sequence[Row]], complete: Completeness, places: Places) -> Iterator[Row]:
    """A placeholder for each row for which objects are listed on a live plane, where their list was not read to its end:
    without a name, or with the one that the row itself gives.
    """
    table = TABLES[name]
    whole = complete.whole(name, plane)
    seen: frozenset[str] | None = None
    told = planes_of_parents(name, plane)
    for listing, shared in table.listed_by.items():
        names = [column.name for column in TABLES[listing].columns.values() if column.references == name]
        for row in narrow(rows.get(listing, ()), *_TOLD, *names, *shared.values()):
            if row["plane"] not in told:
                continue
            unseen: int | None = row["gap"]
            if unseen is None and not whole:
                unseen = complete.gap_of(name, plane, None, row["key"])
            without_name = row["key"] if "key" in shared else f"{row['key']}/?{name}"
            keys = [row[column] for column in names if row.get(column) is not None] or [without_name]
            for key in keys if unseen is not None else ():
                seen = _keys(rows[name], plane) if seen is None else seen
                if key not in seen and key != "none":
                    found: Row = {"key": key, "plane": plane, "project": row["project"]}
                    found.update({column: row.get(source) for column, source in shared.items() if column != "key"})
                    if table.place_column is not None:
                        place = places.of(table, found)
                        found["environment"], found["stage"] = place.environment, place.stage
                    yield {**found, "origin": row["origin"], "gap": unseen}


def _named(
    name: str, plane: str, rows: Mapping[str, Sequence[Row]], complete: Completeness, referred: Mapping[str, Row]
) -> Iterator[Row]:
    """A placeholder for each object that another fact names, where the object may be among those not seen."""
    if not referred:
        return
    keys = _keys(rows[name], plane)
    unseen: dict[str | None, int | None] = {}
    for key, by in referred.items():
        if key in keys or key == "none":
            continue
        project = by["project"]
        if project not in unseen:
            unseen[project] = complete.any_gap_of(name, plane, project)
        if unseen[project] is not None:
            parents = _parents(name, project)
            yield {"key": key, "plane": plane, "project": project, **parents, "origin": by["origin"], "gap": unseen[project]}


def _keys(rows: Sequence[Row], plane: str) -> frozenset[str]:
    return frozenset(row["key"] for row in narrow(rows, "key", "plane") if row["plane"] == plane)


def _referred(rows: Mapping[str, Sequence[Row]], tables: frozenset[str]) -> dict[tuple[str, str], dict[str, Row]]:
    """By table and plane: every key that a row of another table, or of another plane, points to, with one such row."""
    found: dict[tuple[str, str], dict[str, Row]] = {}
    planes = {row["plane"] for of_table in rows.values() for row in one_of_each(of_table, ("plane",), "plane")}
    for name, of_table in rows.items():
        for column in TABLES[name].columns.values():
            if column.references in tables and column.name not in TABLES[name].parents:
                for row in one_of_each(of_table, ("plane", column.name), "plane", column.name, "project", "origin"):
                    value = row.get(column.name)
                    if value is not None:
                        found.setdefault((column.references or "", row["plane"]), {}).setdefault(value, row)
        for row in narrow(of_table, *_TOLD) if len(planes) > 1 and TABLES[name].compared else ():
            for plane in planes - {row["plane"]}:
                found.setdefault((name, plane), {}).setdefault(row["key"], row)
    return found
