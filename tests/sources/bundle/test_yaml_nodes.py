from __future__ import annotations

import contextlib
import math
import re
import time
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lakewarden.errors import SourceError
from lakewarden.sources.yaml_nodes import List, Map, Node, Scalar, compose


def plain(node: Node | None) -> Any:
    if isinstance(node, Map):
        return {key: plain(value) for key, value in node.items.items()}
    if isinstance(node, List):
        return [plain(item) for item in node.items]
    return node.value if isinstance(node, Scalar) else None


def at(text: str, *keys: str | int) -> Any:
    node: Any = compose(text, "f.yml").root
    for key in keys:
        node = node.items[key]
    return node


def refusal(text: str) -> str:
    with pytest.raises(SourceError) as caught:
        compose(text, "f.yml")
    assert caught.value.cause == "failed"
    assert "\n" not in caught.value.reason
    return caught.value.reason


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", True), ("Off", False), ("TRUE", True), ("'yes'", "yes"), ("", None), ("~", None), ("Null", None), ('""', ""),
        ("5", 5), ("-1_000", -1000), ("010", 8), ("0o10", 8), ("0x1F", 31), ("0b11", 3), ("08", "08"), ("1:30", "1:30"),
        ("1.5", 1.5), ("1e3", 1000.0), (".5", 0.5), ("1.2.3", "1.2.3"), ("2026-01-01", "2026-01-01"), ("y", "y"),
        ("!!str 5", "5"), ("!!int '5'", 5), ("9" * 60, "9" * 60), ("-", "-"), ("+", "+"),
    ],
)  # fmt: skip
def test_scalars_are_resolved_by_yaml_1_1(text: str, value: Any) -> None:
    found = at(f"k: {text}" if text != "-" else "k: '-'", "k").value
    assert found == value
    assert type(found) is type(value)


def test_keys_stay_strings() -> None:
    assert list(at("on: 1\nyes: 2\n1: 3\nnull: 4\n2.0: 5\n").items) == ["on", "yes", "1", "null", "2.0"]


def test_positions() -> None:
    text = "a:\n  b: 1\n  c:\n  - x\n  - y: |\n      t\n\n\nd: {e: f,\n  g: h}\nz:\n"
    assert at(text, "a").origin[:4] == ("f.yml", 1, 1, 6)
    assert (at(text, "a", "b").line, at(text, "a", "b").column, at(text, "a", "b").key_column) == (2, 6, 3)
    assert at(text, "a", "c", 1, "y").end_line == 6
    assert at(text, "d").origin[1:4] == (9, 1, 10)
    assert at(text, "z").origin[1:4] == (11, 1, 11)
    assert at(text, "a", "c", 1, "y").pointer == "a.c[1].y"
    assert at(text, "a", "c", 1, "y").origin.pointer == "a.c[1].y"


def test_folded_and_multi_line_values_end_where_they_end() -> None:
    assert at("a: >-\n  one\n  two\n\nb: 1", "a").end_line == 3
    assert at("a: one\n  two\nb: 1", "a").end_line == 2
    assert at('a: "one\n  two"\nb: 1', "a").end_line == 2


def test_anchors_and_merge_keys() -> None:
    text = "base: &b {x: 1, y: 2}\nmore: &m {y: 3, z: 4}\nuse:\n  y: 9\n  <<: [*b, *m]\nalias: *b\nquoted: {'<<': 1}\n"
    assert plain(compose(text, "f").root) == {
        "base": {"x": 1, "y": 2}, "more": {"y": 3, "z": 4}, "use": {"y": 9, "x": 1, "z": 4}, "alias": {"x": 1, "y": 2},
        "quoted": {"<<": 1},
    }  # fmt: skip
    assert at(text, "use", "z").line == 2, "what is merged stands where it is written"
    assert at(text, "alias").line == 6, "an alias stands where it is used"
    assert plain(compose("a: &a\nb:\n  <<: *a\n  c: 1", "f").root) == {"a": None, "b": {"c": 1}}


def test_an_alias_takes_the_last_anchor_of_that_name() -> None:
    assert plain(compose("a: &x 1\nb: &x 2\nc: *x\n", "f").root)["c"] == 2


def test_tags_of_other_tools_are_kept() -> None:
    node = at("a: !reference [x, y]\nb: !vault secret", "a")
    assert (node.tag, [item.text for item in node.items]) == ("!reference", ["x", "y"])
    assert at("b: !vault secret", "b").tag == "!vault"


def test_duplicate_keys_are_told_and_the_later_counts() -> None:
    document = compose("a:\n  k: 1\n  j: 2\n  k: 3\n", "f.yml")
    assert plain(document.root) == {"a": {"k": 3, "j": 2}}
    assert [(d.key, d.line, d.column, d.lost.key_line) for d in document.duplicates] == [("k", 4, 3, 2)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: [1\nb: c", "f.yml:2:2: did not find expected ',' or ']'"),
        (
            "a: b: c",
            "f.yml:1:5: mapping values are not allowed in this context; is the line indented as those around it, or does a text need quotes?",
        ),
        ("a:\n\t- x", "f.yml:2:1: found character that cannot start any token; this is a tab, and YAML is indented with spaces"),
        ("a: 1\n---\nb: 2", "f.yml:2:1: a second document begins here, and only one is read"),
        ("a: *x", "f.yml:1:4: alias *x has no anchor"),
        ("a: &x [*x]", "f.yml:1:8: alias *x stands inside its own anchor"),
        ("a: &x {b: *x}", "f.yml:1:11: alias *x stands inside its own anchor"),
        ("a:\n  <<: 5", "f.yml:2:7: a merge key `<<` needs a mapping"),
        ("host: {{.host}}", "f.yml:1:8: a key is not a plain word; is this a template that was not rendered?"),
        ("a: \x01", "f.yml:1:4: control characters are not allowed"),
        ("ok: 1\nx: \x00", "f.yml:2:4: control characters are not allowed"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_line_with_its_place(text: str, reason: str) -> None:
    assert refusal(text) == reason


def test_a_template_is_recognised() -> None:
    assert refusal("a: 1\n{{- if .x }}\nb: 2: 3").endswith("is this a template that was not rendered?")
    assert "template" not in refusal("a: '{{job.id}}'\nb: c: d")


def test_empty_documents() -> None:
    assert compose("", "f").root is None
    assert compose("# nothing\n", "f").root is None
    assert compose("null\n", "f").root is None
    assert plain(compose("---\na: 1\n---\n", "f").root) == {"a": 1}
    assert plain(compose("---\n---\na: 1\n", "f").root) == {"a": 1}


BOMB = "a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 10)}]\n" for i in range(9)
)
MERGE_BOMB = "a: &a {k: [1,1,1,1,1,1,1,1,1,1]}\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} {{{','.join(f'x{n}: *{chr(97 + i)}' for n in range(10))}}}\n" for i in range(9)
)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (BOMB, "its aliases expand to more than 400,000 values"),
        (MERGE_BOMB, "its aliases expand to more than 400,000 values"),
        ("[" * 1000, "nested more than 200 levels deep"),
        ("{a: " * 1000, "nested more than 200 levels deep"),
        ("\n".join(" " * n + "a:" for n in range(1000)), "nested more than 200 levels deep"),
        ("- " * 1000, "nested more than 200 levels deep"),
        ("[" * 200_000, "nested more than 200 levels deep"),
    ],
    ids=["alias bomb", "merge bomb", "flow lists", "flow maps", "block maps", "block lists", "very deep"],
)
def test_bombs_are_refused_at_once(text: str, what: str) -> None:
    begin = time.process_time()
    assert refusal(text).endswith(what)
    assert time.process_time() - begin < 10


def test_the_pure_parser_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a: &x\n  b: [1, 'two']\nc:\n  <<: *x\n  d: |\n    t\ne: *x\n"
    fast = compose(text, "f").root
    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    slow = compose(text, "f").root
    assert plain(fast) == plain(slow)
    assert isinstance(fast, Map)
    assert isinstance(slow, Map)
    assert {k: v.origin for k, v in fast.items.items()} == {k: v.origin for k, v in slow.items.items()}


KEYS = st.text("abcxyz-_.", min_size=1, max_size=6).filter(lambda key: key.strip("-.") == key)
TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text("ab: #'\"\n{}[]é", max_size=8) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(TREES, st.booleans())
def test_what_yaml_writes_is_read_back(tree: Any, flow: bool) -> None:
    text = yaml.safe_dump(tree, default_flow_style=flow, allow_unicode=True)
    found = plain(compose(text, "f").root)
    assert found == tree or (isinstance(tree, float) and math.isclose(found, tree))


@settings(max_examples=150, deadline=None)
@given(TREES)
def test_every_value_stands_inside_its_parent(tree: Any) -> None:
    text = yaml.safe_dump({"root": tree}, default_flow_style=False, allow_unicode=True)
    todo = [node for node in [compose(text, "f").root] if node is not None]
    last = text.count("\n") + 1
    while todo:
        node = todo.pop()
        assert 1 <= node.line <= node.end_line <= last
        for child in node.items.values() if isinstance(node, Map) else node.items if isinstance(node, List) else ():
            assert node.line <= child.line
            assert child.end_line <= node.end_line
            todo.append(child)


@settings(max_examples=200, deadline=None)
@given(st.text("ab:-[]{}&*!|>#'\"%@,\n ?<\t\x01", max_size=60))
def test_any_text_is_a_tree_or_a_refusal_of_one_line(text: str) -> None:
    with contextlib.suppress(SourceError):
        compose(text, "f.yml")
        return
    reason = refusal(text)
    assert reason.startswith("f.yml:")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a:\n  b: 1\n c: 2\n", "is the line indented as those around it?"),
        ("a:\n\tb: 1\n", "this is a tab, and YAML is indented with spaces"),
        ("a: b: c\n", "does a text need quotes?"),
        ("a:\n  {% if x %}\n", "is this a template that was not rendered?"),
    ],
)
def test_a_syntax_error_says_what_mostly_stands_behind_it(text: str, told: str) -> None:
    with pytest.raises(SourceError, match=re.escape(told)):
        compose(text, "x.yml")


def test_a_syntax_error_at_the_end_of_the_text_is_one_line() -> None:
    for text in ("a: [", "a: '", "{", "a:\n  - b\n -", "\t", "a: \x00"):
        with pytest.raises(SourceError) as raised:
            compose(text, "x.yml")
        assert "\n" not in raised.value.reason
