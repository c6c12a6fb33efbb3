"""JSON as nodes with places."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakewarden.sources.repository.bundle.json_nodes import JsonError, parse
from lakewarden.sources.yaml_nodes import List, Map, Node, Scalar

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def plain(node: Node) -> Any:
    if isinstance(node, Map):
        return {key: plain(value) for key, value in node.items.items()}
    if isinstance(node, List):
        return [plain(item) for item in node.items]
    assert isinstance(node, Scalar)
    return json.loads(node.text) if node.plain else node.text


@given(VALUES, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_every_json_is_read_as_json_reads_it(value: Any, indent: Any, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert plain(parse(text, "x.json")) == value


@given(st.text(alphabet='{}[]:,"\\ \n10truefalsn.-eE', max_size=30))
def test_what_is_no_json_is_told_with_its_place_and_nothing_else(text: str) -> None:
    try:
        expected = json.loads(text)
    except ValueError:
        with pytest.raises(JsonError) as caught:
            parse(text, "x.json")
        assert 1 <= caught.value.line <= text.count("\n") + 1
        assert caught.value.column >= 1
        assert caught.value.what
    else:
        assert plain(parse(text, "x.json")) == expected


def test_places_and_pointers() -> None:
    node = parse('{\n  "a": {"b": [1,\n    "x"]}\n}', "x.json")
    assert isinstance(node, Map)
    inner = node.items["a"]
    assert isinstance(inner, Map)
    items = inner.items["b"]
    assert isinstance(items, List)
    last = items.items[1]
    assert (last.line, last.column, last.pointer) == (3, 5, "a.b[1]")
    assert (items.key_line, items.key_column, items.end_line) == (2, 9, 3)
    assert items.origin[:4] == ("x.json", 2, 9, 3)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "1" * 10_000, '"\\ud83d"', "NaN"])
def test_hostile_json_ends_well(text: str) -> None:
    with contextlib.suppress(JsonError):
        assert parse(text, "x.json").line == 1
