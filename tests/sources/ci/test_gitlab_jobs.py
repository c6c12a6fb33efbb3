from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.sources.ci.pipeline_reading import (
    BY_HAND,
    FEATURE,
    INTO_OTHER,
    MAIN,
    MERGE_REQUEST,
    RELEASE,
    answers,
    gitlab_all,
    gitlab_one,
    job,
    names,
    only,
)

if TYPE_CHECKING:
    from pathlib import Path

    from lakewarden.sources.repository.ci.workflow import Workflow


def needs(workflow: Workflow) -> dict[str, tuple[str, ...]]:
    return {one.name: one.needs for one in workflow.jobs}


def test_jobs_wait_for_the_stages_before(tmp_path: Path) -> None:
    text = """
        stages: [check, ship]
        first: {stage: .pre, script: [x]}
        lint: {stage: check, script: [x], allow_failure: true}
        ask: {stage: check, script: [x], when: manual}
        test: {stage: check, script: [x]}
        ship: {stage: ship, script: [x]}
        """
    assert needs(gitlab_one(tmp_path, text)) == {
        "first": (),
        "lint": ("first",),
        "ask": ("first",),
        "test": ("first",),
        "ship": ("first", "test"),
    }


def test_needs_replace_stages(tmp_path: Path) -> None:
    text = """
        a: {stage: build, script: [x]}
        b: {stage: test, script: [x]}
        c: {stage: deploy, script: [x], needs: [a]}
        d: {stage: deploy, script: [x], needs: []}
        e: {stage: deploy, script: [x], needs: [{job: b, artifacts: false}, {project: g/p, job: x, ref: main, artifacts: true}]}
        """
    found = needs(gitlab_one(tmp_path, text))
    assert {name: found[name] for name in "cde"} == {"c": ("a",), "d": (), "e": ("b",)}


def test_a_job_that_is_not_in_the_pipeline_is_not_waited_for(tmp_path: Path) -> None:
    text = """
        test:
          stage: test
          script: [pytest]
          rules: [{if: '$CI_PIPELINE_SOURCE == "merge_request_event"'}]
        build:
          stage: build
          script: [x]
          rules: [{if: '$CI_PIPELINE_SOURCE == "merge_request_event"'}, {if: '$CI_COMMIT_BRANCH == "main"'}]
        deploy:
          stage: deploy
          script: [databricks bundle deploy -t prod]
          rules: [{if: '$CI_COMMIT_BRANCH == "main"'}]
        """
    assert needs(gitlab_one(tmp_path, text))["deploy"] == ("build",)


def test_a_job_cannot_run_where_one_that_it_needs_does_not(tmp_path: Path) -> None:
    text = """
        build: {stage: build, script: [x], only: [main]}
        deploy: {stage: deploy, script: [x], needs: [build]}
        other: {stage: deploy, script: [x], needs: [{job: build, optional: true}]}
        """
    found = gitlab_one(tmp_path, text)
    assert answers(job(found, "deploy"), MAIN, FEATURE) == [True, False]
    assert answers(job(found, "other"), MAIN, FEATURE) == [True, True]
    assert needs(found) == {"build": (), "deploy": ("build",), "other": ()}


def test_extends_defaults_and_variables(tmp_path: Path) -> None:
    text = """
        default:
          before_script: [setup]
          id_tokens: {DATABRICKS_TOKEN: {aud: https://x}}
        variables: {HOST: https://a, REGION: eu}
        .base:
          variables: {TARGET: dev, HOST: https://b}
          rules: [{if: '$CI_COMMIT_BRANCH == "main"'}]
        .loud: {extends: .base, after_script: [echo done], environment: {name: $TARGET}}
        prod:
          extends: [.base, .loud]
          variables: {TARGET: prod}
          script: [databricks bundle deploy -t $TARGET]
        free:
          inherit: {default: false, variables: [REGION]}
          script: [x]
        """
    found = gitlab_one(tmp_path, text)
    prod, free = job(found, "prod"), job(found, "free")
    assert prod.environ == {"HOST": "https://b", "REGION": "eu", "TARGET": "prod"}
    assert prod.environment == "prod"
    assert answers(prod, MAIN, FEATURE) == [True, False]
    assert [(" ".join(step.text.split()), step.ignores_failure) for step in prod.steps] == [
        ("setup databricks bundle deploy -t $TARGET", False),
        ("echo done", True),
    ]
    assert [(login.name, login.kind) for login in prod.logins] == [("DATABRICKS_TOKEN", "oidc")]
    assert (free.environ, [step.text for step in free.steps], free.logins) == ({"REGION": "eu"}, ["x"], ())


def test_old_global_keys_are_defaults(tmp_path: Path) -> None:
    text = "image: python\nbefore_script: [a]\nafter_script: [c]\njob: {script: [b]}\n"
    assert [step.text.split() for step in only(gitlab_one(tmp_path, text)).steps] == [["a", "b"], ["c"]]


def test_references_anchors_and_nested_lists(tmp_path: Path) -> None:
    text = """
        .setup: {script: [one, two], rules: [{if: '$CI_COMMIT_BRANCH == "main"'}]}
        .lines: &lines [three, [four]]
        .keys: &keys {environment: prod}
        job:
          <<: *keys
          script:
          - !reference [.setup, script]
          - *lines
          - five
          rules: [!reference [.setup, rules], {when: never}]
        """
    found = only(gitlab_one(tmp_path, text))
    (step,) = found.steps
    assert step.text == "one\ntwo\nthree\nfour\nfive"
    assert step.text_line is None
    assert (found.environment, answers(found, MAIN, FEATURE)) == ("prod", [True, False])


def test_lines_of_a_script_stand_where_they_stand_in_the_file(tmp_path: Path) -> None:
    text = "job:\n  before_script:\n    - a\n  script:\n    - b\n    # why\n    - |\n      c\n      d\n    - 'e'\n"
    (step,) = only(gitlab_one(tmp_path, text)).steps
    lines = {line: number for number, line in enumerate(step.text.split("\n"), step.text_line or 0) if line}
    assert lines == {"a": 3, "b": 5, "c": 8, "d": 9, "e": 10}


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("a: {extends: a, script: [x]}\n", "failed"),
        (".b: {extends: .c}\n.c: {extends: .b}\na: {extends: .b, script: [x]}\n", "failed"),
        ("a: {extends: .missing, script: [x]}\n", "unresolved"),
        ("a: {script: [x, !reference [.missing, script]]}\n", "unresolved"),
        ("a: {script: [x, !reference [a, script]]}\n", "failed"),
        ("a:\n  script: [x]\n  trigger: {project: group/other}\n", "not-asked"),
    ],
)
def test_what_a_job_misses_is_told(tmp_path: Path, text: str, cause: str) -> None:
    found = only(gitlab_one(tmp_path, text))
    assert [unread.cause for unread in found.unread] == [cause]
    assert found.steps[0].text.startswith("x")


def test_a_job_without_its_rules_may_run_or_not(tmp_path: Path) -> None:
    found = gitlab_one(tmp_path, "a: {extends: .missing, script: [x]}\nb: {extends: .missing, script: [x], only: [main]}\n")
    assert [one.can_run(MAIN) for one in found.jobs] == [None, True]


def test_a_matrix_makes_a_job_for_each_combination(tmp_path: Path) -> None:
    text = """
        deploy:
          stage: build
          parallel:
            matrix:
            - TARGET: [dev, prod]
              REGION: eu
          environment: $TARGET/$REGION
          script: [databricks bundle deploy -t $TARGET]
        after: {script: [x], needs: [deploy]}
        several: {script: [x], parallel: 3}
        """
    found = gitlab_one(tmp_path, text)
    assert names(found) == ["deploy [dev, eu]", "deploy [prod, eu]", "after", "several"]
    assert [one.environment for one in found.jobs[:2]] == ["dev/eu", "prod/eu"]
    assert [one.environ["TARGET"] for one in found.jobs[:2]] == ["dev", "prod"]
    assert job(found, "after").needs == ("deploy [dev, eu]", "deploy [prod, eu]")


def test_environments_secrets_and_checkouts(tmp_path: Path) -> None:
    text = """
        a: {script: [x], environment: review/$CI_COMMIT_REF_SLUG}
        b: {script: ["git checkout -B $CI_COMMIT_BRANCH", x], environment: {name: prod, action: start}}
        c: {script: [x], secrets: {DATABRICKS_TOKEN: {vault: a/b}}, variables: {GIT_STRATEGY: none}}
        d: {script: [x], allow_failure: {exit_codes: [1]}}
        """
    a, b, c, d = gitlab_one(tmp_path, text).jobs
    assert (a.environment, a.environment_protected, a.head) == (None, None, "detached")
    assert (b.environment, b.environment_protected, b.head) == ("prod", None, "branch")
    assert (c.environment, c.environment_protected) == ("", False)
    assert (c.steps[0].environ["DATABRICKS_TOKEN"], c.steps[0].folder) == ("$DATABRICKS_TOKEN", None)
    assert d.ignores_failure is None


def test_variables_in_variables(tmp_path: Path) -> None:
    text = """
        variables: {A: a, B: "$A-b", C: {value: "$A", expand: false}, D: $D, E: "${B}/$OF_THE_PROJECT", F: $$A}
        job: {script: [x]}
        """
    assert only(gitlab_one(tmp_path, text)).environ == {
        "A": "a", "B": "a-b", "C": "$A", "D": "$D", "E": "a-b/$OF_THE_PROJECT", "F": "$$A",
    }  # fmt: skip


PARENT = """
    stages: [check, ship, after]
    test: {stage: check, script: [pytest]}
    prod:
      stage: ship
      variables: {TARGET: prod}
      rules: [{if: '$CI_COMMIT_BRANCH == "release"'}, {if: '$CI_PIPELINE_SOURCE == "merge_request_event"'}]
      trigger: {include: [{local: ci/child.yml}], strategy: depend}
    notify: {stage: after, script: [x], rules: [{if: '$CI_COMMIT_BRANCH == "release"'}]}
    """
CHILD = """
    stages: [build, deploy]
    variables: {TARGET: dev}
    deploy:
      stage: deploy
      script: [databricks bundle deploy -t $TARGET]
      rules: [{when: on_success}]
    build: {stage: build, script: [x]}
    by_parent:
      stage: deploy
      script: [x]
      rules: [{if: '$CI_PIPELINE_SOURCE == "parent_pipeline" && $CI_MERGE_REQUEST_ID'}]
    """


def test_a_child_pipeline_runs_when_its_parent_starts_it(tmp_path: Path) -> None:
    found = gitlab_one(tmp_path, PARENT, child=CHILD)
    assert {one.name: answers(one, RELEASE, MAIN, MERGE_REQUEST) for one in found.jobs} == {
        "test": [True, True, False],
        "prod": [True, False, True],
        "prod/deploy": [True, False, True],
        "prod/build": [True, False, False],
        "prod/by_parent": [False, False, True],
        "notify": [True, False, False],
    }
    deploy = job(found, "prod/deploy")
    assert (deploy.environ["TARGET"], deploy.origin.path) == ("prod", "ci/child.yml")
    # Without rules `build` and `test` are in no merge request's pipeline, so nothing there waits for them.
    assert deploy.needs == ()
    assert needs(found)["notify"] == ("test", "prod", "prod/deploy", "prod/build")


def test_a_pipeline_that_starts_itself_ends(tmp_path: Path) -> None:
    text = "again:\n  trigger: {include: [{local: .gitlab-ci.yml}]}\nonce:\n  trigger: {include: .gitlab-ci.yml}\n"
    found = gitlab_one(tmp_path, text)
    assert 2 < len(found.jobs) < 100


def test_a_child_pipeline_that_is_generated_or_elsewhere_is_told(tmp_path: Path) -> None:
    text = """
        make: {stage: build, script: [x]}
        generated: {trigger: {include: [{artifact: out.yml, job: make}]}}
        elsewhere: {trigger: {include: [{project: g/p, file: x.yml}]}}
        other: {trigger: group/project}
        """
    found = gitlab_one(tmp_path, text)
    assert {one.name: [unread.cause for unread in one.unread] for one in found.jobs} == {
        "make": [],
        "generated": ["unresolved"],
        "elsewhere": ["not-asked"],
        "other": ["not-asked"],
    }


def test_the_pipelines_of_the_stacks_start_from_another_file(tmp_path: Path) -> None:
    files = {
        ".gitlab/pipelines/triggers.yml": """
            stages: [triggers]
            ci:
              stage: triggers
              trigger: {include: [{local: .gitlab/pipelines/ci.yml}], strategy: depend}
              rules: [{if: $CI_PIPELINE_SOURCE == 'merge_request_event' && $CI_MERGE_REQUEST_TARGET_BRANCH_NAME == 'main'}]
            cd:
              stage: triggers
              trigger: {include: [{local: .gitlab/pipelines/cd.yml}], strategy: depend}
              rules: [{if: $CI_COMMIT_BRANCH == 'release'}]
            """,
        ".gitlab/pipelines/ci.yml": "test: {script: [pytest], rules: [{when: on_success}]}\n",
        ".gitlab/pipelines/cd.yml": "deploy: {script: [databricks bundle deploy -t prod], environment: prod, rules: [{when: on_success}]}\n",
    }
    (found,) = gitlab_all(tmp_path, files)
    assert {one.name: answers(one, RELEASE, BY_HAND, MERGE_REQUEST, INTO_OTHER) for one in found.jobs} == {
        "ci": [False, False, True, False],
        "ci/test": [False, False, True, False],
        "cd": [True, False, False, False],
        "cd/deploy": [True, False, False, False],
    }
    assert job(found, "cd/deploy").environment == "prod"
    assert [one.checks_out_pr_head for one in found.jobs] == [True, True, False, False]


def test_steps_of_the_new_kind(tmp_path: Path) -> None:
    text = "job:\n  run:\n  - name: a\n    script: databricks bundle deploy\n  - name: b\n    step: gitlab.com/x@1\n"
    assert [(step.text, step.uses) for step in only(gitlab_one(tmp_path, text)).steps] == [
        ("databricks bundle deploy", ""),
        ("", "gitlab.com/x@1"),
    ]
