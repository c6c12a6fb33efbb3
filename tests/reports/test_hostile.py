"""Whatever stands in a repository, no format passes on a control character, a line break or a command."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reports.samples import CATALOGS, finding, report, result

from lakewarden.facts.collect import Skipped
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.origin import Origin
from lakewarden.judge.result import GapOutcome, Result, RuleOutcome, Verdict, Waiver
from lakewarden.reports.registry import FORMATS

CLEAR_SCREEN = "\x1b[2J"
INJECTION = "x\n::set-env name=PATH::/evil\r\n##[set-env]y\u202e"
nasty = st.one_of(
    st.text(min_size=1),
    st.lists(
        st.sampled_from(
            ["\x1b[2J", "\n", "\r", "::error::", "%0A", "##vso[x]", "\u202e", "\x9b", "a", ":", ",", "](", "{0}", "/"]
        ),
        min_size=1,
    ).map("".join),
)


def hostile(text: str) -> Result:
    """Puts the text everywhere that a repository can put it."""
    place = Origin(text, 1, 1)
    made = result(
        finding(
            message=text,
            target=text,
            project=text,
            owner=text,
            subject=text,
            environment=text,
            origin=place,
            bundles=(text, text),
        ),
        finding(message="m", origin=Origin(url=text), related=place),
        finding(verdict=Verdict.WAIVED, waiver=Waiver("inline", text, text, text, text), origin=Origin(text, cell=1)),
        finding(verdict=Verdict.UNKNOWN, message=text, origin=None, subject=text, gap=0),
        gaps=(GapOutcome(Gap(Cause.FAILED, "targets", text, text, project=text, origin=place), {"ENV002": 1}),),
        skipped=(Skipped(text, text, text),),
        incomplete=(text,),
        notes=(text,),
        lines={text: (text,)},
    )
    crashed = RuleOutcome(CATALOGS, CATALOGS.severity, crashed=text)
    return replace(made, rules=(*made.rules, crashed, replace(crashed, crashed=None, skipped_reason=text)))


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [*value.keys(), *(s for item in value.values() for s in strings(item))]
    if isinstance(value, list):
        return [s for item in value for s in strings(item)]
    return [value] if isinstance(value, str) else []


def harmless(text: str) -> bool:
    return not any(
        unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or c in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
        for c in text
    )


@pytest.mark.parametrize("name", sorted(FORMATS))
@given(text=nasty)
def test_no_control_character_passes(name: str, text: str) -> None:
    written = report(name, hostile(text), show=frozenset({"waived", "gaps"}))
    assert all(harmless(line) for line in written.split("\n"))
    assert written.endswith("\n")
    if name in ("json", "json-v1", "sarif", "gitlab", "ocsf"):
        document = json.loads(written)
        documentation = [document["runs"][0]["tool"]] if name == "sarif" else []
        assert all(harmless(s) for s in strings(document) if s not in strings(documentation))


@pytest.mark.parametrize("name", ["text", "concise", "github", "azure", "junit", "markdown"])
@given(text=nasty)
def test_no_line_is_a_command_that_the_report_did_not_mean(name: str, text: str) -> None:
    for line in report(name, hostile(text)).splitlines():
        if name == "github" and line.startswith("::"):
            command = line.removeprefix("::").split(" ", 1)[0]
            assert command in ("error", "warning", "notice")
        elif name == "azure" and line.startswith("##vso["):
            assert line.startswith(("##vso[task.logissue type=error;", "##vso[task.logissue type=warning;"))
            assert "##vso[" not in line[1:]
            assert "##[" not in line
        else:
            assert not line.lstrip().startswith("::")
            assert "##[" not in line
            assert "##vso[" not in line


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_the_known_attacks_are_shown(name: str) -> None:
    for attack in (CLEAR_SCREEN, INJECTION):
        written = report(name, hostile(attack))
        assert attack not in written
        assert "\x1b" not in written
        assert "\r" not in written
    if name != "github":
        assert "x1b[2J" in report(name, hostile(CLEAR_SCREEN))


def test_colour_does_not_open_a_way() -> None:
    written = report("text", hostile(CLEAR_SCREEN), color=True, link=True)
    assert CLEAR_SCREEN not in written
    assert "\\x1b[2J" in written
