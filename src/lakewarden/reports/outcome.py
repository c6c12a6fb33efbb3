"""How a run ended, in words that every report uses."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from lakewarden.errors import ExitCode
from lakewarden.judge.program import is_program_rule
from lakewarden.judge.result import OF_A_GATE, Finding, Result, RuleOutcome, Verdict
from lakewarden.reports.escape import clean
from lakewarden.reports.order import fails, failures
from lakewarden.reports.page import many, names

if TYPE_CHECKING:
    from collections.abc import Iterable


#: Kinds of waivers of violations that were there already: nobody gave a reason for them.
KNOWN = frozenset({"baseline", "history"})


def by_severity(findings: Iterable[Finding]) -> str:
    """`3 errors, 1 note`."""
    counts = Counter(finding.severity.value for finding in findings)
    return ", ".join(many(counts[name], name) for name in ("error", "warning", "note") if counts[name])


def reached(finding: Finding) -> str:
    """The bundles that a finding in a shared file reaches."""
    return f"reaches {many(len(finding.bundles), 'bundle')}: {names(map(clean, finding.bundles), 3)}"


def failing(result: Result) -> int:
    """How many findings fail the run."""
    return sum(fails(result, finding) for finding in result.findings)


def waived(result: Result) -> int:
    """How many violations are tolerated by comment or policy; those of a baseline or an audit before are counted apart."""
    known = sum(f.waiver is not None and f.waiver.kind in KNOWN for f in result.findings)
    return max(0, result.count(Verdict.WAIVED) - known)


def standing(result: Result) -> int:
    """How many violations do not fail an audit because the one before has them too."""
    return sum(f.verdict is Verdict.WAIVED and f.waiver is not None and f.waiver.kind == "history" for f in result.findings)


def not_asked(result: Result) -> list[RuleOutcome]:
    """The rules that were not asked. Those of a gate are missed by nobody who asked others."""
    off = [outcome for outcome in result.rules if outcome.skipped_reason is not None]
    asked = any(outcome.skipped_reason is None and not is_program_rule(outcome.rule) for outcome in result.rules)
    return [outcome for outcome in off if outcome.skipped_reason != OF_A_GATE] if asked else off


def not_seen(result: Result) -> list[str]:
    """What keeps a run without findings from being a clean one, each in a few words."""
    unknown, skipped = result.count(Verdict.UNKNOWN), len(result.skipped)
    off, crashed = len(not_asked(result)), sum(r.crashed is not None for r in result.rules)
    said = [
        (unknown, f"{many(unknown, 'verdict')} unknown"),
        (skipped, f"{many(skipped, 'file')} skipped"),
        (off, f"{many(off, 'rule')} not asked"),
        (crashed, f"{many(crashed, 'rule')} crashed"),
        (waived(result), f"{waived(result):,} waived"),
        (result.baselined, f"{result.baselined:,} in the baseline"),
        (result.hidden, f"{result.hidden:,} advisory hidden"),
    ]
    return [words for count, words in said if count]


def verdict(result: Result, *, by_kind: bool = False) -> str:
    """The outcome of the run in one sentence, the same in every format that people read."""
    still = standing(result)
    if still and not failures(result):
        told = f"no new findings; {still:,} standing"
        return f"{told}, and the run is incomplete" if result.incomplete else told
    return _verdict(result, by_kind=by_kind) + (f"; {still:,} standing" if still else "")


def _verdict(result: Result, *, by_kind: bool) -> str:
    found, failed = failures(result), failing(result)
    first = many(len(found), "finding") + (f" ({by_severity(found)})" if by_kind else "")
    if failed:
        first += f", {share(failed, len(found))} this run"
        return f"{first}; the run is incomplete as well" if result.incomplete else first
    if result.incomplete:
        return f"{first}, and the run is incomplete" if found else "no findings, but the run is incomplete"
    if result.exit_code == ExitCode.NOTHING_CHECKED:
        why = (
            "the rules asked are about nothing that is here"
            if result.files_read
            else "no bundle, code, workflow or Terraform is here"
        )
        return f"nothing was checked: {why}"
    if found:
        return f"{first}, {share(failed, len(found))} this run"
    return "no findings in what was checked" if not_seen(result) else "no findings"


def passes(result: Result) -> list[str]:
    """How many objects pass, where that is known: not of the part of one owner."""
    return [many(result.count(Verdict.PASS), "pass", "passes")] if result.owner is None else []


def share(failed: int, found: int) -> str:
    """How many of the findings fail, to go before `this run`."""
    if found == 1:
        return "which fails" if failed else "which does not fail"
    if failed in (0, found):
        return "all of which fail" if failed else "none of which fails"
    return f"{failed:,} of which {'fails' if failed == 1 else 'fail'}"


def one_line(result: Result) -> str:
    """The whole summary in one line, for formats that have one line per finding."""
    parts = [verdict(result, by_kind=True), *passes(result), *not_seen(result)]
    parts.append(f"{many(result.files_read, 'file')} read")
    if result.incomplete:
        parts.append(f"incomplete: {clean(names(result.incomplete, 1))}")
    return "; ".join(parts)
