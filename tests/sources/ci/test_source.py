from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.sources.ci.linking import BUNDLE, github, see

from lakewarden.facts.gaps import Cause

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.sources.conftest import GitRepository

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
        ("build/prod.yml", "trigger: [main]\nsteps:\n  - script: databricks bundle deploy -t prod\n".encode("utf-16")),
        ("devops/prod.yml", b"steps:\n" + b"# long\n" * 2_000_000),
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
    for event in ("{push: {tags: ['v*']}}", "{release: {types: [published]}}"):  # no branch, whatever protects branches
        tagged = {**files, CI: github(deploy, on=event), ".github/workflows/check.yml": check}
        assert see(tagged).values("ci_deployments", "branch_guarded") == [False]
    assert {gap.facts for gap in seen.facts.gaps if gap.cause is Cause.NOT_ASKED} == {"ci_jobs", "ci_deployments"}


FILES: dict[str, str | bytes] = {
    "databricks.yml": BUNDLE, "src/train.py": "x = 1\n", "notebooks/a.ipynb": "{}", "tests/test_train.py": "", "setup.py": "", "docs/conf.py": "",
}  # fmt: skip


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ("paths: ['**.py', '**.ipynb']", True),
        ("paths: [src/**, notebooks/**]", True),
        ("paths: [src/**]", None),
        ("paths: [docs/**]", False),
        ("paths-ignore: [docs/**]", True),
        ("paths-ignore: [notebooks/**]", None),
        ("paths-ignore: ['**']", False),
        ("paths: ['**', '!src/**']", None),
        ("branches: [main]", True),
    ],
)
def test_steps_run_for_a_pull_request_where_its_files_let_them(paths: str, expected: bool | None) -> None:
    seen = see({**FILES, CI: github("- run: pytest", on=f"{{pull_request: {{{paths}}}}}")})
    assert seen.values("ci_steps", "on_pull_request") == [expected]
    assert seen.values("ci_reach", "event") == ["pull_request"]  # it can run all the same
    assert bool(seen.gaps("ci_steps")) == (expected is None)


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ("{include: [src, notebooks/*]}", True),
        ("{include: ['*'], exclude: [docs]}", True),
        ("{include: [src]}", None),
        ("{exclude: [src]}", None),
        ("{include: [docs/*]}", False),
        ("{exclude: ['*'], include: [src, notebooks]}", True),
    ],
)
def test_filters_of_paths_in_azure_pipelines(paths: str, expected: bool | None) -> None:
    pipeline = f"trigger: none\npr:\n  branches: {{include: [main]}}\n  paths: {paths}\nsteps: [{{script: pytest}}]\n"
    assert see({**FILES, "azure-pipelines.yml": pipeline}).values("ci_steps", "on_pull_request") == [expected]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ("[src/**/*, notebooks/*]", True),
        ("['**/*.{py,ipynb}']", True),
        ("['**/*.{py']", False),
        ("{paths: ['**/*.py', '**/*.ipynb']}", True),
        ("['src/*']", None),
        ("[docs/**/*]", False),
        ("['$DIR/*']", False),
        ("['" + "**/*" * 40 + "x']", False),
        ("['" + "{a,b}" * 20 + "']", False),
    ],
)
def test_changes_of_gitlab(changes: str, expected: bool | None) -> None:
    job = f"t:\n  rules:\n    - if: $CI_PIPELINE_SOURCE == 'merge_request_event'\n      changes: {changes}\n  script: [pytest]\n"
    assert see({**FILES, ".gitlab-ci.yml": job}).values("ci_steps", "on_pull_request") == [expected]


def test_the_default_branch_is_asked_of_git_where_a_workflow_speaks_of_it(repository: GitRepository) -> None:
    repository.write("a")
    repository.commit()
    repository.git("update-ref", "refs/remotes/origin/develop", "HEAD")
    repository.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/develop")
    condition = "if: github.ref == format('refs/heads/{0}', github.event.repository.default_branch)"
    workflow = github("- run: databricks bundle deploy -t prod", on="{push: {branches: [main, develop]}}", job=condition)
    files = {"databricks.yml": BUNDLE, CI: workflow}
    assert set(see(files).values("ci_reach", "ref_class")) == {"release"}
    assert set(see(files, root=repository.root).values("ci_reach", "ref_class")) == {"other"}


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("- run: docker run -e DATABRICKS_TOKEN acme/deployer:1 deploy -t prod", True),
        ("- uses: docker://acme/deployer:1\n  env: {DATABRICKS_HOST: https://x}", True),
        ("- uses: docker://acme/databricks-tool:1", True),
        ("- run: docker run acme/linter:1", False),
        ("- uses: docker://acme/linter:1", False),
        ("- run: docker build -t databricks-app .", False),
        ("- run: docker run -e DATABRICKS_TOKEN acme/python:3 pytest tests", False),
    ],
)
def test_what_an_image_does_is_not_known_where_it_has_to_do_with_databricks(step: str, told: bool) -> None:
    seen = see({"databricks.yml": BUNDLE, CI: github(step)})
    assert [gap.cause for gap in seen.gaps("ci_steps") if not gap.value] == [Cause.NOT_ASKED] * told


def test_rules_that_change_what_a_job_waits_for() -> None:
    def of(rule: str) -> tuple[list[object], int]:
        jobs = f"stages: [a, b]\nt: {{stage: a, script: pytest, rules: [{{when: on_success}}]}}\nd:\n  stage: b\n  rules:\n    - if: $X\n{rule}    - when: on_success\n  script: databricks bundle deploy -t prod\n"
        seen = see({"databricks.yml": BUNDLE, ".gitlab-ci.yml": jobs})
        return seen.values("ci_upstream", "kind"), len(seen.gaps("ci_upstream"))

    assert of("") == (["unit_test"], 0)
    assert of("      needs: []\n") == ([], 1)
    assert of("      needs: [t]\n") == (["unit_test"], 1)
