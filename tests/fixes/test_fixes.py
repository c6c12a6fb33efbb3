"""Each safe fix, on real files: what it writes, that its rule is then satisfied, and what it leaves alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
from tests.running import CHECKOUT, commit, git, inside, write

from lakewarden.fixes.registry import BY_CONDITION
from lakewarden.judge.catalogue import load_rules

if TYPE_CHECKING:
    from pathlib import Path

DEV = """\
bundle:
  name: churn
targets:
  dev:
    mode: development
    default: true
"""
PROD = (
    DEV
    + """\
  prod:
    mode: production
    git:
      branch: main
"""
)
DEPLOY = "      - run: databricks bundle deploy -t prod\n"
WORKFLOW = """\
on:
  push:
  workflow_dispatch:
jobs:
  deploy:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
"""
TRAINING = """\
resources:
  jobs:
    train:
      name: train
      tasks:
        - task_key: train
          spark_python_task:
            python_file: train.py
"""
CLUSTER = """\
          new_cluster: # small
            spark_version: 15.4.x-cpu-ml-scala2.12
            num_workers: 1
"""
TRAIN = {"train.py": "import mlflow\n\nwith mlflow.start_run():\n    mlflow.sklearn.log_model(fit(), name='m')\n"}
DEPLOYMENT = """\
resources:
  jobs:
    approve:
      name: approve
      max_concurrent_runs: 4 # too many
      run_as:
        service_principal_name: 11111111-2222-3333-4444-555555555555
      tasks:
        - task_key: approval
          max_retries: 3
          notebook_task:
            notebook_path: approve.py
            base_parameters:
              model_name: "{{job.parameters.model_name}}"
              model_version: "{{job.parameters.model_version}}"
"""


class Case(NamedTuple):
    """A rule, with the conditions that the file violates before, and the lines that the fix takes and brings."""

    code: str
    conditions: tuple[str, ...]
    files: dict[str, str]
    gone: tuple[str, ...]
    new: tuple[str, ...]


CASES = {
    "a production target without a mode": Case(
        "ENV004",
        ("production_mode",),
        {"databricks.yml": DEV + "  prod:\n    # Deployed by CI.\n    git: {branch: main}\n"},
        (),
        ("    mode: production",),
    ),
    "a development target without a mode": Case(
        "ENV004",
        ("development_mode",),
        {"databricks.yml": PROD.replace("    mode: development\n", "")},
        (),
        ("    mode: development",),
    ),
    "a target with nothing in it": Case(
        "ENV004",
        ("production_mode",),
        {"databricks.yml": DEV + "  prod: # later\n"},
        (),
        ("    mode: production",),
    ),
    "a target in braces": Case(
        "ENV004",
        ("production_mode",),
        {"databricks.yml": DEV + "  prod: { git: {branch: main} } # short\n"},
        ("  prod: { git: {branch: main} } # short",),
        ("  prod: { mode: production, git: {branch: main} } # short",),
    ),
    "production is the default": Case(
        "ENV012",
        ("ok",),
        {"databricks.yml": PROD.replace("    default: true\n", "") + "    default: true\n"},
        ("    default: true",),
        ("    default: true",),
    ),
    "production is the default, with a comment": Case(
        "ENV012",
        ("ok",),
        {"databricks.yml": PROD.replace("default: true", "default: false") + "    default: true # no -t needed\n"},
        ("    default: false", "    default: true # no -t needed"),
        ("    default: true", "    default: false # no -t needed"),
    ),
    "a target that any branch deploys": Case(
        "GIT003",
        ("pinned",),
        {"databricks.yml": DEV + "  prod:\n    mode: production\n"},
        (),
        ("    git:", "      branch: main"),
    ),
    "a target whose git names no branch": Case(
        "GIT003",
        ("pinned",),
        {"databricks.yml": DEV + "  prod:\n    mode: production\n    git:\n      origin_url: https://example.com/churn\n"},
        (),
        ("      branch: main",),
    ),
    "a job that deploys production from any branch": Case(
        "GIT002",
        ("released",),
        {"databricks.yml": PROD, ".github/workflows/cd.yml": WORKFLOW.replace("  push:\n", "") + DEPLOY},
        (),
        ("    if: github.ref == 'refs/heads/main'",),
    ),
    "a branch that only CI names": Case(
        "GIT003",
        ("pinned",),
        {
            "databricks.yml": DEV + "  prod:\n    mode: production\n",
            ".github/workflows/cd.yml": WORKFLOW.replace("  push:\n", "  push: {branches: [release]}\n") + DEPLOY,
        },
        (),
        ("    git:", "      branch: release"),
    ),
    "a job that the release branch and people start": Case(
        "GIT002",
        ("released",),
        {
            "databricks.yml": PROD,
            ".github/workflows/cd.yml": WORKFLOW.replace("  push:\n", "  push: {branches: ['release']}\n") + DEPLOY,
        },
        (),
        ("    if: github.ref == 'refs/heads/release'",),
    ),
    "a job whose environment is called like a branch": Case(
        "GIT003",
        ("pinned",),
        {
            "databricks.yml": DEV + "  prod:\n    mode: production\n",
            ".github/workflows/cd.yml": WORKFLOW.replace("  push:\n", "")
            + DEPLOY.replace("  - run", "  - if: inputs.env == 'prod' && github.ref == 'refs/heads/main'\n        run")
            + "    environment: prod\n",
        },
        (),
        ("    git:", "      branch: main"),
    ),
    "a script of GitLab": Case(
        "GIT004",
        ("needed",),
        {
            "databricks.yml": PROD,
            ".gitlab-ci.yml": "deploy:\n  script:\n    # ship it\n    - databricks bundle deploy -t prod\n"
            '  rules:\n    - if: $CI_COMMIT_BRANCH == "main"\n',
        },
        (),
        ('    - git checkout -B "$CI_COMMIT_BRANCH"',),
    ),
    "a script of GitLab of several lines": Case(
        "GIT004",
        ("needed",),
        {
            "databricks.yml": PROD,
            ".gitlab-ci.yml": "deploy:\n  script:\n    - |\n      set -e\n      databricks bundle deploy -t prod\n"
            '  rules:\n    - if: $CI_COMMIT_BRANCH == "main"\n',
        },
        (),
        ('      git checkout -B "$CI_COMMIT_BRANCH"',),
    ),
    "a step of Azure Pipelines": Case(
        "GIT004",
        ("attached",),
        {
            "databricks.yml": PROD,
            "azure-pipelines.yml": "trigger: [main]\nsteps:\n  - checkout: self\n  - script: databricks bundle deploy -t prod\n",
        },
        (),
        ('  - bash: git checkout -B "${BUILD_SOURCEBRANCH#refs/heads/}"',),
    ),
    "everybody manages production": Case(
        "GIT008",
        ("not_people",),
        {"databricks.yml": PROD + "    permissions:\n      - group_name: users\n        level: 'CAN_MANAGE'\n"},
        ("        level: 'CAN_MANAGE'",),
        ("        level: 'CAN_VIEW'",),
    ),
    "everybody edits the runs of production": Case(
        "TRK006",
        ("ok",),
        {
            "databricks.yml": PROD
            + "    resources:\n      experiments:\n        churn:\n          name: /Shared/churn\n"
            + "          permissions: [{group_name: users, level: CAN_EDIT}]\n"
        },
        ("          permissions: [{group_name: users, level: CAN_EDIT}]",),
        ("          permissions: [{group_name: users, level: CAN_READ}]",),
    ),
    "a training task with a cluster of its own": Case(
        "TRK002",
        ("found_later",),
        {"databricks.yml": PROD + TRAINING + CLUSTER, **TRAIN},
        (),
        (
            "            spark_env_vars:",
            """              MLFLOW_RUN_CONTEXT: '{"mlflow.source.git.commit":"${bundle.git.commit}"}'""",
        ),
    ),
    "a training task with a cluster of its job": Case(
        "TRK002",
        ("on_the_run",),
        {
            "databricks.yml": PROD
            + "experimental:\n  record_deployment_history: true\n"
            + TRAINING
            + "          job_cluster_key: small\n      job_clusters:\n        - job_cluster_key: small\n"
            + CLUSTER
            + "            spark_env_vars:\n              STAGE: ${bundle.target}\n",
            **TRAIN,
        },
        (),
        ("""              MLFLOW_RUN_CONTEXT: '{"mlflow.source.git.commit":"${bundle.git.commit}"}'""",),
    ),
    "a deployment job without parameters, that runs and asks again": Case(
        "REG009",
        ("takes_model", "takes_version", "runs_alone", "asks_once"),
        {"databricks.yml": PROD + DEPLOYMENT, "approve.py": "print('approved')\n"},
        ("      max_concurrent_runs: 4 # too many", "          max_retries: 3"),
        (
            "      parameters:",
            "        - name: model_name",
            '          default: ""',
            "        - name: model_version",
            '          default: ""',
            "      max_concurrent_runs: 1 # too many",
            "          max_retries: 0",
        ),
    ),
}


def found(folder: Path, code: str) -> dict[str, int]:
    """How often each condition of a rule is violated."""
    ran = inside(folder, "lint", "--select", code, "--output-format", "json", "--profile", "strict")
    conditions = [f["condition"] for f in ran.json["findings"] if f["verdict"] == "fail" and f["code"] == code]
    return {name: conditions.count(name) for name in conditions}


def changed(folder: Path) -> tuple[list[str], list[str]]:
    """The lines that were taken and that came, of all files."""
    patch = git(folder, "diff", "--unified=0", "--no-color").splitlines()
    lines = [line for line in patch if line[:1] in "+-" and not line.startswith(("+++", "---"))]
    return sorted(line[1:] for line in lines if line[0] == "-"), sorted(line[1:] for line in lines if line[0] == "+")


@pytest.mark.parametrize("name", CASES)
def test_a_fix_satisfies_its_rule_and_changes_nothing_else(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    write(tmp_path, case.files)
    commit(tmp_path)
    assert list(found(tmp_path, case.code)) == [case.conditions[0]]
    ran = inside(tmp_path, "lint", "--fix", "--select", case.code, "--profile", "strict")
    assert (ran.err.count("fixed: "), ran.err.count("left: ")) == (len(case.conditions), 0), ran.err
    assert found(tmp_path, case.code) == {}
    assert changed(tmp_path) == (sorted(case.gone), sorted(case.new))
    after = {path: (tmp_path / path).read_bytes() for path in case.files}
    again = inside(tmp_path, "lint", "--fix", "--select", case.code, "--profile", "strict")
    assert again.err == "no safe fix to make\n"
    assert {path: (tmp_path / path).read_bytes() for path in case.files} == after


def test_each_condition_that_a_rule_calls_fixable_has_a_fix_with_a_test() -> None:
    told = {(rule.code, condition) for rule in load_rules().values() for condition in rule.fixable}
    assert told == set(BY_CONDITION) == {(case.code, condition) for case in CASES.values() for condition in case.conditions}
    for rule in load_rules().values():
        assert set(rule.fixable) <= {condition for query in rule.queries for condition in query.conditions}


def test_the_documentation_lists_each_of_them() -> None:
    page = (CHECKOUT / "docs" / "fixes.md").read_text()
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| [")]
    told = {(row[0][3:].partition("]")[0], condition.strip("`")) for row in rows for condition in row[1].split(", ")}
    assert told == set(BY_CONDITION)


LEFT = {
    "another mode is named": (
        "ENV004",
        {"databricks.yml": DEV + "  prod:\n    mode: development\n"},
        "it names another mode",
    ),
    "presets stand for a mode": (
        "ENV004",
        {"databricks.yml": PROD.replace("    mode: development\n", "    presets: {name_prefix: dev_}\n")},
        "it has presets",
    ),
    "development mode would rename a model": (
        "ENV004",
        {
            "databricks.yml": PROD.replace("    mode: development\n", "")
            + "resources:\n  registered_models:\n    m: {name: m, catalog_name: dev, schema_name: ml}\n"
        },
        "would put a prefix before the name",
    ),
    "production mode would refuse a pipeline": (
        "ENV004",
        {"databricks.yml": DEV + "  prod:\nresources:\n  pipelines:\n    p: {name: p, development: true}\n"},
        "production mode refuses pipelines in development mode",
    ),
    "there are two development targets": (
        "ENV012",
        {
            "databricks.yml": PROD.replace("    default: true\n", "    default: false\n")
            + "    default: true\n  dev2: {mode: development}\n"
        },
        "the bundle has 2 development targets",
    ),
    "CI deploys from two branches": (
        "GIT003",
        {
            "databricks.yml": DEV + "  prod:\n    mode: production\n",
            ".github/workflows/cd.yml": WORKFLOW.replace("  push:\n", "  push: {branches: [main, release]}\n") + DEPLOY,
        },
        "main and release are released from",
    ),
    "two branches are released from": (
        "GIT003",
        {"databricks.yml": DEV + "  prod:\n    mode: production\n", "BRANCH": "release"},
        "main and release are released from",
    ),
    "an anchor that others share": (
        "GIT003",
        {"databricks.yml": DEV + "  prod: &prod\n    mode: production\n  prod_eu: *prod\n"},
        "an alias to it",
    ),
    "the pin would be idle": (
        "GIT003",
        {
            "databricks.yml": DEV + "  prod:\n    mode: production\n",
            ".gitlab-ci.yml": "deploy:\n  script:\n    - databricks bundle deploy -t prod\n"
            '  rules:\n    - if: $CI_COMMIT_BRANCH == "main"\n',
        },
        "the change would violate GIT004",
    ),
    "the job deploys other stages too": (
        "GIT002",
        {"databricks.yml": PROD, ".github/workflows/cd.yml": WORKFLOW + DEPLOY + DEPLOY.replace("prod", "dev")},
        "its job deploys other stages too",
    ),
    "the job has a condition": (
        "GIT002",
        {
            "databricks.yml": PROD,
            ".github/workflows/cd.yml": WORKFLOW.replace("    runs-on", "    if: always()\n    runs-on") + DEPLOY,
        },
        "its job has a condition already",
    ),
    "the job runs for tags": (
        "GIT002",
        {
            "databricks.yml": PROD,
            ".github/workflows/cd.yml": WORKFLOW.replace("  push:\n", "  push: {tags: ['x*'], branches: [main]}\n") + DEPLOY,
        },
        "its job runs for tags",
    ),
    "the pipeline runs for tags": (
        "GIT004",
        {"databricks.yml": PROD, ".gitlab-ci.yml": "deploy:\n  script:\n    - databricks bundle deploy -t prod\n"},
        "have no branch to attach",
    ),
    "a person has the right": (
        "GIT008",
        {"databricks.yml": PROD + "    permissions:\n      - user_name: ann@example.com\n        level: CAN_MANAGE\n"},
        "only you know",
    ),
    "the right is given in every target": (
        "TRK006",
        {
            "databricks.yml": PROD
            + "resources:\n  experiments:\n    churn:\n      name: /Shared/churn\n"
            + "      permissions: [{group_name: users, level: CAN_EDIT}]\n"
        },
        "given in every target",
    ),
    "a task without a cluster": (
        "TRK002",
        {"databricks.yml": PROD + TRAINING, **TRAIN},
        "its task names no cluster",
    ),
}


@pytest.mark.parametrize("name", LEFT)
def test_what_is_no_clear_case_is_left_and_said(tmp_path: Path, name: str) -> None:
    code, files, reason = LEFT[name]
    branch = files.pop("BRANCH", None)
    write(tmp_path, files)
    commit(tmp_path)
    if branch:
        git(tmp_path, "branch", branch)
    ran = inside(tmp_path, "lint", "--fix", "--select", code, "--profile", "strict")
    assert reason in ran.err, ran.err
    assert "no safe fix to make" in ran.err
    assert git(tmp_path, "status", "--porcelain") == ""
    files |= {"BRANCH": branch} if branch else {}


def test_one_fix_makes_room_for_another_and_a_second_run_finds_nothing(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "databricks.yml": DEV + "  prod:\n    mode: production\n",
            ".github/workflows/cd.yml": WORKFLOW.replace("push:", "push: {branches: ['**']}") + DEPLOY,
        },
    )
    commit(tmp_path)
    # A push of any branch deploys it, so a pin would refuse most of them: until the job has its condition.
    ran = inside(tmp_path, "lint", "--fix", "--select", "GIT003,GIT002")
    assert ran.err.count("fixed: ") == 2, ran.err
    assert changed(tmp_path) == ([], ["      branch: main", "    git:", "    if: github.ref == 'refs/heads/main'"])
    assert inside(tmp_path, "lint", "--fix", "--select", "GIT003,GIT002").err == "no safe fix to make\n"
