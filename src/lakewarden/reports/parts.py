"""A report in parts, one for each owner: the findings of all parts are those of the whole, each once."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from lakewarden.errors import ExitCode
from lakewarden.facts.gaps import INCOMPLETE, Cause
from lakewarden.judge.exit import fails
from lakewarden.judge.result import OF_A_GATE, GapOutcome, Result, RuleOutcome, Share, ShareCounts
from lakewarden.judge.sharing import shares

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What stands for the owner in the name of a file.
PLACEHOLDER = "{owner}"
UNOWNED = "unowned"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
#: Names that Windows keeps for devices, with any ending.
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
_LONGEST = 80


def parts(result: Result) -> dict[str, Result]:
    """The part of each owner, by a name that is safe in a file's name and not the name of another."""
    # A report that was written before it told of owners names those of its findings.
    owners = result.owners or shares(result.findings, result.findings, lambda finding: finding.owner)
    names = file_names(outcome.name for outcome in owners)
    return {names[outcome.name]: _part(result, outcome) for outcome in owners}


def file_names(owners: Iterable[str]) -> dict[str, str]:
    """A name for each owner of letters, digits, dots, dashes and underscores. Where two would be the same, also to a file system
    that takes no notice of case, both get a digest of what they stand for.
    """
    plain = {owner: _plain(owner) for owner in dict.fromkeys(owners)}
    taken = Counter(name.casefold() for name in plain.values())
    return {
        owner: name
        if owner == UNOWNED or (name and taken[name.casefold()] == 1 and name != UNOWNED)
        else _told_apart(owner, name)
        for owner, name in plain.items()
    }


def _plain(owner: str) -> str:
    name = _UNSAFE.sub("-", owner).strip(".-")
    return "" if _DEVICES.fullmatch(name) or len(name) > _LONGEST else name


def _told_apart(owner: str, name: str) -> str:
    digest = hashlib.sha256(owner.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{name or 'owner'}-{digest}"


def _part(result: Result, owner: Share) -> Result:
    findings = tuple(finding for finding in result.findings if finding.owner == owner.name)
    rules = tuple(_rules(result.rules, owner))
    affected: dict[int, dict[str, int]] = {}
    for finding in findings:
        if finding.gap is not None:
            counts = affected.setdefault(finding.gap, {})
            counts[finding.rule.code] = counts.get(finding.rule.code, 0) + 1
    told = [
        number
        for number, outcome in enumerate(result.gaps)
        if number in affected or outcome.gap.cause in INCOMPLETE or outcome.gap.cause is Cause.UNCLAIMED
    ]
    place = {number: at for at, number in enumerate(told)}
    failing = any(fails(finding, result.fail_on, result.fail_confidence) for finding in findings)
    note = f"the part of {owner.name}: passes, and what a baseline passes over, are told of the whole run only"
    return replace(
        result,
        findings=tuple(f if f.gap is None else f.explained_by(place[f.gap]) for f in findings),
        rules=rules,
        gaps=tuple(GapOutcome(result.gaps[number].gap, affected.get(number, {})) for number in told),
        exit_code=int(ExitCode.FINDINGS if failing else ExitCode.INCOMPLETE if result.incomplete else ExitCode.CLEAN),
        hidden=owner.hidden,
        baselined=0,
        notes=(note, *result.notes),
        projects=(),
        seen=None,
        since=None,
        trend=(),
        owners=(owner,),
        environments=shares(findings, findings, lambda finding: finding.environment),
        owner=owner.name,
    )


def _rules(rules: Iterable[RuleOutcome], owner: Share) -> Iterable[RuleOutcome]:
    """What the rules say of the owner's objects, and the rules that say nothing of anybody's. One without a word about them says
    no more than that: who passes it is not known by owner.
    """
    for outcome in rules:
        if outcome.skipped_reason is not None or outcome.crashed is not None:
            if outcome.skipped_reason != OF_A_GATE:
                yield outcome
        elif (counts := owner.rules.get(outcome.rule.code, ShareCounts())) != ShareCounts():
            judged = counts.failed + counts.unknown + counts.waived
            yield RuleOutcome(outcome.rule, outcome.severity, judged, 0, counts.failed, counts.unknown, counts.waived)
