"""Why something is unknown: the gap that explains it best, among as many gaps as there are unknown verdicts."""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lakewarden.facts.fact import TABLES
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.judge.catalogue import tables_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.facts.origin import Origin
    from lakewarden.rule import Query

#: Columns that no verdict rests on.
_BESIDE = frozenset({"origin", "gap", "project", "environment"})
#: How near a gap is to what it may explain: it is about its parent, its lines, a value in its file, its file, its project.
_PARENT, _LINES, _VALUE, _FILE, _PROJECT, _ANYWHERE = 6, 5, 4, 3, 2, 1

#: What a gap has to agree with: table, plane, project, and whether it is about one value.
_Kind = tuple[str, str, str | None, bool]


class Causes:
    """Finds the gap of an unknown verdict; gaps that no source told are added to the list."""

    def __init__(self, gaps: list[Gap]) -> None:
        self._gaps = gaps
        self._first: dict[tuple[_Kind, str, str | None], int] = {}
        self._lines: dict[tuple[_Kind, str, int | None], list[tuple[int, int]]] = {}
        self._of_others: dict[tuple[str, str], int] = {}
        for number, gap in enumerate(gaps):
            kind = (gap.facts, gap.plane, gap.project, gap.value)
            if gap.parent is not None:
                self._first.setdefault((kind, "parent", gap.parent), number)
                if gap.value:
                    self._of_others.setdefault((gap.facts, gap.plane), number)
                continue
            self._first.setdefault((kind, "any", None), number)
            if gap.origin is not None:
                self._first.setdefault((kind, "path", gap.origin.path), number)
                if gap.origin.line is not None and gap.origin.path is not None:
                    at = (kind, gap.origin.path, gap.origin.cell)
                    self._lines.setdefault(at, []).append((gap.origin.line, number))
        for lines in self._lines.values():
            lines.sort()

    def of(self, query: Query, row: dict[str, Any], origin: Origin | None) -> int:
        """The row's own gap, else the nearest one about a table that the rule reads; of several as near the first."""
        if row["gap"] is not None:
            return int(row["gap"])
        missing = missing_columns(query, row)
        best_near, best = 0, -1
        for table in (query.subject, *sorted(tables_of(query) - {query.subject})):
            # Where all columns that are read are known, a gap about a value of the subject explains another column.
            values = (False,) if table == query.subject and not missing else (False, True)
            near, number = max(
                self._candidates(table, row, origin, values), key=lambda found: (found[0], -found[1]), default=(0, -1)
            )
            if near > best_near:
                best_near, best = near, number
        return best if best_near else self._unexplained(query, row, origin, missing)

    def _candidates(
        self, table: str, row: dict[str, Any], origin: Origin | None, values: tuple[bool, ...]
    ) -> Iterator[tuple[int, int]]:
        """For each kind of gap that may explain the row the nearest one, with how near it is."""
        projects = {gap.project for gap in self._gaps} if row.get("project") is None else {row["project"], None}
        names = {value for value in row.values() if isinstance(value, str)}
        for kind in ((table, row["plane"], project, value) for project in projects for value in values):
            of_parent = [number for name in names if (number := self._first.get((kind, "parent", name))) is not None]
            if of_parent:
                yield _PARENT, min(of_parent)
            elif (number := self._first.get((kind, "any", None))) is not None:
                yield self._near(kind, origin) or ((_ANYWHERE if kind[2] is None else _PROJECT), number)

    def _near(self, kind: _Kind, origin: Origin | None) -> tuple[int, int] | None:
        """The nearest gap in the same file."""
        if origin is None or origin.path is None:
            return None
        in_file = self._first.get((kind, "path", origin.path))
        if in_file is None:
            return None
        lines = self._lines.get((kind, origin.path, origin.cell)) if origin.line is not None else None
        if lines and origin.line is not None:
            at = bisect_left(lines, (origin.line, 0))
            if at < len(lines) and lines[at][0] <= (origin.end_line or origin.line):
                return _LINES, lines[at][1]
            if kind[3]:
                return _VALUE, lines[0][1]
        return _FILE, in_file

    def _unexplained(self, query: Query, row: dict[str, Any], origin: Origin | None, missing: list[str]) -> int:
        """A gap for what no source explained: the columns of the subject that the query reads and that are not known. Where it
        compares all of its subject, what is not known of another one explains it.
        """
        compares = len(re.findall(rf"\b{query.subject}\b", query.query)) > 1
        number = self._of_others.get((query.subject, row["plane"])) if compares and not missing else None
        if number is not None:
            return number
        what = ", ".join(name.replace("_", " ") for name in missing)
        seen = "the repository says" if row["plane"] == "declared" else "was seen"
        reason = f"{what} of {query.subject.replace('_', ' ')} not known" if what else f"what {seen} does not decide it"
        self._gaps.append(Gap(Cause.UNRESOLVED, query.subject, reason, plane=row["plane"], origin=origin, value=True))
        return len(self._gaps) - 1


def missing_columns(query: Query, row: dict[str, Any]) -> list[str]:
    """The columns of the subject that the query reads and that are not known."""
    words = _words(query.query)
    return [name for name in TABLES[query.subject].columns if name in words and row.get(name) is None]


@lru_cache(maxsize=1024)
def _words(query: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z_]+", query)) - _BESIDE
