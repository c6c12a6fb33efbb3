"""The collector that sources write to: rows, completeness and gaps. It knows nothing of engines, rules or policy."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import lakewarden.facts.model  # noqa: F401  (defines the tables)
from lakewarden.errors import SourceError
from lakewarden.facts.fact import TABLES, Fact
from lakewarden.facts.gaps import Cause, Gap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.facts.origin import Origin


class Scope(NamedTuple):
    """How far a listing reaches: one parent (its key), one project, or the whole plane when both are None."""

    project: str | None = None
    parent: str | None = None


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
        self.rows: dict[str, list[Fact]] = {name: [] for name in TABLES}
        self.complete: set[tuple[str, str, Scope]] = set()
        self.gaps: list[Gap] = []
        self.unlisted: dict[tuple[str, str], Gap] = {}
        self.skipped: list[Skipped] = []
        self.files_read = 0

    def add(self, *facts: Fact) -> None:
        """Add rows. The same key twice in one table and plane is a defect of the source; the store refuses it."""
        for fact in facts:
            self.rows[fact.table].append(fact)

    def gap(self, gap: Gap) -> None:
        """Say that something was not seen."""
        self.gaps.append(gap)

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
                self.complete.add((table, plane, Scope(project, of)))
