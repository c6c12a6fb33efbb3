"""HCL and its JSON form: blocks and expressions at their places."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakewarden.errors import SourceError
from lakewarden.sources.repository.terraform.hcl import MAX_BYTES, read_hcl, read_template
from lakewarden.sources.repository.terraform.json_form import read_json
from lakewarden.sources.repository.terraform.nodes import (
    MAX_DEPTH,
    Attr,
    Body,
    Call,
    Conditional,
    Index,
    Literal,
    Name,
    ObjectOf,
    Opaque,
    Operation,
    Splat,
    Template,
    TupleOf,
)

X, Y = Name("x"), Name("y")


def expr(text: str) -> Any:
    return read_hcl(f"a = {text}\n".encode(), "main.tf").attributes["a"].expr


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", Literal(1)),
        ("2.5", Literal(2.5)),
        ("true", Literal(True)),
        ("null", Literal(None)),
        ('"text"', Literal("text")),
        ('""', Literal("")),
        (r'"a\"b\n\t\\ \u00e9 $${x} %%{y} 100%"', Literal('a"b\n\t\\ é ${x} %{y} 100%')),
        (r'"\ud800 \U00110000"', Literal("\ufffd \ufffd")),
        ('"${x}"', X),
        ('"a ${x}-${y}"', Template((Literal("a "), X, Literal("-"), Y))),
        ('"a ${x["k"]} b"', Template((Literal("a "), Index(X, Literal("k")), Literal(" b")))),
        ("x.y.z", Attr(Attr(X, "y"), "z")),
        ("x[0].y", Attr(Index(X, Literal(0)), "y")),
        ("x.0.y", Attr(Index(X, Literal(0)), "y")),
        ('x["k"]', Index(X, Literal("k"))),
        ("x[*].y.z", Splat(X, Attr(Attr(Name("*"), "y"), "z"))),
        ("x.*.y", Splat(X, Attr(Name("*"), "y"))),
        ("(x).y", Attr(X, "y")),
        ("[1, x,]", TupleOf((Literal(1), X))),
        ('{ a = 1, "b" : x, (y) = 2 }', ObjectOf(((Literal("a"), Literal(1)), (Literal("b"), X), (Y, Literal(2))))),
        ("{}", ObjectOf(())),
        ("f(x, y...)", Call("f", (X, Y), spread=True)),
        ("f()", Call("f", ())),
        ("provider::databricks::f(x)", Call("provider::databricks::f", (X,))),
        ("x ? 1 : 2", Conditional(X, Literal(1), Literal(2))),
        ("!x", Operation("!", X, None)),
        ("-1", Operation("-", Literal(1), None)),
        ("x == y", Operation("==", X, Y)),
        ("x || y && x", Operation("||", X, Operation("&&", Y, X))),
        ("(x || y) && x", Operation("&&", Operation("||", X, Y), X)),
        ("1 + 2 * 3", Operation("+", Literal(1), Operation("*", Literal(2), Literal(3)))),
        ("[ # why\n 1, /* two */ 2 // three\n]", TupleOf((Literal(1), Literal(2)))),
        ("<<EOT\na ${x}\n  b\nEOT", Template((Literal("a "), X, Literal("\n  b\n")))),
        ("<<-EOT\n    a\n      b\n    EOT", Literal("a\n  b\n")),
        ("<<EOT\nEOT", Literal("")),
        ("<<EOT\na\\nb\nEOT", Literal("a\\nb\n")),
    ],
)
def test_expressions(text: str, expected: object) -> None:
    assert expr(text) == expected


@pytest.mark.parametrize("text", ['"%{ if x }a%{ endif }"', "<<EOT\n%{ for a in x }\n${a}\n%{ endfor }\nEOT"])
def test_a_directive_is_not_evaluated(text: str) -> None:
    assert isinstance(expr(text), Opaque)


def test_loops() -> None:
    one = expr("[for x in y : x if x]")
    assert (one.key_name, one.value_name, one.of, one.key, one.value, one.cond, one.group) == (None, "x", Y, None, X, X, False)
    two = expr("{ for k, x in y : k => x... }")
    assert (two.key_name, two.value_name, two.key, two.value, two.cond, two.group) == ("k", "x", Name("k"), X, None, True)


def test_every_block_and_attribute_knows_its_place() -> None:
    body = read_hcl(b'# c\nresource "a" "b" {\n  x = 1\n\n  y = [\n    2\n  ]\n  inner { z = 3 }\n}\n', "d/main.tf")
    (block,) = body.blocks
    assert (block.kind, block.labels) == ("resource", ("a", "b"))
    assert block.origin[:4] == ("d/main.tf", 2, 1, 9)
    assert block.origin.pointer == "resource.a.b"
    assert {name: a.origin[1:4] for name, a in block.body.attributes.items()} == {"x": (3, 3, 3), "y": (5, 3, 7)}
    assert block.body.of("inner")[0].origin[1:4] == (8, 3, 8)


def test_commented_out_text_is_dead() -> None:
    body = read_hcl(b'# resource "a" "b" {}\n// resource "a" "c" {}\n/* resource "a" "d" {}\n*/\n', "main.tf")
    assert body == Body({}, [])


@pytest.mark.parametrize(
    "data", [b'\xef\xbb\xbfa "b" {}\n', b'a "b" {\r\n}\r\n', b'a "b" {}', b"a b {}\n", 'a "b" {} # é\n'.encode()]
)
def test_the_form_of_a_file_makes_no_difference(data: bytes) -> None:
    assert [(block.kind, block.labels) for block in read_hcl(data, "main.tf").blocks] == [("a", ("b",))]


@pytest.mark.parametrize(
    ("data", "cause", "reason"),
    [
        (b'resource "a" "b" {\n  x = [1\n}\n', "failed", "main.tf:"),
        (b'a = "\n', "failed", "main.tf:"),
        (b"a = \xff\n", "failed", "main.tf:1: it is not UTF-8"),
        (b"\0\1\2", "failed", "main.tf:1:"),
        (b"a" * (MAX_BYTES + 1), "failed", "main.tf is larger"),
        (b'resource "a" "b" {\n  x = {{ cookiecutter.x }}\n}\n', "unresolved", "main.tf:2:"),
        (b"{% if x %}\na = 1\n{% endif %}\n", "unresolved", "main.tf:1:"),
        (b"a {\n" * 1000 + b"}\n" * 1000, "failed", "main.tf:"),
    ],
)
def test_what_is_no_hcl(data: bytes, cause: str, reason: str) -> None:
    with pytest.raises(SourceError) as told:
        read_hcl(data, "main.tf")
    assert told.value.cause == cause
    assert told.value.reason.startswith(reason)
    assert "\n" not in told.value.reason
    assert told.value.remedy


def test_an_expression_that_is_nested_too_deeply_is_not_evaluated() -> None:
    found = expr("[" * (MAX_DEPTH * 3) + "]" * (MAX_DEPTH * 3))
    while isinstance(found, TupleOf):
        (found,) = found.items
    assert isinstance(found, Opaque)


@given(st.text(alphabet=string.printable + "é", max_size=200) | st.binary(max_size=100))
def test_any_file_is_read_or_refused(data: str | bytes) -> None:
    try:
        body = read_hcl(data.encode() if isinstance(data, str) else data, "main.tf")
    except SourceError:
        return
    todo = [body]
    while todo:
        found = todo.pop()
        todo += [block.body for block in found.blocks]
        assert all(attribute.expr is not None for attribute in found.attributes.values())


@given(
    st.lists(st.sampled_from(['"', "${", "}", "%{", "{", "x", "\\", "\n", "EOT", "<<EOT\n", "$", '["k"]', "T"]), max_size=12).map(
        "".join
    )
)
def test_any_text_is_a_template_or_refused(text: str) -> None:
    try:
        found = read_template(text, "main.tf.json")
    except SourceError:
        assert "{" in text
        return
    if "{" not in text:
        assert found == Literal(text)


def test_the_json_form_says_the_same() -> None:
    text = """{
      "//": "a comment",
      "variable": {"x": {"type": "string", "default": "v"}},
      "resource": {"a": {"b": {"name": "n-${var.x}", "list": [1, true, null], "plain": "$${x}"},
                         "c": [{"name": "one"}]}},
      "locals": [{"l": 1}]
    }"""
    blocks = {(block.kind, *block.labels): block for block in read_json(text, "main.tf.json").blocks}
    assert set(blocks) == {("variable", "x"), ("resource", "a", "b"), ("resource", "a", "c"), ("locals",)}
    values = {name: attribute.expr for name, attribute in blocks["resource", "a", "b"].body.attributes.items()}
    assert values == {
        "name": Template((Literal("n-"), Attr(Name("var"), "x"))),
        "list": TupleOf((Literal(1), Literal(True), Literal(None))),
        "plain": Literal("${x}"),
    }
    assert blocks["resource", "a", "b"].origin.line == 4


@pytest.mark.parametrize("text", ["[]", "{", '{"a": 1', "1"])
def test_what_is_no_json_form(text: str) -> None:
    with pytest.raises(SourceError):
        read_json(text, "main.tf.json")
