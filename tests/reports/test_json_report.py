from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from tests.reports.samples import everything, finding, report, result

from lakewarden.facts.origin import Origin
from lakewarden.judge.result import Repair, Replacement

if TYPE_CHECKING:
    from lakewarden.judge.result import Result

SCHEMA: dict[str, Any] = json.loads(files("lakewarden.reports").joinpath("json-v1.schema.json").read_text(encoding="utf-8"))


def document(made: Result) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(report("json", made))
    return loaded


def described(schema: dict[str, Any], value: Any) -> None:
    """Every member that is written is in the schema: a schema that forbids nothing would accept a forgotten one."""
    if "$ref" in schema:
        described(SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]], value)
    elif "anyOf" in schema and value is not None:
        described(schema["anyOf"][0], value)
    elif isinstance(value, dict) and "properties" in schema:
        assert value.keys() <= schema["properties"].keys()
        for name, item in value.items():
            described(schema["properties"][name], item)
    elif isinstance(value, list):
        for item in value:
            described(schema["items"], item)


@pytest.mark.parametrize(
    "made",
    [
        everything(),
        result(),
        result(
            finding(
                origin=Origin(url="https://x/job/1", time="2026-01-01T00:00:00Z"), project=None, target=None, environment=None
            )
        ),
        result(finding(origin=Origin())),
        replace(result(finding()), fixes={finding().fingerprint: Repair("write", "", "a.yml", (Replacement(1, 1, 1, 2, "x"),))}),
    ],
)
def test_the_report_follows_its_schema(made: Result) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    Draft202012Validator(SCHEMA).validate(document(made))
    described(SCHEMA, document(made))


@pytest.mark.parametrize("member", ["version", "summary", "rules", "gaps", "findings"])
def test_the_schema_misses_what_is_missing(member: str) -> None:
    broken = document(everything())
    del broken[member]
    with pytest.raises(ValidationError):
        Draft202012Validator(SCHEMA).validate(broken)


def test_the_schema_asks_for_every_member_that_has_no_reason_to_be_away() -> None:
    optional = {"place"}
    for name, part in {**SCHEMA["$defs"], "root": SCHEMA, "summary": SCHEMA["properties"]["summary"]}.items():
        if "properties" in part and name not in optional:
            assert set(part["required"]) == set(part["properties"])


def test_the_members_of_the_contract_are_there() -> None:
    made = document(everything())
    assert made["version"] == "json-v1"
    assert made["summary"]["incomplete"] is True
    assert {"pass": 4, "fail": 3, "unknown": 1, "waived": 2, "not_applicable": 0}.items() <= made["summary"].items()
    assert made["summary"]["files"] == 12
    assert [s["kind"] for s in made["summary"]["skipped"]] == ["vendored", "template"]
    assert made["summary"]["baselined"] == 4
    rule = next(r for r in made["rules"] if r["code"] == "ENV007")
    assert rule["skipped_reason"] == "preview: select it by its code"
    assert made["gaps"][0]["affected"] == {"ENV002": 1}
    assert made["gaps"][0]["class"] == "unresolved"
    found = made["findings"][0]
    assert found["location"] == {"path": "databricks.yml", "line": 7, "column": 16, "end_line": 7, "end_column": 20}
    assert found["related"] == [{"path": "databricks.yml", "line": 4, "column": 16}]
    assert found["fails"] is True
    assert made["findings"][1]["location"] == {"path": "notebooks/train.ipynb", "cell": 3}
    assert made["findings"][1]["fails"] is False
    assert made["findings"][3]["waiver"]["reason"] == "one workspace until Q3"
    assert made["findings"][5]["gap"] == 0


def test_a_complete_run_says_so() -> None:
    assert document(result())["summary"]["incomplete"] is False
    assert document(result(incomplete=("x",)))["summary"]["incomplete_reasons"] == ["x"]


def test_both_names_write_the_same() -> None:
    assert report("json", everything()) == report("json-v1", everything())


def test_the_order_of_the_result_is_kept_and_the_output_is_the_same_each_time() -> None:
    made = result(*(finding(subject=str(n), origin=Origin("a", n)) for n in (3, 1, 2)))
    assert [f["subject"] for f in document(made)["findings"]] == ["3", "1", "2"]
    assert report("json", made) == report("json", replace(made))
