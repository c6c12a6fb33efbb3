from __future__ import annotations

from textwrap import dedent, indent
from typing import TYPE_CHECKING

import pytest
from tests.sources.ci.pipeline_reading import (
    BY_HAND,
    BY_HAND_ON_MAIN,
    DEFAULT,
    FEATURE,
    INTO_OTHER,
    MAIN,
    MERGE_REQUEST,
    NIGHTLY,
    TAG,
    answers,
    gitlab_one,
    job,
    only,
)

from lakewarden.sources.repository.ci.workflow import DEFAULT_BRANCH

if TYPE_CHECKING:
    from pathlib import Path

    from lakewarden.sources.repository.ci.workflow import Job

SITUATIONS = (MAIN, FEATURE, TAG, MERGE_REQUEST, BY_HAND)


def one(folder: Path, keys: str, above: str = "") -> Job:
    """The one job of a pipeline, with further keys."""
    return only(
        gitlab_one(
            folder, f"{dedent(above)}\ndeploy:\n  script: [databricks bundle deploy -t prod]\n{indent(dedent(keys), '  ')}\n"
        )
    )


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("", [True, True, True, False, True]),
        ("rules: []", [False] * 5),
        ("rules: [{when: always}]", [True] * 5),
        ("rules: [{when: never}]", [False] * 5),
        ("rules: [{when: manual}]", [True] * 5),
        ("rules: [{if: '$CI_COMMIT_BRANCH == \"main\"'}]", [True, False, False, False, False]),
        ("rules: [{if: '$CI_COMMIT_BRANCH == \"main\"', when: never}, {when: on_success}]", [False, True, True, True, True]),
        ("rules: [{if: '$CI_PIPELINE_SOURCE == \"merge_request_event\"'}]", [False, False, False, True, False]),
        ("rules: [{if: $CI_COMMIT_TAG}]", [False, False, True, False, False]),
        ("rules: [{if: '$CI_PIPELINE_SOURCE == \"web\"'}]", [False, False, False, False, True]),
        ("rules: [{if: '$CI_PIPELINE_SOURCE == \"api\"'}]", [False, False, False, False, True]),
        ("rules: [{if: '$OF_THE_PROJECT == \"x\"'}]", [None] * 5),
        (
            "rules: [{if: '$OF_THE_PROJECT == \"x\"', when: never}, {if: '$CI_COMMIT_BRANCH == \"main\"'}]",
            [None, False, False, False, False],
        ),
        ("rules: [{changes: [src/**]}]", [True] * 5),
        ("rules: [{changes: [src/**], when: never}, {when: always}]", [True, True, False, True, False]),
        ("rules: [{exists: [.gitlab-ci.yml]}]", [True] * 5),
        ("rules: [{exists: [nothing.txt]}]", [None] * 5),
        ("rules: [{if: 'broken =='}]", [None] * 5),
        ("only: [main]", [True, False, False, False, False]),
        ("only: [branches]", [True, True, False, False, True]),
        ("only: [tags]", [False, False, True, False, False]),
        ("only: [merge_requests]", [False, False, False, True, False]),
        ("only: [main, merge_requests]", [True, False, False, True, False]),
        ("only: [/^feature\\/.*$/]", [False, True, False, False, True]),
        ("only: [pushes]", [True, True, True, False, False]),
        ("only: [web]", [False, False, False, False, True]),
        ("only: {refs: [main], variables: ['$CI_PIPELINE_SOURCE == \"push\"']}", [True, False, False, False, False]),
        ("only: {variables: ['$OF_THE_PROJECT']}", [None, None, None, False, None]),
        ("only: {changes: [src/**]}", [True, True, True, False, True]),
        ("only: {kubernetes: active}", [None, None, None, False, None]),
        ("only: [main@group/project]", [None, False, False, False, False]),
        ("only: [$BRANCH]", [False] * 5),
        ("except: [main]", [False, True, True, False, True]),
        ("except: [tags, web]", [True, True, False, False, True]),
        ("except: {refs: [main], variables: ['$CI_COMMIT_TAG']}", [False, True, False, False, True]),
        ("only: [branches]\nexcept: [main]", [False, True, False, False, True]),
        ("when: manual", [True, True, True, False, True]),
    ],
)
def test_when_a_job_is_in_the_pipeline(tmp_path: Path, keys: str, expected: list[bool | None]) -> None:
    assert answers(one(tmp_path, keys), *SITUATIONS) == expected


@pytest.mark.parametrize(
    ("workflow", "keys", "expected"),
    [
        ("workflow: {rules: [{if: '$CI_COMMIT_BRANCH == \"main\"'}]}", "", [True, False, False, False, False]),
        ("workflow: {rules: [{if: '$CI_PIPELINE_SOURCE == \"merge_request_event\"'}]}", "", [False, False, False, True, False]),
        ("workflow: {rules: [{if: $CI_COMMIT_TAG, when: never}, {when: always}]}", "", [True, True, False, True, True]),
        ("workflow: {rules: [{if: '$CI_COMMIT_BRANCH && $CI_OPEN_MERGE_REQUESTS', when: never}, {if: $CI_COMMIT_BRANCH}]}", "",
         [True, True, False, False, True]),
        ("workflow: {rules: [{when: always}]}", "only: [main]", [True, False, False, False, False]),
        ("include: [{template: Workflows/Branch-Pipelines.gitlab-ci.yml}]", "", [True, True, True, False, True]),
        ("include: [{template: Workflows/MergeRequest-Pipelines.gitlab-ci.yml}]", "", [None, False, True, True, False]),
        ("include: [{template: Security/SAST.gitlab-ci.yml}]", "", [True, True, True, False, True]),
        ("include: [{project: group/ci, file: base.yml}]", "", [None, None, None, False, None]),
        ("include: [{project: group/ci, file: base.yml}]\nworkflow: {rules: [{if: $CI_COMMIT_BRANCH}]}", "",
         [True, True, False, False, True]),
    ],
)  # fmt: skip
def test_when_the_pipeline_itself_starts(tmp_path: Path, workflow: str, keys: str, expected: list[bool | None]) -> None:
    assert answers(one(tmp_path, keys, workflow), *SITUATIONS) == expected


def test_the_default_branch_is_a_ref_of_its_own(tmp_path: Path) -> None:
    found = gitlab_one(tmp_path, "deploy:\n  script: [x]\n  rules: [{if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH}]\n")
    assert found.refs == (f"refs/heads/{DEFAULT_BRANCH}",)
    assert answers(only(found), DEFAULT, MAIN, FEATURE, TAG, BY_HAND_ON_MAIN, BY_HAND) == [True, None, False, False, None, False]


def test_rules_that_set_variables_make_a_job_each(tmp_path: Path) -> None:
    text = """
        deploy:
          variables: {TARGET: dev}
          rules:
          - if: $CI_COMMIT_BRANCH == "main"
            variables: {TARGET: prod}
          - if: $CI_COMMIT_BRANCH =~ /^feature/
          - if: $CI_PIPELINE_SOURCE == "merge_request_event"
            allow_failure: true
          script: [databricks bundle deploy -t $TARGET]
        """
    found = gitlab_one(tmp_path, text)
    assert {row.name: answers(row, MAIN, FEATURE, MERGE_REQUEST) for row in found.jobs} == {
        "deploy (TARGET=prod)": [True, False, False],
        "deploy": [False, True, False],
        "deploy #2": [False, False, True],
    }
    assert [row.environ["TARGET"] for row in found.jobs] == ["prod", "dev", "dev"]
    assert [row.ignores_failure for row in found.jobs] == [False, False, True]


def test_rules_of_the_pipeline_that_set_variables(tmp_path: Path) -> None:
    text = """
        workflow:
          rules:
          - if: $CI_COMMIT_BRANCH == "main"
            variables: {TARGET: prod}
          - if: $CI_COMMIT_BRANCH
            variables: {TARGET: dev}
        deploy: {script: [databricks bundle deploy -t $TARGET]}
        guarded:
          script: [x]
          rules: [{if: '$TARGET == "prod"'}]
        """
    found = gitlab_one(tmp_path, text)
    assert {row.name: (row.environ["TARGET"], answers(row, MAIN, FEATURE)) for row in found.jobs} == {
        "deploy (TARGET=prod)": ("prod", [True, False]),
        "deploy (TARGET=dev)": ("dev", [False, True]),
        "guarded (TARGET=prod)": ("prod", [True, False]),
        "guarded (TARGET=dev)": ("dev", [False, False]),
    }


def test_a_variable_that_is_offered_may_be_chosen_by_hand(tmp_path: Path) -> None:
    above = 'variables: {TARGET: {value: dev, options: [dev, prod], description: where to}, FLAG: "no"}\n'
    by_target = one(tmp_path / "a", "rules: [{if: '$TARGET == \"prod\"'}]", above)
    by_flag = one(tmp_path / "b", "rules: [{if: '$FLAG == \"yes\"'}]", above)
    assert answers(by_target, MAIN, BY_HAND, NIGHTLY) == [False, True, True]
    assert answers(by_flag, MAIN, BY_HAND, NIGHTLY) == [False, None, None]


def test_schedules_count_where_the_file_speaks_of_them(tmp_path: Path) -> None:
    assert gitlab_one(tmp_path / "a", "a: {script: [x]}\n").events == ("push", "tag", "merge_request", "manual")
    text = "a:\n  script: [x]\n  rules: [{if: '$CI_PIPELINE_SOURCE == \"schedule\"'}]\n"
    found = gitlab_one(tmp_path / "b", text)
    assert found.events == ("push", "tag", "merge_request", "manual", "schedule")
    assert answers(only(found), MAIN, NIGHTLY) == [False, True]
    assert "schedule" in (gitlab_one(tmp_path / "c", "a: {script: [x], only: [schedules]}\n").events or ())


def test_refs_and_bases_that_conditions_mention(tmp_path: Path) -> None:
    text = """
        variables: {PROD_BRANCH: release}
        workflow: {rules: [{if: '$CI_COMMIT_BRANCH == "main" || $CI_COMMIT_TAG =~ /^v/'}]}
        a: {script: [x], rules: [{if: $CI_COMMIT_BRANCH == $PROD_BRANCH}, {if: $CI_MERGE_REQUEST_TARGET_BRANCH_NAME =~ /^(dev|qa)$/}]}
        b: {script: [x], only: [/^hotfix-/, tags, v1.0], except: {refs: [old], variables: ['$CI_COMMIT_REF_NAME == "x"']}}
        """
    found = gitlab_one(tmp_path, text)
    assert sorted(found.refs) == sorted(
        [
            *(f"refs/heads/{name}" for name in ("main", "release", "hotfix-1", "v1.0", "old", "x")),
            "refs/tags/v1",
            "refs/tags/v1.0",
        ]
    )
    assert found.bases == ("dev", "qa")
    assert answers(job(found, "a"), MERGE_REQUEST, INTO_OTHER) == [False, False]
