"""A stored report, converted: what the run itself would have written, as far as the JSON report holds it."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.reports.samples import everything, finding, report, result
from tests.reports.test_hostile import hostile

from lakewarden.errors import UsageError
from lakewarden.judge.catalogue import doc_of, load_rules
from lakewarden.judge.compare import Changed, Comparison, Subject, Told
from lakewarden.judge.result import Point, Repair, Replacement, Seen, Share, ShareCounts, Since, Verdict, Waiver
from lakewarden.reports.reading import read_report
from lakewarden.reports.registry import FORMATS

if TYPE_CHECKING:
    from lakewarden.judge.result import Result

_CHANGE = Changed(Subject("ENV002", "deployed", "catalogs", "m/prod"), Told("error", "high", True, "shared", "0f"), "why")


def stored(made: Result) -> bytes:
    return report("json", made).encode()


def of_the_catalogue() -> Result:
    """A run with all that a report can hold, over rules that are in the catalogue; nothing in it is the text of a file."""
    rules = load_rules()
    made = everything()
    made = replace(
        made,
        rules=tuple(replace(o, rule=rules[o.rule.code]) for o in made.rules),
        findings=tuple(replace(f, rule=rules[f.rule.code]) for f in made.findings),
        command="audit",
        root="/home/ann/churn",
        folder="churn",
        lines={},
        docs={outcome.rule.code: doc_of(rules[outcome.rule.code]) for outcome in made.rules},
        day="2026-03-01",
        seen=Seen(("deployed",), ("https://one.example.com",), None, {}, {"ENV002": {"catalogs": {"deployed": ("m/a",)}}}, {}),
        since=Since("2026-02-01", Comparison((_CHANGE,), (), (), (), (_CHANGE,), (), (), ("ENV002 decides less",))),
        trend=(Point("2026-02-01", 1, 2, 3, 4, 5, 74, True), Point("2026-03-01", 0, 2, 3, 4, 6, 74, False)),
        owners=(Share("team-churn", 1, {"ENV002": ShareCounts(2, 1, 2)}),),
        environments=(Share("", 0, {"ENV002": ShareCounts(0, 1, 0)}), Share("production", 1, {"ENV002": ShareCounts(2, 0, 2)})),
    )
    return replace(
        made, findings=(*made.findings, replace(made.findings[0], waiver=Waiver("policy", "a", place="waivers[2]"),
                                                verdict=Verdict.WAIVED))
    )  # fmt: skip


def timeless(text: str) -> str:
    return re.sub(r"written \d{4}-\d\d-\d\d \d\d:\d\d UTC", "written then", text)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_converted_report_is_what_the_run_would_have_written(name: str) -> None:
    made = of_the_catalogue()
    assert timeless(report(name, read_report(stored(made), "r.json"))) == timeless(report(name, made))


@pytest.mark.parametrize("made", [everything(), result(), hostile("\x1b[31m\u202e::error::")], ids=["all", "nothing", "hostile"])
def test_a_report_is_written_again_as_it_was(made: Result) -> None:
    content = stored(made)
    assert report("json", read_report(content, "r.json")).encode() == content


def test_members_that_are_not_known_are_passed_over_and_those_of_today_may_be_missing() -> None:
    document = json.loads(stored(everything()))
    document["later"] = document["findings"][0]["later"] = {"a": 1}
    for name in ("folder", "day", "owner", "owners", "environments", "trend"):
        del document[name]
    read = read_report(json.dumps(document).encode(), "r.json")
    assert len(read.findings) == len(everything().findings)


def without(document: dict[str, Any], *path: str | int) -> dict[str, Any]:
    inner: Any = document
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return document


def changed(document: dict[str, Any], value: object, *path: str | int) -> dict[str, Any]:
    inner: Any = document
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return document


WRONG: dict[str, tuple[Any, str]] = {
    "newer": (lambda d: changed(d, "json-v2", "version"), "json-v2, which is newer"),
    "gate": (lambda d: changed(d, "gate-v1", "version"), "the report of a gate"),
    "foreign": (lambda _: {"version": "2.1.0", "runs": []}, "no JSON report of lakewarden"),
    "list": (lambda _: [1], "no JSON report of lakewarden"),
    "no findings": (lambda d: without(d, "findings"), "findings: field required"),
    "no message": (lambda d: without(d, "findings", 0, "message"), "findings.0.message: field required"),
    "text for number": (lambda d: changed(d, "12", "summary", "files"), "summary.files: input should be a valid integer"),
    "gap of none": (lambda d: changed(d, 99, "findings", 0, "gap"), "names gap 99, and there are 2"),
    "rule of none": (lambda d: changed(d, "ENV999", "findings", 0, "code"), "ENV999, which is not among its rules"),
    "waiver of none": (lambda d: changed(d, "waived", "findings", 0, "verdict"), "its waiver says otherwise"),
    "cause of none": (lambda d: changed(d, "moon", "gaps", 0, "class"), "moon"),
}


@pytest.mark.parametrize("wrong", sorted(WRONG))
def test_what_is_no_report_is_one_line(wrong: str) -> None:
    break_it, told = WRONG[wrong]
    with pytest.raises(UsageError, match=re.escape(told)) as raised:
        read_report(json.dumps(break_it(json.loads(stored(everything())))).encode(), "r.json")
    assert raised.value.message.startswith("r.json is ")
    assert "\n" not in raised.value.message


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"code,rule\n"])
def test_what_is_no_json_is_one_line(content: bytes) -> None:
    with pytest.raises(UsageError, match=r"r\.json is no JSON report"):
        read_report(content, "r.json")


def test_a_rule_that_is_not_known_here_is_told_all_the_same() -> None:
    document = json.loads(stored(result(finding())))
    for part in (document["rules"][0], document["findings"][0]):
        part["code"], part["name"] = "ACME001", "own-rule"
    read = read_report(json.dumps(document).encode(), "r.json")
    for name in FORMATS:
        out = io.StringIO(report(name, read))
        if name not in ("azure", "github"):
            assert "ACME001" in out.getvalue()
    assert read.docs == {}


def test_the_fixes_of_a_dry_run_are_kept() -> None:
    one = finding()
    made = replace(result(one), fixes={one.fingerprint: Repair("write", "look", "a.yml", (Replacement(1, 1, 1, 2, "x"),))})
    assert read_report(stored(made), "report.json").fixes == made.fixes
