"""What a run saw and did not see: the end of the text report."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from lakewarden.judge.decidable import spoken
from lakewarden.judge.result import GapOutcome, Result, Verdict
from lakewarden.reports.escape import clean
from lakewarden.reports.order import failures
from lakewarden.reports.outcome import KNOWN, by_severity, failing, not_asked, share, standing, waived
from lakewarden.reports.page import Line, Span, many, names, short, wrap

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lakewarden.facts.gaps import Gap
    from lakewarden.judge.result import ProjectOutcome

#: What an audit says of rules that only a repository can decide, by the end of their reasons.
_OF_REPOSITORIES = "about repositories: add --repository DIR"
_ENDS = ("which this command does not read", "run `lakewarden audit`")
_OF_HOSTS = "needs branches"
_ABOUT_HOSTS = "about branches on a Git host: name the repository of a project in the policy"
#: What differs between reasons that are the same: what is quoted, keys and addresses of objects, numbers.
_NAMES = re.compile(
    r"`[^`]*`|'[^']*'|\"[^\"]*\"|\$\{[^}]*\}|(?<!\S)[\w.:-]+(?:/(?!api/)[\w.@#:~-]+)+|(?<!\S)[\w-]+\.[\w-]+\.[\w@/~-]+|\d+"
)
#: The lines that follow the place in a reason.
_PLACE = re.compile(r"(?::\d+)*: ")
_LABEL = 13
_ALL = 10_000
#: Above so many bundles only the worst are told, and the others counted.
_MOST_BUNDLES = 20
_WORST_BUNDLES = 10
#: A reason and two places that are longer do not fit into three lines of a narrow terminal.
_TWO_PLACES = 150


def summary(result: Result, width: int, *, details: bool = False, metastore: str = "") -> list[Line]:
    """The summary of the text report. `details` lists all gaps, skipped files and waivers instead of the largest; objects are of
    the metastore, where one is named.
    """
    most = _ALL if details else 4
    lines: list[Line] = []
    if result.command != "audit" or result.files_read or result.skipped:  # an audit need not be one of a repository
        lines += _row("files", _files(result, most), width, limit=0 if details else 4)
    if metastore:
        lines += _row("metastore", metastore, width)
    lines += _row("rules", _rules(result), width)
    for reason, codes in _most(_not_asked(result), most):
        told = f"{len(codes):,} {clean(reason)} ({names(codes, _ALL if details else 3)})"
        lines += wrap(told, width, (_pad("- "), _pad("  ")), limit=2)
    for outcome in result.rules:
        if outcome.crashed is not None:
            lines += wrap(f"{outcome.rule.code} crashed: {clean(outcome.crashed)}", width, _pad("- "), style="red", limit=3)
    if result.owner is None:
        lines += _row("passes", f"{result.count(Verdict.PASS):,}", width)
    lines += _findings(result, width)
    lines += bundles(result, width, details=details)
    lines += _unknown(result, width, most)
    lines += _tolerated(result, width, most)
    for number, reason in enumerate(result.incomplete[:most]):
        lines += _row("incomplete" if number == 0 else "", clean(reason), width, limit=2, style="red")
    if len(result.incomplete) > most:
        lines += _row("", f"and {len(result.incomplete) - most:,} more reasons", width)
    for note in result.notes:
        lines += _row("note", clean(note), width, limit=2)
    return lines


def _findings(result: Result, width: int) -> list[Line]:
    found = failures(result)
    if not found:
        return []
    lines = _row("findings", f"{len(found):,}: {by_severity(found)}; {share(failing(result), len(found))} this run", width)
    fixable = sum(finding.condition in finding.rule.fixable for finding in found)
    if fixable and result.command == "lint":
        lines += _row("fixable", f"{fixable:,} of kinds that --fix mends; --fix --dry-run shows how", width)
    return lines


def bundles(result: Result, width: int, *, details: bool = False) -> list[Line]:
    """One line for each bundle where there are several: the worst first, above `_MOST_BUNDLES` most of them only counted."""
    of_bundles = [project for project in result.projects if project.targets]
    if len(of_bundles) < 2:  # noqa: PLR2004
        return []
    ranked = sorted(of_bundles, key=lambda p: (-p.errors, -p.warnings, -p.notes, -p.unknown, p.name))
    shown = ranked if details or len(ranked) <= _MOST_BUNDLES else ranked[:_WORST_BUNDLES]
    lines = _row("bundles", f"{len(ranked):,}, the worst first:", width)
    for project in shown:
        targets = f"({names(map(clean, project.targets), 4)})"
        lines += wrap(f"{clean(project.name)}: {_counts([project])} {targets}", width, (_pad("- "), _pad("  ")), limit=1)
    rest = ranked[len(shown) :]
    if rest:
        lines += wrap(f"{len(rest):,} more: {_counts(rest)}; --show gaps lists them", width, _pad("- "), limit=1)
    return lines


def _counts(projects: Sequence[ProjectOutcome]) -> str:
    totals = {name: sum(getattr(project, f"{name}s") for project in projects) for name in ("error", "warning", "note")}
    told = [many(count, name) for name, count in totals.items() if count]
    unknown = sum(project.unknown for project in projects)
    return ", ".join([*(told or ["no findings"]), *([f"{unknown:,} unknown"] if unknown else [])])


def _pad(mark: str) -> str:
    return " " * _LABEL + mark


def _row(label: str, text: str, width: int, limit: int = 0, style: str = "") -> list[Line]:
    first, *more = wrap(text, width, " " * _LABEL, style=style, limit=limit)
    return [(Span(f"  {label}".ljust(_LABEL), "dim"), Span(first[0].text[_LABEL:], style)), *more]


def _files(result: Result, most: int) -> str:
    read = f"{result.files_read:,} read"
    kinds = Counter(skipped.kind for skipped in result.skipped)
    if not kinds:
        return f"{read}, none skipped"
    told = []
    for kind, count in kinds.most_common():
        paths = [_path(skipped.path, most) for skipped in result.skipped if skipped.kind == kind]
        told.append(f"{count:,} {clean(kind)} ({names(paths, most if most > count else 1)})")
    return f"{read}; {len(result.skipped):,} skipped: {'; '.join(told)}"


def _rules(result: Result) -> str:
    asked = [outcome for outcome in result.rules if outcome.skipped_reason is None]
    idle = sum(outcome.judged == 0 and outcome.crashed is None for outcome in asked)
    said = f"{len(asked):,} asked"
    if idle:
        said += f", {idle:,} of them found nothing to judge"
    off = len(not_asked(result))
    return f"{said}; {off:,} not asked" if off else said


def _not_asked(result: Result) -> dict[str, list[str]]:
    reasons: dict[str, list[str]] = {}
    alone = result.command == "audit" and not result.files_read
    for outcome in not_asked(result):
        why = outcome.skipped_reason
        if why is not None:
            if alone and why.endswith(_ENDS):
                why = _ABOUT_HOSTS if why.startswith(_OF_HOSTS) else _OF_REPOSITORIES
            reasons.setdefault(why, []).append(outcome.rule.code)
    return reasons


def _most(reasons: dict[str, list[str]], most: int) -> list[tuple[str, list[str]]]:
    """The reasons that keep the most rules from being asked; the others are one."""
    ranked = sorted(reasons.items(), key=lambda item: -len(item[1]))
    if len(ranked) <= most:
        return ranked
    rest = [code for _, codes in ranked[most - 1 :] for code in codes]
    return [*ranked[: most - 1], (f"for {len(ranked) - most + 1} other reasons", rest)]


def _unknown(result: Result, width: int, most: int) -> list[Line]:
    total = result.count(Verdict.UNKNOWN)
    causes = _causes(result.gaps)
    explained = sum(causes[0] for causes in causes.values())
    if not total and not causes:
        return []
    unexplained = "no cause is known" if result.owner is None else "the whole report names the causes"
    text = f"{total:,}, by cause:" if causes else f"{total:,}, {unexplained}"
    lines = _row("unknown", text if total else "no verdict, but not everything was seen:", width)
    ranked = sorted(causes.values(), key=lambda cause: -cause[0])
    for count, gaps in ranked[:most]:
        first = gaps[0].gap
        places = list(dict.fromkeys(_path(gap.gap.scope, most) for gap in gaps))
        reason = clean(_reason(first))
        text = f"{count:,} {first.cause.value}: {reason}" if count else f"{first.cause.value}: {reason}"
        text += _at(places, text, most)
        lines += wrap(text, width, (_pad("- "), _pad("  ")), limit=3)
        if first.remedy:
            lines += wrap(f"remedy: {clean(spoken(first.remedy))}", width, _pad("  "), limit=2)
    if len(ranked) > most:
        rest = sum(count for count, _ in ranked[most:])
        lines += wrap(f"{rest:,} by {many(len(ranked) - most, 'more cause')}: --show gaps lists them", width, _pad("- "))
    if causes and total > explained:
        why = "for which no cause is known" if result.owner is None else "whose causes the whole report names"
        lines += wrap(f"{total - explained:,} {why}", width, _pad("- "))
    return lines


def _at(places: list[str], reason: str, most: int) -> str:
    """The places of a cause that its reason does not name; of many, how many more there are."""
    rest = [place for place in places if place not in reason]
    if most > len(places) or len(rest) == len(places):
        few = 2 if sum(map(len, (reason, *rest[:2]))) <= _TWO_PLACES else 1
        return f" ({names(places, most if most > len(places) else few)})" if rest else ""
    return f" (and {len(rest):,} more)" if rest else ""


def _causes(gaps: Iterable[GapOutcome]) -> dict[tuple[str, str, str], tuple[int, list[GapOutcome]]]:
    """Gaps that say the same of different names, with how many verdicts they leave unknown."""
    found: dict[tuple[str, str, str], tuple[int, list[GapOutcome]]] = {}
    for outcome in gaps:
        gap = outcome.gap
        key = (gap.cause.value, _NAMES.sub("*", _reason(gap)), gap.remedy)
        count, members = found.get(key, (0, []))
        members.append(outcome)
        found[key] = (count + sum(outcome.affected.values()), members)
    return found


def _path(path: str, most: int) -> str:
    return clean(path) if most == _ALL else short(clean(path))


def _reason(gap: Gap) -> str:
    """Why, without the place: that is told beside it."""
    scope, reason = gap.scope, gap.reason
    place = _PLACE.match(reason, len(scope)) if reason.startswith(scope) else None
    return reason[place.end() :] if place else reason


def _tolerated(result: Result, width: int, most: int) -> list[Line]:
    lines: list[Line] = []
    if waived(result):
        lines += _row("waived", f"{waived(result):,}", width)
        reasons = Counter(
            (f.rule.code, f.waiver.reason, f.waiver.until)
            for f in result.findings
            if f.waiver is not None and f.verdict is Verdict.WAIVED and f.waiver.kind not in KNOWN
        )
        for (code, reason, until), count in reasons.most_common(most):
            text = f"{count:,} {code}: {clean(reason)}" + (f" (until {clean(until)})" if until else "")
            lines += wrap(text, width, _pad("- "), limit=2)
        if len(reasons) > most:
            lines += wrap(f"and {len(reasons) - most:,} more: --show waived lists them", width, _pad("- "))
    if standing(result):
        lines += _row("standing", f"{standing(result):,} known from the audit before", width)
    if result.baselined:
        lines += _row("baselined", f"{result.baselined:,} known from the baseline", width)
    if result.hidden:
        lines += _row("hidden", f"{many(result.hidden, 'advisory finding')}: --show advisory", width)
    return lines
