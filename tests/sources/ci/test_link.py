from __future__ import annotations

import pytest
from tests.sources.ci.linking import BUNDLE, github, see

from lakewarden.policy.model import Policy, ProjectPolicy

CI = ".github/workflows/ci.yml"


def test_a_job_is_a_row_with_what_it_reaches_and_does() -> None:
    seen = see({"databricks.yml": BUNDLE, CI: github("- run: databricks bundle deploy -t prod", on="{push: {branches: [main]}}")})
    key = f"churn/{CI}/job"
    assert seen.values("ci_jobs", "key", "project_key", "environment_protected", "head_state") == [
        (key, "churn", False, "branch")
    ]
    assert seen.values("ci_reach", "ci_job", "event", "ref_class") == [(key, "push", "release")]
    assert seen.values("ci_steps", "key", "kind", "target", "ignores_failure", "on_pull_request") == [
        (f"{key}#1", "bundle_deploy", "churn/prod", False, False)
    ]
    assert seen.values("ci_deployments", "target", "target_name", "tool", "action", "forced", "branch_guarded") == [
        ("churn/prod", "prod", "bundle", "deploy", False, False)
    ]
    assert seen.values("target_deployments", "target", "as_service_principal") == [("churn/prod", None)]


@pytest.mark.parametrize(
    ("on", "condition", "expected"),
    [
        ("push", "", {("push", "any"), ("tag", "any")}),
        ("{push: {branches: [main]}}", "", {("push", "release")}),
        ("{push: {branches: [develop]}}", "", {("push", "other")}),
        ("{push: {branches: ['release/**']}}", "", {("push", "release")}),
        ("{push: {branches-ignore: [main]}}", "", {("push", "any")}),
        ("{push: {tags: ['v*']}}", "", {("tag", "release")}),
        ("{push: {tags: ['nightly-*']}}", "", {("tag", "other")}),
        ("{push: {tags: ['*']}}", "", {("tag", "any")}),
        ("pull_request", "", {("pull_request", "pull_request")}),
        ("workflow_dispatch", "", {("manual", "any")}),
        ("workflow_dispatch", "github.ref == 'refs/heads/main'", {("manual", "release")}),
        ("workflow_dispatch", "github.ref_name != 'main'", {("manual", "any")}),
        ("{schedule: [{cron: '0 1 * * *'}]}", "", {("schedule", "release")}),
        ("{release: {types: [published]}}", "", {("release", "release")}),
        ("[push, pull_request]", "github.event_name == 'pull_request'", {("pull_request", "pull_request")}),
        ("[push, pull_request]", "github.ref == 'refs/heads/main'", {("push", "release")}),
        ("workflow_dispatch", "vars.GO == 'yes'", {("manual", "release"), ("manual", None)}),
        ("pull_request", "vars.GO == 'yes'", {(None, None)}),
    ],
)
def test_when_a_job_can_run(on: str, condition: str, expected: set[tuple[str | None, str | None]]) -> None:
    job = f"if: {condition}" if condition else ""
    seen = see({"databricks.yml": BUNDLE, CI: github("- run: databricks bundle deploy -t prod", on=on, job=job)})
    assert set(seen.values("ci_reach", "event", "ref_class")) == expected
    assert bool(seen.gaps("ci_reach")) == any(None in one for one in expected)


def test_release_refs_of_the_policy_decide() -> None:
    policy = Policy(projects=(ProjectPolicy("churn", bundles=(".",), release_refs=("live",)),))
    workflow = github("- run: databricks bundle deploy -t prod", on="{push: {branches: [main, live]}}")
    assert see({"databricks.yml": BUNDLE, CI: workflow}, policy).values("ci_reach", "ref_class") == ["other", "release"]
    workflow = github("- run: databricks bundle deploy -t prod", on="{schedule: [{cron: '0 1 * * *'}]}")
    assert see({"databricks.yml": BUNDLE, CI: workflow}, policy).values("ci_reach", "ref_class") == ["default"]


def test_a_step_with_a_condition_of_its_own_is_a_row_of_its_own() -> None:
    steps = """
- run: pytest
- run: databricks bundle deploy -t prod
  if: github.ref == 'refs/heads/main' && github.event_name == 'push'
"""
    seen = see({"databricks.yml": BUNDLE, CI: github(steps, on="[push, pull_request]")})
    key = f"churn/{CI}/job"
    assert seen.values("ci_jobs", "key") == [key, f"{key}#step1"]
    assert seen.values("ci_deployments", "ci_job") == [f"{key}#step1"]
    assert seen.values("ci_reach", "event", "ref_class", ci_job=f"{key}#step1") == [("push", "release")]
    assert seen.values("ci_steps", "kind", "on_pull_request") == [("unit_test", True), ("bundle_deploy", False)]
    assert seen.values("ci_upstream", "ci_job", "kind") == [(f"{key}#step1", "unit_test")]


def test_a_condition_inside_a_script_counts_like_one_of_a_step() -> None:
    steps = """
- run: |
    if [ "$GITHUB_REF_NAME" = "main" ]; then
      databricks bundle deploy -t prod
    else
      databricks bundle deploy -t dev
    fi
"""
    seen = see({"databricks.yml": BUNDLE, CI: github(steps, on="{push: {branches: [main, develop]}}")})
    reach = {
        name: seen.values("ci_reach", "ref_class", ci_job=job)
        for name, job in seen.values("ci_deployments", "target_name", "ci_job")
    }
    assert reach == {"prod": ["release"], "dev": ["other"]}


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        ("pull_request", True), ("{pull_request: {branches: [main]}}", True), ("push", True), ("{push: {branches: [main]}}", False),
        ("{push: {branches: ['feature/**', main]}}", False), ("workflow_dispatch", False), ("merge_group", True),
        ("{schedule: [{cron: '0 1 * * *'}]}", False), ("pull_request_target", True),
    ],
)  # fmt: skip
def test_whether_it_runs_for_pull_requests(on: str, expected: bool) -> None:
    assert see({"databricks.yml": BUNDLE, CI: github("- run: pytest", on=on)}).values("ci_steps", "on_pull_request") == [expected]


@pytest.mark.parametrize(
    ("command", "name", "key"),
    [
        ("-t prod", "prod", "churn/prod"),
        ("", "none", "churn/dev"),
        ("-t nowhere", "nowhere", "churn/nowhere"),
        ("-t $UNKNOWN", None, None),
        ("-t ${{ inputs.x }}", None, None),
    ],
)
def test_the_target_that_a_command_reaches(command: str, name: str | None, key: str | None) -> None:
    workflow = github(f"- run: databricks bundle deploy {command}", on="{workflow_dispatch: {inputs: {x: {type: string}}}}")
    seen = see({"databricks.yml": BUNDLE, CI: workflow})
    assert seen.values("ci_deployments", "target_name", "target") == [(name, key)]
    assert bool(seen.gaps("ci_deployments", value=True)) == (key is None)
    # Which target is deployed is not known: none of them can be told not to be.
    assert bool(seen.gaps("target_deployments", value=False)) == (key is None)


def test_a_bundle_without_a_default_target() -> None:
    bundle = "bundle: {name: churn}\ntargets: {a: {}, b: {}}\n"
    seen = see({"databricks.yml": bundle, CI: github("- run: databricks bundle deploy")})
    assert seen.values("ci_deployments", "target_name", "target") == [("none", "none")]
    assert seen.rows("target_deployments") == []


TWO = {
    "a/databricks.yml": "bundle: {name: a}\ntargets: {dev: {}, prod: {}}\n",
    "a/tests/test_x.py": "",
    "a/src/x.py": "",
    "b/databricks.yml": "bundle: {name: b}\ntargets: {live: {}}\n",
    "lib/x.py": "",
    "tests/test_all.py": "",
}


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("- run: databricks bundle deploy -t prod\n  working-directory: a", [("a", "a/prod")]),
        ("- run: cd a/src && databricks bundle deploy -t prod", [("a", "a/prod")]),
        ("- run: cd b && databricks bundle deploy -t prod", [("b", "b/prod")]),
        ("- run: databricks bundle deploy -t prod", [("repository", None)]),
        ("- run: cd $SOMEWHERE && databricks bundle deploy -t prod", [("repository", None)]),
        ("- run: cd made && databricks bundle deploy -t prod", [("repository", None)]),
        ("- run: BUNDLE_ROOT=a databricks bundle deploy -t prod", [("a", "a/prod")]),
    ],
)
def test_the_bundle_of_a_command(step: str, expected: list[tuple[str, str | None]]) -> None:
    seen = see({**TWO, CI: github(step)})
    assert seen.values("ci_deployments", "project", "target") == expected


def test_a_command_in_a_folder_that_is_not_known_is_about_the_only_bundle_with_that_target() -> None:
    files = {
        "ml/databricks.yml": BUNDLE,
        CI: github("- run: |\n    cd $X\n    databricks bundle deploy -t prod\n    databricks bundle run -t other"),
    }
    assert see(files).values("ci_deployments", "target") == ["churn/prod", None]


@pytest.mark.parametrize(
    ("step", "projects"),
    [
        ("- run: pytest", ["a", "b"]),
        ("- run: pytest tests", ["a", "b"]),
        ("- run: pytest\n  working-directory: a", ["a"]),
        ("- run: pytest a/tests", ["a"]),
        ("- run: cd b && pytest", ["b"]),
        ("- run: pytest\n  working-directory: lib", ["repository"]),
    ],
)
def test_the_projects_that_tests_are_about(step: str, projects: list[str]) -> None:
    assert seen_projects(step) == projects


def seen_projects(step: str) -> list[str]:
    return see({**TWO, CI: github(step)}).values("ci_steps", "project_key")


@pytest.mark.parametrize(
    "before",
    [
        "yq -i '.x = 1' databricks.yml",
        "sed -i s/a/b/ databricks.yml",
        "envsubst < x > databricks.yml",
        "cp other.yml databricks.yml",
    ],
)
def test_a_bundle_that_is_written_on_the_way(before: str) -> None:
    steps = f"- run: {before}\n- run: databricks bundle deploy -t made\n- run: databricks bundle deploy -t prod"
    seen = see({"databricks.yml": BUNDLE, CI: github(steps)})
    assert seen.values("ci_deployments", "target_name", "target") == [("made", None), ("prod", "churn/prod")]


def test_looking_at_a_bundle_does_not_write_it() -> None:
    steps = "- run: cat databricks.yml\n- run: git diff databricks.yml\n- run: databricks bundle deploy -t made"
    assert see({"databricks.yml": BUNDLE, CI: github(steps)}).values("ci_deployments", "target") == ["churn/made"]


def test_what_comes_before_a_deployment() -> None:
    workflow = """
on: push
jobs:
  test:
    runs-on: x
    steps: [{uses: actions/checkout@v4}, {run: pytest}, {run: "pytest -m integration || true"}]
  check:
    needs: test
    runs-on: x
    steps: [{run: ruff check}]
  deploy:
    needs: [check]
    runs-on: x
    steps:
      - uses: actions/checkout@v4
      - run: databricks bundle deploy -t staging
      - run: databricks bundle run train -t staging
      - run: databricks bundle deploy -t prod
      - run: databricks bundle run train -t prod
  alone:
    runs-on: x
    steps: [{uses: actions/checkout@v4}, {run: databricks bundle deploy -t prod}, {run: pytest}]
"""
    seen = see({"databricks.yml": BUNDLE, CI: workflow})
    assert set(seen.values("ci_upstream", "ci_job", "kind")) == {
        (f"churn/{CI}/deploy", kind) for kind in ("unit_test", "bundle_deploy", "bundle_run")
    }


def test_a_command_whose_words_may_come_to_several_things_is_one() -> None:
    steps = """
- run: |
    if [ "$GITHUB_REF_NAME" = main ]; then X=1; else X=2; fi
    if [ "$GITHUB_REF_NAME" = main ]; then Y=1; else Y=2; fi
    databricks bundle deploy -t prod --var a=$X --var b=$Y
"""
    seen = see({"databricks.yml": BUNDLE, CI: github(steps, on="{push: {branches: [main, develop]}}")})
    assert seen.values("ci_deployments", "target") == ["churn/prod"]
    assert seen.values("ci_reach", "ref_class") == ["release", "other"]


def test_other_tools_reach_a_stage_by_what_their_commands_say() -> None:
    files = {
        "infra/main.tf": 'provider "databricks" {}\n',
        "net/main.tf": 'resource "azurerm_subnet" "x" {}\n',
        CI: github(
            """
- run: dbx deploy --environment prod
- run: databricks repos update --path /Repos/Staging/x --branch main
- run: databricks jobs create --json @job.json
- run: terraform -chdir=envs/prod apply
  working-directory: infra
- run: terraform apply
  working-directory: net
- run: databricks workspace import_dir src /Shared/x
  env: {DATABRICKS_TOKEN: "${{ secrets.PROD_DATABRICKS_TOKEN }}"}
"""
        ),
    }
    assert see(files).values("ci_deployments", "tool", "target", "target_name", "action") == [
        ("dbx", "repository/prod", "prod", "deploy"),
        ("cli", "repository/staging", "staging", "deploy"),
        ("cli", None, None, "deploy"),
        ("terraform", "repository/prod", "prod", "deploy"),
        ("cli", "repository/prod", "prod", "deploy"),
    ]


def test_a_model_that_is_downloaded_and_registered_elsewhere_is_copied() -> None:
    download = "- run: mlflow artifacts download -u models:/churn/3 -d model"
    assert see({CI: github(download)}).rows("ci_steps") == []
    both = f"{download}\n- run: python register.py"
    assert see({CI: github(both)}).values("ci_steps", "kind") == ["model_copy"]


def test_lines_of_commands() -> None:
    workflow = github("- name: deploy\n  run: |\n    echo\n    databricks bundle deploy -t prod")
    (row,) = see({"databricks.yml": BUNDLE, CI: workflow}).rows("ci_deployments")
    assert row.origin is not None
    assert workflow.splitlines()[(row.origin.line or 0) - 1].strip() == "databricks bundle deploy -t prod"


def test_the_jobs_of_several_systems_stand_side_by_side() -> None:
    files = {
        "databricks.yml": BUNDLE,
        CI: github("- run: pytest"),
        "azure-pipelines.yml": "trigger: [main]\nsteps:\n  - script: databricks bundle validate -t prod\n",
        ".gitlab-ci.yml": "deploy:\n  script: databricks bundle deploy -t prod\n",
    }
    seen = see(files)
    assert seen.values("ci_steps", "kind") == ["unit_test", "bundle_validate", "bundle_deploy"]
    assert seen.values("ci_jobs", "head_state") == ["branch", "detached", "detached"]


@pytest.mark.parametrize(
    ("run", "files", "kinds"),
    [
        ("pytest", {}, ["unit_test"]),  # there is no code to test here
        ("pytest", {"src/a.py": ""}, []),
        ("python -m pytest --cov", {"src/a.py": ""}, []),
        ("pytest", {"src/a.py": "", "tests/test_a.py": ""}, ["unit_test"]),
        ("pytest", {"src/a.py": "", "src/a_test.py": ""}, ["unit_test"]),
        ("pytest", {"src/a.py": "", "specs/a.py": "", "pytest.ini": "[pytest]\n"}, ["unit_test"]),
        ("pytest", {"src/a.py": "", "checks/a.py": "", "pytest.ini": "[pytest]\npython_files = checks/*.py\n"}, ["unit_test"]),
        ("pytest --doctest-modules", {"src/a.py": ""}, ["unit_test"]),
        ("sbt test", {"src/a.py": ""}, ["unit_test"]),
        ("pytest", {"src/a.py": "", ".gitmodules": ""}, ["unit_test"]),
    ],
)
def test_pytest_that_finds_no_test_tests_nothing(run: str, files: dict[str, str], kinds: list[str]) -> None:
    assert see({CI: github(f"- run: {run}"), **files}).values("ci_steps", "kind") == kinds
