"""Makes fixes until none is left: judged again after each pass, before anything is written.

A fix stays only if the object then satisfies its rule and nothing that passed before is violated. Where several do not get along
the half that is to blame is looked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from lakewarden.fixes.plan import Left, Proposal, apart, changed, mendable, plan
from lakewarden.judge.result import Verdict

if TYPE_CHECKING:
    from lakewarden.fixes.fix import Look
    from lakewarden.judge.result import Finding

#: Reads and judges the repository as it is, but for these files; everything that is found counts.
Again: TypeAlias = Callable[[Mapping[str, bytes]], "Look"]


class FileChange(NamedTuple):
    """A file before and after."""

    path: str
    before: bytes
    after: bytes


@dataclass(frozen=True)
class Mended:
    """What would be written, for which findings, and which are left; `first` is the repository before all of it."""

    files: tuple[FileChange, ...]
    fixed: tuple[Proposal, ...]
    left: tuple[Left, ...]
    first: Look | None = None


class _State(NamedTuple):
    """The repository with the changes so far, and what they mended."""

    look: Look
    files: dict[str, bytes]
    fixed: tuple[Proposal, ...]


def mend(findings: Iterable[Finding], again: Again) -> Mended:
    """Make the safe fixes of these findings, and of what they hide: of several conditions only the first that fails is told."""
    wanted = {(finding.rule.code, finding.subject) for finding in mendable(findings)}
    if not wanted:
        return Mended((), (), ())
    first = state = _State(again({}), {}, ())
    left: dict[tuple[str, ...], Left] = {}
    while True:  # each pass mends a finding, of which none is mended twice, or leaves one
        open_ = [f for f in mendable(state.look.result.findings) if (f.rule.code, f.subject) in wanted and _name(f) not in left]
        proposals, refused = plan(state.look, open_)
        left |= {_name(one.finding): one for one in refused}
        if not proposals:
            break
        before = state
        state = _settle(state, apart(proposals), again, left)
        if state is not before:
            left.clear()  # what stood in the way may be gone: a second run is to find nothing more
    files = tuple(FileChange(path, first.look.tree.read(path), after) for path, after in sorted(state.files.items()))
    return Mended(files, state.fixed, tuple(left.values()), first.look)


def _settle(state: _State, proposals: list[Proposal], again: Again, left: dict[tuple[str, ...], Left]) -> _State:
    """The repository with those of the proposals that keep what they promise."""
    files = {**state.files, **changed(state.look, proposals)}
    after = again(files)
    broken = _broken(state, after, proposals)
    if broken is None:
        return _State(after, files, (*state.fixed, *proposals))
    if len(proposals) == 1:
        left[_name(proposals[0].finding)] = Left(proposals[0].finding, broken)
        return state
    # Positions hold for the text that they were read from: the second half waits for the next pass.
    return _settle(state, proposals[: len(proposals) // 2], again, left)


def _broken(before: _State, after: Look, proposals: list[Proposal]) -> str | None:
    """What speaks against these changes; None where nothing does."""
    open_ = {_name(f) for f in after.result.findings if f.verdict in (Verdict.FAIL, Verdict.UNKNOWN)}
    for proposal in proposals:
        if _name(proposal.finding) in open_:
            return "the change would not satisfy the rule"
    done = {_name(proposal.finding) for proposal in before.fixed}
    failing = [f for f in before.look.result.findings if f.verdict is Verdict.FAIL]
    known = {f.fingerprint for f in failing}
    violating = {(f.rule.code, f.subject) for f in failing}
    for finding in after.result.findings:
        if finding.verdict is not Verdict.FAIL or finding.fingerprint in known:
            continue
        # Of the conditions of a rule the first that fails is told: what now fails may have stood behind it.
        if (finding.rule.code, finding.subject) not in violating or _name(finding) in done:
            return f"the change would violate {finding.rule.code}: {finding.message}"
    return None


def _name(finding: Finding) -> tuple[str, ...]:
    return finding.rule.code, finding.subject, finding.condition, finding.plane
