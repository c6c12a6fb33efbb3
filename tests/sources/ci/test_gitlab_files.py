from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.sources.ci.pipeline_reading import FEATURE, MAIN, answers, gitlab_all, gitlab_one, job, names, only, said

from lakewarden.sources.repository.ci.workflow import HOLE

if TYPE_CHECKING:
    from pathlib import Path

GOOD = "good: {script: [x]}\n"


def test_includes_in_all_their_forms(tmp_path: Path) -> None:
    files = {
        ".gitlab-ci.yml": """
            include:
            - ci/one.yml
            - local: /ci/two.yml
            - local: ci/many/*.yml
            - local: ci/deep/**/*.yml
            last: {script: [x]}
            one: {variables: {A: here}}
            """,
        "ci/one.yml": "one: {script: [one], variables: {A: there, B: b}}\n",
        "ci/two.yml": "include: ci/three.yml\ntwo: {script: [x]}\n",
        "ci/three.yml": "three: {script: [x]}\n",
        "ci/many/a.yml": "a: {script: [x]}\n",
        "ci/many/in/b.yml": "b: {script: [x]}\n",
        "ci/deep/c.yml": "c: {script: [x]}\n",
        "ci/deep/er/d.yml": "d: {script: [x]}\n",
    }
    (found,) = gitlab_all(tmp_path, files)
    assert names(found) == ["one", "three", "two", "a", "c", "d", "last"]
    assert job(found, "one").environ == {"A": "here", "B": "b"}
    assert found.unread == ()


def test_an_include_with_rules_guards_its_jobs(tmp_path: Path) -> None:
    text = "include:\n- local: ci/prod.yml\n  rules: [{if: '$CI_COMMIT_BRANCH == \"main\"'}]\n- local: ci/all.yml\n"
    found = gitlab_one(tmp_path, text, prod="deploy: {script: [x]}\nboth: {script: [x]}\n", all="both: {stage: build}\n")
    assert {one.name: answers(one, MAIN, FEATURE) for one in found.jobs} == {"deploy": [True, False], "both": [True, True]}


@pytest.mark.parametrize(
    ("include", "cause"),
    [
        ("{project: g/p, file: [a.yml, b.yml]}", "not-asked"),
        ("{remote: 'https://x/y.yml'}", "not-asked"),
        ("'https://x/y.yml'", "not-asked"),
        ("{component: gitlab.com/x/y@1}", "not-asked"),
        ("{template: Terraform.gitlab-ci.yml}", "not-asked"),
        ("{local: $FILE}", "unresolved"),
        ("{local: nothing.yml}", "failed"),
        ("{local: .gitlab-ci.yml}", "failed"),
        ("{local: ci/broken.yml}", "failed"),
    ],
)
def test_an_include_that_is_not_read_is_told_and_costs_nothing_else(tmp_path: Path, include: str, cause: str) -> None:
    found = gitlab_one(tmp_path, f"include: [{include}]\n{GOOD}", broken="a: [\n")
    assert names(found) == ["good"]
    assert [(unread.cause, "\n" in unread.reason, unread.remedy != "") for unread in found.unread] == [(cause, False, True)]


def test_inputs_of_a_file_with_a_header(tmp_path: Path) -> None:
    header = """
        spec:
          inputs:
            target: {default: dev}
            name:
            rules: {type: array, default: []}
        ---
        deploy-$[[ inputs.name ]]:
          script:
          - databricks bundle deploy -t $[[ inputs.target ]] $[[ inputs.other ]]
          rules: $[[ inputs.rules ]]
        """
    text = """
        include:
        - local: ci/part.yml
          inputs: {target: prod, name: churn, rules: [{if: '$CI_COMMIT_BRANCH == "main"'}]}
        """
    found = only(gitlab_one(tmp_path, text, part=header))
    assert (found.name, answers(found, MAIN, FEATURE)) == ("deploy-churn", [True, False])
    assert found.steps[0].text == f"databricks bundle deploy -t prod {HOLE}"
    assert (found.steps[0].origin.path, found.steps[0].text_line) == ("ci/part.yml", 10)


def test_the_file_of_the_project_and_others(tmp_path: Path) -> None:
    files = {
        ".gitlab-ci.yml": GOOD,
        "examples/a/.gitlab-ci.yml": "a: {script: [x]}\n",
        ".gitlab/unused.yml": "b: {script: [x]}\n",
        ".gitlab/issue_templates/x.yml": "c: {script: [x]}\n",
        "deploy.gitlab-ci.yml": "spec: {inputs: {x: {}}}\n---\nd: {script: [x]}\n",
    }
    assert {one.path: one.events is not None for one in gitlab_all(tmp_path, files)} == {
        ".gitlab-ci.yml": True,
        "examples/a/.gitlab-ci.yml": False,
        ".gitlab/unused.yml": False,
        "deploy.gitlab-ci.yml": False,
    }


def test_a_file_that_nobody_includes_may_run_or_not(tmp_path: Path) -> None:
    found = next(
        one for one in gitlab_all(tmp_path, {".gitlab-ci.yml": GOOD, ".gitlab/x.yml": GOOD}) if one.path == ".gitlab/x.yml"
    )
    assert [one.can_run(MAIN) for one in found.jobs] == [None]


def test_one_file_in_another_place_is_the_pipeline(tmp_path: Path) -> None:
    (found,) = gitlab_all(tmp_path, {".gitlab/.gitlab-ci.yml": GOOD})
    assert answers(only(found), MAIN) == [True]


def test_a_tree_without_gitlab_holds_nothing(tmp_path: Path) -> None:
    assert gitlab_all(tmp_path, {"ci.yml": GOOD, "README.md": "x"}) == []


@pytest.mark.parametrize(
    "broken",
    [b"a: [\n", b"a:\n\t- x\n", b"a: \xff\xfe\n", b"a: &a [*a]\n", b"".join(b" " * number + b"a:\n" for number in range(300)), b"a: {script: [x]}\n---\nb: 1\n"],
)  # fmt: skip
def test_a_corrupt_file_is_told_and_changes_nothing_for_others(tmp_path: Path, broken: bytes) -> None:
    (alone,) = gitlab_all(tmp_path / "alone", {".gitlab-ci.yml": GOOD})
    found = gitlab_all(tmp_path / "beside", {".gitlab-ci.yml": GOOD, ".gitlab/bad.yml": broken})
    by_path = {one.path: one for one in found}
    bad = by_path[".gitlab/bad.yml"]
    assert (bad.jobs, bad.events) == ((), None)
    assert (bad.unread[0].cause, "\n" in bad.unread[0].reason, bad.unread[0].remedy != "") == ("failed", False, True)
    assert said(by_path[".gitlab-ci.yml"]) == said(alone)


def test_a_corrupt_file_of_the_project_is_told(tmp_path: Path) -> None:
    (found,) = gitlab_all(tmp_path, {".gitlab-ci.yml": "a: [\n", "ci/other.yml": GOOD})
    assert (found.jobs, found.events, found.unread[0].cause) == ((), None, "failed")


NAMES = st.sampled_from(
    ["script", "rules", "if", "when", "extends", "variables", "stage", "needs", "parallel", "matrix", "trigger", "include", "only",
     "except", "environment", "default", "workflow", "a", ".b", "job", "local", "changes", "inherit", "id_tokens", "strategy", "refs"]
)  # fmt: skip
TEXTS = st.sampled_from(
    ["x", "", "a", ".b", "never", "$A", "$CI_COMMIT_BRANCH", "ci/x.yml", "/x/", "true", "$[[ inputs.a ]]", "depend"]
)
TREES = st.recursive(
    TEXTS, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)), max_leaves=12
)


def written(tree: object) -> str:
    if isinstance(tree, dict):
        return "{" + ", ".join(f"? '{key}' : {written(value)}" for key, value in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(map(written, tree)) + "]"
    return f"'{tree}'"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(TREES, TREES, TREES)
def test_nothing_written_in_a_file_makes_it_fail(tmp_path: Path, one: object, other: object, more: object) -> None:
    text = f"include: {written(more)}\nworkflow: {written(other)}\nvariables: {written(more)}\na: {written(one)}\n.b: {written(other)}\nc: {{script: {written(more)}, rules: {written(one)}, extends: .b}}\n"
    for workflow in gitlab_all(tmp_path, {".gitlab-ci.yml": text, "ci/x.yml": f"a: {written(other)}\n"}):
        for found in workflow.jobs:
            found.can_run(MAIN)
