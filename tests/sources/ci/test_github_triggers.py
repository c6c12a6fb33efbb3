from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sources.ci.github_reading import (
    BY_HAND,
    FEATURE,
    MAIN,
    NIGHTLY,
    PULL_REQUEST,
    RELEASE,
    TAG,
    only,
    read,
    read_all,
)

from lakewarden.sources.repository.ci.github.patterns import admits, matches, sample
from lakewarden.sources.repository.ci.workflow import Situation

if TYPE_CHECKING:
    from pathlib import Path

    from lakewarden.sources.repository.ci.workflow import Workflow

JOBS = "\njobs:\n  a:\n    steps:\n      - run: databricks bundle deploy -t prod\n"
INTO_DEV = Situation("pull_request", "refs/pull/7/merge", "dev")


def started(folder: Path, on: str) -> Workflow:
    return read(folder, on + JOBS)


def answers(workflow: Workflow, *situations: Situation) -> list[bool | None]:
    return [only(workflow).can_run(situation) for situation in situations]


@pytest.mark.parametrize(
    ("on", "events"),
    [
        ("on: push", ("push", "tag")),
        ("on: [push, pull_request]", ("push", "tag", "pull_request")),
        ("on:\n  push:\n  workflow_dispatch:", ("push", "tag", "manual")),
        ("'on':\n  push: {branches: [main]}", ("push",)),
        ("on:\n  push: {tags: ['v*']}", ("tag",)),
        ("on:\n  push: {branches: [main], tags: ['v*']}", ("push", "tag")),
        ("on:\n  push: {paths: [src/**]}", ("push", "tag")),
        ("on:\n  push: {branches-ignore: [dev]}", ("push",)),
        ("on:\n  schedule: [{cron: '0 3 * * *'}]", ("schedule",)),
        ("on: workflow_dispatch", ("manual",)),
        ("on: {pull_request_target: {types: [opened]}}", ("pull_request_target",)),
        ("on: {repository_dispatch: {types: [deploy]}, release: {types: [published]}}", ("repository_dispatch", "release")),
        ("on: [merge_group, delete, create, issue_comment]", ("merge_group", "delete", "create", "issue_comment")),
        ("on: {workflow_run: {workflows: [CI], types: [completed]}}", ("workflow_run",)),
        ("on: {pull_request: {types: [closed]}}", ("pull_request", "push")),
    ],
)
def test_events(tmp_path: Path, on: str, events: tuple[str, ...]) -> None:
    assert started(tmp_path, on).events == events


def test_a_push_of_a_branch_that_is_not_named_starts_nothing(tmp_path: Path) -> None:
    workflow = started(tmp_path, "on:\n  push:\n    branches: [main]\n  pull_request:\n    branches: [main]\n")
    assert answers(workflow, MAIN, FEATURE, TAG, PULL_REQUEST, INTO_DEV, BY_HAND, NIGHTLY) == [
        True, False, False, True, False, False, False,
    ]  # fmt: skip
    assert workflow.refs == ("refs/heads/main",)
    assert workflow.bases == ("main",)


def test_branches_and_tags_that_are_left_out(tmp_path: Path) -> None:
    workflow = started(tmp_path, "on:\n  push:\n    branches-ignore: ['feature**']\n    tags-ignore: ['v*']\n")
    other_tag = Situation("tag", "refs/tags/nightly")
    assert answers(workflow, MAIN, FEATURE, TAG, other_tag) == [True, False, False, True]
    assert workflow.refs == ("refs/heads/feature**", "refs/tags/v*")


def test_a_start_by_hand_may_pick_any_ref(tmp_path: Path) -> None:
    workflow = started(tmp_path, "on:\n  push: {branches: [release]}\n  workflow_dispatch:\n")
    assert answers(workflow, RELEASE, MAIN, BY_HAND, Situation("manual", "refs/tags/v1")) == [True, False, True, True]


def test_a_pull_request_whose_base_is_not_known(tmp_path: Path) -> None:
    workflow = started(tmp_path, "on:\n  pull_request: {branches: [main]}\n")
    assert answers(workflow, Situation("pull_request", "refs/pull/1/merge")) == [None]


def test_a_pull_request_without_branches_may_go_anywhere(tmp_path: Path) -> None:
    workflow = started(tmp_path, "on: pull_request")
    assert answers(workflow, PULL_REQUEST, INTO_DEV, Situation("pull_request", "refs/pull/1/merge")) == [True, True, True]


def test_a_branch_of_a_template_is_not_known(tmp_path: Path) -> None:
    workflow = started(tmp_path, "on:\n  push:\n    branches: ['{{ .input_release_branch }}', main]\n")
    assert answers(workflow, MAIN, FEATURE) == [True, None]


def test_the_last_pattern_that_matches_counts(tmp_path: Path) -> None:
    workflow = started(tmp_path, "on:\n  push:\n    branches: ['releases/**', '!releases/**-alpha', 'releases/9-alpha']\n")
    pushed = [Situation("push", f"refs/heads/{name}") for name in ("releases/10", "releases/8-alpha", "releases/9-alpha")]
    assert answers(workflow, *pushed) == [True, False, True]


def test_a_merged_pull_request_is_a_push_to_its_base(tmp_path: Path) -> None:
    workflow = started(tmp_path, "on:\n  pull_request:\n    types: [closed]\n    branches: [main]\n")
    assert answers(workflow, MAIN, FEATURE, PULL_REQUEST, INTO_DEV) == [True, False, True, False]
    guarded = read(
        tmp_path,
        """
        on:
          pull_request:
            types: [closed]
            branches: [main]
        jobs:
          a:
            if: github.event.pull_request.merged == true
            steps: [{run: x}]
        """,
    )
    assert answers(guarded, MAIN, FEATURE, PULL_REQUEST, INTO_DEV) == [True, False, False, False]
    assert guarded.refs == ("refs/heads/main",)


def test_a_workflow_without_triggers_or_jobs_is_a_gap(tmp_path: Path) -> None:
    found = read_all(
        tmp_path,
        {
            ".github/workflows/a.yml": "name: a\njobs: {a: {steps: []}}\n",
            ".github/workflows/b.yml": "on: push\n",
            ".github/workflows/c.yml": "# nothing\n",
            ".github/workflows/d.yml": "on: push\njobs: {a: {steps: [{run: x}]}}\n",
            ".github/workflows/e.yaml": "on: push\njobs:\n\t- broken\n",
            ".github/workflows/f.yml": b"\xff\xfe\x00",
            ".github/workflows/g.yml": "- on\n",
        },
    )
    told = {workflow.path[18:]: (workflow.events, len(workflow.jobs), len(workflow.unread)) for workflow in found}
    broken = (None, 0, 1)
    assert told == {
        "a.yml": broken, "b.yml": broken, "d.yml": (("push", "tag"), 1, 0), "e.yaml": broken, "f.yml": broken, "g.yml": broken,
    }  # fmt: skip
    unread = {workflow.path[18:]: workflow.unread[0] for workflow in found if workflow.unread}
    assert all(one.cause == "failed" and one.remedy and "\n" not in one.reason for one in unread.values())
    assert unread["e.yaml"].origin.line == 3
    assert "`on:`" in unread["a.yml"].reason
    assert "`jobs:`" in unread["b.yml"].reason


def test_a_broken_file_changes_nothing_for_the_others(tmp_path: Path) -> None:
    good = {".github/workflows/a.yml": "on: push" + JOBS, ".github/workflows/c.yml": "on: pull_request" + JOBS}
    alone = read_all(tmp_path / "alone", good)
    beside = read_all(tmp_path / "beside", {**good, ".github/workflows/b.yml": "on: [push\n" + JOBS})
    told = [(one.path, one.events, one.jobs[0].steps[0].text) for one in beside if one.jobs]
    assert told == [(one.path, one.events, one.jobs[0].steps[0].text) for one in alone]
    assert len(beside) == 3


def test_only_workflow_files_are_read(tmp_path: Path) -> None:
    text = "on: push" + JOBS
    paths = [
        ".github/workflows/a.yml",
        ".github/workflows/a.yml.tmpl",
        ".github/workflows/old/b.yml",
        ".github/c.yml",
        "github/workflows/d.yml",
        "template/project/.github/workflows/cd.yaml",
        "x.github/workflows/e.yml",
    ]
    found = read_all(tmp_path, dict.fromkeys(paths, text))
    assert [workflow.path for workflow in found] == [paths[0], paths[5]]


def test_the_shape_of_a_workflow_that_was_read(tmp_path: Path) -> None:
    workflow = read(tmp_path, "name: Deploy\non: push" + JOBS)
    assert (workflow.system, workflow.name, workflow.origin.path) == ("github", "Deploy", ".github/workflows/deploy.yml")
    found = only(workflow)
    assert (found.name, found.origin.line, found.origin.pointer) == ("a", 4, "jobs.a")
    assert (found.steps[0].origin.line, found.steps[0].text_line, found.steps[0].shell) == (6, 6, "")


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("main", ["main"], ["Main", "main2", "x/main"]),
        ("*", ["main"], ["a/b"]),
        ("**", ["main", "a/b/c"], []),
        ("releases/**", ["releases/10", "releases/beta/3"], ["releases", "release/1"]),
        ("**/x", ["x", "a/x", "a/b/x"], ["ax"]),
        ("*feature", ["feature", "my-feature"], ["a/feature"]),
        ("v[12].[0-9]+.[0-9]+", ["v1.10.1", "v2.0.0"], ["v3.0.0", "v1.10"]),
        ("v2*", ["v2", "v2.0"], ["v12"]),
        ("ab?c", ["ac", "abc"], ["abbc"]),
        ("ab+", ["ab", "abb"], ["a"]),
        ("a\\*b", ["a*b"], ["axb"]),
        ("v[0-9", ["v[0-9"], ["v1"]),
        ("a.b", ["a.b"], ["axb"]),
    ],
)
def test_patterns(pattern: str, yes: list[str], no: list[str]) -> None:
    assert [matches(pattern, name) for name in yes] == [True] * len(yes)
    assert [matches(pattern, name) for name in no] == [False] * len(no)
    assert sample(pattern) is not None


def test_an_empty_list_of_patterns_admits_nothing() -> None:
    assert admits([], "main") is False
    assert admits(["!x"], "main") is False


def test_an_unknown_pattern_leaves_open_what_it_could_change() -> None:
    assert admits(["main", "{{ x }}"], "main") is True
    assert admits(["{{ x }}"], "main") is None
    assert admits(["{{ x }}", "main"], "main") is True
    assert admits(["main", "!{{ x }}"], "main") is None
    assert admits(["{{ x }}", "!main"], "main") is False


@given(st.text(alphabet="ab/*?+[]!\\-{", max_size=30), st.text(alphabet="ab/-", max_size=20))
def test_any_pattern_can_be_asked(pattern: str, name: str) -> None:
    assert matches(pattern, name) in (True, False, None)
    found = sample(pattern)
    assert found is None or matches(pattern, found)


@given(st.text(alphabet="ab/.-_", max_size=20))
def test_a_plain_pattern_matches_itself_alone(name: str) -> None:
    assert matches(name, name) is True
    assert matches(name, name + "c") is False


def test_a_hostile_pattern_is_answered_at_once() -> None:
    assert matches("**a" * 200 + "b", "a" * 500) is False
