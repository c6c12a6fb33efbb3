"""Expressions: what they come to, and that nothing is guessed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lakewarden.sources.repository.terraform.evaluate import evaluate
from lakewarden.sources.repository.terraform.hcl import read_hcl
from lakewarden.sources.repository.terraform.values import MAX_LENGTH, SetOf, Unknown, Value, to_text, unknown_in

NOT_KNOWN = Unknown("nobody says")


class Names:
    """A scope of names with values."""

    def __init__(self, **names: Value) -> None:
        self.names = names

    strict = False

    def name(self, name: str) -> Value:
        return self.names.get(name, Unknown(f"{name} is not there", wrong=True))

    def function(self, _name: str, _args: list[Value]) -> Value:
        return NotImplemented

    def enter(self) -> Unknown | None:
        return None

    def leave(self) -> None:
        pass


def work_out(text: str, **names: Value) -> Value:
    return evaluate(read_hcl(f"a = {text}\n".encode(), "main.tf").attributes["a"].expr, Names(**names))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"a-${x}"', "a-v"),
        ('"${n}/${b}/${f}"', "3/true/2.5"),
        ("m.k", 1),
        ('m["k"]', 1),
        ("l[1]", "b"),
        ("l[*]", ["a", "b"]),
        ("rows[*].id", [1, 2]),
        ("x[*]", ["v"]),
        ('x == "v"', True),
        ('x != "v"', False),
        ('n == "3"', False),
        ("b == 1", False),
        ("n > 2 && !(n >= 4)", True),
        ("n + 1 - 2 * 3", -2),
        ("7 / 2", 3.5),
        ("6 / 2", 3),
        ("7 % 4", 3),
        ("-n", -3),
        ('b ? "yes" : "no"', "yes"),
        ("[for v in l : upper(v)]", ["A", "B"]),
        ('[for v in l : v if v != "a"]', ["b"]),
        ("{ for k, v in m : v => k }", {"1": "k"}),
        ("{ for v in rows : v.kind => v.id... }", {"p": [1, 2]}),
        ('lower("AB")', "ab"),
        ('title("a bc d")', "A Bc D"),
        ('format("%s-%03d %v%%", "a", 7, true)', "a-007 true%"),
        ('join("_", ["a", 1], l)', "a_1_a_b"),
        ('split(",", "a,b")', ["a", "b"]),
        ('replace("a.b", ".", "-")', "a-b"),
        ('trimspace("  a ")', "a"),
        ('trimprefix("dev_x", "dev_")', "x"),
        ('substr("abcdef", 1, 3)', "bcd"),
        ('substr("abcdef", -2, -1)', "ef"),
        ("concat(l, [1])", ["a", "b", 1]),
        ("merge(m, { j = 2 }, null)", {"k": 1, "j": 2}),
        ('lookup(m, "k", 0)', 1),
        ('lookup(m, "none", 0)', 0),
        ('coalesce(null, "", "c")', "c"),
        ("coalescelist([], l)", ["a", "b"]),
        ('try(m.none, "d")', "d"),
        ("try(m.k, 5)", 1),
        ("can(m.none)", False),
        ("can(m.k)", True),
        ("keys(m)", ["k"]),
        ("values(m)", [1]),
        ("length(l)", 2),
        ('length("ab")', 2),
        ('contains(l, "a")', True),
        ('contains(l, "z")', False),
        ("flatten([[1, [2]], 3])", [1, 2, 3]),
        ("distinct([1, 1, 2])", [1, 2]),
        ('compact(["a", "", null])', ["a"]),
        ("element(l, 3)", "b"),
        ("one([])", None),
        ("one([4])", 4),
        ('zipmap(["a"], [1])', {"a": 1}),
        ("tolist(toset([2, 1, 2]))", [2, 1]),
        ('toset(["b", "a", "b"])', ["a", "b"]),
        ('setproduct(["a"], [1, 2])', [["a", 1], ["a", 2]]),
        ('setunion(["a"], ["b"])', ["a", "b"]),
        ("max(1, 3, 2)", 3),
        ("range(3)", [0, 1, 2]),
        ("sort(['b'])".replace("'", '"'), ["b"]),
        ('jsonencode({ b = [1, true], a = "x" })', '{"a":"x","b":[1,true]}'),
        ('jsondecode("{\\"a\\": [1]}")', {"a": [1]}),
        ('yamldecode("a: [1, x]\\nb: 2024-01-01\\n")', {"a": [1, "x"], "b": "2024-01-01"}),
        ('basename("a/b.py")', "b.py"),
        ("tostring(3)", "3"),
        ('tonumber("4")', 4),
        ('tobool("true")', True),
        ("sensitive(x)", "v"),
        ("alltrue([true, b])", True),
        ("anytrue([false])", False),
        ("min([3, 2]...)", 2),
    ],
)
def test_what_an_expression_comes_to(text: str, expected: object) -> None:
    found = work_out(
        text, x="v", n=3, f=2.5, b=True, m={"k": 1}, l=["a", "b"], rows=[{"id": 1, "kind": "p"}, {"id": 2, "kind": "p"}]
    )
    assert found == expected
    assert type(found) is type(expected) or isinstance(found, SetOf)


@pytest.mark.parametrize(
    "text",
    [
        "u",
        "u.k",
        'u["k"]',
        "l[u]",
        '"a-${u}"',
        "u == 1",
        "!u",
        "u + 1",
        "u && true",
        "u ? 1 : 2",
        "upper(u)",
        'lookup(m, u, "d")',
        "coalesce(null, u, 1)",
        "try(u.k, 1)",
        "can(u.k)",
        "contains(l, u)",
        "merge(m, u).k",
        "[for v in u : v]",
        "{ for v in l : u => v }",
        "u[*].id",
        "toset([u])",
        "length(flatten([u]))",
        "timestamp()",
        'replace("a", "/a+/", "b")',
        'templatefile("f", {})',
        "f(u...)",
        'format("%x", 1)',
        "jsonencode([u])",
        "range(1, 1000000000)",
    ],
)
def test_what_is_not_known_stays_unknown(text: str) -> None:
    assert isinstance(work_out(text, u=NOT_KNOWN, m={"k": 1}, l=["a", "b"]), Unknown)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("u || true", True),
        ("false && u", False),
        ("{ a = u, b = 1 }.b", 1),
        ("[u, 2][1]", 2),
        ("length([u, u])", 2),
        ("keys({ a = u })", ["a"]),
        ('contains(["a", u], "a")', True),
        ('lookup({ a = u, b = 2 }, "b", 0)', 2),
        ("coalesce(1, u)", 1),
        ("merge({ a = u }, { a = 1 }).a", 1),
        ("try(m.none, 3)", 3),
    ],
)
def test_what_does_not_depend_on_the_unknown_is_known(text: str, expected: object) -> None:
    assert work_out(text, u=NOT_KNOWN, m={}) == expected


@pytest.mark.parametrize("text", ["m.none", "l[9]", "1 / 0", 'tonumber("x")', "x.y", "upper([])", "l[-1]", "none", "one([1, 2])"])
def test_what_fails_is_told_as_wrong(text: str) -> None:
    found = work_out(text, m={}, l=[1], x="v")
    assert isinstance(found, Unknown)
    assert found.wrong


def test_values_do_not_grow_without_end() -> None:
    doubled = '"' + "${x}" * 10 + '"'
    assert isinstance(work_out(doubled, x="a" * MAX_LENGTH), Unknown)
    assert isinstance(work_out("setproduct(l, l, l)", l=[str(n) for n in range(100)]), Unknown)
    assert isinstance(work_out('format("%999999999d", 1)'), Unknown)


LEAVES = st.sampled_from(
    ["u", "u.k", "m.k", "x", "true", "false", "null", "1", "2", '"a"', '"b"', "[]", '["a", "b"]', "[u, 1]", '{ k = "a", j = u }']
)


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    two = st.tuples(inner, inner)
    return st.one_of(
        two.flatmap(lambda p: st.sampled_from(["==", "!=", "&&", "||", "+", "<"]).map(lambda op: f"({p[0]} {op} {p[1]})")),
        st.tuples(inner, inner, inner).map(lambda p: f"({p[0]} ? {p[1]} : {p[2]})"),
        two.flatmap(
            lambda p: st.sampled_from(
                ["coalesce", "concat", "merge", "contains", "lookup", "try", "setunion", "join", "element", "zipmap", "format"]
            ).map(lambda f: f"{f}({p[0]}, {p[1]})")
        ),
        inner.flatmap(
            lambda e: st.sampled_from(
                [
                    "can",
                    "length",
                    "keys",
                    "values",
                    "flatten",
                    "compact",
                    "toset",
                    "one",
                    "tostring",
                    "distinct",
                    "jsonencode",
                    "upper",
                ]
            ).map(lambda f: f"{f}({e})")
        ),
        inner.map(lambda e: f"!{e}"),
        inner.map(lambda e: f"{e}[*]" if e[0] in "[({" else f"({e})[*]"),
        two.map(lambda p: f"[for v in {p[0]} : {p[1]}]"),
        two.map(lambda p: f"{{ for k, v in {p[0]} : k => v if {p[1]} }}"),
        two.map(lambda p: f"[{p[0]}, {p[1]}]"),
        inner.map(lambda e: f"{{ k = {e} }}.k"),
        two.map(lambda p: f"({p[0]})[{p[1]}]"),
    )


def known_parts(value: Value, other: Value) -> bool:
    """Is everything that the first value tells so in the second?"""
    if isinstance(value, Unknown):
        return True
    if isinstance(other, Unknown):
        # What fails once the unknown is known makes no plan at all.
        return other.wrong
    if isinstance(value, SetOf) or isinstance(other, SetOf):
        return unknown_in(value) is not None or value == other
    if isinstance(value, list) and isinstance(other, list):
        return len(value) == len(other) and all(known_parts(a, b) for a, b in zip(value, other, strict=True))
    if isinstance(value, dict) and isinstance(other, dict):
        return value.keys() == other.keys() and all(known_parts(value[key], other[key]) for key in value)
    return bool(value == other) and isinstance(value, bool) == isinstance(other, bool)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.recursive(LEAVES, grown, max_leaves=6),
    st.sampled_from([None, True, False, 0, 1, "a", "b", "", [], ["a"], {}, {"k": "a"}, {"k": 1}]),
)
def test_a_known_answer_holds_whatever_the_unknown_turns_out_to_be(text: str, value: Any) -> None:
    names: dict[str, Value] = {"m": {"k": "a"}, "x": "b"}
    unknown = work_out(text, u=NOT_KNOWN, **names)
    known = work_out(text, u=value, **names)
    assert known_parts(unknown, known), (text, value, unknown, known)


@given(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text())
def test_texts_of_single_values(value: Any) -> None:
    found = to_text(value)
    assert (found is None) == (value is None)
