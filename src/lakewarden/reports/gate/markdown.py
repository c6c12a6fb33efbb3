"""The gate's report for the summary of a CI job or a comment on a pull request: the verdict first, the evidence folded away."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from lakewarden.gate.result import Outcome
from lakewarden.reports.escape import clean, log_line
from lakewarden.reports.gate.words import acted, against, held_to, standing, state, verdict
from lakewarden.reports.marked import code, prose
from lakewarden.reports.page import many

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.gate.result import CheckResult, GateResult
    from lakewarden.reports.options import Options

#: A summary of GitHub holds a megabyte: more facts of one check than these are counted.
MOST_EVIDENCE = 50


def write(result: GateResult, out: TextIO, _: Options) -> None:
    """Write the report."""
    out.writelines(log_line(line) + "\n" for line in _lines(result))


def _lines(result: GateResult) -> Iterator[str]:
    yield f"## {prose(verdict(result))}"
    yield ""
    first = " No version was live before." if result.first_promotion else ""
    asked = f"Level **{result.level}** is required. " if held_to(result) != result.kind else ""
    told = standing(result)
    if asked and result.reached:
        told = f"It reaches level **{result.reached}**."
    yield f"{asked}{told}{first}"
    yield ""
    yield "````text"
    for depth, link in enumerate(result.chain):
        branch = "" if depth == 0 else "   " * (depth - 1) + "└─ "
        yield f"{branch}{clean(link.kind)} {'not known' if link.value is None else clean(link.value)}"
    yield "````"
    yield ""
    yield from _next(result)
    if done := acted(result):
        yield "### What was done"
        yield ""
        yield from (f"* {prose(line)}" for line in done)
        yield ""
    yield "| check | outcome | what is checked |"
    yield "|---|---|---|"
    for check in result.checks:
        yield f"| {check.code} | {_outcome(check)} | {prose(check.title)} |"
    yield ""
    yield from _evidence(result)
    yield f"{many(result.requests, 'request')} from {prose(result.begun)} to {prose(result.finished)}. Files of the version: {code(result.digest)}. Policy: {code(result.policy_digest)}."


def _outcome(check: CheckResult) -> str:
    word = state(check)
    return f"**{word}**" if check.required and check.outcome is not Outcome.PASS else word


def _next(result: GateResult) -> Iterator[str]:
    """What stands against the version and what to do, check by check."""
    waived = [check for check in result.checks if check.required and check.waiver is not None]
    told = [check for check in result.checks if check.required and check.outcome in (Outcome.FAIL, Outcome.MISSING)]
    if told:
        yield "### What to do next"
        yield ""
    for check in told:
        yield f"* **{check.code} {check.outcome.value}**: {prose(check.title)}"
        yield from (f"  * {prose(text)}" for text in against(check))
        if check.remedy:
            yield f"  * Next: {prose(check.remedy)}"
    for check in waived:
        if check.waiver is not None:
            until = f" until {prose(check.waiver.until)}" if check.waiver.until else ""
            ticket = f" ({prose(check.waiver.ticket)})" if check.waiver.ticket else ""
            yield f"* **{check.code} waived**{until}{ticket}: {prose(check.waiver.reason)}"
    if told or waived:
        yield ""


def _evidence(result: GateResult) -> Iterator[str]:
    yield "<details><summary>Evidence</summary>"
    yield ""
    yield "| check | fact | value | rung | read from | at |"
    yield "|---|---|---|---|---|---|"
    for check in result.checks:
        for one in check.evidence[:MOST_EVIDENCE]:
            value = "not known" if one.value is None else code(one.value)
            source = code(one.source) if one.source else ""
            yield f"| {check.code} | {code(one.what)} | {value} | {prose(one.rung or '')} | {source} | {prose(one.time or '')} |"
        if len(check.evidence) > MOST_EVIDENCE:
            yield f"| {check.code} | {len(check.evidence) - MOST_EVIDENCE:,} more, in the JSON report | | | | |"
    yield ""
    yield "</details>"
    yield ""
