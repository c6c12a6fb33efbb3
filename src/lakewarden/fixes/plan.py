"""Which findings have a safe fix, and what it writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakewarden.errors import SourceError
from lakewarden.fixes.edit import Edit, LeftAloneError, applied, decoded, encoded
from lakewarden.fixes.fix import YAML
from lakewarden.fixes.page import Page
from lakewarden.fixes.registry import BY_CONDITION
from lakewarden.fixes.write import why_not
from lakewarden.judge.result import Verdict
from lakewarden.rule import Confidence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lakewarden.fixes.fix import Look
    from lakewarden.judge.result import Finding


@dataclass(frozen=True)
class Proposal:
    """A fix of one finding: the edits of its file."""

    finding: Finding
    path: str
    edits: tuple[Edit, ...]
    what: str
    note: str
    once: str

    def meets(self, other: Proposal) -> bool:
        """Do they change the same place, or mend the same?"""
        if self.once and self.once == other.once and self.finding.rule is other.finding.rule:
            return True
        return self.path == other.path and any(mine.meets(theirs) for mine in self.edits for theirs in other.edits)


@dataclass(frozen=True)
class Left:
    """A finding of a kind that has a fix, and why it is not made here."""

    finding: Finding
    reason: str


def mendable(findings: Iterable[Finding]) -> list[Finding]:
    """The violations of a kind that has a fix. What is a matter of context, waived or unknown is none."""
    return [
        finding
        for finding in findings
        if finding.verdict is Verdict.FAIL
        and finding.confidence is not Confidence.ADVISORY
        and (finding.rule.code, finding.condition) in BY_CONDITION
    ]


def plan(look: Look, findings: Iterable[Finding]) -> tuple[list[Proposal], list[Left]]:
    """What would be written for these findings, each seen alone, and which are left as they are."""
    proposals: list[Proposal] = []
    left: list[Left] = []
    pages: dict[str, Page] = {}
    for finding in findings:
        path = (finding.origin.path if finding.origin is not None else None) or ""
        try:
            if path not in pages:
                pages[path] = _page(look, path)
            made = BY_CONDITION[finding.rule.code, finding.condition].make(finding, look, pages[path])
        except LeftAloneError as problem:
            left.append(Left(finding, str(problem)))
        else:
            proposals.append(Proposal(finding, path, made.edits, made.what, made.note, made.once))
    return proposals, left


def apart(proposals: Iterable[Proposal]) -> list[Proposal]:
    """Of those that change the same place the first: the others come in the next pass."""
    chosen: list[Proposal] = []
    for proposal in proposals:
        if not any(proposal.meets(other) for other in chosen):
            chosen.append(proposal)
    return chosen


def changed(look: Look, proposals: Iterable[Proposal]) -> dict[str, bytes]:
    """The files as these proposals, which do not meet, would leave them."""
    by_path: dict[str, list[Edit]] = {}
    for proposal in proposals:
        by_path.setdefault(proposal.path, []).extend(proposal.edits)
    found = {}
    for path, edits in by_path.items():
        before = look.tree.read(path)
        found[path] = encoded(applied(decoded(before), edits), before)
    return found


def _page(look: Look, path: str) -> Page:
    if not path.endswith(YAML):
        raise LeftAloneError("it does not stand in a YAML file")
    reason = why_not(look.tree.root, path)
    if reason is not None:
        raise LeftAloneError(reason)
    try:
        data = look.tree.read(path)
    except SourceError as problem:
        raise LeftAloneError(problem.reason) from None
    text = decoded(data)
    if encoded(text, data) != data:
        raise LeftAloneError("the file cannot be written back byte for byte")
    return Page(text)
