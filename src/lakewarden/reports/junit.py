"""JUnit XML, for the test tab of a CI system: a suite for each rule, a test case for each finding.

What fails the run is a failure. Whatever is neither a pass nor a failure is skipped, with the reason: a test tab knows no third
colour, and green is for what was seen to be right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO
from xml.etree.ElementTree import Element, SubElement

from lakewarden.judge.result import Finding, Result, RuleOutcome, Verdict
from lakewarden.judge.sharing import once
from lakewarden.reports.junit_xml import SKIPPED, suite, text, write_suites
from lakewarden.reports.order import fails, marks, worst_first
from lakewarden.reports.outcome import not_asked, one_line, reached, verdict
from lakewarden.reports.page import many
from lakewarden.reports.place import place_of

if TYPE_CHECKING:
    from lakewarden.reports.options import Options


def write(result: Result, out: TextIO, _: Options) -> None:
    """Write the report."""
    told: dict[str, list[Finding]] = {}
    for finding in once(worst_first(result, result.findings)):
        told.setdefault(finding.rule.code, []).append(finding)
    left_out = {outcome.rule.code for outcome in result.rules if outcome.skipped_reason} - {
        o.rule.code for o in not_asked(result)
    }
    rules = {o.rule.code: o for o in result.rules if o.rule.code not in left_out}
    suites = [_of_run(result)]
    for code, outcome in sorted(rules.items()):
        cases = [_case(result, finding) for finding in told.get(code, ())]
        cases += _of_rule(outcome)
        suites.append(suite(f"{code} {outcome.rule.name}", cases, ()))
    write_suites(f"lakewarden {result.command}", suites, out)


def _of_run(result: Result) -> Element:
    """A test case that is not green where the run was not complete."""
    case = Element("testcase", {"classname": f"lakewarden.{result.command}", "name": "everything was seen", "time": "0"})
    if result.incomplete:
        reasons = "\n".join(map(text, result.incomplete))
        SubElement(case, "error", {"message": text(result.incomplete[0]), "type": "incomplete"}).text = reasons
    elif not any(outcome.judged for outcome in result.rules):
        SubElement(case, SKIPPED, {"message": text(verdict(result))})
    SubElement(case, "system-out").text = text(one_line(result))
    return suite("lakewarden", [case], [("exit_code", str(result.exit_code)), ("version", result.version)])


def _of_rule(outcome: RuleOutcome) -> list[Element]:
    """What a rule says beside its findings: how many objects pass, or why it says nothing."""
    if outcome.crashed is not None:
        case = _named(outcome, "was asked")
        SubElement(case, "error", {"message": text(outcome.crashed), "type": "crashed"})
    elif outcome.skipped_reason is not None:
        case = _named(outcome, "was asked")
        SubElement(case, SKIPPED, {"message": text(f"not asked: {outcome.skipped_reason}")})
    elif outcome.passed:
        case = _named(outcome, f"{many(outcome.passed, 'object')} {'passes' if outcome.passed == 1 else 'pass'}")
    elif outcome.failed or outcome.unknown or outcome.waived:
        return []
    else:
        case = _named(outcome, "nothing to judge")
        SubElement(case, SKIPPED, {"message": "nothing that it is about was found"})
    return [case]


def _named(outcome: RuleOutcome, name: str) -> Element:
    return Element("testcase", {"classname": f"lakewarden.{outcome.rule.code}", "name": name, "time": "0"})


def _case(result: Result, finding: Finding) -> Element:
    place = place_of(finding)
    known = {"classname": f"lakewarden.{finding.rule.code}", "name": text(f"{place}: {finding.message}"), "time": "0"}
    at = finding.origin
    if at is not None and at.path is not None:
        known["file"] = text(at.path)
        if at.line is not None:
            known["line"] = str(at.line)
    case = Element("testcase", known)
    said = text(finding.message + "".join(f" ({mark})" for mark in marks(result, finding)))
    if finding.verdict is Verdict.UNKNOWN:
        SubElement(case, SKIPPED, {"message": text(f"unknown: {finding.message}")})
    elif finding.verdict is Verdict.WAIVED:
        waiver = finding.waiver
        until = f" until {waiver.until}" if waiver is not None and waiver.until else ""
        SubElement(case, SKIPPED, {"message": text(f"waived{until}: {'' if waiver is None else waiver.reason}")})
    elif fails(result, finding):
        body = [f"{finding.severity.value} {finding.rule.code} {finding.rule.name}", place, finding.subject]
        body += [reached(finding)] if finding.bundles else []
        SubElement(case, "failure", {"message": said, "type": finding.severity.value}).text = "\n".join(map(text, body))
    else:
        SubElement(case, SKIPPED, {"message": text(f"{finding.severity.value}, which does not fail: {finding.message}")})
    return case
