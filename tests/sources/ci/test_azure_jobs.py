from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.sources.ci.pipeline_reading import BY_HAND, FEATURE, MAIN, RELEASE, answers, azure_all, azure_one, job, names, only

from lakewarden.sources.repository.ci.workflow import HOLE

if TYPE_CHECKING:
    from pathlib import Path

    from lakewarden.sources.repository.ci.workflow import Step


def step(folder: Path, text: str, *, above: str = "") -> Step:
    """The one step of a pipeline."""
    (found,) = only(azure_one(folder, f"trigger: [main]\n{above}steps:\n{text}\n")).steps
    return found


STAGES = """
    trigger: [main, release]
    stages:
    - stage: Build
      jobs:
      - job: test
        steps: [{script: pytest}]
      - job: lint
        continueOnError: true
        steps: [{script: ruff check}]
    - stage: Staging
      condition: and(succeeded(), eq(variables['Build.SourceBranch'], 'refs/heads/main'))
      jobs:
      - deployment: deploy
        environment: staging
        strategy: {runOnce: {deploy: {steps: [{checkout: self}, {script: databricks bundle deploy -t staging}]}}}
    - stage: Prod
      dependsOn: Build
      condition: and(succeeded(), eq(variables['Build.SourceBranch'], 'refs/heads/release'))
      jobs:
      - deployment: deploy
        environment: {name: prod, resourceType: VirtualMachine}
        strategy: {runOnce: {deploy: {steps: [{checkout: self}, {script: databricks bundle deploy -t prod}]}}}
    - stage: Notify
      condition: always()
      jobs: [{job: mail, steps: [{script: mail}]}]
    """


def test_stages_wait_for_the_one_before_unless_they_say_otherwise(tmp_path: Path) -> None:
    workflow = azure_one(tmp_path, STAGES)
    assert {one.name: one.needs for one in workflow.jobs} == {
        "Build.test": (),
        "Build.lint": (),
        "Staging.deploy": ("Build.test",),
        "Prod.deploy": ("Build.test",),
        "Notify.mail": (),
    }
    assert {one.name: answers(one, MAIN, RELEASE, BY_HAND) for one in workflow.jobs} == {
        "Build.test": [True, True, True],
        "Build.lint": [True, True, True],
        "Staging.deploy": [True, False, False],
        "Prod.deploy": [False, True, False],
        "Notify.mail": [True, True, True],
    }
    assert [one.environment for one in workflow.jobs] == ["", "", "staging", "prod", ""]
    assert [one.environment_protected for one in workflow.jobs] == [False, False, None, None, False]
    assert [one.ignores_failure for one in workflow.jobs] == [False, True, False, False, False]


def test_a_stage_after_one_that_is_skipped_is_skipped(tmp_path: Path) -> None:
    text = """
        trigger: [main, release]
        stages:
        - stage: Dev
          condition: eq(variables['Build.SourceBranch'], 'refs/heads/main')
          jobs: [{job: a, steps: [{script: a}]}]
        - stage: Next
          jobs: [{job: b, steps: [{script: b}]}]
        - stage: Own
          condition: eq(variables['Build.SourceBranch'], 'refs/heads/release')
          jobs: [{job: c, steps: [{script: c}]}]
        - stage: Far
          jobs: [{job: d, steps: [{script: d}]}]
        """
    workflow = azure_one(tmp_path, text)
    assert {one.name: answers(one, MAIN, RELEASE) for one in workflow.jobs} == {
        "Dev.a": [True, False],
        "Next.b": [True, False],
        "Own.c": [False, True],
        "Far.d": [False, None],
    }
    assert job(workflow, "Own.c").needs == ()


def test_jobs_wait_for_those_that_they_name(tmp_path: Path) -> None:
    text = """
        trigger: [main]
        jobs:
        - job: a
          steps: [{script: a}]
        - job: b
          dependsOn: [a]
          steps: [{script: b}]
        - job: c
          dependsOn: [a, b]
          condition: eq(variables['Build.SourceBranchName'], 'main')
          steps: [{script: c}]
        - job: d
          dependsOn: c
          condition: failed()
          steps: [{script: d}]
        - job: loop
          dependsOn: loop
          steps: [{script: e}]
        """
    workflow = azure_one(tmp_path, text)
    assert [one.needs for one in workflow.jobs] == [(), ("a",), (), (), ("loop",)]
    assert [one.can_run(MAIN) for one in workflow.jobs] == [True, True, True, True, None]


def test_a_matrix_makes_a_job_for_each_combination(tmp_path: Path) -> None:
    text = """
        trigger: [main]
        jobs:
        - job: deploy
          strategy:
            matrix:
              dev: {target: dev}
              prod: {target: prod}
          steps: [{script: databricks bundle deploy -t $(target)}]
        - job: later
          dependsOn: deploy
          steps: [{script: x}]
        """
    workflow = azure_one(tmp_path, text)
    assert names(workflow) == ["deploy dev", "deploy prod", "later"]
    assert [one.steps[0].text for one in workflow.jobs[:2]] == [
        "databricks bundle deploy -t dev",
        "databricks bundle deploy -t prod",
    ]
    assert job(workflow, "later").needs == ("deploy dev", "deploy prod")


def test_a_matrix_that_is_not_known_leaves_its_variables_open(tmp_path: Path) -> None:
    text = """
        trigger: [main]
        jobs:
        - job: deploy
          strategy: {matrix: "$[ dependencies.x.outputs['y.z'] ]"}
          steps: [{script: databricks bundle deploy -t $(target)}]
        """
    assert only(azure_one(tmp_path, text)).steps[0].text == "databricks bundle deploy -t $(target)"


def test_every_hook_of_a_deployment_is_read(tmp_path: Path) -> None:
    text = """
        trigger: [main]
        jobs:
        - deployment: d
          environment: $(env)
          strategy:
            canary:
              increments: [10]
              preDeploy: {steps: [{script: one}]}
              deploy: {steps: [{script: two}]}
              routeTraffic: {steps: [{script: three}]}
              postRouteTraffic: {steps: [{script: four}]}
              on: {failure: {steps: [{script: five}]}, success: {steps: [{script: six}]}}
        """
    found = only(azure_one(tmp_path, text))
    assert [one.text for one in found.steps] == ["one", "two", "three", "four", "five", "six"]
    assert found.environment is None
    assert [one.folder for one in found.steps] == [None] * 6


def test_variables_of_pipeline_stage_and_job(tmp_path: Path) -> None:
    text = """
        trigger: [main]
        variables:
        - group: secrets
        - name: host
          value: https://a
        - name: bundle.name
          value: churn
        - name: late
          value: $[ variables['Build.Reason'] ]
        stages:
        - stage: S
          variables: {host: https://b}
          jobs:
          - job: J
            variables: {target: prod, url: "$(host)/x"}
            steps:
            - script: databricks bundle deploy -t $(target) --var "a=$(other)" --var "b=$(late)"
              env: {DATABRICKS_TOKEN: $(PROD_TOKEN), TARGET: $(target)}
        """
    found = only(azure_one(tmp_path, text))
    (one,) = found.steps
    assert one.text == f'databricks bundle deploy -t prod --var "a=$(other)" --var "b={HOLE}"'
    assert one.secrets == ("other",)
    common = {"HOST": "https://b", "BUNDLE_NAME": "churn", "LATE": HOLE, "TARGET": "prod", "URL": "https://b/x"}
    assert found.environ == common
    assert one.environ == {**common, "DATABRICKS_TOKEN": "$(PROD_TOKEN)"}


def test_a_variable_that_a_script_sets_is_not_known_afterwards(tmp_path: Path) -> None:
    text = """
        trigger: [main]
        variables: {target: dev}
        steps:
        - script: deploy $(target)
        - script: echo "##vso[task.setvariable variable=target]prod"
        - script: deploy $(target)
        """
    assert [one.text for one in only(azure_one(tmp_path, text)).steps][::2] == ["deploy dev", f"deploy {HOLE}"]


@pytest.mark.parametrize(
    ("written", "text", "shell", "line"),
    [
        ("- bash: |\n    a\n    b", "a\nb\n", "bash", 4),
        ("- pwsh: a", "a", "pwsh", 3),
        ("- script: a", "a", "", 3),
        ("- script: >\n    a\n    b", "a b\n", "", None),
        ("- task: Bash@3\n  inputs: {targetType: inline, script: a}", "a", "bash", 4),
        ("- task: CmdLine@2\n  inputs:\n    script: |\n      a\n", "a\n", "", 6),
        ("- task: Bash@3\n  inputs: {filePath: ci/deploy.sh, arguments: prod}",
         "bash $(System.DefaultWorkingDirectory)/ci/deploy.sh prod", "bash", None),
        ("- task: PowerShell@2\n  inputs: {targetType: filePath, filePath: .\\ci\\x.ps1, pwsh: true}",
         "pwsh $(System.DefaultWorkingDirectory)/ci/x.ps1", "pwsh", None),
        ("- task: AzureCLI@2\n  inputs: {scriptType: bash, scriptLocation: inlineScript, inlineScript: a}", "a", "bash", 4),
        ("- task: AzureCLI@2\n  inputs: {scriptType: pscore, scriptPath: $(Build.SourcesDirectory)/d.ps1}",
         "pwsh $(Build.SourcesDirectory)/d.ps1", "pwsh", None),
        ("- task: AzurePowerShell@5\n  inputs: {ScriptType: InlineScript, Inline: a}", "a", "pwsh", 4),
        ("- task: PythonScript@0\n  inputs: {scriptPath: x.py}", "python $(System.DefaultWorkingDirectory)/x.py", "", None),
    ],
)  # fmt: skip
def test_steps_that_run_a_script(tmp_path: Path, written: str, text: str, shell: str, line: int | None) -> None:
    found = step(tmp_path, written)
    assert (found.text, found.shell, found.text_line) == (text, shell, line)


def test_on_windows_a_script_runs_in_cmd(tmp_path: Path) -> None:
    assert step(tmp_path, "- script: dir", above="pool: {vmImage: windows-latest}\n").shell == "cmd"


def test_other_tasks_have_their_inputs(tmp_path: Path) -> None:
    found = step(
        tmp_path,
        "- task: TerraformTaskV4@4\n  inputs: {command: apply, workingDirectory: $(System.DefaultWorkingDirectory)/infra, commandOptions: -var-file=$(env).tfvars}",
    )
    assert (found.uses, found.text, found.folder) == ("TerraformTaskV4@4", "", "infra")
    assert found.inputs["command"] == "apply"
    assert found.secrets == ("env",)


@pytest.mark.parametrize(
    ("inputs", "text", "kind"),
    [("azureSubscription: prod-connection", "databricks bundle deploy", "oidc"),
     ("azureSubscription: prod-connection, addSpnToEnvironment: true", "export ARM_CLIENT_SECRET=$servicePrincipalKey", "azure_sp_secret"),
     ("azureSubscription: prod-connection, addSpnToEnvironment: true", "export T=$idToken", "oidc")],
)  # fmt: skip
def test_a_service_connection_is_a_login(tmp_path: Path, inputs: str, text: str, kind: str) -> None:
    found = step(tmp_path, f"- task: AzureCLI@2\n  inputs: {{{inputs}, scriptType: bash, inlineScript: '{text}'}}")
    assert [(login.name, login.kind) for login in found.logins] == [("prod-connection", kind)]
    assert ("servicePrincipalKey" in found.environ) is ("addSpn" in inputs)


@pytest.mark.parametrize(
    ("folder", "expected"),
    [("bundle", "bundle"), ("./a/../b", "b"), ("$(Build.SourcesDirectory)/bundle", "bundle"),
     ("$(System.DefaultWorkingDirectory)", ""), ("$(Pipeline.Workspace)/s/bundle", "bundle"),
     ("$(Pipeline.Workspace)/drop", None), ("$(other)", None), ("../x", None), ("/opt/x", None), ("C:\\x", None), ("a\\b", "a/b")],
)  # fmt: skip
def test_working_directories(tmp_path: Path, folder: str, expected: str | None) -> None:
    assert step(tmp_path, f"- script: x\n  workingDirectory: {folder}").folder == expected


@pytest.mark.parametrize(
    ("steps", "folder"),
    [("- checkout: self\n- script: x", ""), ("- checkout: none\n- script: x", None), ("- checkout: other\n- script: x", None),
     ("- checkout: self\n- checkout: other\n- script: x", None), ("- script: x", "")],
)  # fmt: skip
def test_the_repository_is_where_the_checkout_puts_it(tmp_path: Path, steps: str, folder: str | None) -> None:
    assert step(tmp_path, steps).folder == folder


@pytest.mark.parametrize(
    ("script", "head"),
    [("databricks bundle deploy", "detached"), ('git checkout -B "${BUILD_SOURCEBRANCH#refs/heads/}"', "branch"),
     ("git checkout main", "branch"), ("git fetch && git switch release", "branch"), ("git checkout -- file.txt", "detached"),
     ("git checkout $(Build.SourceVersion)", "detached"), ("git checkout origin/main", "detached"), ("git checkout tags/v1", "detached"),
     ("git switch --detach main", "detached"), ("git checkout $(Build.SourceBranchName)", "branch"), ("# git checkout main", "detached"),
     ("git checkout 0123456789abcdef", "detached"), ("git checkout main file.txt", "detached")],
)  # fmt: skip
def test_azure_checks_out_a_commit_without_branch(tmp_path: Path, script: str, head: str) -> None:
    text = f"trigger: [main]\nsteps:\n- script: |\n    {script}\n- script: databricks bundle deploy -t prod\n"
    assert only(azure_one(tmp_path, text)).head == head


def test_conditions_of_steps_and_failures_that_they_ignore(tmp_path: Path) -> None:
    text = """
        trigger: [main]
        variables: {soft: "true"}
        steps:
        - script: a
          condition: and(succeeded(), eq(variables['Build.SourceBranchName'], 'main'))
        - script: b
          continueOnError: $(soft)
        - script: c
          continueOnError: $(unknown)
        - script: d
          condition: failed()
        - script: e
          enabled: false
        """
    found = only(azure_one(tmp_path, text)).steps
    assert [one.text for one in found] == ["a", "b", "c", "d"]
    assert [one.can_run(MAIN) for one in found] == [True] * 4
    assert [one.can_run(FEATURE) for one in found] == [False, True, True, True]
    assert [one.ignores_failure for one in found] == [False, True, None, False]


def test_the_head_of_a_pull_request_checked_out_by_hand(tmp_path: Path) -> None:
    text = "trigger: [main]\nsteps:\n- script: git checkout $(System.PullRequest.SourceBranch)\n"
    assert only(azure_one(tmp_path, text)).checks_out_pr_head is True


def test_a_job_behind_an_approval_in_the_pipeline_is_protected(tmp_path: Path) -> None:
    text = """
        trigger: [main]
        stages:
        - stage: Ask
          jobs:
          - job: ask
            pool: server
            steps: [{task: ManualValidation@0, inputs: {notifyUsers: a@b}}]
        - stage: Prod
          jobs:
          - job: build
            steps: [{script: x}]
          - job: deploy
            dependsOn: build
            steps: [{script: databricks bundle deploy -t prod}]
        - stage: Free
          dependsOn: []
          jobs: [{job: other, steps: [{script: x}]}]
        - stage: Rude
          dependsOn: Ask
          condition: always()
          jobs: [{job: other, steps: [{script: x}]}]
        """
    workflow = azure_one(tmp_path, text)
    assert {one.name: one.environment_protected for one in workflow.jobs} == {
        "Ask.ask": False,
        "Prod.build": True,
        "Prod.deploy": True,
        "Free.other": False,
        "Rude.other": False,
    }


@pytest.mark.parametrize(
    ("variables", "of_stage", "expected"),
    [
        ("[{group: a}]", "", True),
        ("[{name: x, value: y}]", "", True),
        ("{x: y}", "", True),
        ("[{group: a}]", "variables: [{name: x, value: y}]", True),
        ("[{group: a}]", "variables: [{group: b}]", False),
        ("[{group: a}]", "variables: [{name: SECRET, value: $(SECRET_OF_A)}]", False),
        ("[{group: a}]", "variables: [{template: variables.yml}]", False),
        ("[{group: 'a-$(Build.SourceBranchName)'}]", "", False),
        ("[{'${{ if eq(variables.env, 1) }}': [{group: a}]}]", "", False),
    ],
)
def test_whether_variables_have_one_value_in_all_stages(tmp_path: Path, variables: str, of_stage: str, expected: bool) -> None:
    (workflow,) = azure_all(
        tmp_path,
        {
            "azure-pipelines.yml": f"""
            trigger: [main]
            variables: {variables}
            stages:
            - stage: a
              {of_stage}
              jobs: [{{job: j, steps: [{{script: x}}]}}]
            """,
        },
    )
    assert workflow.one_value is expected
