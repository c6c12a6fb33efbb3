"""Reads a stored report back: a JSON report becomes the result that it was written from, as far as it holds that."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lakewarden.errors import UsageError
from lakewarden.facts.collect import Skipped
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.origin import Origin
from lakewarden.judge.catalogue import doc_of, load_rules
from lakewarden.judge.compare import Changed, Comparison, Subject, Told
from lakewarden.judge.result import (
    Finding,
    GapOutcome,
    Keys,
    Point,
    ProjectOutcome,
    Repair,
    Replacement,
    Result,
    RuleOutcome,
    Seen,
    Share,
    ShareCounts,
    Since,
    Verdict,
    Waiver,
)
from lakewarden.rule import Confidence, Profile, Rule, Severity, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakewarden.reports.stored import ChangeSaid, FindingSaid, FixSaid, GapSaid, Place, Report, RuleCount, ShareSaid

_AGAIN = "write it again, or read it with the lakewarden that wrote it"
_WRITE = "write one: lakewarden lint --output json=FILE"
_SEVERITIES, _CONFIDENCES = ("note", "warning", "error"), ("advisory", "medium", "high")


def read_report(content: bytes, name: str) -> Result:
    """The result in a JSON report. `docs` are those of the rules as they are known here; the lines of source are not in it.

    Raises:
        UsageError: it is no report, a damaged one, or one that a newer lakewarden wrote.
    """
    from pydantic import TypeAdapter, ValidationError

    from lakewarden.reports.stored import Report

    _refuse_other(content, name)
    adapter: TypeAdapter[Report] = TypeAdapter(Report)
    try:
        return _result(adapter.validate_json(content, strict=True))
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        at = ".".join(map(str, first["loc"]))
        raise UsageError(
            f"{name} is a damaged report, or one of a newer lakewarden: {at}: {first['msg'].lower()}", _AGAIN
        ) from None
    except (ValueError, IndexError) as problem:
        raise UsageError(f"{name} is a damaged report, or one of a newer lakewarden: {problem}", _AGAIN) from None


def _refuse_other(content: bytes, name: str) -> None:
    """Say what else the file is, before its members are looked at."""
    import json

    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise UsageError(f"{name} is no JSON report", _WRITE) from None
    version = document.get("version") if isinstance(document, dict) else None
    if version == "json-v1":
        return
    if isinstance(version, str) and version.startswith("json-v") and version.removeprefix("json-v").isdecimal():
        raise UsageError(f"{name} is a report in {version}, which is newer than this lakewarden", "read it with a newer one")
    if isinstance(version, str) and version.startswith("gate-v"):
        raise UsageError(f"{name} is the report of a gate, which cannot be converted", "run lakewarden gate with --output")
    raise UsageError(f"{name} is no JSON report of lakewarden", _WRITE)


def _result(said: Report) -> Result:
    known = load_rules()
    rules = {one.code: _rule(one, known) for one in said.rules}
    gaps = tuple(GapOutcome(_gap(one), dict(one.affected)) for one in said.gaps)
    summary = said.summary
    return Result(
        command=said.command,
        version=said.tool.version,
        root="",
        profile=Profile(said.profile),
        findings=tuple(_finding(one, rules, len(gaps)) for one in said.findings),
        rules=tuple(_outcome(one, rules[one.code]) for one in said.rules),
        gaps=gaps,
        skipped=tuple(Skipped(one.path, one.kind, one.reason) for one in summary.skipped),
        files_read=summary.files,
        incomplete=summary.incomplete_reasons,
        exit_code=summary.exit_code,
        fail_on=Severity(summary.fail_on),
        fail_confidence=Confidence(summary.fail_confidence),
        hidden=summary.hidden,
        baselined=summary.baselined,
        docs={code: doc_of(known[code]) for code, rule in rules.items() if code in known and known[code].name == rule.name},
        notes=summary.notes,
        projects=tuple(ProjectOutcome(**asdict(one)) for one in said.projects),
        seen=_seen(said),
        since=_since(said),
        trend=tuple(Point(**asdict(one)) for one in said.trend or ()),
        part=said.part,
        folder=said.folder,
        day=said.day,
        owners=tuple(map(_share, said.owners)),
        environments=tuple(map(_share, said.environments)),
        owner=said.owner,
        fixes={one.fingerprint: _repair(one.fix) for one in said.findings if one.fix is not None},
    )


def _repair(said: FixSaid) -> Repair:
    return Repair(said.what, said.note, said.path, tuple(Replacement(**asdict(one)) for one in said.replacements))


def _share(said: ShareSaid) -> Share:
    return Share(said.name or "", said.hidden, {code: ShareCounts(**asdict(counts)) for code, counts in said.rules.items()})


def _rule(said: RuleCount, known: Mapping[str, Rule]) -> Rule:
    """The rule as it was then; its own severity, which the policy of that run may have changed, and what `--fix` mends, as it is
    known here.
    """
    here = known.get(said.code)
    here = here if here is not None and here.name == said.name else None
    return Rule(
        code=said.code,
        name=said.name,
        severity=here.severity if here is not None else Severity(said.severity),
        confidence=Confidence(said.confidence),
        profile=Profile(said.profile),
        subject="",
        query="",
        message="",
        status=Status(said.status),
        revision=said.revision,
        fixable=here.fixable if here is not None else (),
    )


#: What stands for the word of a report that was written before reports told it.
_UNTOLD = "the report does not say whether the policy loosens it"


def _outcome(said: RuleCount, rule: Rule) -> RuleOutcome:
    return RuleOutcome(
        rule=rule,
        severity=Severity(said.severity),
        judged=said.judged,
        passed=said.passed,
        failed=said.failed,
        unknown=said.unknown,
        waived=said.waived,
        not_applicable=said.not_applicable,
        skipped_reason=said.skipped_reason,
        crashed=said.crashed,
        loosened=(_UNTOLD,) if said.loosened is None else tuple(said.loosened),
        baselined=said.baselined,
    )


def _finding(said: FindingSaid, rules: Mapping[str, Rule], gaps: int) -> Finding:
    if said.code not in rules:
        raise ValueError(f"a finding is of {said.code}, which is not among its rules")
    if said.gap is not None and said.gap >= gaps:
        raise ValueError(f"a finding names gap {said.gap}, and there are {gaps}")
    if (said.verdict == "waived") != (said.waiver is not None):
        raise ValueError(f"a finding of {said.code} is {said.verdict}, and its waiver says otherwise")
    return Finding(
        rule=rules[said.code],
        verdict=Verdict(said.verdict),
        severity=Severity(said.severity),
        confidence=Confidence(said.confidence),
        plane=said.plane,
        project=said.project,
        owner=said.owner,
        environment=said.environment,
        target=said.target,
        kind=said.facts,
        subject=said.subject,
        condition=said.condition,
        message=said.message,
        origin=_origin(said.location),
        related=_origin(said.related[0]) if said.related else None,
        fingerprint=said.fingerprint,
        waiver=None if said.waiver is None else Waiver(**asdict(said.waiver)),
        gap=said.gap,
        bundles=said.bundles,
    )


def _gap(said: GapSaid) -> Gap:
    origin = _origin(said.location)
    inside = (origin is not None and origin.path is not None) or said.scope in (said.project, "everything")
    return Gap(
        cause=Cause(said.cause),
        facts=said.facts,
        reason=said.reason,
        remedy=said.remedy,
        plane=said.plane,
        project=said.project,
        parent=None if inside else said.scope,
        origin=origin,
    )


def _origin(said: Place | None) -> Origin | None:
    return None if said is None else Origin(**asdict(said))


def _seen(said: Report) -> Seen | None:
    seen = said.seen
    if seen is None:
        return None
    return Seen(
        planes=seen.planes,
        roots=seen.roots,
        objects=None if seen.objects is None else _keys(seen.objects),
        unseen=_keys(seen.unseen),
        unknown={code: _keys(keys) for code, keys in seen.unknown.items()},
        hidden={code: _keys(keys) for code, keys in seen.hidden.items()},
    )


def _keys(found: Mapping[str, Mapping[str, tuple[str, ...]]]) -> Keys:
    return {table: dict(planes) for table, planes in found.items()}


def _since(said: Report) -> Since | None:
    since = said.since
    if since is None:
        return None
    changes: dict[str, Any] = {
        name: tuple(_change(one, said) for one in getattr(since, name)) for name in Comparison._fields if name != "fewer"
    }
    return Since(since.before, Comparison(**changes, fewer=since.fewer))


def _change(said: ChangeSaid, report: Report) -> Changed:
    fails = _SEVERITIES.index(said.severity) >= _SEVERITIES.index(report.summary.fail_on) and _CONFIDENCES.index(
        said.confidence
    ) >= _CONFIDENCES.index(report.summary.fail_confidence)
    told = Told(said.severity, said.confidence, fails, said.message, said.fingerprint)
    return Changed(Subject(said.code, said.plane, said.facts, said.subject), told, said.why)
