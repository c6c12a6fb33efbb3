"""Which violations are tolerated: by the policy, by a comment beside them, by the baseline, or because they are old."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lakewarden.judge import comments, suppressions
from lakewarden.judge.baseline import Baseline
from lakewarden.judge.catalogue import rules_under, tables_of
from lakewarden.judge.program import is_program_rule
from lakewarden.judge.result import Finding, Verdict, Waiver
from lakewarden.policy import files, waivers
from lakewarden.rule import Severity

if TYPE_CHECKING:
    from collections.abc import Container, Mapping
    from pathlib import Path

    from lakewarden.facts.gaps import Gap
    from lakewarden.facts.origin import Origin
    from lakewarden.judge.judge import Ruling
    from lakewarden.judge.request import Judged, Wishes
    from lakewarden.policy.model import Policy


@dataclass(frozen=True)
class Tolerated:
    """The findings that are left, waived ones marked; how many the baseline passes over; the state of each comment;
    what is wrong with waivers of the policy; remarks for the reader; the rules asked over complete facts; how many of which rule the
    baseline passes over.
    """

    findings: list[Finding]
    baselined: int
    suppressions: list[tuple[suppressions.Suppression, suppressions.State]]
    waiver_problems: tuple[waivers.Problem, ...]
    notes: tuple[str, ...]
    complete_rules: frozenset[str]
    baselined_rules: Mapping[str, int] = field(default_factory=dict)


def tolerate(
    findings: list[Finding], judged: Judged, wishes: Wishes, rulings: Mapping[str, Ruling], gaps: list[Gap]
) -> Tolerated:
    """Apply, in this order: ignores by path, waivers of the policy, comments."""
    policy = judged.policy
    left = [finding for finding in findings if not is_ignored(finding, policy)]
    ignored = sum(f.verdict is Verdict.FAIL for f in findings) - sum(f.verdict is Verdict.FAIL for f in left)
    notes = (f"the policy leaves out {ignored} findings by per_path_ignores, or by exclude of a rule",) if ignored else ()
    names = {code: rule.name for code, rule in rules_under(policy).items()}
    asked = _asked_over_complete_facts(rulings, gaps)
    failing = [index for index, finding in enumerate(left) if finding.verdict is Verdict.FAIL]
    by_policy = waivers.apply(policy, [left[i] for i in failing], today=wishes.today, rules=names, asked=asked)
    numbers = {id(waiver): number for number, waiver in enumerate(policy.waivers, 1)}
    for position, waiver in by_policy.findings.items():
        index = failing[position]
        until = waiver.expires.isoformat() if waiver.expires else None
        place = f"waivers[{numbers[id(waiver)]}]"
        left[index] = _waived(left[index], Waiver("policy", waiver.reason, until, waiver.owner, waiver.ticket, place))
    elsewhere = {finding.origin.path for finding in left if finding.origin is not None}
    tree, covers = judged.tree, judged.scope.covers
    marked = (entry.path for entry in tree.files if entry.path not in tree.unmarked)
    found = comments.find_all([path for path in marked if covers(path) or path in elsewhere], tree.read)
    matched = suppressions.match(
        found,
        left,
        codes={**{code: code for code in names}, **{name: code for code, name in names.items()}},
        asked=asked,
        today=wishes.today,
        allowed=lambda finding: _comment_may_waive(policy, finding),
    )
    for index, comment in matched.waived.items():
        until = comment.until.isoformat() if comment.until else None
        left[index] = _waived(left[index], Waiver("inline", comment.reason, until, place=comment.place))
    states = [told for told in zip(found, matched.states, strict=True) if judged.scope.covers(told[0].path)]
    return Tolerated(left, 0, states, by_policy.problems, notes, asked)


def baseline_of(judged: Judged, wishes: Wishes) -> Path | None:
    """The file of the baseline that holds, if one does."""
    if not wishes.use_baseline:
        return None
    return wishes.baseline or (judged.root / judged.policy.baseline if judged.policy.baseline else None)


def pass_over(tolerated: Tolerated, judged: Judged, wishes: Wishes) -> Tolerated:
    """Leave out what the baseline knows, then what is on lines that did not change."""
    policy, left, notes = judged.policy, tolerated.findings, list(tolerated.notes)
    place = baseline_of(judged, wishes)
    by_rule = Counter[str]()
    if place is not None:
        baseline = Baseline.load(place)
        known = baseline.hidden(left)
        hidden = frozenset(number for number in known if not _is_unwaivable(policy, left[number]))
        if known - hidden:
            notes.append(f"{len(known - hidden)} findings of the baseline {place.name} are told: their rules may not be waived")
        # Findings outside of what was asked about are not there to be compared.
        stale = 0 if not judged.scope.whole else sum(entry.count for entry in baseline.stale(left, tolerated.complete_rules))
        by_rule.update(left[number].rule.code for number in hidden)
        left = [f for number, f in enumerate(left) if number not in hidden]
        if stale:
            notes.append(f"{stale} entries of the baseline {place.name} are stale: run `lakewarden baseline prune`")
    baselined = len(tolerated.findings) - len(left)
    if wishes.changed is not None:
        left, outside = _changed_only(left, wishes.changed)
        notes.append(f"{outside} findings on lines that did not change are not shown")
    return replace(tolerated, findings=left, baselined=baselined, notes=tuple(notes), baselined_rules=by_rule)


def is_ignored(finding: Finding, policy: Policy) -> bool:
    """Does the policy say that this rule is not asked about this file or object?"""
    return files.ignored(policy, finding.rule.code, finding.origin.path if finding.origin else None, finding.subject)


def _waived(finding: Finding, waiver: Waiver) -> Finding:
    return replace(finding, verdict=Verdict.WAIVED, waiver=waiver) if finding.verdict is Verdict.FAIL else finding


def _is_unwaivable(policy: Policy, finding: Finding) -> bool:
    unwaivable = policy.waiver_policy.unwaivable
    return finding.rule.code in unwaivable or finding.rule.name in unwaivable


def _comment_may_waive(policy: Policy, finding: Finding) -> bool:
    """Comments are judged by `[waiver_policy]` as other waivers are."""
    rules = policy.waiver_policy
    if _is_unwaivable(policy, finding):
        return False
    return rules.inline == "allow" or (rules.inline == "warnings-only" and finding.severity is not Severity.ERROR)


def _asked_over_complete_facts(rulings: Mapping[str, Ruling], gaps: list[Gap]) -> frozenset[str]:
    """Rules of which it can be said that something is *not* violated: nothing that they read is missing."""
    holes = {gap.facts for gap in gaps if not gap.value}
    return frozenset(
        code
        for code, ruling in rulings.items()
        if ruling.skipped_reason is None
        and ruling.crashed is None
        and not any(row["verdict"] == "unknown" for _, row in ruling.told)
        and not any(query.subject in holes or tables_of(query) & holes for query in ruling.rule.queries)
    )


def _changed_only(findings: list[Finding], changed: Mapping[str, Container[int]]) -> tuple[list[Finding], int]:
    """The findings of which a line changed, or whose related place did, or that miss a file of the change, as one that was
    deleted or renamed; and how many are left out.
    """
    kept = [
        f
        for f in findings
        if f.origin is None
        or any(_touched(o, changed) for o in (f.origin, f.related) if o is not None)
        or (is_program_rule(f.rule) and any(f" {path} " in f" {f.message} " for path in changed))
    ]
    return kept, sum(f.verdict is Verdict.FAIL for f in findings) - sum(f.verdict is Verdict.FAIL for f in kept)


def _touched(origin: Origin, changed: Mapping[str, Container[int]]) -> bool:
    """Did a line of the place change? A place without a line is touched by any change of its file."""
    lines = changed.get(origin.path or "")
    if lines is None or origin.line is None:
        return lines is not None
    return any(line in lines for line in range(origin.line, (origin.end_line or origin.line) + 1))
