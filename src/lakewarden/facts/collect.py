"""The collector that sources write to: rows, completeness and gaps. It knows nothing of engines, rules or policy."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import lakewarden.facts.model  # noqa: F401  (defines the tables)
from lakewarden.errors import SourceError
from lakewarden.facts.fact import TABLES, Fact
from lakewarden.facts.gaps import Cause, Gap

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableSequence

    from lakewarden.facts.origin import Origin


class Scope(NamedTuple):
    """How far a listing reaches: one parent (its key), one project, or the whole plane when both are None."""

    project: str | None = None
    parent: str | None = None


#: A list: table, plane, and what it belongs to.
ListOf = tuple[str, str, Scope]


class Skipped(NamedTuple):
    """A file that was not read, and why. `kind` is `ignored`, `vendored`, `template`, `too large`, `unreadable`, …"""

    path: str
    kind: str
    reason: str


class Facts:
    """Everything that the sources of one run saw.

    A list is incomplete until its source says otherwise: write its rows inside `listing`.
    """

    def __init__(self) -> None:
        self.rows: dict[str, MutableSequence[Fact]] = {name: [] for name in TABLES}
        self.complete: set[tuple[str, str, Scope]] = set()
        self.gaps: list[Gap] = []
        self.unlisted: dict[tuple[str, str], Gap] = {}
        self.skipped: list[Skipped] = []
        self.files_read = 0
        #: Who reads now, where several read the same lists: a workspace of a run, a snapshot of several.
        self.reader = ""
        self._read_by: dict[ListOf, set[str]] = {}
        self._missed_by: dict[ListOf, set[str]] = {}

    def add(self, *facts: Fact) -> None:
        """Add rows. The same key twice in one table and plane is a defect of the source; the store refuses it."""
        for fact in facts:
            self.rows[fact.table].append(fact)

    def gap(self, gap: Gap) -> None:
        """Say that something was not seen."""
        self.gaps.append(gap)
        if self.reader and not gap.value:
            self._missed_by.setdefault(list_of(gap), set()).add(self.reader)

    def whole(self, one: ListOf) -> None:
        """Say that a list was read to its end."""
        self.complete.add(one)
        if self.reader:
            self._read_by.setdefault(one, set()).add(self.reader)

    def forgive(self) -> None:
        """Drop the gaps of lists that another reader, without a gap of its own, has read to their end."""
        enough = {one for one, missed in self._missed_by.items() if self._read_by.get(one, set()) - missed}
        if enough:
            self.gaps[:] = [gap for gap in self.gaps if gap.value or list_of(gap) not in enough]

    def otherwise(self, gap: Gap) -> None:
        """Say why lists of a table and plane that nobody marks complete were not read: by default that is a defect."""
        self.unlisted[gap.facts, gap.plane] = gap

    def unresolved(self, table: str, reason: str, *, project: str | None, origin: Origin | None, remedy: str = "") -> None:
        """Explain a NULL in a row that was seen: a variable, a widget or a template without a value."""
        self.gap(Gap(Cause.UNRESOLVED, table, reason, remedy, project=project, origin=origin, value=True))

    @contextmanager
    def listing(
        self,
        *tables: str,
        plane: str = "declared",
        project: str | None = None,
        of: str | None = None,
        origin: Origin | None = None,
    ) -> Iterator[None]:
        """Mark lists complete when the block ends well; a SourceError inside becomes a gap, and the run goes on.

        The lists are those of one parent (`of`, a key), of one project, or of the whole plane.
        """
        try:
            yield
        except SourceError as problem:
            for table in tables:
                self.gap(Gap(Cause(problem.cause), table, problem.reason, problem.remedy, plane, project, of, origin))
        else:
            for table in tables:
                self.whole((table, plane, Scope(project, of)))


def list_of(gap: Gap) -> ListOf:
    """The list that a gap is about."""
    return gap.facts, gap.plane, Scope(gap.project, gap.parent)
