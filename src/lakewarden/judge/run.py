"""One run over a repository: rules are asked, findings waived, baselined and counted, the exit code decided."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from lakewarden import __version__
from lakewarden.engines.embedded import EmbeddedEngine
from lakewarden.facts.closures import CLOSURES
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.packed import columns
from lakewarden.facts.store import Prepared, prepare
from lakewarden.judge import program
from lakewarden.judge.catalogue import doc_of, rules_under
from lakewarden.judge.exit import exit_code, is_accepted, why_incomplete
from lakewarden.judge.findings import FindingMaker, in_order
from lakewarden.judge.judge import Ruling, rule_all, tables_needed, why_not_asked
from lakewarden.judge.lines import Lines
from lakewarden.judge.loosened import loosened
from lakewarden.judge.own import own_rulings
from lakewarden.judge.result import Finding, GapOutcome, Result, RuleOutcome, Verdict
from lakewarden.judge.seen import seen_by
from lakewarden.judge.selection import Selection, rule_policy, select_rules
from lakewarden.judge.sharing import project_outcomes, shares, with_bundles
from lakewarden.judge.tolerance import Tolerated, baseline_of, is_ignored, pass_over, tolerate
from lakewarden.policy.attribute import owner_of
from lakewarden.policy.model import policy_row
from lakewarden.rule import Confidence, Profile, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lakewarden.judge.request import Judged, Wishes
    from lakewarden.policy.model import Policy
    from lakewarden.sources.discovery import Scope


def judge_repository(judged: Judged, wishes: Wishes) -> Result:
    """Judge what was read: what a repository declares, what an estate shows, or both.

    Raises:
        UsageError: a rule, a revision or a baseline file that is named does not exist.
        PolicyError: the policy names a rule that does not exist.
    """
    policy = judged.policy
    profile = wishes.profile or policy.profile
    selection = select_rules(rules_under(policy), policy, profile, select=wishes.select, ignore=wishes.ignore)
    asked = [rule for rule in selection.asked if not program.is_program_rule(rule)]
    needed = tables_needed(asked, judged.filled, judged.planes)
    prepared = prepare(judged.facts, policy, filled=judged.filled, needed=needed, planes=judged.planes, command=judged.command)
    own, ours = [rule for rule in asked if rule.code in policy.own], [rule for rule in asked if rule.code not in policy.own]
    row = policy_row(policy, profile)
    engine = EmbeddedEngine(prepared.rows, row, [query.query for rule in ours for query in rule.queries])
    inside: list[int] | None = None
    if not judged.scope.whole:
        scope = judged.scope
        inside = [n for n, o in enumerate(prepared.origins) if o.path is None or scope.covers(o.path)]
        engine.count_only(inside, scope.projects)
    rulings = dict(rule_all(ours, engine, judged.filled, judged.planes))
    rulings |= own_rulings(own, prepared, row, judged, inside)
    lines = Lines(judged.tree)
    maker = FindingMaker(
        policy,
        profile,
        prepared.origins,
        prepared.gaps,
        lambda project, path: owner_of(policy, project, path, judged.codeowners),
        lines.at if wishes.fingerprints or baseline_of(judged, wishes) is not None else None,
        {t.__dict__["key"]: t.__dict__["name"] for t in judged.facts.rows["targets"] if t.__dict__.get("name")},
    )
    findings = [finding for finding in maker.of(rulings.values()) if _in_scope(finding, judged.scope)]
    missed = _missed(judged, wishes, selection, profile, prepared.gaps, findings)
    rulings |= missed.own.rulings
    tolerated = tolerate([*findings, *missed.asked_about], judged, wishes, rulings, prepared.gaps)
    names = [t.__dict__["name"] for t in judged.facts.rows["targets"] if t.__dict__.get("name")]
    conflicts = judged.facts.rows["snapshot_conflicts"]
    of_run = program.judge_run(policy, selection, profile, tolerated.suppressions, tolerated.waiver_problems, names, conflicts)
    rulings |= of_run.rulings
    beside = [f for f in of_run.findings if _in_scope(f, judged.scope) and not is_ignored(f, policy)]
    # Only now: a comment or a waiver that holds in another project is not idle.
    kept = [f for f in [*tolerated.findings, *beside] if _of_projects(f, judged.scope)]
    tolerated = pass_over(replace(tolerated, findings=kept), judged, wishes)
    return _result(judged, wishes, profile, selection, rulings, prepared, tolerated, missed, lines)


class _Missed(NamedTuple):
    """The program's own findings about what was not seen, and those of them that belong to what was asked about."""

    own: program.Own
    asked_about: list[Finding]

    def open(self, gaps: Iterable[Gap], left: Iterable[Finding]) -> list[Gap]:
        """The gaps without those whose finding is waived, in the baseline, old, or about something else. One whose rule was
        not asked stays: nobody has looked at it.
        """
        still = {finding.subject for finding in left if finding.verdict is Verdict.FAIL and program.is_program_rule(finding.rule)}
        passed = {finding.subject for finding in self.own.findings} - still
        return [gap for gap in gaps if self.own.keys.get(program.known_by(gap)) not in passed]


def _missed(
    judged: Judged, wishes: Wishes, selection: Selection, profile: Profile, gaps: list[Gap], findings: list[Finding]
) -> _Missed:
    """Ask about what was not seen and is not accepted. A file elsewhere counts where it leaves something here unknown."""
    own = program.judge_gaps(
        judged.policy, selection, profile, [gap for gap in gaps if not is_accepted(gap, judged.policy, wishes.today)]
    )
    own = own._replace(findings=[finding for finding in own.findings if not is_ignored(finding, judged.policy)])
    felt = {own.keys.get(program.known_by(gaps[f.gap])) for f in findings if f.gap is not None}
    return _Missed(own, [f for f in own.findings if f.subject in felt or _in_scope(f, judged.scope)])


def part_of(scope: Scope, wishes: Wishes) -> tuple[str, ...]:
    """What was judged, where that is not all: a report of a part says nothing of the rest."""
    projects = sorted(scope.projects) if scope.projects is not None else []
    changed = ["changed lines"] if wishes.changed is not None else []
    return (*scope.prefixes, *(f"project {name}" for name in projects), *changed)


def _in_scope(finding: Finding, scope: Scope) -> bool:
    """Is the finding, or the other place that it names, in what was asked about?"""
    places = [origin.path for origin in (finding.origin, finding.related) if origin is not None and origin.path is not None]
    return not places or any(scope.covers(path) for path in places)


def _of_projects(finding: Finding, scope: Scope) -> bool:
    """Does the finding belong to a project that was asked about?"""
    return scope.holds(finding.project, finding.origin.path if finding.origin else None)


def _anything_asked_about(judged: Judged, asked: Iterable[Rule]) -> bool:
    """Did the sources see an object, in what was asked about, of the kinds that a rule judges here? What the store adds
    (a project for the repository itself) stands for what it is computed from: without that nothing was checked.
    """
    queries = (query for rule in asked for query in rule.queries)
    subjects = {query.subject for query in queries if why_not_asked(query, judged.filled, judged.planes) is None}
    tables = {table for subject in subjects for table in CLOSURES.get(subject, (subject,))}
    found = (pair for table in tables for pair in columns(judged.facts.rows[table], "project", "origin"))
    if judged.scope.projects is not None:
        found = (pair for pair in found if judged.scope.holds(pair[0], pair[1].path if pair[1] else None))
    places = (origin for _, origin in found)
    return any(at is not None and (at.url is not None if at.path is None else judged.scope.covers(at.path)) for at in places)


def _result(
    judged: Judged,
    wishes: Wishes,
    profile: Profile,
    selection: Selection,
    rulings: Mapping[str, Ruling],
    prepared: Prepared,
    tolerated: Tolerated,
    missed: _Missed,
    lines: Lines,
) -> Result:
    policy = judged.policy
    findings = with_bundles(sorted(tolerated.findings, key=in_order))
    outcomes = tuple(_outcomes(rules_under(policy).values(), selection, rulings, findings, policy, tolerated.baselined_rules))
    seen = why_incomplete(missed.open(prepared.gaps, findings), outcomes, policy, profile, wishes.today)
    incomplete = tuple(dict.fromkeys((*wishes.incomplete, *seen)))
    fail_on = wishes.fail_on or policy.fail_on
    fail_confidence = wishes.fail_confidence or policy.fail_confidence
    # What may fail the run is shown, or it would fail nothing.
    show = wishes.show | ({"advisory"} if fail_confidence is Confidence.ADVISORY else set())
    shown = [f for f in findings if _is_shown(f, profile, show)]
    judges = _anything_asked_about(judged, selection.asked)
    told = shown
    gaps, shown = _renumbered(prepared.gaps, findings, shown)
    return Result(
        command=judged.command,
        version=__version__,
        root=str(judged.root),
        profile=profile,
        findings=tuple(shown),
        rules=outcomes,
        gaps=gaps,
        skipped=tuple(judged.facts.skipped),
        files_read=judged.facts.files_read,
        incomplete=incomplete,
        exit_code=int(exit_code(shown, incomplete, judges, fail_on, fail_confidence)),
        fail_on=fail_on,
        fail_confidence=fail_confidence,
        hidden=sum(f.verdict is Verdict.FAIL and not _is_shown(f, profile, show) for f in findings),
        baselined=tolerated.baselined,
        docs={rule.code: doc_of(rule) for rule in selection.asked},
        lines=lines,
        notes=(*wishes.notes, *tolerated.notes),
        complete_rules=tolerated.complete_rules,
        projects=project_outcomes(findings, [t for t in judged.facts.rows["targets"] if judged.scope.holds(t.project, None)]),
        seen=seen_by(selection.asked, prepared.rows, judged.facts, judged.planes, findings, told)
        if judged.command == "audit"
        else None,
        part=part_of(judged.scope, wishes),
        folder=judged.root.resolve().name,
        day=wishes.today.isoformat(),
        owners=shares(findings, told, lambda finding: finding.owner),
        environments=shares(findings, told, lambda finding: finding.environment),
    )


def _is_shown(finding: Finding, profile: Profile, show: frozenset[str]) -> bool:
    """Unknown ones and advisory ones only on request, or in the strict profile."""
    if profile is Profile.STRICT:
        return True
    if finding.verdict is Verdict.UNKNOWN:
        return "unknown" in show
    return finding.confidence is not Confidence.ADVISORY or "advisory" in show


def _outcomes(
    rules: Iterable[Rule],
    selection: Selection,
    rulings: Mapping[str, Ruling],
    findings: list[Finding],
    policy: Policy,
    baselined: Mapping[str, int],
) -> Iterable[RuleOutcome]:
    """The count of each rule. Objects outside the scope, or passed over by baseline or `--diff`, are no failures here."""
    told: dict[tuple[str, Verdict], int] = {}
    for finding in findings:
        told[finding.rule.code, finding.verdict] = told.get((finding.rule.code, finding.verdict), 0) + 1
    for rule in rules:
        written = rule_policy(policy, rule)
        severity = (written.severity if written else None) or rule.severity
        ruling = rulings.get(rule.code)
        if ruling is None:
            why = selection.off.get(rule.code, "not asked")
            yield RuleOutcome(rule, severity, skipped_reason=why, loosened=loosened(rule, policy))
            continue
        failed, waived, unknown = (told.get((rule.code, v), 0) for v in (Verdict.FAIL, Verdict.WAIVED, Verdict.UNKNOWN))
        yield RuleOutcome(
            rule,
            severity,
            judged=ruling.judged,
            passed=ruling.passed,
            failed=failed,
            unknown=unknown,
            waived=waived,
            not_applicable=ruling.not_applicable,
            skipped_reason=ruling.skipped_reason,
            crashed=ruling.crashed,
            loosened=loosened(rule, policy),
            baselined=baselined.get(rule.code, 0),
        )


def _renumbered(gaps: list[Gap], findings: list[Finding], shown: list[Finding]) -> tuple[tuple[GapOutcome, ...], list[Finding]]:
    """The gaps that leave something unknown or make the run incomplete, with how much of which rule; gaps with the same
    cause, scope and reason are one. The findings point to their places in this list.
    """
    affected: dict[int, dict[str, int]] = {}
    for finding in findings:
        if finding.gap is not None:
            of_gap = affected.setdefault(finding.gap, {})
            of_gap[finding.rule.code] = of_gap.get(finding.rule.code, 0) + 1
    told: dict[tuple[Cause, str, str], int] = {}
    outcomes: list[GapOutcome] = []
    place: dict[int, int] = {}
    for number, gap in enumerate(gaps):
        if number not in affected and gap.cause in (Cause.UNRESOLVED, Cause.NOT_ASKED):
            continue
        at = (gap.cause, gap.scope, gap.reason)
        if at not in told:
            told[at] = len(outcomes)
            outcomes.append(GapOutcome(gap, {}))
        place[number] = told[at]
        for code, count in affected.get(number, {}).items():
            counts = outcomes[told[at]].affected
            counts[code] = counts.get(code, 0) + count
    return tuple(outcomes), [f if f.gap is None else f.explained_by(place[f.gap]) for f in shown]
