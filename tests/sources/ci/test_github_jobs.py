from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sources.ci.github_reading import (
    BY_HAND,
    BY_HAND_ON_MAIN,
    FEATURE,
    MAIN,
    NIGHTLY,
    PATH,
    PULL_REQUEST,
    RELEASE,
    TAG,
    job,
    only,
    read,
)

from lakewarden.sources.repository.ci.github.reader import workflows
from lakewarden.sources.repository.ci.workflow import DEFAULT_BRANCH, HOLE, Situation
from lakewarden.sources.repository.layout import Documents
from lakewarden.sources.tree import Tree

if TYPE_CHECKING:
    from lakewarden.sources.repository.ci.workflow import Job, Workflow

ON = """
on:
  push: {branches: ['**'], tags: ['**']}
  pull_request:
  workflow_dispatch:
  schedule: [{cron: '0 3 * * *'}]
"""
EVERY = (MAIN, FEATURE, TAG, PULL_REQUEST, BY_HAND, BY_HAND_ON_MAIN, NIGHTLY)


def conditional(folder: Path, condition: str, on: str = ON) -> Job:
    return only(read(folder, f"{on}\njobs:\n  a:\n    if: {condition}\n    steps: [{{run: x}}]\n"))


def answers(found: Job, *situations: Situation) -> list[bool | None]:
    return [found.can_run(situation) for situation in situations]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("github.ref == 'refs/heads/main'", [True, False, False, False, False, True, True]),
        ("github.ref_name == 'main'", [True, False, False, False, False, True, True]),
        ("${{ github.event_name == 'push' }}", [True, True, True, False, False, False, False]),
        ("github.event_name != 'pull_request'", [True, True, True, False, True, True, True]),
        ("github.event_name == 'workflow_dispatch'", [False, False, False, False, True, True, False]),
        ("startsWith(github.ref, 'refs/tags/v')", [False, False, True, False, False, False, False]),
        ("github.ref_type == 'tag'", [False, False, True, False, False, False, False]),
        ("github.base_ref == 'main'", [False, False, False, True, False, False, False]),
        ("github.event.pull_request.base.ref == 'main'", [False, False, False, True, False, False, False]),
        ("github.event.pull_request != null", [False, False, False, True, False, False, False]),
        ("github.event.pull_request", [False, False, False, True, False, False, False]),
        ("github.head_ref == ''", [True, True, True, False, True, True, True]),
        ("github.event.schedule == '0 3 * * *'", [False, False, False, False, False, False, True]),
        ('contains(fromJSON(\'["push", "schedule"]\'), github.event_name)', [True, True, True, False, False, False, True]),
        ("github.event_name == 'push' && github.ref == 'refs/heads/main'", [True, False, False, False, False, False, False]),
        ("github.actor != 'dependabot[bot]'", [True] * 7),
        ("vars.DEPLOY == 'yes'", [None] * 7),
        ("vars.DEPLOY", [None] * 7),
        ("github.ref == 'refs/heads/main' && vars.DEPLOY", [None, False, False, False, False, None, None]),
        ("github.ref == 'refs/heads/main' || vars.DEPLOY", [True, None, None, None, None, True, True]),
        ("false", [False] * 7),
        ("${{ false }} && true", [True] * 7),
        ("this is none", [None] * 7),
        ("''", [False] * 7),
        ("always()", [True] * 7),
        ("github.event.inputs.x == 'y'", [False, False, False, False, None, None, False]),
    ],
)
def test_conditions_of_jobs(tmp_path: Path, condition: str, expected: list[bool | None]) -> None:
    quoted = '"' + condition.replace('"', '\\"') + '"'
    assert answers(conditional(tmp_path, quoted), *EVERY) == expected


def test_what_conditions_mention_is_asked_for(tmp_path: Path) -> None:
    workflow = read(
        tmp_path,
        """
        on: {push: {branches: [main]}, pull_request: {branches: [dev]}, workflow_dispatch: }
        jobs:
          a:
            if: github.ref == 'refs/heads/release' || startsWith(github.ref, 'refs/tags/v') || github.base_ref == 'main'
            steps:
              - if: contains(github.ref, 'hotfix') || endsWith(github.ref_name, '-rc') || github.ref_name == 'stable'
                run: x
              - if: contains(fromJSON('["qa", "uat"]'), github.ref_name) || contains('a b', github.ref_name)
                run: y
              - run: echo ${{ github.ref == 'refs/heads/canary' && 'prod' || 'dev' }}
        """,
    )
    heads = ("release", "**hotfix**", "**-rc", "stable", "qa", "uat", "a", "b", "canary", "main")
    tags = ("v**", "**hotfix**", "**-rc")
    assert set(workflow.refs) == {f"refs/heads/{name}" for name in heads} | {f"refs/tags/{name}" for name in tags}
    assert set(workflow.bases) == {"main", "dev"}


def test_the_default_branch_is_a_branch_like_others(tmp_path: Path) -> None:
    text = """
    on: {push: , workflow_dispatch: , schedule: [{cron: '0 0 * * *'}]}
    jobs:
      a:
        if: github.ref == format('refs/heads/{0}', github.event.repository.default_branch)
        steps: [{run: 'echo ${{ github.event.repository.default_branch }}'}]
    """
    workflow = read(tmp_path, text)
    assert workflow.refs == (f"refs/heads/{DEFAULT_BRANCH}",)
    on_default = Situation("push", f"refs/heads/{DEFAULT_BRANCH}")
    assert answers(only(workflow), on_default, MAIN, BY_HAND, NIGHTLY) == [True, False, False, True]
    assert only(workflow).steps[0].text == f"echo {HOLE}"


def test_a_known_default_branch(tmp_path: Path) -> None:
    from tests.sources.ci.github_reading import read_all

    text = "on: push\njobs:\n  a:\n    if: github.ref_name == github.event.repository.default_branch\n    steps: [{run: x}]\n"
    (workflow,) = read_all(tmp_path, {PATH: text}, "main")
    assert answers(only(workflow), MAIN, FEATURE) == [True, False]


# Jobs that wait for others.


def test_a_job_runs_only_where_those_that_it_needs_do(tmp_path: Path) -> None:
    workflow = read(
        tmp_path,
        """
        on: {push: , pull_request: }
        jobs:
          test:
            if: github.event_name == 'pull_request'
            steps: [{run: pytest}]
          plain: {needs: test, steps: [{run: x}]}
          later: {needs: [plain], steps: [{run: x}]}
          guarded: {needs: test, if: "github.ref == 'refs/heads/main'", steps: [{run: x}]}
          always: {needs: test, if: always(), steps: [{run: x}]}
          not-cancelled: {needs: test, if: "!cancelled()", steps: [{run: x}]}
          after-all: {needs: always, steps: [{run: x}]}
          failed: {needs: test, if: failure(), steps: [{run: x}]}
          skipped: {needs: test, if: "always() && needs.test.result == 'skipped'", steps: [{run: x}]}
          succeeded: {needs: test, if: "always() && needs.test.result == 'success'", steps: [{run: x}]}
          any: {needs: test, if: "!contains(needs.*.result, 'failure') && !cancelled()", steps: [{run: x}]}
          explicit: {needs: test, if: "success() || github.event_name == 'push'", steps: [{run: x}]}
        """,
    )
    told = {one.name: answers(one, MAIN, PULL_REQUEST) for one in workflow.jobs}
    assert told == {
        "test": [False, True],
        "plain": [False, True],
        "later": [False, True],
        "guarded": [False, False],
        "always": [True, True],
        "not-cancelled": [True, True],
        "after-all": [False, True],  # what was skipped further above counts too
        "failed": [False, True],
        "skipped": [True, False],
        "succeeded": [False, True],
        "any": [True, True],
        "explicit": [True, True],
    }
    assert {one.name: one.needs for one in workflow.jobs}["later"] == ("plain",)


def test_an_unknown_need_leaves_it_open(tmp_path: Path) -> None:
    workflow = read(
        tmp_path,
        """
        on: push
        jobs:
          a: {if: vars.X, steps: [{run: x}]}
          b: {needs: a, steps: [{run: x}]}
          c: {needs: a, if: "github.ref == 'refs/heads/main'", steps: [{run: x}]}
          d: {needs: nobody, steps: [{run: x}]}
          e: {needs: f, steps: [{run: x}]}
          f: {needs: e, steps: [{run: x}]}
        """,
    )
    told = {one.name: answers(one, MAIN, FEATURE) for one in workflow.jobs}
    unknown: list[bool | None] = [None, None]
    assert told == {"a": unknown, "b": unknown, "c": [None, False], "d": unknown, "e": unknown, "f": unknown}


def test_a_long_chain_of_jobs(tmp_path: Path) -> None:
    jobs = "\n".join(f"  j{at}: {{needs: [j{at - 1}], steps: [{{run: x}}]}}" for at in range(1, 300))
    workflow = read(
        tmp_path, f"on: push\njobs:\n  j0: {{if: \"github.ref == 'refs/heads/main'\", steps: [{{run: x}}]}}\n{jobs}\n"
    )
    assert answers(workflow.jobs[-1], MAIN, FEATURE) == [True, False]


CONDITIONS = st.recursive(
    st.sampled_from(
        [
            "github.base_ref == 'main'",
            "startsWith(github.event.pull_request.base.ref, 'ma')",
            "github.event_name == 'pull_request'",
            "contains(fromJSON('[\"dev\"]'), github.base_ref)",
            "github.event.pull_request.merged",
            "vars.X == 'y'",
            "success()",
            "failure()",
            "always()",
            "needs.a.result == 'success'",
            "needs.a.result == 'skipped'",
        ]
    ),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["&&", "||"]), inner).map(lambda parts: f"({' '.join(parts)})"),
        inner.map(lambda part: f"!{part}"),
    ),
    max_leaves=5,
)


@given(st.tuples(CONDITIONS, CONDITIONS, CONDITIONS))
@settings(max_examples=150, deadline=None)
def test_what_is_known_of_any_base_is_known_of_each(conditions: tuple[str, str, str]) -> None:
    """A job that runs, or does not, whatever the base is, does so for each base."""
    first, second, third = conditions
    jobs: dict[str, object] = {
        "a": {"if": first, "steps": [{"run": "x", "if": third}]},
        "b": {"if": second, "needs": "a", "steps": [{"run": "x", "if": third}]},
        "c": {"needs": ["b"], "steps": [{"run": "x"}]},
    }
    tree = Tree.of_files(Path("none"), {PATH: json.dumps({"on": {"pull_request": None}, "jobs": jobs})})
    (workflow,) = workflows(tree, Documents(tree))
    unknown = Situation("pull_request", "refs/pull/1/merge")
    for one in workflow.jobs:
        for base in ("main", "dev", "mango"):
            known = Situation("pull_request", "refs/pull/1/merge", base)
            assert one.can_run(unknown) in (one.can_run(known), None)
            if one.can_run(known) is not False and one.can_run(unknown) is not False:
                assert one.steps[0].can_run(unknown) in (one.steps[0].can_run(known), None)


# What whoever starts it by hand fills in.

CHOICE = """
on:
  push: {branches: [main]}
  workflow_dispatch:
    inputs:
      target: {type: choice, options: [dev, prod], default: dev}
      force: {type: boolean}
      note: {type: string}
"""


def test_a_choice_is_a_job_for_each_option(tmp_path: Path) -> None:
    workflow = read(
        tmp_path,
        CHOICE
        + """
jobs:
  deploy:
    environment: ${{ inputs.target || 'dev' }}
    steps:
      - run: databricks bundle deploy -t ${{ github.event.inputs.target || 'dev' }}
      - if: inputs.target == 'prod'
        run: smoke
""",
    )
    told = [(one.name, one.environment, one.steps[0].text, answers(one, MAIN, BY_HAND)) for one in workflow.jobs]
    assert told == [
        ("deploy", "dev", "databricks bundle deploy -t dev", [True, True]),
        ("deploy#2", "prod", "databricks bundle deploy -t prod", [False, True]),
    ]
    assert [one.steps[1].can_run(BY_HAND) for one in workflow.jobs] == [False, True]


def test_conditions_on_what_is_filled_in(tmp_path: Path) -> None:
    def asked(condition: str) -> bool | None:
        return conditional(tmp_path, f'"{condition}"', CHOICE).can_run(BY_HAND)

    assert asked("inputs.target == 'prod'") is True
    assert asked("inputs.target == 'staging'") is False
    assert asked("inputs.force") is True
    assert asked("inputs.force && inputs.target == 'prod'") is True
    assert asked("inputs.force == true") is True
    assert asked("github.event.inputs.force == 'true'") is True
    assert asked("github.event.inputs.force == true") is False
    assert asked("inputs.note == 'go'") is True
    assert asked("inputs.note == 'go' && inputs.note == 'stop'") is False
    assert asked("inputs.note != 'go'") is True
    assert asked("inputs.nothing == 'go'") is None
    assert conditional(tmp_path, "inputs.target == 'prod'", CHOICE).can_run(MAIN) is False
    assert conditional(tmp_path, "inputs.target == ''", CHOICE).can_run(MAIN) is True


def test_a_text_that_is_filled_in_is_its_default_or_unknown(tmp_path: Path) -> None:
    workflow = read(
        tmp_path,
        """
        on:
          workflow_dispatch:
            inputs: {target: {default: dev}, branch: {default: main}, note: {}}
        jobs:
          a: {steps: [{run: 'deploy -t ${{ inputs.target }} ${{ inputs.branch }} ${{ inputs.note }}'}]}
        """,
    )
    assert [one.steps[0].text for one in workflow.jobs] == [f"deploy -t dev main {HOLE}", f"deploy -t {HOLE} {HOLE} {HOLE}"]


def test_many_choices_are_not_multiplied_out(tmp_path: Path) -> None:
    inputs = "".join(f"      i{at}: {{type: choice, options: [a, b, c, d, e]}}\n" for at in range(9))
    text = " ".join(f"${{{{ inputs.i{at} }}}}" for at in range(9))
    workflow = read(tmp_path, f"on:\n  workflow_dispatch:\n    inputs:\n{inputs}jobs:\n  a: {{steps: [{{run: 'x {text}'}}]}}\n")
    assert 5 <= len(workflow.jobs) <= 48
    assert HOLE in workflow.jobs[0].steps[0].text


# Texts that hang on how the workflow is started.


def test_a_target_chosen_by_the_branch(tmp_path: Path) -> None:
    workflow = read(
        tmp_path,
        """
        on: {push: {branches: [main, develop]}, pull_request: }
        env:
          TARGET: ${{ github.ref == 'refs/heads/main' && 'prod' || 'dev' }}
        jobs:
          lint: {steps: [{run: ruff check}]}
          deploy:
            needs: lint
            environment: ${{ github.ref_name == 'main' && 'production' || 'development' }}
            steps:
              - run: databricks bundle deploy -t ${{ env.TARGET }}
                env: {TOKEN: "${{ github.ref == 'refs/heads/main' && secrets.PROD_TOKEN || secrets.DEV_TOKEN }}"}
          report: {needs: deploy, steps: [{run: echo done}]}
        """,
    )
    deploys = [one for one in workflow.jobs if one.name.startswith("deploy")]
    develop = Situation("push", "refs/heads/develop")
    told = [(one.environment, one.steps[0].text, one.steps[0].environ["TOKEN"]) for one in deploys]
    assert told == [
        ("production", "databricks bundle deploy -t prod", "${{ secrets.PROD_TOKEN }}"),
        ("development", "databricks bundle deploy -t dev", "${{ secrets.DEV_TOKEN }}"),
    ]
    assert [answers(one, MAIN, develop, PULL_REQUEST) for one in deploys] == [[True, False, False], [False, True, True]]
    reports = [one for one in workflow.jobs if one.name.startswith("report")]
    assert [one.needs for one in reports] == [("deploy",), ("deploy#2",)]


def test_what_the_ref_is_called_stays_as_it_is_written(tmp_path: Path) -> None:
    workflow = read(
        tmp_path,
        """
        on: {push: {branches: [dev, main]}}
        jobs:
          a:
            env: {BRANCH: '${{ github.ref_name }}'}
            steps:
              - run: deploy -t ${{ github.ref_name }} --by ${{ github.actor }} ${{env.BRANCH}}
              - if: env.BRANCH == 'main'
                run: x
        """,
    )
    found = only(workflow)
    assert found.steps[0].text == f"deploy -t ${{{{ github.ref_name }}}} --by {HOLE} ${{{{ github.ref_name }}}}"
    assert found.environ == {"BRANCH": "${{ github.ref_name }}"}
    assert [found.steps[1].can_run(one) for one in (MAIN, Situation("push", "refs/heads/dev"))] == [True, False]


def test_a_variable_that_takes_over_the_branch_splits_what_is_decided_by_it(tmp_path: Path) -> None:
    workflow = read(
        tmp_path,
        """
        on: {push: {branches: [dev, main]}}
        jobs:
          a:
            env: {BRANCH: '${{ github.ref_name }}'}
            steps: [{run: "deploy -t ${{ env.BRANCH == 'main' && 'prod' || 'dev' }}"}]
        """,
    )
    told = [(one.steps[0].text, answers(one, MAIN, Situation("push", "refs/heads/dev"))) for one in workflow.jobs]
    assert told == [("deploy -t dev", [False, True]), ("deploy -t prod", [True, False])]


# Matrices.


def names(workflow: Workflow) -> list[str]:
    return [one.name for one in workflow.jobs]


def matrix(folder: Path, text: str, run: str = "run ${{ toJSON(matrix) }}") -> Workflow:
    body = dedent(text).replace("\n", "\n        ")
    return read(folder, f"on: push\njobs:\n  a:\n    strategy:\n      matrix: {body}\n    steps: [{{run: '{run}'}}]\n")


def test_a_matrix_is_a_job_for_each_combination(tmp_path: Path) -> None:
    workflow = matrix(
        tmp_path, "\ntarget: [dev, prod]\npython: ['3.10', 3.11]", "deploy -t ${{ matrix.target }} ${{ matrix.python }}"
    )
    assert names(workflow) == ["a (dev, 3.10)", "a (dev, 3.11)", "a (prod, 3.10)", "a (prod, 3.11)"]
    assert [one.steps[0].text for one in workflow.jobs][2:] == ["deploy -t prod 3.10", "deploy -t prod 3.11"]


def test_include_and_exclude(tmp_path: Path) -> None:
    workflow = matrix(
        tmp_path,
        """
        fruit: [apple, pear]
        animal: [cat, dog]
        include:
          - color: green
          - {color: pink, animal: cat}
          - {fruit: apple, shape: circle}
          - fruit: banana
          - {fruit: banana, animal: cat}
        exclude:
          - {fruit: pear, animal: dog}
        """,
    )
    assert names(workflow) == [
        "a (apple, cat, pink, circle)", "a (apple, dog, green, circle)", "a (pear, cat, pink)", "a (banana)", "a (banana, cat)",
    ]  # fmt: skip


def test_only_include(tmp_path: Path) -> None:
    workflow = matrix(
        tmp_path,
        "\ninclude:\n  - {env: dev, host: 'https://a'}\n  - {env: prod, host: 'https://b'}",
        "${{ matrix.env }} ${{ matrix.host }} ${{ matrix.none }}",
    )
    assert [one.steps[0].text for one in workflow.jobs] == ["dev https://a ", "prod https://b "]


def test_a_matrix_of_a_literal_and_of_objects(tmp_path: Path) -> None:
    workflow = matrix(tmp_path, ' ${{ fromJSON(\'{"env":["dev","prod"]}\') }}', "${{ matrix.env }}")
    assert [one.steps[0].text for one in workflow.jobs] == ["dev", "prod"]
    workflow = matrix(tmp_path, "\nplace:\n  - {name: dev, id: 1}\n  - {name: prod, id: 2}", "${{ matrix.place.name }}")
    assert [one.steps[0].text for one in workflow.jobs] == ["dev", "prod"]
    assert names(workflow) == ["a (dev, 1)", "a (prod, 2)"]


def test_a_matrix_that_hangs_on_the_branch(tmp_path: Path) -> None:
    text = ' ${{ fromJSON(github.ref == \'refs/heads/main\' && \'{"t":["prod"]}\' || \'{"t":["dev","qa"]}\') }}'
    workflow = matrix(tmp_path, text, "${{ matrix.t }}")
    told = {one.steps[0].text: answers(one, MAIN, FEATURE) for one in workflow.jobs}
    assert told == {"prod": [True, False], "dev": [False, True], "qa": [False, True]}


@pytest.mark.parametrize(
    "text",
    [
        " ${{ fromJSON(vars.TARGETS) }}",
        "\nt: ${{ fromJSON(needs.x.outputs.y) }}",
        "\nt: [a]\ninclude: ${{ fromJSON(vars.X) }}",
        "\nt: [a]\nexclude: ${{ fromJSON(vars.X) }}",
        "\na: [1, 2, 3, 4, 5]\nb: [1, 2, 3, 4, 5]\nc: [1, 2, 3, 4, 5]",
        "\ninclude: [x]",
    ],
)
def test_a_matrix_that_is_not_known_is_told(tmp_path: Path, text: str) -> None:
    workflow = matrix(tmp_path, text, "deploy ${{ matrix.t }}")
    unread = workflow.jobs[-1].unread[0]
    assert (unread.cause, unread.origin.path) == ("unresolved", ".github/workflows/deploy.yml")
    assert "job a" in unread.reason
    assert any(HOLE in one.steps[0].text for one in workflow.jobs) or "exclude" in text or "include: [x]" in text


def test_an_empty_matrix_is_no_job(tmp_path: Path) -> None:
    assert matrix(tmp_path, "\nt: []").jobs == ()


def test_who_needs_a_matrix_needs_all_of_it(tmp_path: Path) -> None:
    workflow = read(
        tmp_path,
        """
        on: push
        jobs:
          a: {strategy: {matrix: {t: [dev, qa]}}, steps: [{run: 'x ${{ matrix.t }}'}]}
          b: {needs: a, steps: [{run: x}]}
        """,
    )
    assert job(workflow, "b").needs == ("a (dev)", "a (qa)")


def test_a_combination_in_conditions_of_steps(tmp_path: Path) -> None:
    workflow = read(
        tmp_path,
        """
        on: {push: {branches: [main, dev]}}
        jobs:
          a:
            strategy: {matrix: {t: [dev, prod]}}
            steps: [{run: x, if: "matrix.t != 'prod' || github.ref == 'refs/heads/main'"}]
        """,
    )
    on_dev = Situation("push", "refs/heads/dev")
    assert [[one.steps[0].can_run(at) for at in (MAIN, on_dev)] for one in workflow.jobs] == [[True, True], [True, False]]


# Properties of jobs.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("environment: prod", "prod"),
        ("environment: {name: prod, url: 'https://x'}", "prod"),
        ("environment: ${{ vars.ENV }}", None),
        ("environment: ${{ steps.x.outputs.y }}", None),
        ("environment: '{{ cookiecutter.env }}'", None),
        ("environment: ${{ format('{0}', 'qa') }}", "qa"),
        ("environment: ''", ""),
        ("timeout-minutes: 3", ""),
    ],
)
def test_environments(tmp_path: Path, text: str, expected: str | None) -> None:
    found = only(read(tmp_path, f"on: push\njobs:\n  a:\n    {text}\n    steps: [{{run: x}}]\n"))
    assert found.environment == expected
    assert found.environment_protected is (False if expected == "" else None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("true", True), ("false", False), ("${{ matrix.x }}", False), ("${{ vars.X == 'y' }}", None), ("${{ 'a' == 'a' }}", True)],
)
def test_failures_that_are_ignored(tmp_path: Path, text: str, expected: bool | None) -> None:
    found = only(
        read(
            tmp_path,
            f'on: push\njobs:\n  a:\n    continue-on-error: {text}\n    steps:\n      - {{run: x, continue-on-error: "{text}"}}\n',
        )
    )
    assert found.ignores_failure is expected
    assert found.steps[0].ignores_failure is expected


def test_the_branch_of_a_release(tmp_path: Path) -> None:
    workflow = read(tmp_path, "on: {push: {branches: [release]}}\njobs: {a: {steps: [{uses: actions/checkout@v4}, {run: x}]}}\n")
    assert only(workflow).can_run(RELEASE) is True
    assert only(workflow).head == "branch"
