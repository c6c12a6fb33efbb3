"""The formats of CI systems and of tables: each is read by something that we did not write."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped
from markdown_it import MarkdownIt
from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding
from tests.reports.samples import CATALOGS, SIGNATURE, everything, finding, report, result

from lakewarden.facts.origin import Origin
from lakewarden.judge.result import Result, RuleOutcome
from lakewarden.reports.job_summary import MARK, MOST
from lakewarden.rule import Severity

EMPTY = result(exit_code=4)


def cases(made: Result) -> dict[str, type]:
    """The test cases as a CI system counts them: those without a result are green."""
    found: dict[str, type] = {}
    for suite in JUnitXml.fromstring(report("junit", made).encode()):
        for case in suite:
            assert len(case.result) <= 1
            found[f"{case.classname} {case.name}"] = type(case.result[0]) if case.result else str
    return found


def test_junit_is_green_only_for_what_passes() -> None:
    found = cases(everything())
    assert [name for name, kind in found.items() if kind is str] == [
        "lakewarden.ENV002 2 objects pass",
        "lakewarden.TRK007 2 objects pass",
    ]
    assert [name for name, kind in found.items() if kind is Failure] == [
        "lakewarden.ENV002 databricks.yml:7:16: prod shares catalog main with another stage: give each stage a catalog of its own"
    ]
    assert [name for name, kind in found.items() if kind is Error] == [
        "lakewarden.lint everything was seen",
        "lakewarden.ENV003 was asked",
    ]
    assert sum(kind is Skipped for kind in found.values()) == 6


def test_junit_counts_what_it_holds() -> None:
    read = JUnitXml.fromstring(report("junit", everything()).encode())
    kinds = list(cases(everything()).values())
    assert (read.tests, read.failures, read.errors, read.skipped) == (11, 1, 2, 6)
    assert (len(kinds), kinds.count(Failure), kinds.count(Error), kinds.count(Skipped)) == (11, 1, 2, 6)


def test_a_run_that_checked_nothing_has_no_green_case() -> None:
    assert set(cases(EMPTY).values()) == {Skipped}
    idle = result(rules=(RuleOutcome(CATALOGS, Severity.ERROR),), exit_code=4)
    assert set(cases(idle).values()) == {Skipped}


def issues(made: Result) -> list[dict[str, Any]]:
    read = json.loads(report("gitlab", made))
    assert isinstance(read, list)
    return read


def test_gitlab_gets_what_its_documentation_asks_for() -> None:
    for made in (everything(), EMPTY):
        for issue in issues(made):
            assert isinstance(issue["description"], str)
            assert isinstance(issue["check_name"], str)
            assert issue["severity"] in ("info", "minor", "major", "critical", "blocker")
            assert not issue["location"]["path"].startswith(("/", "./"))
            assert issue["location"]["lines"]["begin"] >= 1
        prints = [issue["fingerprint"] for issue in issues(made)]
        assert len(prints) == len(set(prints))


def test_gitlab_tells_the_worst_first_and_nothing_that_is_waived() -> None:
    assert [(one["severity"], one["location"]["path"]) for one in issues(everything())] == [
        ("critical", "databricks.yml"),
        ("minor", "notebooks/train.ipynb"),
        ("info", "src/train.py"),
        ("info", "a/databricks.yml"),
    ]


def test_gitlab_says_where_it_is_of_what_is_in_no_file() -> None:
    (issue,) = issues(result(finding(origin=Origin(url="https://one.example.com/jobs/1"), message="m")))
    assert issue["location"] == {"path": ".", "lines": {"begin": 1}}
    assert issue["description"] == "https://one.example.com/jobs/1: m"


def azure(made: Result) -> list[str]:
    return report("azure", made).splitlines()


def test_azure_gets_an_error_for_what_fails_and_lines_for_what_it_has_no_word_for() -> None:
    lines = azure(everything())
    assert [line.split(" ")[:2] for line in lines[:2]] == [
        ["##vso[task.logissue", "type=error;code=ENV002;sourcepath=databricks.yml;linenumber=7;columnnumber=16;]ENV002"],
        ["##vso[task.logissue", "type=warning;code=TRK007;sourcepath=notebooks/train.ipynb;]TRK007"],
    ]
    assert [line.split(" ")[0] for line in lines[2:]] == ["note", "unknown", "lakewarden:"]


def test_azure_reads_signs_of_its_own_grammar_as_text() -> None:
    (line, _) = azure(result(finding(origin=Origin("a;b]c%0A.yml", 1), message="50 % of a;b]")))
    assert line == (
        "##vso[task.logissue type=error;code=ENV002;sourcepath=a%3Bb%5Dc%AZP250A.yml;linenumber=1;]"
        "ENV002 a;b]c%AZP250A.yml:1: 50 %AZP25 of a;b]"
    )


def test_a_warning_that_fails_is_an_error_to_azure() -> None:
    made = result(finding(SIGNATURE, confidence=CATALOGS.confidence), fail_on=Severity.WARNING)
    assert azure(made)[0].startswith("##vso[task.logissue type=error;")


def table(made: Result) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(report("csv", made)), strict=True))


def test_csv_has_a_row_for_each_finding() -> None:
    rows = table(everything())
    assert [(row["code"], row["verdict"], row["fails"], row["path"], row["cell"]) for row in rows] == [
        ("ENV002", "fail", "true", "databricks.yml", ""),
        ("TRK007", "fail", "false", "notebooks/train.ipynb", "3"),
        ("TRK007", "fail", "false", "src/train.py", ""),
        ("ENV002", "unknown", "false", "a/databricks.yml", ""),
        ("ENV002", "waived", "false", "b.yml", ""),
        ("ENV002", "waived", "false", "", ""),
    ]
    assert rows[1]["bundles"] == "churn fraud"
    assert (rows[3]["reason"], rows[3]["remedy"]) == ("variable `catalog` has no value", "give it a default")
    assert (rows[5]["waived_by"], rows[5]["waiver_reason"], rows[5]["waiver_owner"], rows[5]["ticket"]) == (
        "policy",
        "agreed",
        "ann",
        "OPS-1",
    )


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_no_cell_is_a_formula(start: str) -> None:
    (row,) = table(result(finding(message=f'{start}HYPERLINK("https://x", "y")', origin=Origin(f"{start}cmd|x", 1))))
    assert row["message"] == f'\'{start}HYPERLINK("https://x", "y")'
    assert row["path"] == f"'{start}cmd|x"


def test_ocsf_is_what_others_read_as_a_compliance_finding() -> None:
    written = json.loads(report("ocsf", everything()))
    events = [ComplianceFinding.model_validate(event) for event in written]
    assert [(event.severity, event.status, event.compliance.status_id.name) for event in events] == [
        ("High", "New", "Fail"),
        ("Medium", "New", "Fail"),
        ("Low", "New", "Fail"),
        ("High", "New", "Unknown"),
        ("High", "Suppressed", "Fail"),
        ("High", "Suppressed", "Fail"),
    ]
    for event, raw in zip(events, written, strict=True):
        # What the model does not know it drops: nothing may be dropped but the one word that its version lacks.
        kept = json.loads(event.model_dump_json(exclude_none=True))
        lost = {name for name in raw if name not in kept}
        assert lost <= {"status_detail", "unmapped"}
    assert events[0].finding_info.title == "Stages do not share a catalog"
    assert events[0].remediation is not None
    assert events[0].remediation.references == ["https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow"]
    assert json.loads(report("ocsf", EMPTY)) == []


def test_markdown_begins_with_the_mark_of_its_comment_and_the_verdict() -> None:
    lines = report("markdown", everything()).splitlines()
    assert lines[:2] == [MARK, "## Lakewarden lint: 3 findings, 1 of which fails this run; the run is incomplete as well"]
    tokens = MarkdownIt("commonmark").enable("table").parse("\n".join(lines))
    headings = [tokens[number + 1].content for number, token in enumerate(tokens) if token.type == "heading_open"]
    assert [heading.split(":")[0] for heading in headings] == ["Lakewarden lint", "error ENV002", "warning TRK007"]
    assert sum(token.type == "table_open" for token in tokens) == 2
    assert "* **incomplete**: bad.ipynb: not valid JSON: Expecting value" in lines


def test_markdown_lists_few_places_and_counts_the_others() -> None:
    made = result(*(finding(subject=f"s{number}", origin=Origin("a.yml", number)) for number in range(1, 9)))
    assert report("markdown", made).count("\n* `a.yml:") == 5
    assert "\n* and 3 more\n" in report("markdown", made)
    assert report("markdown", made, limit=0).count("\n* `a.yml:") == 8


def test_markdown_fits_into_a_comment_and_says_what_did_not() -> None:
    made = result(*(finding(message="m" * 2_000, origin=Origin("a.yml", number)) for number in range(1, 101)))
    written = report("markdown", made, limit=0)
    assert len(written) <= MOST + 200
    assert "1 more part of this report would not fit into a comment" in written
    assert "would not fit" not in report("markdown", made)


def test_nothing_found_is_said_by_each() -> None:
    made = result()
    assert azure(made) == ["lakewarden: no findings; 0 passes; 12 files read"]
    assert issues(made) == []
    assert table(made) == []
    assert "no findings" in report("markdown", made)
