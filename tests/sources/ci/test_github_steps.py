from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.sources.ci.github_reading import (
    BY_HAND,
    FEATURE,
    MAIN,
    PULL_REQUEST,
    job,
    only,
    read,
    step,
)

from lakewarden.sources.repository.ci.workflow import HOLE, Situation

if TYPE_CHECKING:
    from pathlib import Path

    from lakewarden.sources.repository.ci.workflow import Job, Workflow


def steps(folder: Path, text: str, on: str = "on: push") -> Job:
    """A job of the steps that a text lists."""
    body = "\n".join(f"      {line}" for line in text.strip("\n").split("\n"))
    return only(read(folder, f"{on}\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n{body}\n"))


def runs(found: Job, *situations: Situation) -> list[list[bool | None]]:
    return [[one.can_run(situation) for situation in situations] for one in found.steps]


def test_conditions_of_steps(tmp_path: Path) -> None:
    found = steps(
        tmp_path,
        """
- {id: first, run: one}
- {run: two, if: "github.ref == 'refs/heads/main'"}
- {run: three, if: failure()}
- {run: four, if: "always() && github.event_name == 'push'"}
- {run: five, if: "steps.first.outputs.x == 'y'"}
- {run: six, if: "steps.first.outcome == 'success'"}
- {run: seven, if: "runner.os == 'Linux'"}
- {run: eight, if: "runner.os == 'Windows'"}
- {run: nine, if: "env.X == 'y'", env: {X: y}}
- {run: ten, if: "env.Y == 'y'"}
- {run: eleven, if: "success() || cancelled()"}
- {run: twelve, if: "!cancelled() && vars.X"}
- {run: thirteen, if: "env.S != ''", env: {S: '${{ secrets.S }}'}}
- {run: fourteen, if: "env.S == 'yes'", env: {S: '${{ secrets.S }}'}}
- {run: fifteen, if: "vars.HOST != '' && env.V == ''", env: {V: '${{ vars.V }}'}}
- {run: sixteen, if: "vars.HOST != '' && github.event_name == 'push'"}
""",
        "on: [push, pull_request]",
    )
    assert runs(found, MAIN, PULL_REQUEST) == [
        [True, True], [True, False], [True, True], [True, False], [None, None], [True, True], [True, True], [False, False],
        [True, True], [None, None], [True, True], [None, None], [True, True], [None, None], [None, None], [True, False],
    ]  # fmt: skip


def test_the_first_step_follows_no_failure(tmp_path: Path) -> None:
    assert runs(steps(tmp_path, "- {run: x, if: failure()}\n- {run: y, if: failure()}"), MAIN) == [[False], [True]]


def test_a_step_that_was_skipped(tmp_path: Path) -> None:
    found = steps(
        tmp_path,
        """
- {id: plan, run: one, if: "github.event_name == 'push'"}
- {run: two, if: "steps.plan.conclusion == 'skipped'"}
- {run: three, if: "steps.plan.outcome == 'success'"}
- {id: maybe, run: four, continue-on-error: true}
- {run: five, if: "steps.maybe.outcome == 'failure'"}
- {run: six, if: "steps.maybe.conclusion == 'success'"}
""",
        "on: [push, pull_request]",
    )
    assert runs(found, MAIN, PULL_REQUEST)[1:3] == [[False, True], [True, False]]
    assert runs(found, MAIN)[4:] == [[None], [True]]


def test_a_step_is_asked_only_where_its_job_runs(tmp_path: Path) -> None:
    workflow = read(
        tmp_path,
        """
        on: {workflow_dispatch: {inputs: {target: {type: choice, options: [dev, prod]}}}}
        jobs:
          a:
            if: inputs.target == 'prod'
            steps: [{run: x, if: inputs.target == 'dev'}]
        """,
    )
    assert only(workflow).can_run(BY_HAND) is True
    assert only(workflow).steps[0].can_run(BY_HAND) is False


def test_variables_of_workflow_job_and_step(tmp_path: Path) -> None:
    workflow = read(
        tmp_path,
        """
        on: push
        env: {A: workflow, B: workflow, C: workflow, N: 3, T: True, S: '${{ secrets.X }}'}
        jobs:
          a:
            env: {B: job, C: '${{ env.A }}-job'}
            steps:
              - run: ${{ env.A }} ${{ env.B }} ${{ env.C }} ${{ env.D }} ${{ env.S }}
                env: {C: step, D: "x${{ env.B }}", E: 'https://${{ vars.HOST }}/'}
              - run: after
        """,
    )
    found = only(workflow)
    shared = {"A": "workflow", "B": "job", "N": "3", "T": "true", "S": "${{ secrets.X }}"}
    assert found.environ == {**shared, "C": "workflow-job"}
    assert found.steps[0].environ == {**shared, "C": "step", "D": "xjob", "E": "https://${{ vars.HOST }}/"}
    assert found.steps[0].text == f"workflow job step xjob {HOLE}"
    assert found.steps[0].secrets == ("X",)
    assert found.steps[1].environ == found.environ


def test_secrets_and_settings_in_texts(tmp_path: Path) -> None:
    found = steps(
        tmp_path,
        """
- run: databricks configure --token ${{ secrets.DBX_TOKEN }} --host ${{ vars.HOST }} ${{ secrets[format('{0}_PAT', 'PROD')] }}
- {id: x, uses: acme/x@v1}
- uses: databricks/run-notebook@v0
  with: {databricks-token: '${{ secrets.TOKEN }}', git-commit: '${{ github.sha }}', path: 'a/${{ steps.x.outputs.y }}'}
""",
    )
    assert found.steps[0].text == f"databricks configure --token {HOLE} --host {HOLE} {HOLE}"
    assert found.steps[0].secrets == ("DBX_TOKEN", "PROD_PAT")
    assert found.steps[2].uses == "databricks/run-notebook@v0"
    assert found.steps[2].inputs == {
        "databricks-token": "${{ secrets.TOKEN }}", "git-commit": HOLE, "path": f"a/{HOLE}",
    }  # fmt: skip


def test_where_the_lines_of_a_text_stand(tmp_path: Path) -> None:
    found = steps(
        tmp_path,
        """
- run: one
- run: |
    two
    three
- run: >
    four
    five
- name: x
  run: 'six'
""",
    )
    assert [one.text_line for one in found.steps] == [6, 8, None, 14]
    assert [one.origin.line for one in found.steps] == [6, 7, 10, 13]


def test_shells(tmp_path: Path) -> None:
    workflow = read(
        tmp_path,
        """
        on: push
        defaults: {run: {shell: pwsh}}
        jobs:
          a: {steps: [{run: x}, {run: y, shell: python}, {run: z, shell: 'bash -e {0}'}]}
          b: {defaults: {run: {shell: sh}}, steps: [{run: x}]}
        """,
    )
    assert [one.shell for one in job(workflow, "a").steps] == ["pwsh", "python", "bash -e {0}"]
    assert [one.shell for one in job(workflow, "b").steps] == ["sh"]


# Folders.


def test_working_directories(tmp_path: Path) -> None:
    workflow = read(
        tmp_path,
        """
        on: push
        env: {SUB: bundle}
        defaults: {run: {working-directory: ./ml/}}
        jobs:
          a:
            steps:
              - {run: a}
              - {run: b, working-directory: other/../x}
              - {run: c, working-directory: .}
              - {run: d, working-directory: /tmp/x}
              - {run: e, working-directory: ../x}
              - {run: f, working-directory: '${{ env.SUB }}/y'}
              - {run: g, working-directory: '${{ vars.X }}'}
              - {run: h, working-directory: '${{ github.workspace }}/z'}
              - {run: i, working-directory: '${{ github.workspace }}'}
              - {run: j, working-directory: '{{ cookiecutter.x }}'}
              - {run: k, working-directory: '~/x'}
          b:
            defaults: {run: {working-directory: job}}
            steps: [{run: a}]
        """,
    )
    assert [one.folder for one in job(workflow, "a").steps] == [
        "ml", "x", "", None, None, "bundle/y", None, "z", "", None, None,
    ]  # fmt: skip
    assert [one.folder for one in job(workflow, "b").steps] == ["job"]


def test_a_nested_project_is_its_own_root(tmp_path: Path) -> None:
    from tests.sources.ci.github_reading import read_all

    text = """
    on: push
    defaults: {run: {working-directory: ./bundle}}
    jobs:
      a:
        steps: [{uses: actions/checkout@v4}, {run: a}, {run: b, working-directory: '.'}, {uses: ./.github/actions/x}]
    """
    action = "runs: {using: composite, steps: [{run: 'c ${{ github.action_path }}', shell: bash}]}\n"
    files = {"projects/one/.github/workflows/w.yml": text, "projects/one/.github/actions/x/action.yml": action}
    (workflow,) = read_all(tmp_path, files)
    assert [(one.text, one.folder) for one in only(workflow).steps][1:] == [
        ("a", "projects/one/bundle"), ("b", "projects/one"), ("c .github/actions/x", "projects/one"),
    ]  # fmt: skip


def test_the_folder_of_the_checkout_in_texts(tmp_path: Path) -> None:
    found = steps(
        tmp_path,
        """
- run: ${{ github.workspace }}/run.sh
  env: {HERE: '${{ github.workspace }}/x'}
- run: ${{ github.workspace }}/run.sh && cd $GITHUB_WORKSPACE
  working-directory: a/b
- run: ${{ github.workspace }}/run.sh
  working-directory: ${{ vars.X }}
""",
    )
    assert [one.text for one in found.steps] == ["./run.sh", "../../run.sh && cd $GITHUB_WORKSPACE", f"{HOLE}/run.sh"]
    assert found.steps[0].environ == {"HERE": "./x"}
    assert found.steps[1].environ == {"GITHUB_WORKSPACE": "../.."}


# Checkouts.


@pytest.mark.parametrize(
    ("ref", "head", "pull_request"),
    [
        (None, "branch", False),
        ("main", "branch", False),
        ("refs/heads/main", "branch", False),
        ("refs/tags/v1", "detached", False),
        ("v1.2.0", "detached", False),
        ("0123456789abcdef0123456789abcdef01234567", "detached", False),
        ("${{ github.sha }}", "detached", False),
        ("${{ github.ref }}", "branch", False),
        ("${{ github.ref_name }}", "branch", False),
        ("${{ github.event.pull_request.head.sha }}", "branch", True),
        ("${{ github.event.pull_request.head.sha || github.sha }}", "detached", True),
        ("${{ github.event.pull_request.head.ref }}", "branch", True),
        ("${{ github.head_ref }}", "branch", True),
        ("${{ github.head_ref || github.ref_name }}", "branch", True),
        ("refs/pull/${{ github.event.number }}/merge", "detached", True),
        ("${{ env.COMMIT }}", "detached", False),
        ("${{ vars.REF }}", None, None),
        ("${{ steps.x.outputs.sha }}", None, None),
    ],
)
def test_what_a_checkout_leaves(tmp_path: Path, ref: str | None, head: str | None, pull_request: bool | None) -> None:
    given = "" if ref is None else f', with: {{ref: "{ref}"}}'
    found = steps(
        tmp_path,
        f"- {{id: x, uses: acme/x@v1}}\n- {{uses: actions/checkout@v4{given}}}",
        "on: [push, pull_request]\nenv: {COMMIT: '${{ github.sha }}'}",
    )
    assert (found.head, found.checks_out_pr_head) == (head, pull_request)


def test_a_pull_request_alone_has_a_head_of_its_own(tmp_path: Path) -> None:
    found = steps(
        tmp_path,
        "- {uses: actions/checkout@v4, with: {ref: '${{ github.event.pull_request.head.sha }}'}}",
        "on: pull_request_target",
    )
    assert (found.head, found.checks_out_pr_head) == ("detached", True)


def test_without_a_pull_request_there_is_no_head_to_check_out(tmp_path: Path) -> None:
    found = steps(tmp_path, "- {uses: actions/checkout@v4, with: {ref: '${{ github.head_ref || github.sha }}'}}")
    assert (found.head, found.checks_out_pr_head) == ("detached", False)


def test_a_variable_that_nothing_can_have_set(tmp_path: Path) -> None:
    found = steps(tmp_path, "- {uses: actions/checkout@v4, with: {ref: '${{ env.BRANCH }}'}}\n- {run: 'x ${{ env.BRANCH }}'}")
    assert (found.head, found.steps[1].text) == ("branch", "x ${{ env.BRANCH }}")
    later = steps(tmp_path, "- {uses: acme/x@v1}\n- {uses: actions/checkout@v4, with: {ref: '${{ env.BRANCH }}'}}")
    assert later.head is None


def test_no_checkout_and_a_checkout_of_a_tag(tmp_path: Path) -> None:
    assert steps(tmp_path, "- {run: x}").head is None
    assert steps(tmp_path, "- {uses: actions/checkout@v4}", "on: {push: {tags: ['v*']}}").head == "detached"
    assert steps(tmp_path, "- {uses: actions/checkout@v4}", "on: {release: {types: [published]}}").head == "detached"
    assert steps(tmp_path, "- {uses: actions/checkout@v4}", "on: {push: {tags: ['v*'], branches: [main]}}").head == "branch"


def test_a_run_of_another_workflow(tmp_path: Path) -> None:
    found = steps(
        tmp_path,
        "- {uses: actions/checkout@v4, with: {ref: '${{ github.event.workflow_run.head_sha }}'}}",
        "on: {workflow_run: {workflows: [CI], types: [completed]}}",
    )
    assert (found.head, found.checks_out_pr_head) == ("detached", None)


def test_checkouts_of_other_repositories(tmp_path: Path) -> None:
    found = steps(
        tmp_path,
        """
- {run: before}
- {uses: actions/checkout@v4, with: {path: app}}
- {uses: actions/checkout@v4, with: {repository: acme/tools, path: tools, ref: '${{ github.sha }}'}}
- {run: a, working-directory: app/ml}
- {run: b, working-directory: tools}
- {run: c}
- {uses: actions/checkout@v4, with: {repository: acme/all}}
- {run: d}
- {uses: actions/checkout@v4, with: {repository: '${{ github.repository }}'}}
- {run: e}
""",
    )
    folders = {one.text: one.folder for one in found.steps if one.text}
    assert folders == {"before": "", "a": "ml", "b": None, "c": None, "d": None, "e": ""}
    assert found.head == "branch"


# What scripts leave.


def test_variables_for_later_steps(tmp_path: Path) -> None:
    found = steps(
        tmp_path,
        """
- run: |
    echo "TARGET=prod" >> $GITHUB_ENV
    echo "SHA=$(git rev-parse HEAD)" >> "$GITHUB_ENV"
  env: {TARGET: none}
- run: deploy ${{ env.TARGET }} ${{ env.SHA }} ${{ env.OTHER }}
- run: x
  if: env.TARGET == 'prod'
""",
    )
    assert found.steps[0].environ["TARGET"] == "none"
    assert found.steps[1].environ == {"TARGET": "prod", "SHA": HOLE}
    assert found.steps[1].text == f"deploy prod {HOLE} ${{{{ env.OTHER }}}}"
    assert found.steps[2].can_run(MAIN) is True


def texts(workflow: Workflow, begins: str) -> dict[str, list[bool | None]]:
    """The texts of a job, each with the situations in which it runs."""
    found = [one for one in workflow.jobs if one.name.startswith(begins)]
    return {one.steps[-1].text: [one.can_run(situation) for situation in (MAIN, FEATURE)] for one in found}


def test_outputs_that_a_script_decides_by_the_branch(tmp_path: Path) -> None:
    workflow = read(
        tmp_path,
        """
        on: push
        jobs:
          a:
            steps:
              - id: where
                run: |
                  if [ "$GITHUB_REF" = "refs/heads/main" ]; then
                    echo "target=prod" >> $GITHUB_OUTPUT
                  else
                    echo "target=dev" >> $GITHUB_OUTPUT
                  fi
              - {run: smoke, if: "steps.where.outputs.target == 'prod'"}
              - run: databricks bundle deploy -t ${{ steps.where.outputs.target }}
        """,
    )
    assert workflow.refs == ("refs/heads/main",)
    assert texts(workflow, "a") == {
        "databricks bundle deploy -t prod": [True, False],
        "databricks bundle deploy -t dev": [False, True],
    }


def test_outputs_of_a_job_for_another(tmp_path: Path) -> None:
    workflow = read(
        tmp_path,
        """
        on: {push: {branches: [main, feature]}}
        jobs:
          setup:
            outputs: {target: '${{ steps.where.outputs.target }}', sha: '${{ steps.where.outputs.sha }}'}
            steps:
              - id: where
                run: |
                  echo "sha=$(git rev-parse HEAD)" >> $GITHUB_OUTPUT
                  if [[ "${{ github.ref_name }}" == "main" ]]; then TARGET=prod; else TARGET=dev; fi
                  echo "target=$TARGET" >> $GITHUB_OUTPUT
          deploy:
            needs: setup
            environment: ${{ needs.setup.outputs.target }}
            steps: [{run: 'deploy -t ${{ needs.setup.outputs.target }} ${{ needs.setup.outputs.sha }}'}]
          smoke:
            needs: [setup, deploy]
            if: needs.setup.outputs.target == 'prod'
            steps: [{run: smoke}]
        """,
    )
    assert texts(workflow, "deploy") == {f"deploy -t prod {HOLE}": [True, False], f"deploy -t dev {HOLE}": [False, True]}
    assert sorted(str(one.environment) for one in workflow.jobs if one.name.startswith("deploy")) == ["dev", "prod"]
    assert texts(workflow, "smoke") == {"smoke": [True, False]}


@pytest.mark.parametrize(
    "script",
    [
        "{ echo t=prod; } >> $GITHUB_OUTPUT",
        "echo t=prod | tee -a $GITHUB_OUTPUT",
        "python -c 'x' >> $GITHUB_OUTPUT",
        "echo t=$(cat x) >> $GITHUB_OUTPUT",
        'if [ -n "$X" ]; then echo t=prod >> $GITHUB_OUTPUT; fi',
        "echo t=prod >> $GITHUB_OUTPUT; echo t=dev | tee -a $GITHUB_OUTPUT",
        "echo $LINE >> $GITHUB_OUTPUT",
    ],
)
def test_outputs_that_cannot_be_followed(tmp_path: Path, script: str) -> None:
    found = steps(
        tmp_path,
        f"""
- {{id: q, uses: acme/x@v1}}
- id: s
  env: {{X: '${{{{ steps.q.outputs.x }}}}'}}
  run: |
    {script}
- run: deploy ${{{{ steps.s.outputs.t }}}}
""",
    )
    assert found.steps[2].text == f"deploy {HOLE}"


def test_what_ci_is_configured_with_is_taken_to_be_there(tmp_path: Path) -> None:
    found = steps(
        tmp_path,
        """
- id: s
  env: {TOKEN: '${{ secrets.TOKEN }}'}
  run: |
    if [ -z "$TOKEN" ]; then echo "ready=false" >> $GITHUB_OUTPUT; else echo "ready=true" >> $GITHUB_OUTPUT; fi
- {run: a, if: "steps.s.outputs.ready == 'true'"}
- id: t
  env: {TOKEN: '${{ secrets.TOKEN }}'}
  run: |
    if [ -z "$TOKEN" ]; then
      echo "ready=false" >> $GITHUB_OUTPUT
    else
      echo "ready=true" >> $GITHUB_OUTPUT
    fi
- {run: b, if: "steps.t.outputs.ready == 'true'"}
""",
    )
    assert [one.can_run(MAIN) for one in found.steps] == [True, None, True, True]


def test_a_step_whose_run_is_not_certain_leaves_nothing_certain(tmp_path: Path) -> None:
    found = steps(
        tmp_path,
        """
- {run: 'echo A=yes >> $GITHUB_ENV', if: vars.X}
- {run: 'echo B=yes >> $GITHUB_ENV', if: "github.event_name == 'pull_request'"}
- {run: 'echo C=yes >> $GITHUB_ENV', if: "steps.none.outcome == 'failure' || vars.Y"}
- {run: 'echo D=yes >> $GITHUB_ENV', shell: python}
- {run: x, env: {E: e}}
""",
    )
    assert found.steps[-1].environ == {"A": HOLE, "C": HOLE, "D": HOLE, "E": "e"}


# Logins.


@pytest.mark.parametrize(
    ("uses", "expected"),
    [
        ("azure/login@v2, with: {creds: '${{ secrets.AZURE }}'}", ("azure/login", "azure_sp_secret")),
        ("azure/login@v2, with: {client-id: a, tenant-id: b}", ("azure/login", "oidc")),
        ("azure/login@v2, with: {client-id: a, client-secret: '${{ secrets.B }}'}", ("azure/login", "azure_sp_secret")),
        ("azure/login@v2, with: {auth-type: IDENTITY}", ("azure/login", None)),
        ("Azure/Login@v1, with: {client-id: a}", ("azure/login", "oidc")),
        (
            "aws-actions/configure-aws-credentials@v4, with: {role-to-assume: a}",
            ("aws-actions/configure-aws-credentials", "oidc"),
        ),
        ("aws-actions/configure-aws-credentials@v4, with: {aws-access-key-id: a, aws-secret-access-key: b}", None),
        ("google-github-actions/auth@v2, with: {workload_identity_provider: a}", ("google-github-actions/auth", "oidc")),
        ("google-github-actions/auth@v2, with: {credentials_json: a}", None),
        ("actions/checkout@v4", None),
    ],
)
def test_logins_by_actions(tmp_path: Path, uses: str, expected: tuple[str, str | None] | None) -> None:
    found = steps(tmp_path, f"- {{uses: {uses}}}", "on: push\npermissions: {id-token: write}")
    told = [(one.name, one.kind) for one in found.steps[0].logins]
    assert told == ([] if expected is None else [expected])


def test_an_id_token_has_to_be_allowed(tmp_path: Path) -> None:
    workflow = read(
        tmp_path,
        """
        on: push
        permissions: {contents: read}
        jobs:
          no: {steps: [{uses: azure/login@v2, with: {client-id: a}}]}
          yes: {permissions: {id-token: write}, steps: [{uses: azure/login@v2, with: {client-id: a}}]}
          all: {permissions: write-all, steps: [{uses: azure/login@v2, with: {client-id: a}}]}
        """,
    )
    assert [one.steps[0].logins[0].kind for one in workflow.jobs] == [None, "oidc", "oidc"]


def test_logins_by_variables(tmp_path: Path) -> None:
    workflow = read(
        tmp_path,
        """
        on: push
        permissions: {id-token: write}
        env: {DATABRICKS_AUTH_TYPE: github-oidc}
        jobs:
          a: {steps: [{run: x}]}
          b: {env: {DATABRICKS_AUTH_TYPE: azure-cli}, steps: [{run: x}, {run: y, env: {DATABRICKS_AUTH_TYPE: env-oidc}}]}
          c: {env: {DATABRICKS_AUTH_TYPE: pat}, steps: [{run: 'curl $ACTIONS_ID_TOKEN_REQUEST_URL'}]}
        """,
    )
    told = {one.name: [(login.name, login.kind) for login in one.logins] for one in workflow.jobs}
    assert told == {"a": [("DATABRICKS_AUTH_TYPE", "oidc")], "b": [], "c": []}
    assert [(one.name, one.kind) for one in job(workflow, "b").steps[1].logins] == [("DATABRICKS_AUTH_TYPE", "oidc")]
    assert [(one.name, one.kind) for one in step(workflow, "curl").logins] == [("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "oidc")]
