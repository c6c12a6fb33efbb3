"""Controls: every rule is placed, and nothing loosened, tolerated or unseen is told as met."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from tests.running import CHECKOUT, Ran, lakewarden
from tests.snapshots import POLICY, write

from lakewarden.judge.catalogue import load_rules
from lakewarden.reports.controls.framework import framework, names
from lakewarden.reports.controls.write import WRITERS
from lakewarden.rule import Status

if TYPE_CHECKING:
    from pathlib import Path

OWN = """title = "Ours"
[controls]
"X" = { words = "Production is isolated.", full = ["ENV007"], why = "That is all." }
"Y" = { words = "Nobody can tell.", why = "No rule." }
"""


def test_every_stable_rule_is_in_a_framework_or_named_with_a_reason() -> None:
    rules = load_rules()
    mapped = {code for name in names() for control in framework(name, rules).controls for code in control.rules}
    unmapped = re.findall(r'^([A-Z0-9]+) = "(.+)"$', (CHECKOUT / "controls/unmapped.toml").read_text(), re.MULTILINE)
    left = {code for code, rule in rules.items() if rule.status is Status.STABLE and code not in mapped}
    assert {code for code in left if not code.startswith(tuple(start for start, _ in unmapped))} == set()
    assert all(any(code.startswith(start) for code in left) for start, _ in unmapped)


@pytest.mark.parametrize(
    ("name", "count"), [("soc2", 43), ("iso-27001", 93), ("iso-42001", 38), ("nist-ai-rmf", 72), ("eu-ai-act", 28)]
)
def test_a_framework_lists_all_that_its_scope_says(name: str, count: int) -> None:
    assert len(framework(name, load_rules()).controls) == count


def told(folder: Path, policy: str = "", change: Any = None, *, isolated: bool = True) -> dict[str, Any]:
    write(folder / "a.snap", {"prod": "ISOLATED" if isolated else "OPEN"})
    (folder / "lakewarden.toml").write_text(POLICY + policy)
    (folder / "own.toml").write_text(OWN)
    report = lakewarden(
        folder, "audit", "--snapshot", "a.snap", "--no-repository", "--select", "ENV007", "--output-format", "json"
    ).json
    if change is not None:
        change(report)
    (folder / "report.json").write_text(json.dumps(report))
    ran = report_of(folder, "json")
    assert ran.code == 0, ran.err
    return {one["id"]: one for one in ran.json["controls"]}


def report_of(folder: Path, form: str) -> Ran:
    return lakewarden(folder, "report", "report.json", "--controls", "own.toml", "--output-format", form)


def rule(report: Any) -> Any:
    return next(one for one in report["rules"] if one["code"] == "ENV007")


def whole(report: Any) -> None:
    report["summary"] |= {"incomplete": False, "incomplete_reasons": []}
    rule(report).update({"pass": 1, "fail": 0, "unknown": 0, "waived": 0, "not_applicable": 0, "judged": 1})


def test_met_needs_a_pass_and_nothing_else(tmp_path: Path) -> None:
    controls = told(tmp_path, change=whole)
    assert (controls["X"]["status"], controls["Y"]["status"]) == ("met", "not covered")


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"waived": 1}, "met with exceptions"),
        ({"baselined": 1}, "met with exceptions"),
        ({"loosened": ["its severity is note instead of error"]}, "met with exceptions"),
        ({"status": "preview"}, "met with exceptions"),
        ({"fail": 1}, "not met"),
        ({"unknown": 1}, "not decided"),
        ({"crashed": "no such table"}, "not decided"),
        ({"skipped_reason": "ignored"}, "not decided"),
        ({"pass": 0, "judged": 0}, "not decided"),
        ({"pass": 0, "not_applicable": 1}, "not decided"),
    ],
)
def test_what_keeps_a_control_from_being_met(tmp_path: Path, changed: dict[str, Any], status: str) -> None:
    def change(report: Any) -> None:
        whole(report)
        rule(report).update(changed)

    assert told(tmp_path, change=change)["X"]["status"] == status


def test_a_report_that_does_not_tell_what_was_loosened_or_is_incomplete_shows_nothing_without_exception(tmp_path: Path) -> None:
    def older(report: Any) -> None:
        whole(report)
        del rule(report)["loosened"]

    def incomplete(report: Any) -> None:
        whole(report)
        report["summary"] |= {"incomplete": True, "incomplete_reasons": ["a list was refused"]}

    assert [told(tmp_path, change=one)["X"]["status"] for one in (older, incomplete)] == ["met with exceptions"] * 2


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        ('[rules.ENV007]\nseverity = "note"\n', "its severity is note instead of error"),
        ('[rules.ENV007]\nexclude = ["other*"]\n', "it leaves out other*"),
        ("[rules.ENV007]\nenabled = false\n", "it is switched off"),
    ],
)
def test_the_report_tells_what_the_policy_loosens(tmp_path: Path, policy: str, reason: str) -> None:
    seen: list[Any] = []
    told(tmp_path, policy, change=lambda report: seen.append(rule(report)["loosened"]))
    assert reason in seen[0]


def test_a_report_of_a_part_shows_nothing_without_exception(tmp_path: Path) -> None:
    def narrowed(report: dict[str, Any]) -> None:
        report["part"] = ["teams/churn"]

    one = told(tmp_path, change=narrowed)["X"]
    assert one["status"] == "met with exceptions"
    assert "teams/churn" in one["why"]


def test_lint_tells_to_what_it_was_narrowed(tmp_path: Path) -> None:
    for bundle in ("a", "b"):
        (tmp_path / bundle).mkdir()
        (tmp_path / bundle / "databricks.yml").write_text(
            f"bundle: {{name: {bundle}}}\ntargets: {{prod: {{mode: production}}}}\n"
        )
    assert lakewarden(tmp_path, "lint", ".", "--output-format", "json").json["part"] == []
    assert lakewarden(tmp_path, "lint", ".", "--project", "a", "--output-format", "json").json["part"] == ["project a"]


def test_a_violation_is_not_met(tmp_path: Path) -> None:
    assert told(tmp_path, isolated=False)["X"]["status"] == "not met"


def test_all_formats_tell_every_control_and_escape_what_they_tell(tmp_path: Path) -> None:
    told(tmp_path)
    (tmp_path / "own.toml").write_text(OWN.replace("Nobody", "<script>Nobody"))
    for form in WRITERS:
        ran = report_of(tmp_path, form)
        assert ran.code == 0, ran.err
        assert "isolated" in ran.out
        assert "script" in ran.out
        assert ("<script>" in ran.out) == (form in {"text", "json", "csv"})


@pytest.mark.parametrize("wrong", ["ENV999", "ENV007', 'ENV007"])
def test_a_framework_with_a_rule_that_is_not_there_or_there_twice_is_refused(tmp_path: Path, wrong: str) -> None:
    told(tmp_path)
    (tmp_path / "own.toml").write_text(OWN.replace('["ENV007"]', f"['{wrong}']"))
    assert report_of(tmp_path, "text").code == 2
