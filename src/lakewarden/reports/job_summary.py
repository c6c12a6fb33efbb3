"""Markdown for the summary of a CI job or a comment on a pull request: the verdict first, then what to mend, the worst first."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TextIO

from lakewarden.judge.result import Finding, Result, Verdict
from lakewarden.judge.sharing import once
from lakewarden.reports.escape import clean, log_line
from lakewarden.reports.markdown import first_sentence
from lakewarden.reports.marked import code, prose
from lakewarden.reports.order import SEVERITY_RANK, fails, marks, worst_first
from lakewarden.reports.outcome import not_seen, passes, reached, verdict
from lakewarden.reports.page import many
from lakewarden.reports.place import place_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lakewarden.reports.options import Options

#: A job finds its own comment by this and updates it, instead of writing one more.
MARK = "<!-- lakewarden -->"
#: A comment of GitHub holds 65,536 characters, one of GitLab a million, one of Azure 150,000.
MOST = 60_000
_PLACES = 5
_GAPS = 10


def write(result: Result, out: TextIO, options: Options) -> None:
    """Write the report. What does not fit into a comment is counted; `limit` is that of places listed for each rule."""
    room, left_out = MOST, 0
    for part in _parts(result, _PLACES if options.limit is None else options.limit):
        lines = "".join(log_line(line) + "\n" for line in part)
        if len(lines) > room:
            left_out += 1
            continue
        room -= len(lines)
        out.write(lines)
    if left_out:
        out.write(f"\n{many(left_out, 'more part')} of this report would not fit into a comment: see the JSON report.\n")


def _parts(result: Result, places: int) -> Iterator[list[str]]:
    of = "" if result.owner is None else f" for {prose(result.owner)}"
    yield [MARK, f"## Lakewarden {clean(result.command)}{of}: {prose(verdict(result))}", ""]
    yield list(_counts(result))
    found: dict[str, list[Finding]] = {}
    for finding in once(worst_first(result, (f for f in result.findings if f.verdict is Verdict.FAIL))):
        found.setdefault(finding.rule.code, []).append(finding)
    for members in found.values():
        yield list(_rule(result, members, places))
    yield list(_unknown(result))


def _counts(result: Result) -> Iterator[str]:
    """A line for each severity, and what keeps the run from being a clean one."""
    told = Counter(finding.severity for finding in result.findings if finding.verdict is Verdict.FAIL)
    if told:
        yield "| severity | findings | of which fail |"
        yield "|---|---|---|"
        failed = Counter(f.severity for f in result.findings if fails(result, f))
        for severity in sorted(told, key=SEVERITY_RANK.__getitem__):
            yield f"| {severity.value} | {told[severity]:,} | {failed[severity]:,} |"
        yield ""
    for reason in result.incomplete[:_GAPS]:
        yield f"* **incomplete**: {prose(reason)}"
    if len(result.incomplete) > _GAPS:
        yield f"* and {len(result.incomplete) - _GAPS:,} more reasons"
    seen = not_seen(result)
    yield f"* {'; '.join([*passes(result), *map(prose, seen), many(result.files_read, 'file') + ' read'])}"
    yield ""


def _rule(result: Result, findings: list[Finding], places: int) -> Iterator[str]:
    rule, doc = findings[0].rule, result.docs.get(findings[0].rule.code)
    title = prose(doc.title) if doc is not None else prose(rule.name)
    yield f"### {findings[0].severity.value} {rule.code}: {title} ({many(len(findings), 'finding')})"
    yield ""
    shown = findings[:places] if places else findings
    for finding in shown:
        said = "".join(f" ({prose(mark)})" for mark in _beside(result, finding))
        yield f"* {code(place_of(finding))}: {prose(finding.message)}{said}"
    if len(findings) > len(shown):
        yield f"* and {len(findings) - len(shown):,} more"
    if doc is not None and (fix := first_sentence(doc.fix)):
        yield ""
        yield f"Fix: {prose(fix)} `lakewarden explain {rule.code}` says more."
    yield ""


def _beside(result: Result, finding: Finding) -> Iterable[str]:
    return [*marks(result, finding), *([reached(finding)] if finding.bundles else [])]


def _unknown(result: Result) -> Iterator[str]:
    """What was not seen, folded away: what leaves the most verdicts unknown comes first."""
    ranked = sorted(result.gaps, key=lambda outcome: -sum(outcome.affected.values()))
    if not ranked:
        return
    yield f"<details><summary>What could not be seen ({len(ranked):,})</summary>"
    yield ""
    yield "| verdicts | cause | reason | remedy |"
    yield "|---|---|---|---|"
    for outcome in ranked[:_GAPS]:
        gap = outcome.gap
        yield f"| {sum(outcome.affected.values()):,} | {gap.cause.value} | {prose(gap.reason)} | {prose(gap.remedy)} |"
    if len(ranked) > _GAPS:
        yield f"| | | {len(ranked) - _GAPS:,} more, in the JSON report | |"
    yield ""
    yield "</details>"
