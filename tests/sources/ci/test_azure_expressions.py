from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sources.ci.pipeline_reading import BY_HAND, FEATURE, MAIN, PULL_REQUEST, TAG

from lakewarden.sources.repository.ci.azure.conditions import Waits, can_run, required
from lakewarden.sources.repository.ci.azure.expressions import evaluate, parse, parts
from lakewarden.sources.repository.ci.azure.situations import Told, mentioned
from lakewarden.sources.repository.ci.azure.values import UNKNOWN, Lookup, Unknown, Value, to_text, truth
from lakewarden.sources.repository.ci.workflow import HOLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakewarden.sources.repository.ci.workflow import Situation

VARIABLES: dict[str, Value] = {"env": "prod", "empty": "", "yes": "True", "n": "3", "list": ["a", "b"], "null": None}


class Scope:
    """Variables alone; what is not among them is not known."""

    def __init__(self, variables: Mapping[str, Value]) -> None:
        self.variables = variables

    def context(self, name: str) -> Value:
        return Lookup(lambda key: self.variables.get(key.lower(), UNKNOWN)) if name == "variables" else UNKNOWN

    def text(self, text: str) -> Value:
        return text

    def status(self, function: str, names: tuple[Value, ...]) -> bool | None:
        return None if names else {"always": True, "succeeded": True, "failed": False}.get(function)


def value(source: str, variables: Mapping[str, Value] = VARIABLES) -> Value:
    return evaluate(parse(source), Scope(variables))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("eq(variables['env'], 'PROD')", True),
        ("eq(variables.env, 'dev')", False),
        ("EQ(variables.ENV, 'prod')", True),
        ("ne(variables.env, 'dev')", True),
        ("eq(variables.yes, true)", True),
        ("eq(true, variables.yes)", True),
        ("eq(variables.empty, '')", True),
        ("eq(variables.null, '')", True),
        ("eq(variables.n, 3)", True),
        ("eq(3, variables.n)", True),
        ("not(eq(variables.env, 'prod'))", False),
        ("and(true, eq(variables.env, 'prod'), always())", True),
        ("or(false, eq(variables.env, 'dev'))", False),
        ("xor(true, false)", True),
        ("in(variables.env, 'dev', 'prod')", True),
        ("notIn(variables.env, 'dev', 'prod')", False),
        ("contains(variables.env, 'RO')", True),
        ("startsWith(variables.env, 'pr')", True),
        ("endsWith(variables.env, 'x')", False),
        ("containsValue(variables.list, 'b')", True),
        ("gt(variables.n, 2)", True),
        ("le(variables.n, 2)", False),
        ("eq(lower('ABC'), upper('abc'))", True),
        ("replace('refs/heads/main', 'refs/heads/', '')", "main"),
        ("format('{0}-{1}', variables.env, 'x')", "prod-x"),
        ("format('{{0}}')", "{0}"),
        ("join(',', variables.list)", "a,b"),
        ("coalesce(variables.empty, variables.env)", "prod"),
        ("iif(eq(variables.env, 'prod'), 'p', 'd')", "p"),
        ("length('abc')", 3.0),
        ("split('a.b', '.')[1]", "b"),
        ("'it''s'", "it's"),
        ("succeeded()", True),
    ],
)
def test_expressions_give_their_values(source: str, expected: Value) -> None:
    assert value(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "",
        "eq(",
        "eq('a' 'b')",
        "a == b",
        "eq(variables.other, 'x')",
        f"eq('a{HOLE}', 'ab')",
        f"eq({HOLE}, 'ab')",
        "counter('a', 1)",
        "nothing('a')",
        "and(true)",
        "eq(variables.env)",
        "succeeded('other')",
        "resources.pipeline.x.runID",
        "(" * 100 + "true" + ")" * 100,
        "not(" * 100 + "true" + ")" * 100,
    ],
)
def test_what_is_no_expression_or_not_known_is_unknown(source: str) -> None:
    assert isinstance(value(source), Unknown)


def test_what_is_known_decides_beside_what_is_not() -> None:
    assert value("and(eq(variables.other, 'x'), false)") is False
    assert value("or(eq(variables.other, 'x'), true)") is True
    assert value("in('a', variables.other, 'a')") is True


def test_a_boolean_beside_the_text_false_is_not_known() -> None:
    assert value("eq(false, 'false')") is UNKNOWN
    assert value("eq(true, 'true')") is True


def test_parts_of_a_text() -> None:
    assert parts("a ${{ b }} c${{d}}") == ["a ", ("b",), " c", ("d",)]
    assert parts("${{ eq(a, '}}') }}") == [("eq(a, '}}')",)]
    assert parts("${{ open") == ["${{ open"]


ATOMS = st.sampled_from(["variables.a", "variables.b", "'x'", "'y'", "''"])
TESTS = st.builds(
    "{}({}, {})".format, st.sampled_from(["eq", "ne", "in", "notIn", "contains", "startsWith", "endsWith"]), ATOMS, ATOMS
)
EXPRESSIONS = st.recursive(
    TESTS,
    lambda inner: st.one_of(
        st.builds("not({})".format, inner), st.builds("{}({}, {})".format, st.sampled_from(["and", "or", "xor"]), inner, inner)
    ),
    max_leaves=6,
)
DOMAIN = ("x", "y", "", "xy")


@given(EXPRESSIONS)
def test_what_is_known_with_unknowns_holds_for_all_their_values(source: str) -> None:
    worlds = {(a, b): truth(value(source, {"a": a, "b": b})) for a, b in product(DOMAIN, DOMAIN)}
    assert None not in worlds.values()
    for a in DOMAIN:
        known = truth(value(source, {"a": a}))
        assert known is None or {known} == {worlds[a, b] for b in DOMAIN}
    nothing = truth(value(source, {}))
    assert nothing is None or {nothing} == set(worlds.values())


def plain(source: str, a: str, b: str) -> bool | str:
    """A second evaluator, for values that are all known: Python does the work."""
    functions = {
        "eq": lambda x, y: x == y,
        "ne": lambda x, y: x != y,
        "in": lambda x, y: x == y,
        "notIn": lambda x, y: x != y,
        "contains": lambda x, y: y in x,
        "startsWith": str.startswith,
        "endsWith": str.endswith,
        "not": lambda x: not x,
        "and": lambda x, y: x and y,
        "or": lambda x, y: x or y,
        "xor": lambda x, y: x != y,
    }
    text = source.replace("variables.a", repr(a)).replace("variables.b", repr(b))
    answer: bool | str = eval(re.sub(r"(\w+)\(", r"F['\1'](", text), {"F": functions})  # noqa: S307 - built above
    return answer


@given(EXPRESSIONS, st.sampled_from(DOMAIN), st.sampled_from(DOMAIN))
def test_with_all_values_known_it_answers_as_a_second_evaluator(source: str, a: str, b: str) -> None:
    assert truth(value(source, {"a": a, "b": b})) is bool(plain(source, a, b))


@given(st.text(alphabet="abc'(),.[] \0$", max_size=40))
def test_any_text_is_parsed_or_refused(source: str) -> None:
    value(source)
    assert "".join(part if isinstance(part, str) else part[0] for part in parts(source)) == source  # no `${{` among the letters


SITUATIONS = (MAIN, FEATURE, TAG, BY_HAND, PULL_REQUEST)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("eq(variables['Build.SourceBranch'], 'refs/heads/main')", [True, False, False, False, False]),
        ("eq(variables['Build.SourceBranchName'], 'main')", [True, False, False, False, False]),
        ("startsWith(variables['Build.SourceBranch'], 'refs/tags/v')", [False, False, True, False, False]),
        ("eq(variables['Build.Reason'], 'PullRequest')", [False, False, False, False, True]),
        ("eq(variables['Build.Reason'], 'Manual')", [False, False, False, True, False]),
        ("in(variables['Build.Reason'], 'IndividualCI', 'BatchedCI')", [True, True, True, False, False]),
        ("eq(variables['System.PullRequest.TargetBranch'], 'refs/heads/main')", [False, False, False, False, True]),
        ("eq(variables['System.PullRequest.TargetBranch'], 'main')", [False, False, False, False, True]),
        ("eq(variables['system.pullrequest.sourcebranch'], 'main')", [False, False, False, False, None]),
        ("and(succeeded(), ne(variables['Build.Reason'], 'PullRequest'))", [True, True, True, True, False]),
        ("eq(variables['isMain'], 'True')", [True, False, False, False, False]),
        ("eq(variables.name, 'main')", [True, False, False, False, False]),
        ("eq('$(Build.SourceBranchName)', 'main')", [True, False, False, False, False]),
        ("eq(variables['of.a.group'], 'x')", [None] * 5),
        ("eq(variables['circle'], 'x')", [None] * 5),
        ("eq(dependencies.A.outputs['s.x'], 'y')", [None] * 5),
    ],
)
def test_conditions_follow_how_the_pipeline_was_started(condition: str, expected: list[bool | None]) -> None:
    variables = {
        "ismain": "$[eq(variables['Build.SourceBranch'], 'refs/heads/main')]",
        "name": "$(Build.SourceBranchName)",
        "circle": "$(circle)",
    }
    assert [can_run(condition, Waits({}), variables, situation, set()) for situation in SITUATIONS] == expected


def _can(condition: str, situation: Situation | None = MAIN, **waits: bool | None) -> bool | None:
    return can_run(condition, Waits(waits), {}, situation, set())


def test_conditions_on_how_jobs_before_ended() -> None:
    assert _can("succeeded()", A=True) is True
    assert _can("succeeded()", A=False) is False
    assert _can("succeeded()", A=None) is None
    assert _can("succeeded('A')", A=True, B=False) is True
    assert _can("failed()", A=True) is True
    assert _can("failed()", A=False) is False
    assert _can("failed()") is False
    assert _can("always()", A=False) is True
    assert _can("succeededOrFailed()", A=False) is True
    assert _can("not(failed())", A=False) is True
    assert _can("in(dependencies.A.result, 'Succeeded', 'Skipped')", A=False) is True
    assert _can("eq(dependencies.A.result, 'Succeeded')", A=False) is False
    assert _can("canceled()", A=True) is False


def test_a_job_far_behind_that_is_skipped_leaves_it_open() -> None:
    assert can_run("succeeded()", Waits({"B": True}, None), {}, MAIN, set()) is None
    assert can_run("succeeded('B')", Waits({"B": True}, None), {}, MAIN, set()) is True


def test_a_condition_of_its_own_lets_a_job_run_after_a_failure() -> None:
    assert required("succeeded()", ("A", "B")) == ("A", "B")
    assert required("eq(variables['Build.SourceBranch'], 'refs/heads/main')", ("A",)) == ()
    assert required("and(succeeded(), eq(variables['Build.SourceBranch'], 'refs/heads/main'))", ("A",)) == ("A",)
    assert required("and(not(failed()), not(canceled()))", ("A",)) == ("A",)
    assert required("succeeded('A')", ("A", "B")) == ("A",)
    assert required("always()", ("A",)) == ()


def test_what_refs_are_compared_with_is_told() -> None:
    told: Told = set()
    condition = """and(
        or(eq(variables['Build.SourceBranch'], 'refs/heads/main'), startsWith(variables['Build.SourceBranch'], 'refs/heads/release/')),
        or(startsWith(variables['Build.SourceBranch'], 'refs/tags/v'), in(variables['Build.SourceBranchName'], 'hotfix')),
        startsWith(variables['Build.SourceBranchName'], 'rel'), contains(variables['Build.SourceBranch'], 'support')
    )"""
    can_run(condition, Waits({}), {}, MAIN, told)
    can_run("eq(variables['System.PullRequest.TargetBranch'], 'refs/heads/dev')", Waits({}), {}, PULL_REQUEST, told)
    refs, bases = mentioned(told)
    heads = ["main", "release/*", "hotfix", "rel", "rel/*", "support", "support/*"]
    assert sorted(refs) == sorted([*(f"refs/heads/{name}" for name in heads), "refs/tags/v1"])
    assert bases == ["dev"]


def test_a_ref_without_its_prefix_is_still_a_ref() -> None:
    told: Told = set()
    condition = "eq(replace(variables['Build.SourceBranch'], 'refs/heads/', ''), 'main')"
    assert can_run(condition, Waits({}), {}, MAIN, told) is True
    assert mentioned(told) == (["refs/heads/main"], [])


@given(st.sampled_from(SITUATIONS), EXPRESSIONS)
def test_knowing_less_of_the_start_makes_no_answer_certain(situation: Situation, source: str) -> None:
    condition = source.replace("variables.a", "variables['Build.SourceBranchName']").replace("'x'", "'main'")
    known = can_run(condition, Waits({}), {}, situation, set())
    unknown = can_run(condition, Waits({}), {}, None, set())
    assert unknown is None or unknown is known


def test_texts_of_values() -> None:
    assert [to_text(one) for one in (True, False, None, 3.0, 1.5, UNKNOWN, "x")] == ["True", "False", "", "3", "1.5", None, "x"]
