from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sources.ci.github_reading import (
    BY_HAND,
    FEATURE,
    MAIN,
    PATH,
    PULL_REQUEST,
    job,
    only,
    read,
    read_all,
)

from lakewarden.sources.repository.ci.github.reader import workflows
from lakewarden.sources.repository.ci.workflow import HOLE, Situation
from lakewarden.sources.repository.layout import Documents
from lakewarden.sources.tree import Tree

if TYPE_CHECKING:
    from lakewarden.sources.repository.ci.workflow import Workflow

CALLED = ".github/workflows/called.yml"

DEPLOY = """
on:
  workflow_call:
    inputs:
      target: {type: string, required: true}
      folder: {type: string, default: bundle}
      dry: {type: boolean, default: false}
    secrets: {TOKEN: {required: true}}
env: {OWN: called}
jobs:
  plan:
    steps: [{run: 'databricks bundle validate -t ${{ inputs.target }}', working-directory: '${{ inputs.folder }}'}]
  apply:
    needs: plan
    if: ${{ !inputs.dry }}
    environment: ${{ inputs.target }}
    env: {DATABRICKS_TOKEN: '${{ secrets.TOKEN }}'}
    steps:
      - run: databricks bundle deploy -t ${{ inputs.target }}
      - {run: smoke, if: "github.event_name == 'push' && inputs.target == 'prod'"}
"""


def called(folder: Path, caller: str, text: str = DEPLOY) -> Workflow:
    found = read_all(folder, {PATH: caller, CALLED: text})
    assert [workflow.path for workflow in found] == [PATH]
    return found[0]


def test_a_called_workflow_stands_in_place_of_its_call(tmp_path: Path) -> None:
    workflow = called(
        tmp_path,
        """
        on: {push: {branches: [main]}, pull_request: }
        env: {OF_CALLER: 'x'}
        jobs:
          test: {steps: [{run: pytest}]}
          staging:
            needs: test
            uses: ./.github/workflows/called.yml
            with: {target: staging}
            secrets: {TOKEN: '${{ secrets.STAGING_TOKEN }}'}
          prod:
            needs: staging
            if: github.event_name == 'push'
            uses: ./.github/workflows/called.yml
            with: {target: prod, folder: ml}
            secrets: inherit
          done: {needs: [prod], steps: [{run: echo}]}
        """,
    )
    told = {one.name: (one.needs, one.environment, one.can_run(MAIN), one.can_run(PULL_REQUEST)) for one in workflow.jobs}
    assert told == {
        "test": ((), "", True, True),
        "staging / plan": (("test",), "", True, True),
        "staging / apply": (("test", "staging / plan"), "staging", True, True),
        "prod / plan": (("staging / plan", "staging / apply"), "", True, False),
        "prod / apply": (("staging / plan", "staging / apply", "prod / plan"), "prod", True, False),
        "done": (("prod / plan", "prod / apply"), "", True, False),
    }
    assert job(workflow, "staging / apply").environ == {"OWN": "called", "DATABRICKS_TOKEN": "${{ secrets.STAGING_TOKEN }}"}
    assert list(job(workflow, "prod / apply").environ.values()) == ["called", "${{ secrets.TOKEN }}"]
    assert [job(workflow, f"{name} / plan").steps[0].folder for name in ("staging", "prod")] == ["bundle", "ml"]
    smoke = [job(workflow, f"{name} / apply").steps[1] for name in ("staging", "prod")]
    assert [[one.can_run(at) for at in (MAIN, PULL_REQUEST)] for one in smoke] == [[False, False], [True, False]]
    apply = job(workflow, "prod / apply")
    assert (apply.origin.path, apply.steps[0].origin.path) == (CALLED, CALLED)


def test_a_call_that_is_multiplied_out(tmp_path: Path) -> None:
    workflow = called(
        tmp_path,
        """
        on: push
        jobs:
          all:
            strategy: {matrix: {env: [dev, prod]}}
            uses: ./.github/workflows/called.yml
            with: {target: '${{ matrix.env }}', dry: "${{ matrix.env == 'prod' }}"}
        """,
    )
    told = {one.name: (one.steps[0].text, one.can_run(MAIN)) for one in workflow.jobs}
    assert told == {
        "all (dev) / plan": ("databricks bundle validate -t dev", True),
        "all (dev) / apply": ("databricks bundle deploy -t dev", True),
        "all (prod) / plan": ("databricks bundle validate -t prod", True),
        "all (prod) / apply": ("databricks bundle deploy -t prod", False),
    }


def test_what_is_passed_on_may_hang_on_the_branch(tmp_path: Path) -> None:
    workflow = called(
        tmp_path,
        """
        on: {push: {branches: [main, feature]}}
        jobs:
          go:
            uses: ./.github/workflows/called.yml
            with: {target: "${{ github.ref == 'refs/heads/main' && 'prod' || 'dev' }}", folder: '${{ github.ref_name }}'}
        """,
        """
        on: {workflow_call: {inputs: {target: {type: string}, folder: {type: string}}}}
        jobs:
          a:
            if: inputs.folder == 'main' || inputs.target == 'dev'
            steps: [{run: 'deploy -t ${{ inputs.target }} from ${{ inputs.folder }}'}]
        """,
    )
    told = {one.steps[0].text: [one.can_run(at) for at in (MAIN, FEATURE)] for one in workflow.jobs}
    assert told == {
        "deploy -t prod from ${{ github.ref_name }}": [True, False], "deploy -t dev from ${{ github.ref_name }}": [False, True],
    }  # fmt: skip


def test_inputs_of_a_start_by_hand_go_through_a_call(tmp_path: Path) -> None:
    workflow = called(
        tmp_path,
        """
        on: {workflow_dispatch: {inputs: {env: {type: choice, options: [dev, prod]}, dry: {type: boolean}}}}
        jobs:
          go:
            uses: ./.github/workflows/called.yml
            with: {target: '${{ inputs.env }}', dry: '${{ inputs.dry }}'}
        """,
    )
    applied = {one.steps[0].text: one.can_run(BY_HAND) for one in workflow.jobs if "apply" in one.name}
    assert applied == {"databricks bundle deploy -t dev": True, "databricks bundle deploy -t prod": True}


def test_a_workflow_that_is_called_and_started_is_read_twice(tmp_path: Path) -> None:
    text = """
    on:
      workflow_dispatch: {inputs: {target: {default: dev}}}
      workflow_call: {inputs: {target: {type: string}}}
    jobs:
      a: {steps: [{run: 'deploy -t ${{ inputs.target }}'}]}
    """
    caller = "on: push\njobs: {go: {uses: ./.github/workflows/called.yml, with: {target: prod}}}\n"
    found = {workflow.path: workflow for workflow in read_all(tmp_path, {PATH: caller, CALLED: text})}
    assert found[CALLED].events == ("manual",)
    assert [one.steps[0].text for one in found[CALLED].jobs] == ["deploy -t dev", f"deploy -t {HOLE}"]
    assert [one.steps[0].text for one in found[PATH].jobs] == ["deploy -t prod"]
    assert [one.unread for one in found.values()] == [(), ()]


def test_a_workflow_that_nothing_here_calls(tmp_path: Path) -> None:
    (workflow,) = read_all(tmp_path, {CALLED: DEPLOY})
    assert workflow.events is None
    assert [(one.cause, one.origin.path) for one in workflow.unread] == [("not-asked", CALLED)]
    plan, apply = workflow.jobs
    assert plan.steps[0].text == f"databricks bundle validate -t {HOLE}"
    assert plan.steps[0].folder is None
    assert (apply.environment, apply.can_run(MAIN), apply.can_run(BY_HAND)) == (None, None, None)
    assert list(apply.environ.values()) == ["called", "${{ secrets.TOKEN }}"]


def test_a_workflow_of_another_repository(tmp_path: Path) -> None:
    workflow = read(
        tmp_path,
        """
        on: push
        jobs:
          a:
            if: github.ref == 'refs/heads/main'
            uses: acme/shared/.github/workflows/deploy.yml@v1
            with: {target: prod}
            secrets: inherit
          b: {needs: a, steps: [{run: x}]}
        """,
    )
    found = job(workflow, "a")
    assert [(one.uses, dict(one.inputs), one.folder) for one in found.steps] == [
        ("acme/shared/.github/workflows/deploy.yml@v1", {"target": "prod"}, None)
    ]
    assert [one.cause for one in found.unread] == ["not-asked"]
    assert [found.can_run(at) for at in (MAIN, FEATURE)] == [True, False]
    assert job(workflow, "b").needs == ("a",)


def test_calls_that_lead_nowhere(tmp_path: Path) -> None:
    workflow = read_all(
        tmp_path,
        {
            PATH: """
            on: push
            jobs:
              gone: {uses: ./.github/workflows/gone.yml}
              broken: {uses: ./.github/workflows/broken.yml}
              other: {uses: ./.github/workflows/other.yml}
              out: {uses: ./../x.yml}
              fine: {steps: [{run: x}]}
            """,
            ".github/workflows/broken.yml": "on: [\n",
            ".github/workflows/other.yml": "on: push\njobs: {a: {steps: [{run: y}]}}\n",
        },
    )
    found = {one.name: [unread.cause for unread in one.unread] for one in workflow[1].jobs}
    assert found == {"gone": ["unresolved"], "broken": ["unresolved"], "other": ["unresolved"], "out": ["unresolved"], "fine": []}


def test_workflows_that_call_each_other(tmp_path: Path) -> None:
    def text(other: str) -> str:
        return f"on: workflow_call\njobs:\n  x: {{uses: ./.github/workflows/{other}.yml}}\n  y: {{steps: [{{run: {other}}}]}}\n"

    found = read_all(tmp_path, {".github/workflows/a.yml": text("b"), ".github/workflows/b.yml": text("a")})
    assert [workflow.path for workflow in found] == [".github/workflows/a.yml"]
    assert [(one.name, [unread.cause for unread in one.unread]) for one in found[0].jobs] == [
        ("x / x", ["unresolved"]), ("x / y", []), ("y", []),
    ]  # fmt: skip


def test_nested_calls(tmp_path: Path) -> None:
    files = {
        PATH: "on: push\npermissions: {id-token: write}\njobs: {a: {uses: ./.github/workflows/b.yml, with: {t: prod}}}\n",
        ".github/workflows/b.yml": """
        on: {workflow_call: {inputs: {t: {type: string}}}}
        jobs: {b: {uses: ./.github/workflows/c.yml, with: {t: '${{ inputs.t }}-x'}}}
        """,
        ".github/workflows/c.yml": """
        on: {workflow_call: {inputs: {t: {type: string}}}}
        jobs: {c: {steps: [{run: 'deploy ${{ inputs.t }}'}, {uses: azure/login@v2, with: {client-id: x}}]}}
        """,
    }
    (workflow,) = read_all(tmp_path, files)
    assert (only(workflow).name, only(workflow).steps[0].text) == ("a / b / c", "deploy prod-x")
    assert only(workflow).steps[1].logins[0].kind == "oidc"


# Composite actions.

ACTION = """
name: deploy
inputs:
  target: {required: true}
  flags: {default: '--auto-approve'}
  token: {}
outputs: {url: {value: '${{ steps.x.outputs.url }}'}}
runs:
  using: composite
  steps:
    - {run: 'databricks bundle deploy -t ${{ inputs.target }} ${{ inputs.flags }}', shell: bash, env: {DATABRICKS_TOKEN: '${{ inputs.token }}'}}
    - {run: '${{ github.action_path }}/x.sh && $GITHUB_ACTION_PATH/y.sh', shell: bash, working-directory: ml}
    - {if: "inputs.target == 'prod'", run: smoke, shell: bash}
    - {uses: azure/login@v2, with: {creds: '${{ inputs.token }}'}}
    - {uses: ./.github/actions/inner, with: {word: '${{ inputs.target }}'}}
"""
INNER = "inputs: {word: {default: w}}\nruns: {using: composite, steps: [{run: 'inner ${{ inputs.word }}', shell: bash}]}\n"


def composed(folder: Path, caller: str, **more: str) -> Workflow:
    files = {PATH: caller, ".github/actions/deploy/action.yml": ACTION, ".github/actions/inner/action.yaml": INNER, **more}
    return read_all(folder, files)[0]


def test_a_composite_action_stands_in_place_of_its_step(tmp_path: Path) -> None:
    workflow = composed(
        tmp_path,
        """
        on: {push: , pull_request: }
        env: {E: e}
        defaults: {run: {working-directory: sub}}
        jobs:
          a:
            steps:
              - uses: actions/checkout@v4
              - uses: ./.github/actions/deploy
                if: github.event_name == 'push'
                continue-on-error: true
                env: {F: f}
                with: {target: prod, token: '${{ secrets.T }}'}
              - uses: ./.github/actions/inner
        """,
    )
    found = only(workflow)
    assert [(one.text or one.uses) for one in found.steps] == [
        "actions/checkout@v4",
        "databricks bundle deploy -t prod --auto-approve",
        "../.github/actions/deploy/x.sh && $GITHUB_ACTION_PATH/y.sh",
        "smoke",
        "azure/login@v2",
        "inner prod",
        "inner w",
    ]
    deploy, scripts, smoke, login, inner, last = found.steps[1:]
    assert deploy.environ == {"E": "e", "F": "f", "DATABRICKS_TOKEN": "${{ secrets.T }}"}
    assert (deploy.folder, scripts.folder, inner.folder) == ("", "ml", "")
    assert scripts.environ["GITHUB_ACTION_PATH"] == "../.github/actions/deploy"
    assert [[one.can_run(at) for at in (MAIN, PULL_REQUEST)] for one in (deploy, smoke, inner, last)] == [
        [True, False], [True, False], [True, False], [True, True],
    ]  # fmt: skip
    assert (deploy.ignores_failure, last.ignores_failure) == (True, False)
    assert [(one.name, one.kind) for one in login.logins] == [("azure/login", "azure_sp_secret")]
    assert deploy.origin.path == ".github/actions/deploy/action.yml"
    assert found.unread == ()


def test_actions_that_are_no_steps_stay(tmp_path: Path) -> None:
    workflow = composed(
        tmp_path,
        """
        on: push
        jobs:
          a:
            steps:
              - {uses: ./.github/actions/js, with: {x: y}}
              - {uses: ./.github/actions/gone}
              - {uses: acme/deploy@v1, with: {target: prod}}
              - {uses: 'docker://alpine:3'}
              - {uses: ./../out}
        """,
        **{".github/actions/js/action.yml": "runs: {using: node20, main: x.js}\n"},
    )
    found = only(workflow)
    assert [(one.uses, dict(one.inputs)) for one in found.steps] == [
        ("./.github/actions/js", {"x": "y"}), ("./.github/actions/gone", {}), ("acme/deploy@v1", {"target": "prod"}),
        ("docker://alpine:3", {}), ("./../out", {}),
    ]  # fmt: skip
    assert [one.cause for one in found.unread] == ["unresolved", "unresolved"]


def test_an_action_of_a_checkout_in_a_folder(tmp_path: Path) -> None:
    workflow = composed(
        tmp_path,
        """
        on: push
        jobs:
          a:
            steps:
              - {uses: actions/checkout@v4, with: {path: src}}
              - {uses: ./src/.github/actions/inner}
              - {uses: actions/checkout@v4, with: {path: theirs, repository: acme/actions}}
              - {uses: ./theirs/.github/actions/inner}
        """,
    )
    assert [(one.text or one.uses) for one in only(workflow).steps][1::2] == ["inner w", "./theirs/.github/actions/inner"]
    assert [one.cause for one in only(workflow).unread] == ["unresolved"]


def test_actions_that_use_each_other(tmp_path: Path) -> None:
    looping = "runs: {using: composite, steps: [{run: a, shell: bash}, {uses: ./.github/actions/loop}]}\n"
    workflow = composed(
        tmp_path,
        "on: push\njobs: {a: {steps: [{uses: ./.github/actions/loop}, {run: after}]}}\n",
        **{".github/actions/loop/action.yml": looping},
    )
    assert [one.text for one in only(workflow).steps] == ["a", "after"]
    assert [one.cause for one in only(workflow).unread] == ["failed"]


def test_a_broken_action_stays_as_it_is(tmp_path: Path) -> None:
    workflow = composed(
        tmp_path,
        "on: push\njobs: {a: {steps: [{uses: ./.github/actions/broken}, {run: after}]}}\n",
        **{".github/actions/broken/action.yml": "runs: [\n"},
    )
    assert [one.text or one.uses for one in only(workflow).steps] == ["./.github/actions/broken", "after"]


def test_many_steps_are_cut(tmp_path: Path) -> None:
    nested = {
        f".github/actions/n{at}/action.yml": f"runs: {{using: composite, steps: [{', '.join([f'{{uses: ./.github/actions/n{at + 1}}}'] * 5)}]}}\n"
        for at in range(7)
    }
    last = {".github/actions/n7/action.yml": "runs: {using: composite, steps: [{run: x, shell: bash}]}\n"}
    workflow = composed(tmp_path, "on: push\njobs: {a: {steps: [{uses: ./.github/actions/n0}]}}\n", **nested, **last)
    assert len(only(workflow).steps) == 500
    assert {one.cause for one in only(workflow).unread} == {"truncated"}


def test_calls_that_multiply_are_cut(tmp_path: Path) -> None:
    matrix = "strategy: {matrix: {x: [1, 2, 3, 4, 5, 6, 7], y: [1, 2, 3, 4, 5, 6, 7]}}"
    files = {
        f".github/workflows/w{at}.yml": f"on: workflow_call\njobs: {{a: {{uses: ./.github/workflows/w{at + 1}.yml, {matrix}}}}}\n"
        for at in range(1, 5)
    }
    last = {".github/workflows/w5.yml": "on: workflow_call\njobs: {a: {steps: [{run: x}]}}\n"}
    caller = f"on: push\njobs: {{a: {{uses: ./.github/workflows/w1.yml, {matrix}}}, b: {{steps: [{{run: y}}]}}}}\n"
    (workflow,) = read_all(tmp_path, {PATH: caller, **files, **last})
    assert len(workflow.jobs) == 256
    assert [one.cause for one in workflow.unread] == ["truncated"]


# Whatever a file holds, reading it ends, and says the same twice.

WORDS = st.sampled_from(
    ["on", "push", "jobs", "steps", "run", "uses", "if", "with", "env", "needs", "strategy", "matrix", "include", "exclude", "outputs",
     "environment", "permissions", "defaults", "working-directory", "branches", "types", "workflow_call", "workflow_dispatch",
     "inputs", "secrets", "a", "b", "${{ matrix.a }}", "${{ inputs.a }}", "${{ github.ref == 'a' && 'x' || 'y' }}", "always()",
     "./.github/workflows/deploy.yml", "./.github/actions/a", "actions/checkout@v4", "echo a=b >> $GITHUB_OUTPUT", "${{", "*", "!b",
     "${{ needs.a.outputs.b }}", "fromJSON('[1]')", "\0", "1", "true", "", "composite", "using", "runs"]
)  # fmt: skip
VALUES = st.recursive(
    WORDS, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=4)), max_leaves=12
)


@given(
    st.fixed_dictionaries(
        {"on": VALUES, "jobs": st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES, max_size=3)},
        optional={"env": VALUES, "defaults": VALUES, "permissions": VALUES},
    ),
    st.fixed_dictionaries({"runs": st.fixed_dictionaries({"using": st.just("composite"), "steps": VALUES}), "inputs": VALUES}),
)
@settings(max_examples=80, deadline=None)
def test_any_workflow_can_be_read(workflow: object, action: object) -> None:
    tree = Tree.of_files(Path("none"), {PATH: json.dumps(workflow), ".github/actions/a/action.yml": json.dumps(action)})
    told = []
    for _ in range(2):
        found = list(workflows(tree, Documents(tree)))
        told.append([(one.path, one.events, [(each.name, len(each.steps)) for each in one.jobs]) for one in found])
        for one in found:
            for each in one.jobs:
                for situation in (MAIN, PULL_REQUEST, BY_HAND, Situation("schedule", "refs/heads/main")):
                    assert each.can_run(situation) in (True, False, None)
                    assert all(step.can_run(situation) in (True, False, None) for step in each.steps)
    assert told[0] == told[1]


def test_a_template_in_a_workflow_does_not_stop_the_reading(tmp_path: Path) -> None:
    text = dedent(
        """
        on: {push: {branches: ['{{ cookiecutter.branch }}']}}
        jobs:
          a:
            environment: '{{ cookiecutter.env }}'
            steps:
              - run: databricks bundle deploy -t {{ cookiecutter.env }} {% raw %}${{ secrets.X }}{% endraw %}
        """
    )
    workflow = read(tmp_path, text)
    found = only(workflow)
    assert (found.environment, found.can_run(MAIN)) == (None, None)
    assert workflow.refs == ()
    assert found.steps[0].text == f"databricks bundle deploy -t {HOLE} {{% raw %}}{HOLE}{{% endraw %}}"
