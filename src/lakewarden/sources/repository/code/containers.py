"""Lists, dictionaries, comprehensions, lambdas: expressions that hold others."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, cast

from lakewarden.policy.names import stage_by_words
from lakewarden.sources.repository.code.binding import bind
from lakewarden.sources.repository.code.literals import note_named
from lakewarden.sources.repository.code.state import Function, Scope
from lakewarden.sources.repository.code.values import UNKNOWN, Value, each, text

if TYPE_CHECKING:
    from lakewarden.sources.repository.code.site import Site
    from lakewarden.sources.repository.code.state import State

_MAX_ITEMS = 100
_HOLDERS = frozenset({"list", "dict"})
_CHANGES = frozenset({"append", "extend", "insert", "remove", "pop", "popitem", "clear", "update", "setdefault"})


def _shallow(value: Value) -> Value:
    """The value, without what it holds where that holds others again: nothing is asked of deeper ones."""
    if value.type == "list" and any(item.type in _HOLDERS for item in value.data):
        return UNKNOWN
    if value.type == "dict" and any(item.type in _HOLDERS for item in value.data.values()):
        return UNKNOWN
    return value


def sequence(state: State, node: Any) -> Value:
    """A list, a tuple or a set."""
    values = tuple(_shallow(state.evaluate(item)) for item in node.elts)
    return Value(type="list", data=values) if len(values) <= _MAX_ITEMS else UNKNOWN


def mapping(state: State, node: Any) -> Value:
    """A dictionary."""
    found: dict[object, Value] = {}
    whole = len(node.keys) <= _MAX_ITEMS
    for key_node, value_node in zip(node.keys, node.values, strict=True):
        before = len(state.literals)
        value = _shallow(state.evaluate(value_node))
        if key_node is None:
            whole = False
            continue
        key = state.evaluate(key_node)
        if key.known is not None:
            found[key.known] = value
            if value.text is not None:
                note_named(state, value_node, key.known, value)
            _keep_others(state, before, key.known)
        elif key.type == "const":
            found[key.data] = value
        else:
            whole = False
    return Value(type="dict", data=found) if whole else UNKNOWN


def _keep_others(state: State, before: int, key: str) -> None:
    """Drop the names of a stage that the entry of that stage holds: `{"dev": "churn_dev", "prod": "churn_prod"}`."""
    stage = stage_by_words(key, target=True).stage if len(state.literals) > before else None
    if stage not in (None, "none"):
        state.literals[before:] = [
            literal
            for literal in state.literals[before:]
            if literal.kind == "model_uri" or stage_by_words(literal.named or "").stage != stage
        ]


def _asks_for_run(test: ast.expr) -> bool:
    """Does a condition keep what one run registered?"""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return any(_asks_for_run(part) for part in test.values)
    sides = [test.left, *test.comparators] if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Eq) else []
    return any(isinstance(side, ast.Attribute) and side.attr == "run_id" for side in sides)


def _asks_for_mark(test: ast.expr) -> bool:
    """Does a condition keep the versions that bear a mark: a stage, an alias?"""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return any(_asks_for_mark(part) for part in test.values)
    if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], (ast.Eq, ast.In)):
        return False
    sides = [test.left, *test.comparators]
    if any(isinstance(side, ast.Constant) and side.value in ("None", None) for side in sides):
        return False  # the stage of versions that have none
    return any(isinstance(side, ast.Attribute) and side.attr in ("current_stage", "aliases") for side in sides)


def comprehension(state: State, node: Any) -> Value:
    """A comprehension or a generator."""
    outer = state.scope
    state.scope = inner = Scope(outer.name, outer)
    inner.now.update(outer.now)
    source = UNKNOWN
    try:
        for generator in node.generators:
            values = state.evaluate(generator.iter)
            if values.source == "versions" and any(_asks_for_run(test) for test in generator.ifs):
                values = Value(source="registered")
            elif values.source == "versions" and any(_asks_for_mark(test) for test in generator.ifs):
                values = Value(source="alias")
            source = values if values.source else source
            bind(state, generator.target, each(values))
            for test in generator.ifs:
                state.evaluate(test)
        if isinstance(node, ast.DictComp):
            state.evaluate(node.key)
            found = state.evaluate(node.value)
        else:
            found = state.evaluate(node.elt)
    finally:
        state.scope = outer
    carried = found if found.source else source
    return Value(source=carried.source, data=carried.data if carried.source == "versions" else None)


def function(state: State, node: Any) -> Value:
    """A lambda."""
    outer = state.scope
    state.scope = inner = Scope(outer.name, outer)
    inner.now.update(outer.now)
    arguments_of = node.args
    for arg in (*arguments_of.posonlyargs, *arguments_of.args, *arguments_of.kwonlyargs):
        inner.now[arg.arg] = UNKNOWN
    try:
        state.evaluate(node.body)
    finally:
        state.scope = outer
    return Value(type="function", data=Function(node, outer, outer.name, None))


def method(state: State, base: Value, name: str, site: Site) -> Value:
    """A method of a dictionary."""
    if name == "get":
        key = site.given("key", 0)
        return item(base, key, site.given("default", 1))
    pairs = [(text(key) if isinstance(key, str) else UNKNOWN, value) for key, value in base.data.items()]
    if name == "items":
        return Value(type="list", data=tuple(Value(type="list", data=pair) for pair in pairs))
    if name in ("values", "keys"):
        return Value(type="list", data=tuple(value if name == "values" else key for key, value in pairs))
    return base if name == "copy" else changed(state, base, name, site)


def changed(state: State, _base: Value, name: str, site: Site) -> Value:
    """A method that changes a list or a dictionary: what is known of it holds no longer."""
    func = site.node.func
    if name in _CHANGES and isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name):
        state.scope.bind(func.value.id, UNKNOWN)
    return UNKNOWN


def item(base: Value, index: Value, otherwise: Value = UNKNOWN) -> Value:
    """An item of a dictionary; one of all where the key is not known, to be picked by whoever knows it."""
    if index.known is not None or index.type == "const":
        key = index.known if index.text is not None else index.data
        try:
            return cast("Value", base.data.get(key, otherwise))
        except TypeError:
            return UNKNOWN
    if base.data and all(type(key) is str and value.known is not None for key, value in base.data.items()):
        pairs = tuple((key, value.text) for key, value in base.data.items())
        return Value(name=index.name, symbol=("section", index.symbol, pairs))
    return UNKNOWN


def walrus(state: State, node: Any) -> Value:
    """An assignment inside an expression."""
    value = state.evaluate(node.value)
    bind(state, node.target, value)
    return value
