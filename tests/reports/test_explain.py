from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

from tests.reports.samples import BINDINGS, CATALOGS, DOC, SIGNATURE

from lakewarden.reports.explain import write_json, write_list, write_text
from lakewarden.reports.options import Options

if TYPE_CHECKING:
    from lakewarden.rule import Rule, RuleDoc

PAIRS: list[tuple[Rule, RuleDoc]] = [(CATALOGS, DOC), (SIGNATURE, DOC), (BINDINGS, DOC)]


def test_all_sections_are_told_within_the_width() -> None:
    out = io.StringIO()
    write_text([(CATALOGS, DOC)], out, Options(width=60))
    written = out.getvalue()
    assert written.startswith("ENV002 separate-catalogs\nStages do not share a catalog.\n")
    headings = [line for line in written.splitlines() if line in ("Why", "Fix", "Exceptions", "Messages", "References")]
    assert headings == ["Why", "Fix", "Exceptions", "Messages", "References"]
    assert "error, high confidence, profile core" in written
    assert "      variables:\n        catalog: dev\n" in written
    assert "  - {target} shares catalog {catalog}" in written
    assert DOC.references[0] in written
    assert all(len(line) <= 60 or "https://" in line for line in written.splitlines())


def test_a_condition_with_its_own_severity_says_so() -> None:
    out = io.StringIO()
    write_text([(SIGNATURE, DOC)], out, Options())
    assert "  - no input example (note)" in out.getvalue()
    assert "  - no signature\n" in out.getvalue()


def test_a_preview_rule_says_that_it_is_off() -> None:
    out = io.StringIO()
    write_text([(BINDINGS, DOC)], out, Options())
    assert "preview: off unless it is selected" in out.getvalue()


def test_the_list_has_a_line_for_each_rule() -> None:
    out = io.StringIO()
    write_list(PAIRS, out, Options())
    lines = out.getvalue().splitlines()
    assert lines[0].split() == ["ENV002", "separate-catalogs", "error", "high", "core"]
    assert lines[4].split() == ["ENV007", "isolated-production-catalog", "error", "high", "core", "preview"]
    assert lines[-2].startswith("3 rules, 1 of them preview")
    assert all(len(line) <= 80 for line in lines)


def test_json_holds_the_sections_as_markdown() -> None:
    out = io.StringIO()
    write_json(PAIRS, out)
    rules = json.loads(out.getvalue())
    assert [rule["code"] for rule in rules] == ["ENV002", "TRK007", "ENV007"]
    assert rules[0]["fix"] == DOC.fix
    assert rules[0]["references"] == list(DOC.references)
    assert [m["severity"] for m in rules[1]["messages"]] == ["warning", "note"]
    assert rules[2]["status"] == "preview"


def test_without_options_a_stream_that_is_no_terminal_gets_plain_text() -> None:
    out = io.StringIO()
    write_text(PAIRS, out)
    write_list(PAIRS, out)
    assert "\x1b" not in out.getvalue()
