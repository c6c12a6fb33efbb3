"""Compares an audit with the one before it, and keeps it for the next."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from lakewarden.errors import ExitCode
from lakewarden.judge.compare import Comparison, Side, Subject, compare, root_of
from lakewarden.judge.history import Entry, keep, last, open_history, trend, workspaces
from lakewarden.judge.result import Finding, Point, Result, RuleOutcome, Share, ShareCounts, Since, Verdict, Waiver
from lakewarden.reports.escape import clean
from lakewarden.reports.json_report import document
from lakewarden.reports.outcome import failing
from lakewarden.reports.page import names
from lakewarden.reports.sides import side_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from lakewarden.facts.estate.sight import Sight
    from lakewarden.judge.compare import Changed

_TOLD = 3
#: Above so many violations that sight was lost of, they are told by rule.
_SINGLY = 20


def with_history(result: Result, place: str, day: dt.date, sight: Sight, *, fail_on_new: bool) -> Result:
    """The result, with what became of the violations of the audit before, which is the newest in the history that read one of
    the same workspaces. It is kept for the next, with what was served.

    Raises:
        UsageError: the history cannot be used.
    """
    store = open_history(place)
    side = side_of(document(result), "this audit", day.isoformat())
    before = last(store, side.roots)
    since = None if before is None else compare(before, side)
    done = result if before is None or since is None else _compared(result, before, since)
    point = _point(done, day)
    done = replace(done, trend=(*trend(store, side.roots), point))
    if fail_on_new:
        done = _only_new(done, before, since)
    lost = {}
    if before is not None and since is not None:
        # Who asks fewer workspaces than before is told once; what was asked and not seen stands until it is.
        left_out = workspaces(before.roots) - workspaces(side.roots)
        lost = {c.subject: c.told for c in since.lost if not left_out or root_of(c.subject.key) in side.roots}
    keep(store, Entry(side, lost, result.version, done.exit_code, sight, point))
    return done


def _point(result: Result, day: dt.date) -> Point:
    """What the audit counted, before `--fail-on-new` tolerates anything."""
    return Point(
        day=day.isoformat(),
        failing=failing(result),
        violations=result.count(Verdict.FAIL),
        unknown=result.count(Verdict.UNKNOWN),
        waived=result.count(Verdict.WAIVED),
        passing=result.count(Verdict.PASS),
        rules=sum(outcome.skipped_reason is None for outcome in result.rules),
        incomplete=bool(result.incomplete),
    )


def _compared(result: Result, before: Side, since: Comparison) -> Result:
    """The audit is incomplete where it has lost sight of a violation, or decides less than before."""
    lost = [
        f"lost sight of {c.subject.code} on {c.subject.key}, a violation in the audit of {before.day}: {c.why}"
        for c in since.lost
    ]
    if len(lost) > _SINGLY:
        counts_of = Counter(changed.subject.code for changed in since.lost)
        lost = [f"lost sight of {n:,} violations of {code} in the audit of {before.day}" for code, n in sorted(counts_of.items())]
    incomplete = (*result.incomplete, *lost, *since.fewer)
    exit_code = result.exit_code
    if incomplete and exit_code != ExitCode.FINDINGS:
        exit_code = int(ExitCode.INCOMPLETE)
    counts = ", ".join(f"{len(getattr(since, name)):,} {word}" for name, word in WORDS.items() if getattr(since, name))
    notes = [f"since the audit of {before.day}: {counts or 'the same'}"]
    notes += [
        f"{word}: {_named(getattr(since, name))}" for name, word in WORDS.items() if name in _NAMED and getattr(since, name)
    ]
    return replace(
        result,
        incomplete=incomplete,
        exit_code=exit_code,
        notes=(*notes, *result.notes),
        since=Since(before.day, since),
    )


#: What became of violations, in words.
WORDS = {
    "new": "new",
    "worsened": "worsened",
    "lost": "lost sight of",
    "standing": "standing",
    "tolerated": "tolerated now",
    "fixed": "fixed",
    "gone": "gone",
}
_NAMED = frozenset({"new", "worsened", "fixed", "gone"})


def _named(changes: Iterable[Changed]) -> str:
    return names([f"{changed.subject.code} {changed.subject.key}" for changed in changes], _TOLD)


def _only_new(result: Result, before: Side | None, since: Comparison | None) -> Result:
    """Tolerate what was there in the audit before."""
    if before is None or since is None:
        return replace(result, notes=("the history holds no audit of these workspaces: all findings are new", *result.notes))
    standing = {changed.subject for changed in since.standing}
    waiver = Waiver("history", f"it was there in the audit of {before.day}")
    findings = tuple(
        replace(f, verdict=Verdict.WAIVED, waiver=waiver) if f.verdict is Verdict.FAIL and _subject(f) in standing else f
        for f in result.findings
    )
    fails = any(changed.told.fails for changed in (*since.new, *since.worsened))
    exit_code = result.exit_code
    if exit_code == ExitCode.FINDINGS and not fails:
        exit_code = int(ExitCode.INCOMPLETE if result.incomplete else ExitCode.CLEAN)
    changed = [old for old, new in zip(result.findings, findings, strict=True) if old is not new]
    waived = Counter(old.rule.code for old in changed)
    rules = tuple(_with_waived(outcome, waived[outcome.rule.code]) for outcome in result.rules)
    owners = Counter((old.owner, old.rule.code) for old in changed)
    environments = Counter((old.environment or "", old.rule.code) for old in changed)
    return replace(
        result,
        findings=findings,
        rules=rules,
        exit_code=exit_code,
        owners=tuple(_share_with_waived(share, owners) for share in result.owners),
        environments=tuple(_share_with_waived(share, environments) for share in result.environments),
    )


def _share_with_waived(share: Share, waived: Counter[tuple[str, str]]) -> Share:
    rules = {
        code: ShareCounts(of.failed - waived[share.name, code], of.unknown, of.waived + waived[share.name, code])
        for code, of in share.rules.items()
    }
    return replace(share, rules=rules)


def _with_waived(outcome: RuleOutcome, count: int) -> RuleOutcome:
    return replace(outcome, failed=outcome.failed - count, waived=outcome.waived + count) if count else outcome


def _subject(finding: Finding) -> Subject:
    return Subject(finding.rule.code, finding.plane, finding.kind, clean(finding.subject))
