"""JUnit XML, as CI systems read it: suites with their counts, written in ASCII."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TextIO
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from lakewarden.reports.escape import clean, log_line

if TYPE_CHECKING:
    from collections.abc import Iterable

SKIPPED = "skipped"
_NO_XML = re.compile("[\ufffe\uffff]")
_COUNTED = (("failures", "failure"), ("errors", "error"), (SKIPPED, SKIPPED))


def text(value: str) -> str:
    """Text that may stand in XML."""
    return _NO_XML.sub("?", clean(value))


def counts(cases: Iterable[Element]) -> dict[str, str]:
    """How many test cases there are, and how many of each outcome."""
    known = list(cases)
    found = {name: sum(case.find(element) is not None for case in known) for name, element in _COUNTED}
    return {name: str(count) for name, count in {"tests": len(known), **found}.items()}


def suite(name: str, cases: list[Element], told: Iterable[tuple[str, str]], timestamp: str | None = None) -> Element:
    """A suite of test cases with its properties."""
    at = {} if timestamp is None else {"timestamp": text(timestamp)}
    made = Element("testsuite", {"name": text(name), **counts(cases), **at})
    known = list(told)
    if known:
        properties = SubElement(made, "properties")
        for label, value in known:
            SubElement(properties, "property", {"name": label, "value": text(value)})
    made.extend(cases)
    return made


def write_suites(name: str, suites: Iterable[Element], out: TextIO) -> None:
    """Write a document of these suites."""
    made = list(suites)
    root = Element("testsuites", {"name": name, **counts(case for one in made for case in one.iter("testcase"))})
    root.extend(made)
    indent(root)
    # Outside of ASCII everything is a reference, whatever encoding the stream has.
    written = tostring(root, encoding="us-ascii").decode()
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n' + "\n".join(map(log_line, written.split("\n"))) + "\n")
