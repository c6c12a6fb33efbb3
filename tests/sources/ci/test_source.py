from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.sources.ci.linking import BUNDLE, github, see

from lakewarden.facts.gaps import Cause

if TYPE_CHECKING:
    from collections.abc import Mapping

CI = ".github/workflows/ci.yml"
TABLES = ("ci_jobs", "ci_reach", "ci_steps", "ci_deployments", "ci_credentials", "ci_upstream", "target_deployments")
GOOD = {"databricks.yml": BUNDLE, CI: github("- run: pytest\n- run: databricks bundle deploy -t prod", on="pull_request")}


def told(files: Mapping[str, str | bytes]) -> list[tuple[str, dict[str, object]]]:
    facts = see(files).facts
    return [(table, row.__dict__) for table in TABLES for row in facts.rows[table]]


def test_a_repository_without_ci_has_none() -> None:
    seen = see({"databricks.yml": BUNDLE})
    assert told({"databricks.yml": BUNDLE}) == []
    assert not any(gap.facts in TABLES for gap in seen.facts.gaps)
    assert {table for table, plane, _ in seen.facts.complete if plane == "declared"} >= set(TABLES)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (".github/workflows/broken.yml", "on: push\njobs: {a: [}\n"),
        (".github/workflows/broken.yml", b"\xff\xfe\x00broken"),
        (".github/workflows/broken.yml", "on: push\njobs: " + "[" * 500),
        (".gitlab-ci.yml", "a: &a\n  script: [*a]\nb: {extends: b, script: [}\n"),
        ("azure-pipelines.yml", "steps: [}\n"),
    ],
)
def test_one_broken_file_changes_nothing_for_the_others(path: str, content: str | bytes) -> None:
    seen = see({**GOOD, path: content})
    assert told({**GOOD, path: content}) == told(GOOD)
    assert any(gap.facts == "ci_steps" and gap.cause is Cause.FAILED and not gap.value for gap in seen.facts.gaps)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "null",
        "[]",
        "on: push",
        "on: push\njobs: 3",
        "on: push\njobs: {a: null, b: 3, c: {steps: 3}, d: {steps: [3, null, {run: [1]}]}}",
        "\0",
    ],
)
def test_workflows_that_say_nothing(content: str) -> None:
    assert told({**GOOD, ".github/workflows/odd.yml": content}) == told(GOOD)


def test_a_script_that_never_ends_to_expand() -> None:
    text = "\n".join(f"A{n}=$A{n - 1}$A{n - 1}$A{n - 1}" for n in range(1, 200))
    loop = "".join(f"for x{n} in 1 2 3 4 5 6 7 8 9; do " for n in range(12)) + "databricks bundle deploy -t $x1" + "; done" * 12
    workflow = github("- run: |\n" + "\n".join(f"    {line}" for line in (*text.splitlines(), loop)))
    assert see({"databricks.yml": BUNDLE, CI: workflow}).gaps("ci_steps", value=False)
    # What stands in a text that is run only then is no such gap: mostly it installs something.
    installs = github('- run: bash -c "$(curl -fsSL https://example.com/install.sh)" && find . | xargs -I {} sh -c "cat {}"')
    assert see({"databricks.yml": BUNDLE, CI: installs}).gaps("ci_steps", value=False) == []
    whole = github("- run: ${{ inputs.command }}", on="{workflow_dispatch: {inputs: {command: {type: string}}}}")
    assert see({"databricks.yml": BUNDLE, CI: whole}).gaps("ci_steps", value=False)


def test_steps_of_another_repository() -> None:
    workflow = "on: pull_request\njobs:\n  x:\n    uses: acme/other/.github/workflows/x.yml@main\n"
    seen = see({"databricks.yml": BUNDLE, CI: workflow})
    assert {gap.facts for gap in seen.facts.gaps if not gap.value} >= {"ci_steps", "ci_deployments", "target_deployments"}


@pytest.mark.parametrize(
    ("path", "project"),
    [
        ("Jenkinsfile", None),
        ("bitbucket-pipelines.yml", None),
        (".circleci/config.yml", None),
        ("a/Jenkinsfile", "a"),
        ("docs/cloudbuild.yaml", "repository"),
    ],
)
def test_systems_that_are_not_read_are_told(path: str, project: str | None) -> None:
    files = {"a/databricks.yml": "bundle: {name: a}\n", "b/databricks.yml": "bundle: {name: b}\n", "docs/x": "", path: "x: 1\n"}
    gaps = see(files).gaps("ci_steps")
    assert [(gap.cause, gap.project, gap.value) for gap in gaps] == [(Cause.NOT_ASKED, project, False)]


def test_a_workflow_inside_a_bundle_speaks_of_that_alone() -> None:
    files = {
        "a/databricks.yml": BUNDLE, "b/databricks.yml": "bundle: {name: b}\n",
        "a/.github/workflows/x.yml": "on: push\njobs:\n  x:\n    uses: acme/other/.github/workflows/x.yml@main\n",
    }  # fmt: skip
    assert {gap.project for gap in see(files).gaps("ci_steps")} == {"churn"}


def test_what_protects_is_not_guessed() -> None:
    deploy = "- run: databricks bundle deploy -t prod"
    check = github("- run: pytest", on="pull_request")
    files = {"databricks.yml": BUNDLE, CI: github(deploy, on="{push: {branches: [main]}}", job="environment: prod")}
    # Without anything that runs on pull requests no check can guard the branch.
    assert see(files).values("ci_deployments", "branch_guarded") == [False]
    seen = see({**files, ".github/workflows/check.yml": check})
    assert seen.values("ci_deployments", "branch_guarded") == [None]
    assert set(seen.values("ci_jobs", "environment_protected")) == {None, False}
    assert {gap.facts for gap in seen.facts.gaps if gap.cause is Cause.NOT_ASKED} == {"ci_jobs", "ci_deployments"}
