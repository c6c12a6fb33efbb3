"""What linking the code of a repository comes to, for the sources that read after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lakewarden.facts.fact import Fact
    from lakewarden.facts.gaps import Gap
    from lakewarden.sources.repository.code.resolve import Resolver
    from lakewarden.sources.repository.code.result import Access, Call, Literal
    from lakewarden.sources.repository.code.settle import Ways


class Linked(NamedTuple):
    """The facts of all files, their gaps, and the roles of each by its path."""

    facts: list[Fact]
    gaps: list[Gap]
    roles: dict[str, frozenset[str]]
    code: Code


class Waiting(NamedTuple):
    """A fact of which more is known once it is known what the code is launched with; the gaps that explain it till then."""

    fact: Fact
    item: Call | Access | Literal
    ways: Ways
    path: str
    gaps: list[Gap]


class Written(NamedTuple):
    """A write of a table, or a choice of a catalog; the ways that its name hangs on launches."""

    access: Access
    ways: Ways | None


class Code(NamedTuple):
    """What later sources ask of the code, by the paths of files: what waits for launches, the tables that they write, the
    catalogs that they choose, the files that they load; `resolver` answers what a value of a file is. Bundles ask `can_fail`
    of the files of validation tasks.
    """

    waiting: list[Waiting]
    writes: dict[str, list[Written]]
    used: dict[str, list[Written]]
    loads: dict[str, list[str]]
    stops: dict[str, bool | None]
    resolver: Resolver

    def can_fail(self, path: str) -> bool | None:
        """Can a file end in failure by its own decision (`raise`, `assert`, a failing exit, MLflow's validation)?

        FALSE where every such decision, in the file itself or (where it has none) in the files that it loads, is caught and
        passed over. None where there is none, or that cannot be told: what it finds may still be acted on elsewhere, by a
        condition on a task value.
        """
        own = self.stops.get(path)
        if own is not None:
            return own
        loaded = {self.stops.get(other) for other in reached(path, self.loads)[1:]}
        return True if True in loaded else False if False in loaded else None


def reached(start: str, loads: Mapping[str, Sequence[str]]) -> list[str]:
    """A file and all that it loads."""
    found = {start: None}
    todo = [start]
    while todo:
        for path in loads.get(todo.pop(), ()):
            if path not in found:
                found[path] = None
                todo.append(path)
    return list(found)
