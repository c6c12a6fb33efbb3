"""Is a list complete? It is not until its source said so, and not where a gap says otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts.collect import Facts, Scope
from lakewarden.facts.fact import TABLES
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.packed import columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lakewarden.facts.fact import Fact

#: The whole plane, one project, one parent: the widths at which a listing or a gap can be told.
_EVERYWHERE = Scope()


def planes_of_parents(table: str, plane: str) -> frozenset[str]:
    """The planes of what a list of this plane is a list of: what happened, happened to what is deployed."""
    return frozenset({plane, "deployed"} if TABLES[table].observed and plane == "observed" else {plane})


class Completeness:
    """Answers for each list whether it was read to its end; if not, which gap (a number) says why."""

    def __init__(self, facts: Facts, filled: frozenset[str], command: str) -> None:
        self.gaps: list[Gap] = list(facts.gaps)
        self._filled = filled
        self._command = command
        self._marks = facts.complete
        self._unlisted = facts.unlisted
        self._listed_by_parent = {(table, plane) for table, plane, scope in facts.complete if scope.parent is not None}
        self._holes: dict[tuple[str, str, tuple[str | None, str | None]], int] = {}
        self._tables_with_holes: dict[tuple[str, str], list[int]] = {}
        self._not_listed: dict[tuple[str, str], int] = {}
        #: The lists of each parent that follow from others; there are few combinations of them, and many parents.
        self._follow: dict[str, frozenset[tuple[str, str]]] = {}
        self._together: dict[frozenset[tuple[str, str]], frozenset[tuple[str, str]]] = {}
        for number, gap in enumerate(self.gaps):
            if not gap.value:
                scope = Scope(None if gap.parent else gap.project, gap.parent)
                self._holes.setdefault((gap.facts, gap.plane, scope), number)
                self._tables_with_holes.setdefault((gap.facts, gap.plane), []).append(number)

    def settle(self, rows: Mapping[str, Iterable[Fact]]) -> None:
        """A hole under a parent that is no row of the list's parent tables is one of the whole project: nobody would look
        under that parent. `rows` are those of all tables.
        """
        keys: dict[tuple[str, str], set[str]] = {}
        for (table, plane, scope), number in list(self._holes.items()):
            if scope[1] is None:
                continue
            if (table, plane) not in keys:
                parents = (*TABLES[table].parents.values(), *TABLES[table].listed_by)
                told = planes_of_parents(table, plane)
                keys[table, plane] = {
                    key for parent in parents for at, key in columns(rows[parent], "plane", "key") if at in told
                }
            if scope[1] not in keys[table, plane]:
                self._holes.setdefault((table, plane, Scope(self.gaps[number].project)), number)

    def whole(self, table: str, plane: str) -> bool:
        """Is the table complete on this plane for every project and parent?"""
        return (table, plane) not in self._tables_with_holes and (table, plane, _EVERYWHERE) in self._marks

    def gap_of(self, table: str, plane: str, project: str | None, parent: str | None = None) -> int | None:
        """The gap that makes this list incomplete; None when the list is complete."""
        # Asked of each list of each object: plain tuples are made sooner than scopes, which they equal.
        of_project, of_parent = (project, None), (None, parent)
        if (table, plane) in self._tables_with_holes:
            for scope in (of_parent, of_project, _EVERYWHERE):
                number = self._holes.get((table, plane, scope))
                if number is not None:
                    return number
        marks = self._marks
        if (
            (table, plane, _EVERYWHERE) in marks
            or (table, plane, of_project) in marks
            or (table, plane, of_parent) in marks
            or (table, plane, (project, parent)) in marks
            or (parent is not None and (table, plane) in self._follow.get(parent, ()))
        ):
            return None
        return self._never_listed(table, plane)

    def any_gap_of(self, table: str, plane: str, project: str | None) -> int | None:
        """A gap through which an object of this project may have been missed, under whatever parent; None where none can."""
        for number in self._tables_with_holes.get((table, plane), ()):
            if self.gaps[number].project in (project, None):
                return number
        return None if (table, plane) in self._listed_by_parent else self.gap_of(table, plane, project)

    def mark(self, table: str, plane: str, parent: str) -> None:
        """The list of this parent follows from lists that are complete."""
        lists = self._follow.get(parent, frozenset()) | {(table, plane)}
        self._follow[parent] = self._together.setdefault(lists, lists)
        self._listed_by_parent.add((table, plane))

    def hole(self, table: str, plane: str, parent: str, number: int) -> None:
        """The list of this parent follows from one that has this gap."""
        self._holes.setdefault((table, plane, Scope(None, parent)), number)
        self.note(table, plane, number)

    def note(self, table: str, plane: str, number: int) -> None:
        """Objects of this table may have been missed, for the reason of this gap: whatever names one may name one of them."""
        holes = self._tables_with_holes.setdefault((table, plane), [])
        if number not in holes:
            holes.append(number)

    def inherit(self, table: str, plane: str, project: str, number: int) -> None:
        """A list that is computed from another is as incomplete as that one, for the same reason."""
        own = self.gaps[number]._replace(facts=table, project=project, parent=None)
        self._holes[table, plane, Scope(project)] = len(self.gaps)
        self._tables_with_holes.setdefault((table, plane), []).append(len(self.gaps))
        self.gaps.append(own)

    def _never_listed(self, table: str, plane: str) -> int:
        """The gap of a list that no source said to be complete, made once for each table."""
        number = self._not_listed.get((table, plane))
        if number is None:
            said = self._unlisted.get((table, plane))
            if said is not None:
                gap = said
            elif table in self._filled:
                gap = Gap(Cause.FAILED, table, f"no source said that its list of {table} is complete", plane=plane)
            else:
                reason = f"`{self._command}` does not read {table.replace('_', ' ')}"
                gap = Gap(Cause.NOT_ASKED, table, reason, plane=plane)
            number = self._not_listed[table, plane] = len(self.gaps)
            self.gaps.append(gap)
        return number
