"""What is known of the value of an expression; on the way every call in it is looked at once."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from lakewarden.sources.repository.code import containers, folding, methods, texts
from lakewarden.sources.repository.code.access import FRAME, READER, WRITER
from lakewarden.sources.repository.code.apis import FREE_NAMES, PREDEFINED, WORKSPACE_CLIENT, canonical_class
from lakewarden.sources.repository.code.calls import mark_newest, plain
from lakewarden.sources.repository.code.folding import folded, spelled
from lakewarden.sources.repository.code.literals import note_named
from lakewarden.sources.repository.code.site import Site
from lakewarden.sources.repository.code.values import (
    NONE,
    UNKNOWN,
    Value,
    const,
    merge,
    parameter,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakewarden.sources.repository.code.state import State

_BUILTINS = frozenset({
    "open", "max", "min", "sorted", "int", "str", "list", "tuple", "print", "next", "reversed", "display", "displayHTML", "sql",
    "getArgument", "__import__", "exec",
})  # fmt: skip
_USER_NAMES = frozenset({"userName", "user_name", "current_user"})
_ORDERING = (ast.Gt, ast.GtE, ast.Lt, ast.LtE)


def _name(state: State, node: Any) -> Value:
    name = node.id
    found = state.scope.find(name)
    if found is not None:
        return found
    if name in PREDEFINED:
        return Value(type=PREDEFINED[name])
    if name == "__file__":
        return text("./__file__.py")
    if name in FREE_NAMES:
        return Value(ref=FREE_NAMES[name])
    return Value(ref=f"builtins.{name}") if name in _BUILTINS else UNKNOWN


def _attribute(state: State, node: Any) -> Value:
    base = state.evaluate(node.value)
    return attribute(state, node, base)


def attribute(state: State, node: Any, base: Value) -> Value:
    """An attribute that is read, not called."""
    name = node.attr
    if base.ref:
        return _member(f"{base.ref}.{name}")
    kind = base.type
    if kind == "self":
        return (state.owner or {}).get(name, UNKNOWN)
    if name == "current_stage":
        _stage_read(state, node)
    if kind.startswith(("dbutils", WORKSPACE_CLIENT)):
        return Value(type=f"{kind}.{name}", source="user" if name in _USER_NAMES else "")
    if name in ("write", "writeStream", "read", "readStream"):
        return _reader_or_writer(kind, name)
    if kind == "SparkSession":
        return Value(type=f"SparkSession.{name}")
    if kind == "namespace":
        return parameter(name)
    if kind == "Path" and name in ("parent", "parents"):
        return texts.parent(base) if name == "parent" else Value(type="Path.parents", data=base)
    if base.source:
        return Value(source=base.source, name=base.name, data=base.data if base.source == "versions" else None)
    return Value(source="user") if name in _USER_NAMES else UNKNOWN


def _stage_read(state: State, node: Any) -> None:
    """Keep that the stage of a version is read, once a line."""
    api, line = "mlflow.current_stage", state.span(node).line
    if line is None or not any(call.api == api and call.span.line == line for call in state.calls[-2:]):
        plain(state, api, node)


def _reader_or_writer(kind: str, name: str) -> Value:
    """`spark.read` and `frame.write`, also where the class of what they are read from is not known."""
    reads = name.startswith("read")
    if kind not in ("", "SparkSession" if reads else FRAME):
        return UNKNOWN
    return Value(type=READER if reads else WRITER, data=(NONE, NONE), source="stream" if name.endswith("Stream") else "")


def _member(ref: str) -> Value:
    """A member of a module or a class."""
    name = ref.rpartition(".")[2]
    if name in PREDEFINED and ref.startswith(("databricks.", "pyspark.", "IPython.")):
        return Value(type=PREDEFINED[name])
    return Value(ref=canonical_class(ref) if name[:1].isupper() or name == "DBUtils" else ref)


def _call(state: State, node: Any) -> Value:
    func = node.func
    if type(func) is ast.Attribute:
        base = folded(state, func.value)
        if base.type == "self" and func.attr in (state.owner or {}):
            base, name = attribute(state, func, base), ""
        else:
            name = func.attr
    else:
        base, name = state.evaluate(func), ""
    if (base.ref == "builtins.print" and not name) or methods.is_shown(base, name):
        with state.shown_only():
            arguments(state, node)
        return UNKNOWN
    return methods.call(state, base, name, arguments(state, node))


def arguments(state: State, node: ast.Call) -> Site:
    """Read the arguments of a call."""
    args: list[Value] = []
    spread = False
    for arg in node.args:
        if type(arg) is ast.Starred:
            value = state.evaluate(arg.value)
            if value.type == "list" and not spread:
                args.extend(value.data)
            else:
                spread = True
        elif spread:
            state.evaluate(arg)
        else:
            args.append(_spelled_if_unknown(state.evaluate(arg), arg))
    keywords: dict[str, Value] = {}
    keywords_spread = False
    for keyword in node.keywords:
        value = state.evaluate(keyword.value)
        if keyword.arg is None:
            if value.type == "dict":
                keywords.update({key: item for key, item in value.data.items() if isinstance(key, str)})
            keywords_spread = keywords_spread or value.type != "dict"
        else:
            keywords[keyword.arg] = _spelled_if_unknown(value, keyword.value)
            if value.text is not None:
                note_named(state, keyword.value, keyword.arg, value)
    return Site(node, tuple(args), keywords, spread, keywords_spread)


def _spelled_if_unknown(value: Value, node: ast.expr) -> Value:
    if value is UNKNOWN:
        name = spelled(node)
        return Value(name=name) if name else value
    return value


def _subscript(state: State, node: Any) -> Value:
    base = state.evaluate(node.value)
    index = state.evaluate(node.slice)
    if base.type == "dict" and (index.known is not None or index.type == "const"):
        key = index.known if index.text is not None else index.data
        try:
            found = base.data.get(key)
        except TypeError:
            return UNKNOWN
        return UNKNOWN if found is None else found
    if base.type == "Path.parents":
        return texts.parent(base.data, index.data + 1) if type(index.data) is int and index.data >= 0 else UNKNOWN
    if base.ref in ("os.environ", "sys.argv"):
        return parameter(index.known or "")
    if base.source == "versions":
        return mark_newest(state, base) if index.type == "const" else base
    if base.type == "self":
        return UNKNOWN
    return Value(source=base.source, name=index.known or base.name) if base.source else UNKNOWN


def _choice(state: State, node: Any) -> Value:
    test = state.evaluate(node.test)
    one, other = state.evaluate(node.body), state.evaluate(node.orelse)
    if test.source == "picking" and "versions" in (one.source, other.source):
        return mark_newest(state, one if one.source == "versions" else other)
    return merge(one, other)


def _boolean(state: State, node: Any) -> Value:
    values = [state.evaluate(value) for value in node.values]
    for value in values:
        if value.source == "picking":
            return value
    result = values[0]
    for value in values[1:]:
        result = merge(result, value)
    return result


def _comparison(state: State, node: Any) -> Value:
    sides = [state.evaluate(node.left), *(state.evaluate(side) for side in node.comparators)]
    if isinstance(node.ops[0], _ORDERING):
        for side in sides:
            if side.source == "versions":
                return Value(source="picking", data=side.data)
    return UNKNOWN


def _negated(state: State, node: Any) -> Value:
    value = state.evaluate(node.operand)
    if type(node.op) is ast.USub and value.type == "const" and isinstance(value.data, (int, float)):
        return const(-value.data)
    return UNKNOWN


def _inner(state: State, node: Any) -> Value:
    return state.evaluate(node.value)


EXPRESSIONS: dict[type[ast.AST], Callable[[State, Any], Value]] = {
    ast.Constant: folding.constant,
    ast.Name: _name,
    ast.JoinedStr: folding.formatted,
    ast.FormattedValue: _inner,
    ast.BinOp: folding.operation,
    ast.Attribute: _attribute,
    ast.Call: _call,
    ast.Subscript: _subscript,
    ast.IfExp: _choice,
    ast.BoolOp: _boolean,
    ast.Compare: _comparison,
    ast.List: containers.sequence,
    ast.Tuple: containers.sequence,
    ast.Set: containers.sequence,
    ast.Dict: containers.mapping,
    ast.ListComp: containers.comprehension,
    ast.SetComp: containers.comprehension,
    ast.GeneratorExp: containers.comprehension,
    ast.DictComp: containers.comprehension,
    ast.Lambda: containers.function,
    ast.NamedExpr: containers.walrus,
    ast.UnaryOp: _negated,
    ast.Await: _inner,
    ast.Starred: _inner,
}
