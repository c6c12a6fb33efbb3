"""What each format says of a gate: the same verdict, valid in its own grammar, and nothing that a name could do harm by."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from junitparser import Error, Failure, JUnitXml, Skipped, TestSuite
from markdown_it import MarkdownIt
from tests.reports.gate.given import ALL, DIGEST, INCOMPLETE, MIXED, NOTHING, PASSED, WAIVED, report, result
from tests.reports.test_hostile import CLEAR_SCREEN, INJECTION, harmless, nasty, strings
from tests.reports.test_sarif import VALIDATOR

from lakewarden.gate.result import Outcome
from lakewarden.reports.gate import FORMATS
from lakewarden.reports.gate.markdown import MOST_EVIDENCE
from lakewarden.reports.gate.words import verdict

if TYPE_CHECKING:
    from lakewarden.gate.result import GateResult

SCHEMA: dict[str, Any] = json.loads(files("lakewarden.reports.gate").joinpath("gate-v1.schema.json").read_text(encoding="utf-8"))
BLOCKING = (Outcome.FAIL, Outcome.MISSING)
TOKEN = "dapi" + "0123456789abcdef" * 2


def described(schema: dict[str, Any], value: Any) -> None:
    """Every member that is written is in the schema, and the schema asks for it."""
    if "$ref" in schema:
        described(SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]], value)
    elif "anyOf" in schema and value is not None:
        described(schema["anyOf"][0], value)
    elif isinstance(value, dict):
        assert value.keys() == schema["properties"].keys() == set(schema["required"])
        for name, item in value.items():
            described(schema["properties"][name], item)
    elif isinstance(value, list):
        for item in value:
            described(schema["items"], item)


@pytest.mark.parametrize("made", ALL)
def test_json_follows_its_schema(made: GateResult) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    document = json.loads(report("json", made))
    Draft202012Validator(SCHEMA).validate(document)
    described(SCHEMA, document)
    assert document["version"] == "gate-v1"
    assert document["verdict"]["passed"] is (made.exit_code == 0)


@pytest.mark.parametrize("member", sorted(SCHEMA["properties"]))
def test_the_schema_misses_what_is_missing(member: str) -> None:
    document = json.loads(report("json", MIXED))
    del document[member]
    with pytest.raises(ValidationError):
        Draft202012Validator(SCHEMA).validate(document)


def test_json_has_the_evidence_of_each_check() -> None:
    commit = json.loads(report("json", MIXED))["checks"][5]
    assert commit["evidence"][0] == {
        "what": "run_commit.commit",
        "value": "abc of run r-1",
        "source": "https://host/of run r-1",
        "time": "2026-01-01T00:00:00Z",
        "rung": "run-tags",
    }
    assert commit["evidence"][1]["value"] is None


def sarif(made: GateResult) -> dict[str, Any]:
    log = json.loads(report("sarif", made))
    VALIDATOR.validate(log)
    run: dict[str, Any] = log["runs"][0]
    for found in run["results"]:
        assert run["tool"]["driver"]["rules"][found["ruleIndex"]]["id"] == found["ruleId"]
    return run


@pytest.mark.parametrize("made", ALL)
def test_sarif_has_a_result_for_each_required_check_that_is_no_pass(made: GateResult) -> None:
    run = sarif(made)
    told = {found["ruleId"]: found for found in run["results"]}
    assert told.keys() == {check.code for check in made.checks if check.required and check.outcome is not Outcome.PASS}
    assert len(run["tool"]["driver"]["rules"]) == 20
    assert all(rule["help"]["text"] and rule["help"]["markdown"] for rule in run["tool"]["driver"]["rules"])
    assert all(("suppressions" in found) == (found["properties"]["outcome"] == "waived") for found in told.values())
    # What blocks is an error: code scanning lets everything below pass.
    assert {found["level"] for found in told.values()} <= {"error"}


def test_sarif_fingerprints_tell_version_and_check_apart() -> None:
    told = [sarif(made)["results"] for made in (MIXED, replace(MIXED, uri="databricks-uc://meta/prod.ml.churn/versions/8"))]
    prints = [found["partialFingerprints"]["lakewardenGate/v1"] for results in told for found in results]
    assert len(set(prints)) == len(prints) == 6


def suite(made: GateResult) -> TestSuite:
    parsed = JUnitXml.fromstring(report("junit", made).encode())
    (only,) = parsed
    assert isinstance(only, TestSuite)
    counts = (only.tests, only.failures, only.errors, only.skipped)
    assert (parsed.tests, parsed.failures, parsed.errors, parsed.skipped) == counts
    only.update_statistics()  # type: ignore[no-untyped-call]
    assert (only.tests, only.failures, only.errors, only.skipped) == counts
    return only


@pytest.mark.parametrize("made", ALL)
def test_junit_has_a_case_for_each_check(made: GateResult) -> None:
    cases = list(suite(made))
    assert len(cases) == 20
    for check, case in zip(made.checks, cases, strict=True):
        kinds = [type(one) for one in case.result]
        if not check.required:
            assert kinds == [Skipped]
        else:
            wanted = {Outcome.PASS: [], Outcome.FAIL: [Failure], Outcome.MISSING: [Error], Outcome.WAIVED: [Skipped]}
            assert kinds == wanted[check.outcome]
        assert bool(case.system_out) == bool(check.evidence)


@pytest.mark.parametrize("made", ALL)
def test_every_format_says_the_same(made: GateResult) -> None:
    sentence = verdict(made)
    blocking = any(check.required and check.outcome in BLOCKING for check in made.checks)
    assert blocking is (made.exit_code != 0)
    assert sentence in " ".join(report("text", made).split())
    assert json.loads(report("json", made))["verdict"]["sentence"] == sentence
    (invocation,) = sarif(made)["invocations"]
    assert (invocation["exitCode"], invocation["exitCodeDescription"]) == (made.exit_code, sentence)
    assert any("suppressions" not in found for found in sarif(made)["results"]) is blocking
    tests = suite(made)
    told = {one.name: one.value for one in tests.properties()}  # type: ignore[no-untyped-call]
    assert told.items() >= {"verdict": sentence, "exit_code": str(made.exit_code)}.items()
    assert bool(tests.failures or tests.errors) is blocking
    assert report("markdown", made).splitlines()[0].replace("@<!-- -->", "@").replace("\\", "") == f"## {sentence}"


def rendered(made: GateResult) -> list[Any]:
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(report("markdown", made))
    return [*tokens, *(child for token in tokens for child in token.children or ())]


def test_markdown_folds_the_evidence_and_says_what_to_do() -> None:
    written = report("markdown", MIXED)
    order = [
        "## prod.ml.churn version 7 may not serve",
        "alias @challenger",
        "### What to do next",
        "| C20 |",
        "<details>",
        "</details>",
    ]
    assert [written.index(part) for part in order] == sorted(written.index(part) for part in order)
    assert "* **C7 fail**" in written
    assert "  * Next: record it of run r-1" in written
    assert "* **C10 waived** until 2026-12-31 (OPS-1): agreed of run r-1" in written
    assert "| C14 | fail, not required |" in written
    assert "What to do next" not in report("markdown", PASSED)


def test_markdown_counts_evidence_that_does_not_fit() -> None:
    first = replace(PASSED.checks[0], evidence=PASSED.checks[0].evidence * 40)
    written = report("markdown", replace(PASSED, checks=(first, *PASSED.checks[1:])))
    assert f"| C1 | {80 - MOST_EVIDENCE} more, in the JSON report |" in written


HOSTILE = [
    CLEAR_SCREEN,
    INJECTION,
    "</details><script>alert(1)</script><img src=x onerror=alert(1)>",
    "| pass | | `` ` ``` [go](javascript:alert(1)) ![x](https://evil) **bold** <!-- ]]> &lt; \ufffe\uffff",
    "@acme/admins approve https://evil.example.com",
    f"https://ann:{TOKEN}@host {TOKEN}",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_is_only_what_we_wrote(text: str) -> None:
    made, plain = (result("lineage", t, model=m, C6=Outcome.MISSING, C10=Outcome.WAIVED) for t, m in ((text, text), ("x", "x")))
    # The same elements, wherever the text stands: it opens none and closes none.
    kinds = [
        [token.type for token in rendered(one) if token.type not in ("text", "html_inline", "text_special")]
        for one in (made, plain)
    ]
    assert kinds[0] == kinds[1]
    html = {token.content for token in rendered(made) if token.type.startswith("html")}
    assert {" ".join(part.split()) for part in html} <= {
        "<details><summary>Evidence</summary>", "</details>", "<!-- -->", "<span>", "</span>",
    }  # fmt: skip
    for token in rendered(made):
        assert not (token.type == "text" and re.search(r"@\w", token.content)), "somebody would be notified"


@pytest.mark.parametrize("name", sorted(FORMATS))
@pytest.mark.parametrize("text", HOSTILE)
def test_no_format_passes_on_an_attack(name: str, text: str) -> None:
    made = result("lineage", text, model=text, C6=Outcome.MISSING, C7=Outcome.FAIL, C10=Outcome.WAIVED)
    written = report(name, made, show=frozenset({"evidence"}))
    assert all(harmless(line) for line in written.split("\n"))
    assert TOKEN not in written
    if name in ("json", "sarif"):
        document = json.loads(written)
        ours = set(strings([run["tool"] for run in document.get("runs", ())]))
        assert all(harmless(text) for text in strings(document) if text not in ours)
    for line in written.splitlines():
        assert not line.lstrip().startswith("::")
        if name in ("text", "markdown", "junit"):
            assert "##[" not in line
            assert "##vso[" not in line
    sarif(made)
    suite(made)


@pytest.mark.parametrize("name", sorted(FORMATS))
@given(text=nasty)
def test_no_control_character_passes(name: str, text: str) -> None:
    made = result("lineage", text, model=text, C6=Outcome.MISSING, C7=Outcome.FAIL, C10=Outcome.WAIVED)
    written = report(name, made, show=frozenset({"evidence"}))
    assert all(harmless(line) for line in written.split("\n"))
    if name == "junit":
        JUnitXml.fromstring(written.encode())


def test_text_tells_one_reason_once() -> None:
    written = report("text", result(C6=Outcome.MISSING, C7=Outcome.MISSING))
    assert written.count("something is wrong of run r-1") == 1  # told below C6 alone
    assert "for the same reason as C6" in written


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("made", ALL)
def test_text_fits(made: GateResult, width: int) -> None:
    out = io.StringIO(report("text", made, width=width, show=frozenset({"evidence"})))
    # A word is never broken, so that it can be copied.
    assert [line for line in out if len(line.rstrip()) > width and DIGEST not in line and "://" not in line] == []


def test_text_shows_evidence_when_asked() -> None:
    assert "run_commit.commit = abc" not in report("text", WAIVED)
    shown = report("text", INCOMPLETE, width=120, show=frozenset({"evidence"}))
    assert "run_commit.commit = abc of run r-1 (run-tags, from https://host/of run r-1" in shown
    assert "run_commit.dirty = not known" in shown


def test_nothing_checked_is_no_pass() -> None:
    assert verdict(NOTHING).startswith("models:/prod.ml.churn@challenger may not serve production")
