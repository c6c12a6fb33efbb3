from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakewarden.sources.repository.ci.github.expressions import evaluate, render
from lakewarden.sources.repository.ci.github.syntax import Hole, Literal, condition, parse, template
from lakewarden.sources.repository.ci.github.values import Many, Object, Unknown, Value, truth
from lakewarden.sources.repository.ci.github.witness import can_hold

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CONTEXT: dict[str, Value] = {
    "github": Object(
        {
            "ref": "refs/heads/main",
            "event_name": "push",
            "event": Object({"pull_request": None, "action": Unknown()}, lambda _: Unknown()),
            "actor": Unknown(truth=True),
        }
    ),
    "matrix": Object({"env": "prod", "os": ("ubuntu", "windows"), "n": 3.0, "on": True}),
    "needs": Object(
        {"a": Object({"result": "success", "outputs": Unknown()}), "b": Object({"result": "skipped", "outputs": Unknown()})}
    ),
    "secrets": Object({}, lambda key: Unknown(f"${{{{ secrets.{key} }}}}", name=f"secrets.{key}")),
}


def value(source: str, context: Mapping[str, Value] = CONTEXT) -> Value:
    node = parse(source)
    assert node is not None, source
    return evaluate(node, lambda name: context.get(name, Unknown()))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("true", True),
        ("null", None),
        ("0x1f", 31.0),
        ("-1.5e2", -150.0),
        ("'it''s'", "it's"),
        ("github.ref == 'refs/heads/main'", True),
        ("github.ref == 'REFS/HEADS/MAIN'", True),
        ("github.ref != 'refs/heads/main'", False),
        ("GitHub.Ref", "refs/heads/main"),
        ("github['ref']", "refs/heads/main"),
        ("github.nothing", None),
        ("github.nothing.more", None),
        ("github.event.pull_request.head.ref", None),
        ("matrix.os[1]", "windows"),
        ("matrix.os[7]", None),
        ("!true", False),
        ("!!'x'", True),
        ("!!!''", True),
        ("'a' && 'b'", "b"),
        ("'' && 'b'", ""),
        ("'' || 'b'", "b"),
        ("false || 0 || 'c'", "c"),
        ("github.ref == 'x' && 'prod' || 'dev'", "dev"),
        ("github.event_name == 'push' && 'prod' || 'dev'", "prod"),
        ("1 < 2", True),
        ("'a' < 'B'", True),
        ("'10' < 9", False),
        ("2 >= 2", True),
        ("'' == 0", True),
        ("null == 0", True),
        ("true == 1", True),
        ("'1' == 1", True),
        ("'x' == 0", False),
        ("'x' != 0", True),
        ("'0x10' == 16", True),
        ("null == ''", True),
        ("NaN == NaN", False),
        ("matrix == matrix", True),
        ("matrix.os == 'Array'", False),
        ("contains('Hello World', 'WORLD')", True),
        ("contains(matrix.os, 'Ubuntu')", True),
        ("contains(matrix.os, 'mac')", False),
        ('contains(fromJSON(\'["push", "tag"]\'), github.event_name)', True),
        ("contains(needs.*.result, 'skipped')", True),
        ("contains(needs.*.result, 'failure')", False),
        ("startsWith(github.ref, 'refs/HEADS/')", True),
        ("endsWith(github.ref, '/main')", True),
        ("endsWith(github.ref, 'x')", False),
        ("startsWith(matrix.os, 'u')", False),
        ("format('{0}-{1}-{{2}}', matrix.env, 1)", "prod-1-{2}"),
        ("join(matrix.os)", "ubuntu,windows"),
        ("join(matrix.os, ' ')", "ubuntu windows"),
        ("join('a', ' ')", "a"),
        ('fromJSON(\'{"a": {"B": 1}}\').a.b', 1.0),
        ("fromJSON('true')", True),
        ("toJSON(matrix.n)", "3"),
        ("case(false, 1, true, 2, 3)", 2.0),
        ("case(false, 1, 3)", 3.0),
        ("'a' == 'a' == true", True),
        ("1 == 1 && 2 == 2 || false", True),
        ("(1 == 2 || 3 == 3) && !false", True),
    ],
)
def test_what_is_known(source: str, expected: Value) -> None:
    found = value(source)
    assert (type(found), found) == (type(expected), expected)


@pytest.mark.parametrize(
    "source",
    [
        "secrets.A",
        "vars.A == 'x'",
        "secrets.A == 'x'",
        "!secrets.A",
        "secrets.A && true",
        "secrets.A || false",
        "contains(secrets.A, 'x')",
        "contains(matrix.os, secrets.A)",
        "startsWith(secrets.A, 'x')",
        "github.event.head_commit.message == 'x'",
        "needs.a.outputs.x == 'true'",
        "hashFiles('**/x')",
        "unheard_of(1)",
        "fromJSON('{')",
        "fromJSON(secrets.A).b",
        "format('{0', 1)",
        "format('{9}', 1)",
        "contains('a')",
        "secrets.A < 3",
        "case(secrets.A, 1, 2)",
        "matrix[secrets.A]",
        "success(1)",
    ],
)
def test_what_is_not_known(source: str) -> None:
    assert truth(value(source)) is None


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("secrets.A && false", False),
        ("secrets.A || true", True),
        ("false && secrets.A", False),
        ("true || secrets.A", True),
        ("secrets.A && secrets.B && github.ref == 'x'", False),
        ("secrets.A == secrets.A", True),
        ("(secrets.A || 'x') && 'y'", True),
        ("!(secrets.A && '')", True),
        ("contains(fromJSON('[\"a\"]'), 'a') || secrets.A", True),
        ("github.actor && true", True),
    ],
)
def test_what_is_certain_whatever_the_rest_is(source: str, expected: bool) -> None:
    assert truth(value(source)) is expected


def test_an_unknown_part_leaves_the_value_open_even_where_its_truth_is_certain() -> None:
    found = value("secrets.A && ''")
    assert isinstance(found, Unknown)
    assert found.truth is False


@pytest.mark.parametrize(
    "source",
    [
        "",
        "a b",
        "1 +",
        "'open",
        "f(",
        "a.",
        "a[1",
        "(a",
        "a)",
        "==",
        "a && ",
        '"x"',
        "a ? b : c",
        "$x",
        "a.[0]",
        "1abc",
        "f(,)",
        "`",
    ],
)
def test_what_is_no_expression(source: str) -> None:
    assert parse(source) is None
    assert can_hold(condition(source), lambda _: Unknown(), {}) is None


@pytest.mark.parametrize(
    "text", ["(" * 5_000, "!" * 5_000 + "a", "a" + ".b" * 5_000, "a == " * 5_000 + "a", "f(" * 5_000, "[" * 9_000]
)
def test_hostile_expressions_are_answered(text: str) -> None:
    node = parse(text)
    assert node is None or truth(evaluate(node, lambda _: Unknown())) is None


def test_long_conditions_are_read() -> None:
    assert truth(value(" || ".join(["github.ref == 'x'"] * 300 + ["true"]))) is True
    assert truth(value("fromJSON('" + "[" * 15_000 + "')")) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${{ github.ref == 'x' }}", False),
        ("github.event_name == 'push'", True),
        ("  ${{ true }}  ", True),
        ("${{ false }} && ${{ false }}", True),
        ("false || ${{ false }}", True),
        ("${{ github.event_name == 'push' }} ", True),
        ("false", False),
    ],
)
def test_conditions_with_and_without_braces(text: str, expected: bool) -> None:
    node = condition(text)
    assert node is not None
    assert truth(evaluate(node, lambda name: CONTEXT.get(name, Unknown()))) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("a-${{ matrix.env }}-b", "a-prod-b"),
        ("${{ matrix.env }}${{ matrix.n }}", "prod3"),
        ("${{ format('}}{0}', 'x') }}", "}x"),
        ("${{ matrix.on }}!", "true!"),
        ("x${{ null }}", "x"),
        ("open ${{ matrix.env", "open ${{ matrix.env"),
        ("$${{ matrix.env }}", "$prod"),
        ("{{ matrix.env }}", "{{ matrix.env }}"),
    ],
)
def test_texts(text: str, expected: str) -> None:
    assert render(template(text), lambda name: CONTEXT.get(name, Unknown())) == expected


def test_unknown_parts_of_texts() -> None:
    def scope(name: str) -> Value:
        return CONTEXT.get(name, Unknown())

    assert render(template("a-${{ github.sha2 || steps.x }}"), scope) == Unknown("a-\0", truth=True)
    assert render(template("${{ secrets.A }}"), scope) == Unknown("${{ secrets.A }}", name="secrets.A")
    written = render(template("${{ secrets.A || secrets.B }}"), scope)
    assert isinstance(written, Unknown)
    assert (written.text, written.name) == ("${{ secrets.A }}", "")
    either = render(template("${{ secrets.A && 'x' || 'y' }}"), scope)
    assert either == Unknown("${{ secrets.A && 'x' || 'y' }}", truth=True)
    assert render(template("${{ github.ref == 'x' && secrets.A || secrets.B }}"), scope) == Unknown(
        "${{ secrets.B }}", name="secrets.B"
    )
    assert render(template("${{ this is none }}"), scope) == Unknown()


def test_the_parts_of_a_text() -> None:
    assert template("a${{ 'b' }}") == ("a", Hole("'b'", Literal("b")))


def test_lists_of_objects() -> None:
    labels = (Object({"name": "bug"}), Object({"name": "prod"}), Object({"id": 1.0}))
    context: dict[str, Value] = {"labels": labels, "many": Many(("a",))}
    assert value("contains(labels.*.name, 'PROD')", context) is True
    assert value("join(labels.*.name, '+')", context) == "bug+prod+"
    found = value("many.*", {"many": Object({"a": 1.0, "b": 2.0})})
    assert isinstance(found, Many)
    assert found.items == (1.0, 2.0)


# What whoever starts a workflow may choose.


def free(source: str, domains: Mapping[str, tuple[Value, ...]] | None = None) -> bool | None:
    github = Object({"ref": "refs/heads/main"}, lambda _: Unknown())
    context: dict[str, Value] = {"github": github}
    return can_hold(parse(source), lambda name: context.get(name, Unknown()), domains or {})


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("github.actor != 'dependabot[bot]'", True),
        ("github.actor != 'a' && github.actor != 'b'", True),
        ("github.actor == 'a' && github.actor == 'b'", None),
        ("!contains(github.event.head_commit.message, '[skip ci]')", True),
        ("contains(github.event.pull_request.labels.*.name, 'deploy')", True),
        ("!contains(github.event.pull_request.labels.*.name, 'deploy')", True),
        ("github.event.pull_request.draft == false", True),
        ("!github.event.pull_request.draft", True),
        ("github.event.pull_request.head.repo.full_name == github.repository", True),
        ("github.event.pull_request.head.repo.full_name != github.repository", True),
        ("github.repository == 'databricks/mlops'", True),
        ("github.actor == 'a' && github.ref == 'refs/heads/x'", False),
        ("github.actor == 'a' && vars.A == 'x'", None),
        ("github.event.workflow_run.conclusion == 'success'", True),
        ("github.event.client_payload.env == 'prod'", True),
        ("vars.A == 'x'", None),
        ("github.event.repository.private", None),
        ("github.event.organization.login == 'x'", None),
    ],
)
def test_what_can_be_chosen(source: str, expected: bool | None) -> None:
    assert free(source) is expected


def test_a_choice_among_few_is_made_among_these() -> None:
    among: dict[str, tuple[Value, ...]] = {"github.event.action": ("opened", "closed")}
    assert free("github.event.action == 'closed'", among) is True
    assert free("github.event.action == 'labeled'", among) is False
    assert free("github.event.action == 'labeled' || vars.A", among) is None


# The law: an answer is never more certain than the expression allows.

NAMES = ("p", "q", "r")
VALUES: tuple[Value, ...] = ("", "main", "dev", True, False, None, 0.0, 1.0)

LEAVES = st.one_of(st.sampled_from(NAMES), st.sampled_from(["'main'", "'dev'", "''", "true", "false", "null", "0", "1", "'1'"]))


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(inner, inner)
    return st.one_of(
        st.tuples(inner, st.sampled_from(["&&", "||", "==", "!=", "<", ">="]), inner).map(lambda parts: f"({' '.join(parts)})"),
        inner.map(lambda part: f"!{part}"),
        pair.map(lambda parts: f"contains({parts[0]}, {parts[1]})"),
        pair.map(lambda parts: f"startsWith({parts[0]}, {parts[1]})"),
        pair.map(lambda parts: f"endsWith({parts[0]}, {parts[1]})"),
        pair.map(lambda parts: f"format('{{0}}{{1}}', {parts[0]}, {parts[1]})"),
        st.tuples(inner, inner, inner).map(lambda parts: f"case({', '.join(parts)})"),
        pair.map(lambda parts: f"join({parts[0]}, {parts[1]})"),
    )


EXPRESSIONS = st.recursive(LEAVES, _grown, max_leaves=8)


def _asked(source: str, known: Mapping[str, Value]) -> bool | None:
    node = parse(source)
    assert node is not None
    return truth(evaluate(node, lambda name: known.get(name, Unknown())))


@given(EXPRESSIONS, st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES)))
@settings(max_examples=200, deadline=None)
def test_a_certain_answer_holds_for_every_value_of_what_is_not_known(source: str, known: dict[str, Value]) -> None:
    answer = _asked(source, known)
    missing = [name for name in NAMES if name not in known and name in source]
    every = {
        _asked(source, {**known, **dict(zip(missing, chosen, strict=True))}) for chosen in product(VALUES, repeat=len(missing))
    }
    assert None not in every
    if answer is not None:
        assert every == {answer}


@given(EXPRESSIONS, st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES)), st.sampled_from(NAMES))
@settings(max_examples=200, deadline=None)
def test_forgetting_a_value_changes_no_answer_except_to_unknown(source: str, known: dict[str, Value], forgotten: str) -> None:
    before = _asked(source, known)
    after = _asked(source, {name: value for name, value in known.items() if name != forgotten})
    assert after in (before, None)


@given(EXPRESSIONS, st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES)))
@settings(max_examples=100, deadline=None)
def test_a_known_value_is_the_same_however_much_else_is_known(source: str, known: dict[str, Value]) -> None:
    node = parse(source)
    assert node is not None
    found = evaluate(node, lambda name: known.get(name, Unknown()))
    if isinstance(found, Unknown):
        return
    rest: Callable[[str], Value] = lambda name: known.get(name, "dev")  # noqa: E731
    same = evaluate(node, rest)
    assert (type(same), str(same)) == (type(found), str(found))


FREE = ("github.actor", "github.event.label.name", "github.event.number")


@given(
    st.recursive(st.one_of(st.sampled_from(FREE), st.sampled_from(["'a'", "'b'", "true", "1", "vars.x"])), _grown, max_leaves=6)
)
@settings(max_examples=150, deadline=None)
def test_what_can_hold_does_for_some_choice(source: str) -> None:
    """With a choice among few values, the answer is that of trying all."""
    options: tuple[Value, ...] = ("a", "b", "c")
    found = free(source, dict.fromkeys(FREE, options))
    node = parse(source)
    assert node is not None
    tried: set[bool | None] = set()
    for chosen in product(options, repeat=3):
        event = Object({"label": Object({"name": chosen[1]}), "number": chosen[2]})
        context: dict[str, Value] = {"github": Object({"actor": chosen[0], "event": event})}
        tried.add(truth(evaluate(node, lambda name, context=context: context.get(name, Unknown()))))  # type: ignore[misc]
    if found is True:
        assert True in tried
    elif found is False:
        assert tried == {False}


@given(st.text(max_size=60))
def test_any_text_can_be_read(text: str) -> None:
    parse(text)
    condition(text)
    assert render(template(text), lambda _: Unknown()) is not None


@given(st.text(alphabet="${{}}' ab&|=!().", max_size=60))
def test_any_text_of_signs_can_be_read(text: str) -> None:
    node = condition(text)
    assert node is None or truth(evaluate(node, lambda _: Unknown())) in (True, False, None)
    render(template(text), lambda _: Unknown())
