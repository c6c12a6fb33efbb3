"""What a fix is, and what it is given."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from lakewarden.errors import SourceError
from lakewarden.facts.fact import TABLES
from lakewarden.facts.places import Places
from lakewarden.fixes.edit import Edit, LeftAloneError, decoded
from lakewarden.fixes.page import scalars
from lakewarden.policy.attribute import RELEASE_REFS, is_release, release_refs
from lakewarden.policy.globs import literal

if TYPE_CHECKING:
    from lakewarden.facts.collect import Facts
    from lakewarden.fixes.page import Page
    from lakewarden.judge.result import Finding, Result
    from lakewarden.policy.model import Policy
    from lakewarden.sources.tree import Tree


#: Where a CI file lists branches.
_BRANCHES = re.compile(r"(?:^|\.)(?:branches|branch|trigger|only)(?:\.include)?(?:\[\d+\])?$")
#: How the names of YAML files end.
YAML = (".yml", ".yaml")


@dataclass(frozen=True)
class Look:
    """A repository as it was read and judged, or as it would be with changes that are not yet written."""

    tree: Tree
    policy: Policy
    facts: Facts
    result: Result

    def rows(self, table: str, **wanted: str | None) -> list[dict[str, Any]]:
        """The rows of a fact table that have these values."""
        rows = (row.__dict__ for row in self.facts.rows[table])
        return [row for row in rows if all(row.get(name) == value for name, value in wanted.items())]

    def row(self, table: str, key: str) -> dict[str, Any]:
        """The row with this key.

        Raises:
            LeftAloneError: there is none, or several.
        """
        found = self.rows(table, key=key)
        if len(found) != 1:
            raise LeftAloneError("what was read of it is not clear")
        return found[0]

    @cached_property
    def _places(self) -> Places:
        return Places(self.policy, self.facts.rows["targets"], self.facts.rows["terraform_roots"])

    def stage(self, table: str, row: dict[str, Any]) -> str | None:
        """The stage that the policy, or a name, gives a row."""
        return self._places.of(TABLES[table], row).stage

    def release_branch(self, project: str | None, ci_files: Iterable[str] = ()) -> str:
        """The one branch that production is released from: that which the CI files which deploy it name, else that which is there.

        Raises:
            LeftAloneError: there is none, or several.
        """
        globs = release_refs(self.policy, project)
        literals = {glob for glob in globs if literal(glob)}
        there = {row["name"] for row in self.rows("branches", project=project) if row.get("name")}
        released = {name for name in there if is_release(self.policy, project, name)}
        named = literals if globs != RELEASE_REFS else set()
        by_ci = {name for path in ci_files for name in (literals | released) if self._speaks_of(path, name)}
        found = by_ci or (named & there or named) or released
        if len(found) != 1:
            told = f"{' and '.join(sorted(found))} are" if found else "none is known to be"
            raise LeftAloneError(
                f"which branch to write is not clear, since {told} released from: set release_refs in the policy"
            )
        return found.pop()

    def _speaks_of(self, path: str, branch: str) -> bool:
        """Does a CI file name a branch: in a list of branches, as a ref, or where an expression compares one?"""
        try:
            values = scalars(decoded(self.tree.read(path)))
        except (SourceError, LeftAloneError) as problem:
            raise LeftAloneError(f"{path}, which deploys it, cannot be read") from problem
        name = re.escape(branch)
        ref = re.compile(
            rf"""refs/heads/{name}(?![\w./-])|(?:ref(?:_name)?|branch(?:name)?)\W*?(?:==|,)\s*["']{name}["']""", re.IGNORECASE
        )
        return any(
            (value == branch and _BRANCHES.search(pointer) is not None) or ref.search(value) for pointer, value in values.items()
        )


class Change(NamedTuple):
    """The edits of a file that mend one finding: what they write, and what to look at after. `once` names what one such change is
    enough for.
    """

    edits: tuple[Edit, ...]
    what: str
    note: str = ""
    once: str = ""


Maker: TypeAlias = Callable[["Finding", Look, "Page"], Change]


class Fix(NamedTuple):
    """Mends what one rule finds where one of these conditions is false. `make` raises LeftAloneError where it cannot."""

    code: str
    conditions: tuple[str, ...]
    make: Maker


def one(edits: Iterable[Edit] | Edit, what: str, note: str = "") -> Change:
    """A change of one edit or several."""
    return Change((edits,) if isinstance(edits, Edit) else tuple(edits), what, note)
