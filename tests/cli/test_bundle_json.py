"""`--bundle-json`: what the bundle tool resolved counts instead of our own reading."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.running import Ran, commit, inside, write
from tests.validate_output import outputs_of, write_outputs

if TYPE_CHECKING:
    from pathlib import Path

BUNDLE = {
    "databricks.yml": """
bundle: {name: churn}
variables:
  catalog: {description: given with --var}
  principal: {description: given with --var}
targets:
  dev:
    mode: development
    default: true
    workspace: {host: 'https://dev.cloud.databricks.com'}
  prod:
    mode: production
    git: {branch: main}
    workspace: {host: 'https://prod.cloud.databricks.com', root_path: '/Workspace/Deployments/${bundle.target}'}
    run_as: {service_principal_name: '${var.principal}'}
    permissions: [{group_name: viewers, level: CAN_VIEW}]
resources:
  registered_models:
    churn: {name: churn, catalog_name: '${var.catalog}', schema_name: ml}
  jobs:
    train:
      name: train
      tasks:
      - task_key: train
        notebook_task: {notebook_path: src/train.py, base_parameters: {catalog: '${var.catalog}', sha: '${bundle.git.commit}'}}
""",
    "src/train.py": "# Databricks notebook source\nprint(1)\n",
}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "churn"
    write(folder, dict(BUNDLE))
    commit(folder)
    return folder


def said(ran: Ran) -> set[tuple[Any, ...]]:
    assert ran.err == ""
    places = {index: f["location"] or {} for index, f in enumerate(ran.json["findings"])}
    return {
        (
            f["code"],
            f["verdict"],
            f["subject"],
            f["condition"],
            f["message"],
            places[index].get("path"),
            places[index].get("line"),
        )
        for index, f in enumerate(ran.json["findings"])
    }


def lint(folder: Path, *options: str) -> Ran:
    return inside(folder, "lint", "--profile", "strict", "--output-format", "json", *options)


@pytest.mark.parametrize("example", ["compliant", "violating"])
@pytest.mark.parametrize("user", ["ann.lee@example.com", "6b3f2a10-51d4-4c8e-9a3f-0c2f8f6d1e77"])
def test_what_was_resolved_gives_the_verdicts_of_yaml(
    example: str, user: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    folder = request.getfixturevalue(example)
    options = write_outputs(folder, tmp_path / "json", user=user)
    assert len(options) == (6 if example == "compliant" else 4)
    assert said(lint(folder, *options)) == said(lint(folder))


def test_what_came_from_outside_is_known(bundle: Path, tmp_path: Path) -> None:
    without = lint(bundle)
    unknown = {gap["reason"] for gap in without.json["gaps"] if "variable" in gap["reason"]}
    assert unknown
    sp = "0d2b7a51-9d5a-4c4e-9d1f-111111111111"
    options = write_outputs(bundle, tmp_path / "json", given={"catalog": "prod", "principal": sp})
    ran = lint(bundle, *options)
    assert not [gap for gap in ran.json["gaps"] if "variable" in gap["reason"]]
    # A catalog given for all targets is wrong in one of them; the finding stands where YAML uses it.
    wrong = [f for f in ran.json["findings"] if f["code"] == "DEP007"]
    assert [(f["target"], f["location"]["path"], f["location"]["line"]) for f in wrong] == [("dev", "databricks.yml", 19)]
    rows = inside(bundle, "facts", "--output-format", "json", *options).json
    targets = {row["name"]: row for row in rows["targets"]}
    assert (targets["prod"]["run_as_kind"], targets["prod"]["run_as"]) == ("service_principal", sp)
    assert (targets["dev"]["run_as_kind"], targets["prod"]["git_branch"], targets["dev"]["git_branch"]) == (
        "deployer",
        "main",
        "none",
    )
    assert targets["prod"]["root_path"] == "/Workspace/Deployments/prod"
    assert {row["run_as_from"] for row in rows["jobs"] if row["target"] == "churn/prod"} == {"target"}
    assert {row["file"] for row in rows["tasks"]} == {"churn/src/train.py"}
    assert {row["holds_commit"] for row in rows["task_params"] if row["key"].endswith("/sha")} == {True}
    assert [row["object_kind"] for row in rows["permissions"]] == ["target"]


def test_findings_do_not_depend_on_who_ran_the_command(bundle: Path, tmp_path: Path) -> None:
    runs = [
        lint(bundle, *write_outputs(bundle, tmp_path / user[:3], user=user, given={"catalog": "c", "principal": "p"}))
        for user in ("ann@example.com", "bob@example.com")
    ]
    assert [f["fingerprint"] for f in runs[0].json["findings"]] == [f["fingerprint"] for f in runs[1].json["findings"]]
    assert said(runs[0]) == said(runs[1])


def test_what_only_the_output_has_stands_in_its_file(bundle: Path) -> None:
    """As resources do that code in Python declares."""
    output = outputs_of(bundle)["churn", "prod"]
    output["resources"]["model_serving_endpoints"] = {
        "churn": {"name": "churn", "config": {"served_entities": [{"entity_name": "dev.ml.churn", "entity_version": "1"}]}}
    }
    text = json.dumps(output, indent=2)
    (bundle / "prod.json").write_text(text)
    ran = lint(bundle, "--bundle-json", "prod=prod.json", "--select", "REG010")
    (finding,) = [f for f in ran.json["findings"] if f["verdict"] == "fail"]
    assert finding["condition"] == "own_stage"
    line = next(number for number, of_file in enumerate(text.splitlines(), 1) if '"entity_name"' in of_file)
    assert (finding["location"]["path"], finding["location"]["line"]) == ("prod.json", line - 1)
    assert finding["location"]["pointer"] == "resources.model_serving_endpoints.churn.config.served_entities[0]"


def test_resources_in_python_are_known_where_every_target_is_given(tmp_path: Path) -> None:
    folder = tmp_path / "churn"
    text = "bundle: {name: churn}\npython: {resources: ['resources:load']}\ntargets: {staging: {}, prod: {mode: production}}\n"
    write(folder, {"databricks.yml": text})
    commit(folder)
    assert any("declared in Python" in gap["reason"] for gap in lint(folder).json["gaps"])
    options = write_outputs(folder, tmp_path / "json")
    assert any("declared in Python" in gap["reason"] for gap in lint(folder, *options[:2]).json["gaps"])
    assert not any("declared in Python" in gap["reason"] for gap in lint(folder, *options).json["gaps"])


def test_a_file_of_another_encoding_is_read_too(bundle: Path) -> None:
    """A redirection on Windows writes UTF-16."""
    text = json.dumps(outputs_of(bundle)["churn", "dev"])
    (bundle / "a.json").write_text(text, encoding="utf-16")
    (bundle / "b.json").write_text(text, encoding="utf-8-sig")
    (bundle / "c.json").write_text(text, encoding="utf-8")
    runs = [said(lint(bundle, "--bundle-json", f"dev={name}.json")) for name in "abc"]
    assert runs[0] == runs[1] == runs[2]


@pytest.mark.parametrize(
    ("option", "content", "told"),
    [
        ("prod", "", "--bundle-json 'prod' is no TARGET=FILE"),
        ("=x.json", "", "is no TARGET=FILE"),
        ("prod=", "", "is no TARGET=FILE"),
        ("prod=missing.json", "", "there is no file missing.json"),
        ("prod=src", "", "src cannot be read: "),
        ("prod=x.json", "{", "x.json:1:2: this is no JSON: "),
        ("prod=x.json", '{"bundle": {"name": "churn", "target": "prod"},\n}', "x.json:1:47: this is no JSON: nothing follows the comma"),
        ("prod=x.json", "Error: no such target", "x.json:1:1: this is no JSON: "),
        ("prod=x.json", "[1]", "x.json is no output of `databricks bundle validate -o json`"),
        ("prod=x.json", '{"bundle": {}}', "it names no bundle.target"),
        ("prod=x.json", '{"bundle": {"name": "churn", "target": "dev"}}', "x.json is of target dev, not of prod"),
        ("prod=x.json", '{"bundle": {"name": "other", "target": "prod"}}', "x.json is of bundle other, and here is churn"),
        ("qa=x.json", '{"bundle": {"name": "churn", "target": "qa"}}', "databricks.yml has no target qa"),
        ("shop/prod=x.json", '{"bundle": {"name": "churn", "target": "prod"}}', "there is no bundle shop"),
        ("prod=x.json", "[" * 5000, "nested more than 200 levels deep"),
    ],
)  # fmt: skip
def test_an_output_that_is_none_is_one_line_with_the_next_step(bundle: Path, option: str, content: str, told: str) -> None:
    (bundle / "x.json").write_text(content)
    ran = inside(bundle, "lint", "--bundle-json", option)
    assert (ran.code, ran.out) == (2, "")
    error, advice = ran.err.splitlines()
    assert told in error
    assert advice.strip()


def test_one_target_is_given_once(bundle: Path, tmp_path: Path) -> None:
    options = write_outputs(bundle, tmp_path / "json")
    ran = inside(bundle, "lint", *options, *options[:2])
    assert (ran.code, "twice" in ran.err) == (2, True)


def test_of_several_bundles_the_name_in_the_output_tells_which(tmp_path: Path) -> None:
    text = "bundle: {{name: {0}}}\ntargets: {{prod: {{mode: production}}}}\n"
    write(tmp_path, {f"{name}/databricks.yml": text.format(name) for name in ("a", "b")} | {"c/databricks.yml": text.format("b")})
    commit(tmp_path)
    (tmp_path / "x.json").write_text('{"bundle": {"name": "a", "target": "prod", "mode": "development"}, "workspace": {}}')
    ran = inside(tmp_path, "facts", "--table", "targets", "--output-format", "json", "--bundle-json", "prod=x.json")
    assert {row["project"]: row["mode"] for row in ran.json["targets"]} == {
        "a": "development",
        "b@b": "production",
        "b@c": "production",
    }
    (tmp_path / "x.json").write_text('{"bundle": {"name": "b", "target": "prod"}}')
    ran = inside(tmp_path, "lint", "--bundle-json", "prod=x.json")
    assert (ran.code, ran.err.splitlines()) == (
        2,
        ["lakewarden: target prod is in several bundles: b@b, b@c [E001]", "  write: --bundle-json b@b/prod=x.json"],
    )
    ran = inside(tmp_path, "facts", "--bundle-json", "b@c/prod=x.json")
    assert (ran.code, ran.err) == (0, "")
