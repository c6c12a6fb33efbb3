from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.sources.ci.pipeline_reading import (
    BY_HAND,
    BY_HAND_ON_MAIN,
    FEATURE,
    MAIN,
    PULL_REQUEST,
    answers,
    azure_all,
    azure_one,
    job,
    names,
    only,
)

from lakewarden.sources.repository.ci.workflow import HOLE, Situation

if TYPE_CHECKING:
    from pathlib import Path

    from lakewarden.sources.repository.ci.workflow import Workflow

DEPLOY = """
    parameters:
    - name: target
      type: string
    - name: validate
      type: boolean
      default: true
    steps:
    - ${{ if parameters.validate }}:
      - script: databricks bundle validate -t ${{ parameters.target }}
    - script: databricks bundle deploy -t ${{ parameters.target }}
    """


def texts(workflow: Workflow) -> list[str]:
    return [step.text for one in workflow.jobs for step in one.steps]


def test_templates_of_steps_jobs_stages_and_variables(tmp_path: Path) -> None:
    text = """
        trigger: [main]
        variables:
        - template: templates/names.yml
        stages:
        - template: templates/stage.yml
          parameters: {name: prod}
        """
    names_ = "variables: {bundle: churn}\n"
    stage = """
        parameters: [{name: name}]
        stages:
        - stage: deploy_${{ parameters.name }}
          jobs:
          - template: job.yml
            parameters:
              target: ${{ parameters.name }}
        """
    job_ = """
        parameters: [{name: target}]
        jobs:
        - job: deploy
          steps:
          - template: deploy.yml
            parameters:
              target: ${{ parameters.target }}
              validate: false
        """
    workflow = azure_one(tmp_path, text, names=names_, stage=stage, job=job_, deploy=DEPLOY)
    assert names(workflow) == ["deploy_prod.deploy"]
    (step,) = only(workflow).steps
    assert step.text == "databricks bundle deploy -t prod"
    assert (step.origin.path, step.text_line) == ("templates/deploy.yml", 11)
    assert step.environ == {"BUNDLE": "churn"}


def test_paths_are_relative_to_the_file_or_from_the_root(tmp_path: Path) -> None:
    files = {
        "ci/azure-pipelines.yml": r"""
            trigger: [main]
            steps:
            - template: ..\shared\a.yml
            - template: /ci/b.yml@self
            """,
        "shared/a.yml": "steps: [{script: a}]\n",
        "ci/b.yml": "steps: [{script: b}]\n",
    }
    assert texts(azure_all(tmp_path, files)[0]) == ["a", "b"]


def test_conditions_and_loops(tmp_path: Path) -> None:
    text = """
        trigger: [main]
        parameters:
        - name: targets
          type: object
          default: [dev, prod]
        - name: extra
          type: stepList
          default:
          - script: extra
        steps:
        - ${{ each target in parameters.targets }}:
          - ${{ if eq(target, 'dev') }}:
            - script: small ${{ target }}
          - ${{ elseif eq(target, 'test') }}:
            - script: none
          - ${{ else }}:
            - script: large ${{ target }}
        - ${{ parameters.extra }}
        - script: last
          ${{ if ne(length(parameters.targets), 2) }}:
            condition: failed()
          ${{ else }}:
            env:
              ${{ each pair in parameters.targets }}:
                T_${{ pair }}: ${{ upper(pair) }}
        """
    workflow = azure_one(tmp_path, text)
    assert texts(workflow) == ["small dev", "large prod", "extra", "last"]
    assert only(workflow).steps[-1].environ == {"T_dev": "DEV", "T_prod": "PROD"}


def test_extends(tmp_path: Path) -> None:
    text = """
        trigger: [main]
        variables: {a: "1"}
        extends:
          template: templates/base.yml
          parameters:
            deploy:
            - script: databricks bundle deploy -t prod
        """
    base = """
        parameters: [{name: deploy, type: stepList, default: []}]
        variables: {b: "2"}
        stages:
        - stage: S
          jobs:
          - job: J
            steps: ["${{ parameters.deploy }}"]
        """
    workflow = azure_one(tmp_path, text, base=base)
    assert texts(workflow) == ["databricks bundle deploy -t prod"]
    assert only(workflow).environ == {"A": "1", "B": "2"}


BY_BRANCH = """
    trigger: ['*']
    variables:
      ${{ if eq(variables['Build.SourceBranchName'], 'main') }}:
        target: prod
      ${{ else }}:
        target: dev
    jobs:
    - job: deploy
      steps:
      - script: databricks bundle deploy -t $(target)
    - ${{ if eq(variables['Build.SourceBranch'], 'refs/heads/main') }}:
      - job: after
        dependsOn: deploy
        steps: [{script: echo done}]
    """


def test_what_depends_on_the_branch_when_templates_are_expanded(tmp_path: Path) -> None:
    workflow = azure_one(tmp_path, BY_BRANCH)
    assert workflow.refs == ("refs/heads/main",)
    found = {one.steps[0].text: answers(one, MAIN, FEATURE, BY_HAND, BY_HAND_ON_MAIN) for one in workflow.jobs}
    assert found == {
        "databricks bundle deploy -t prod": [True, False, False, True],
        "databricks bundle deploy -t dev": [False, True, True, False],
        "echo done": [True, False, False, True],
    }
    assert job(workflow, "after").needs == ("deploy [refs/heads/main]",)


def test_what_is_chosen_by_hand_is_a_job_of_its_own(tmp_path: Path) -> None:
    text = """
        trigger: [main]
        pr: none
        parameters:
        - name: target
          default: dev
          values: [dev, prod]
        steps:
        - script: databricks bundle deploy -t ${{ parameters.target }}
        """
    workflow = azure_one(tmp_path, text)
    assert names(workflow) == ["job", "job [target=prod]"]
    assert [answers(one, MAIN, BY_HAND) for one in workflow.jobs] == [[True, True], [False, True]]
    assert texts(workflow) == ["databricks bundle deploy -t dev", "databricks bundle deploy -t prod"]


def test_a_choice_that_a_condition_asks_for(tmp_path: Path) -> None:
    text = """
        trigger: [main]
        pr: none
        parameters: [{name: deploy, type: boolean, default: false}]
        jobs:
        - job: test
          steps: [{script: pytest}]
        - job: prod
          condition: and(succeeded(), eq('${{ parameters.deploy }}', 'True'))
          steps: [{script: databricks bundle deploy -t prod}]
        """
    workflow = azure_one(tmp_path, text)
    assert {one.name: answers(one, MAIN, BY_HAND) for one in workflow.jobs} == {
        "test": [True, True],
        "prod": [False, True],
    }


def test_free_text_is_known_only_for_starts_that_nobody_chooses(tmp_path: Path) -> None:
    text = """
        trigger: [main]
        pr: none
        parameters: [{name: target, default: dev}]
        steps: [{script: "databricks bundle deploy -t ${{ parameters.target }}"}]
        """
    workflow = azure_one(tmp_path, text)
    assert texts(workflow) == ["databricks bundle deploy -t dev", f"databricks bundle deploy -t {HOLE}"]
    assert [one.can_run(MAIN) for one in workflow.jobs] == [True, False]


def test_many_choices_are_tried_one_by_one(tmp_path: Path) -> None:
    flags = "\n".join(f"- {{name: f{number}, type: boolean, default: false}}" for number in range(12))
    text = f"trigger: [main]\nparameters:\n{flags}\njobs:\n- job: prod\n  condition: eq('${{{{ parameters.f7 }}}}', 'True')\n  steps: [{{script: x}}]\n"
    found = {one.name: answers(one, MAIN, BY_HAND) for one in azure_one(tmp_path, text).jobs}
    assert list(found.values()) == [[False, True], [False, None]]


def test_a_condition_that_is_not_known_leaves_both_branches_open(tmp_path: Path) -> None:
    text = """
        trigger: [main]
        variables:
          ${{ if eq(variables['Agent.Name'], 'x') }}:
            target: prod
          ${{ else }}:
            target: dev
        jobs:
        - ${{ if eq(variables['of.a.group'], 'x') }}:
          - job: a
            steps: [{script: a}]
        - ${{ else }}:
          - job: b
            steps: [{script: b}]
        - job: c
          steps:
          - ${{ if eq(variables['of.a.group'], 'x') }}:
            - script: maybe
          - script: deploy $(target)
        """
    workflow = azure_one(tmp_path, text)
    assert [one.can_run(MAIN) for one in workflow.jobs] == [None, None, True]
    maybe, deploy = job(workflow, "c").steps
    assert (maybe.can_run(MAIN), deploy.can_run(MAIN)) == (None, True)
    assert deploy.text == f"deploy {HOLE}"


def test_templates_of_other_repositories_are_told(tmp_path: Path) -> None:
    text = """
        trigger: [main]
        resources: {repositories: [{repository: shared, type: git, name: org/shared}]}
        jobs:
        - template: jobs.yml@shared
        - job: a
          steps:
          - template: steps.yml@shared
          - script: x
        """
    workflow = azure_one(tmp_path, text)
    (unread,) = workflow.unread
    assert (unread.cause, unread.origin.line) == ("not-asked", 5)
    assert "'shared'" in unread.reason
    (in_job,) = only(workflow).unread
    assert in_job.cause == "not-asked"
    assert texts(workflow) == ["x"]


@pytest.mark.parametrize("name", ["nothing.yml", "${{ variables.other }}.yml", "broken.yml", "steps.yml"])
def test_a_template_that_cannot_be_read_costs_nothing_else(tmp_path: Path, name: str) -> None:
    files = {
        "azure-pipelines.yml": f"trigger: [main]\njobs:\n- template: {name}\n- job: good\n  steps: [{{script: x}}]\n",
        "broken.yml": "jobs: [\n",
        "steps.yml": "steps: [{script: y}]\n",
    }
    workflow = next(one for one in azure_all(tmp_path, files) if one.path == "azure-pipelines.yml")
    assert names(workflow) == ["good"]
    assert len(workflow.unread) == 1
    assert "\n" not in workflow.unread[0].reason


def test_templates_in_a_circle_end(tmp_path: Path) -> None:
    text = "trigger: [main]\nsteps:\n- template: templates/a.yml\n"
    circle = "steps:\n- template: a.yml\n- template: a.yml\n"
    workflow = azure_one(tmp_path, text, a=circle)
    assert (workflow.jobs, workflow.events) == ((), None)
    assert workflow.unread[0].cause == "failed"


def test_a_loop_that_grows_ends(tmp_path: Path) -> None:
    items = ", ".join(str(number) for number in range(60))
    loop = "- ${{ each a in parameters.many }}:\n  - ${{ each b in parameters.many }}:\n    - ${{ each c in parameters.many }}:\n      - script: x\n"
    text = f"trigger: [main]\nparameters: [{{name: many, type: object, default: [{items}]}}]\nsteps:\n{loop}"
    assert azure_one(tmp_path, text).unread[0].cause == "failed"


def test_a_parameter_that_is_not_given_is_not_known(tmp_path: Path) -> None:
    text = "trigger: [main]\nsteps:\n- template: templates/deploy.yml\n"
    assert texts(azure_one(tmp_path, text, deploy=DEPLOY)) == [
        f"databricks bundle validate -t {HOLE}",
        f"databricks bundle deploy -t {HOLE}",
    ]


def test_parameters_as_a_map_and_values_of_a_map(tmp_path: Path) -> None:
    text = """
        trigger: [main]
        steps:
        - template: templates/old.yml
          parameters:
            config: {target: prod, flags: [--force, --auto-approve]}
        """
    old = """
        parameters:
          config: {}
          tool: databricks
        steps:
        - script: ${{ parameters.tool }} bundle deploy -t ${{ parameters.config.target }} ${{ join(' ', parameters.config.flags) }}
        - ${{ each pair in parameters.config }}:
          - script: ${{ pair.key }}
        """
    assert texts(azure_one(tmp_path, text, old=old)) == [
        "databricks bundle deploy -t prod --force --auto-approve",
        "target",
        "flags",
    ]


def test_pull_requests_and_their_target_in_templates(tmp_path: Path) -> None:
    text = """
        trigger: [main]
        jobs:
        - ${{ if eq(variables['System.PullRequest.TargetBranch'], 'refs/heads/main') }}:
          - job: check
            steps: [{script: pytest}]
        - ${{ if ne(variables['Build.Reason'], 'PullRequest') }}:
          - job: deploy
            steps: [{script: databricks bundle deploy}]
        """
    workflow = azure_one(tmp_path, text)
    assert workflow.bases == ("main",)
    assert {one.name: answers(one, PULL_REQUEST, MAIN) for one in workflow.jobs} == {
        "check": [True, False],
        "deploy": [False, True],
    }


def test_more_outcomes_than_are_followed_are_told(tmp_path: Path) -> None:
    flags = "\n".join(f"- {{name: f{number}, type: boolean, default: false}}" for number in range(4))
    branches = ", ".join(f"'b{number}'" for number in range(45))
    text = f"trigger: [main]\nparameters:\n{flags}\nsteps:\n- ${{{{ if in(variables['Build.SourceBranchName'], {branches}) }}}}:\n  - script: a\n- script: b\n"
    workflow = azure_one(tmp_path, text)
    assert [unread.cause for unread in workflow.unread] == ["unresolved"]
    assert [one.steps[-1].text for one in workflow.jobs] == ["b", "b"]
    assert all(
        one.can_run(Situation("manual", f"refs/heads/x/{number}")) is not True for one in workflow.jobs for number in range(3)
    )
