"""The gate as JUnit XML, for the test tab of a CI system: a test case for each check."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO
from xml.etree.ElementTree import Element, SubElement

from lakewarden.gate.result import Outcome
from lakewarden.reports.gate.words import acted, against, held_to, state, verdict
from lakewarden.reports.junit_xml import SKIPPED, suite, text, write_suites

if TYPE_CHECKING:
    from lakewarden.gate.result import CheckResult, GateResult
    from lakewarden.reports.options import Options


def write(result: GateResult, out: TextIO, _: Options) -> None:
    """Write the report."""
    cases = [_case(result, check) for check in result.checks]
    told = [
        ("verdict", verdict(result)),
        ("exit_code", str(result.exit_code)),
        ("level", held_to(result).removeprefix("level ")),
        ("sha256", result.digest or ""),
        *(("done", line) for line in acted(result)),
    ]
    write_suites("lakewarden gate", [suite(result.uri or result.asked, cases, told, result.begun)], out)


def _case(result: GateResult, check: CheckResult) -> Element:
    name = f"{check.code} {check.title}"
    case = Element("testcase", {"classname": f"lakewarden.gate.{check.level}", "name": text(name), "time": "0"})
    reasons = "\n".join(map(text, [*against(check), *([f"Next: {check.remedy}"] if check.remedy else [])]))
    first = next(iter(against(check)), check.remedy or check.outcome.value)
    if not check.required:
        SubElement(case, SKIPPED, {"message": text(f"{state(check)} at {held_to(result)}")})
    elif check.outcome is Outcome.FAIL:
        SubElement(case, "failure", {"message": text(first), "type": "fail"}).text = reasons
    elif check.outcome is Outcome.MISSING:
        SubElement(case, "error", {"message": text(first), "type": "missing"}).text = reasons
    elif check.waiver is not None:
        until = f" until {check.waiver.until}" if check.waiver.until else ""
        SubElement(case, SKIPPED, {"message": text(f"waived{until}: {check.waiver.reason}")})
    if check.evidence:
        SubElement(case, "system-out").text = "\n".join(
            text(
                f"{one.what}: {'not known' if one.value is None else one.value}"
                + "".join(
                    f", {what} {value}" for what, value in (("rung", one.rung), ("from", one.source), ("at", one.time)) if value
                )
            )
            for one in check.evidence
        )
    return case
