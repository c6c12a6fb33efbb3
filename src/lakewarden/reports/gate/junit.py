"""The gate as JUnit XML, for the test tab of a CI system: a test case for each check."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TextIO
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from lakewarden.gate.result import Outcome
from lakewarden.reports.escape import clean, log_line
from lakewarden.reports.gate.words import acted, against, held_to, state, verdict

if TYPE_CHECKING:
    from lakewarden.gate.result import CheckResult, GateResult
    from lakewarden.reports.options import Options

_NO_XML = re.compile("[\ufffe\uffff]")
_SKIPPED = "skipped"


def write(result: GateResult, out: TextIO, _: Options) -> None:
    """Write the report."""
    cases = [_case(result, check) for check in result.checks]
    counts = {"tests": str(len(cases))}
    for attribute, element in (("failures", "failure"), ("errors", "error"), (_SKIPPED, _SKIPPED)):
        counts[attribute] = str(sum(case.find(element) is not None for case in cases))
    root = Element("testsuites", {"name": "lakewarden gate", **counts})
    suite = SubElement(root, "testsuite", {"name": _text(result.uri or result.asked), **counts, "timestamp": _text(result.begun)})
    properties = SubElement(suite, "properties")
    told = {
        "verdict": verdict(result),
        "exit_code": str(result.exit_code),
        "level": held_to(result).removeprefix("level "),
        "sha256": result.digest or "",
    }
    for name, value in told.items():
        SubElement(properties, "property", {"name": name, "value": _text(value)})
    for line in acted(result):
        SubElement(properties, "property", {"name": "done", "value": _text(line)})
    suite.extend(cases)
    indent(root)
    # Outside of ASCII everything is a reference, whatever encoding the stream has.
    text = tostring(root, encoding="us-ascii").decode()
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n' + "\n".join(map(log_line, text.split("\n"))) + "\n")


def _case(result: GateResult, check: CheckResult) -> Element:
    name = f"{check.code} {check.title}"
    case = Element("testcase", {"classname": f"lakewarden.gate.{check.level}", "name": _text(name), "time": "0"})
    reasons = "\n".join(map(_text, [*against(check), *([f"Next: {check.remedy}"] if check.remedy else [])]))
    first = next(iter(against(check)), check.remedy or check.outcome.value)
    if not check.required:
        SubElement(case, _SKIPPED, {"message": _text(f"{state(check)} at {held_to(result)}")})
    elif check.outcome is Outcome.FAIL:
        SubElement(case, "failure", {"message": _text(first), "type": "fail"}).text = reasons
    elif check.outcome is Outcome.MISSING:
        SubElement(case, "error", {"message": _text(first), "type": "missing"}).text = reasons
    elif check.waiver is not None:
        until = f" until {check.waiver.until}" if check.waiver.until else ""
        SubElement(case, _SKIPPED, {"message": _text(f"waived{until}: {check.waiver.reason}")})
    if check.evidence:
        SubElement(case, "system-out").text = "\n".join(
            _text(
                f"{one.what}: {'not known' if one.value is None else one.value}"
                + "".join(
                    f", {what} {value}" for what, value in (("rung", one.rung), ("from", one.source), ("at", one.time)) if value
                )
            )
            for one in check.evidence
        )
    return case


def _text(text: str) -> str:
    return _NO_XML.sub("?", clean(text))
