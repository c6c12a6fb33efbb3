"""What is known of the value of an expression; on the way every call in it is looked at once."""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING, Any, cast

from lakewarden.sources.repository.code import containers, folding, methods, texts
from lakewarden.sources.repository.code.access import FRAME, READER, WRITER
from lakewarden.sources.repository.code.apis import FREE_NAMES, PREDEFINED, WORKSPACE_CLIENT, canonical_class
from lakewarden.sources.repository.code.calls import mark_newest, stage_attribute, stage_read
from lakewarden.sources.repository.code.declared import handed_on
from lakewarden.sources.repository.code.folding import folded, spelled
from lakewarden.sources.repository.code.literals import note_named
from lakewarden.sources.repository.code.result import Given
from lakewarden.sources.repository.code.site import Site
from lakewarden.sources.repository.code.values import (
    NONE,
    UNKNOWN,
    Value,
    const,
    merge,
    parameter,
    step,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakewarden.sources.repository.code.state import State

_BUILTINS = frozenset({
    "open", "max", "min", "enumerate", "zip", "sorted", "int", "str", "list", "tuple", "print", "next", "reversed", "display", "displayHTML", "sql",
    "getArgument", "__import__", "exec",
})  # fmt: skip
_PYTHON = frozenset(dir(builtins))
_USER_NAMES = frozenset({"userName", "user_name", "current_user"})
_ORDERING = (ast.Gt, ast.GtE, ast.Lt, ast.LtE)


def _name(state: State, node: Any) -> Value:
    name = node.id
    found = state.scope.find(name)
    state.uses.add(name)
    if name in PREDEFINED and (found is None or not (found.type or found.ref or found.text)):
        return Value(type=PREDEFINED[name])  # also what a function of unknown result gives: `spark = get_spark()`
    if found is not None:
        return found
    if name == "__file__":
        return text("./__file__.py")
    if name in FREE_NAMES:
        return Value(ref=FREE_NAMES[name])
    if name in _BUILTINS:
        return Value(ref=f"builtins.{name}")
    return Value(name=name, symbol=("?", name)) if state.opened and name not in _PYTHON else UNKNOWN


def _attribute(state: State, node: Any) -> Value:
    base = state.evaluate(node.value)
    state.uses.add(node.attr)
    return attribute(state, node, base)


def attribute(state: State, node: Any, base: Value) -> Value:
    """An attribute that is read, not called."""
    name = node.attr
    if base.ref:
        return _member(f"{base.ref}.{name}")
    kind = base.type
    if kind in ("self", "class"):
        return of_self(state, name) if kind == "self" else state.owners.get(base.data, {}).get(name, UNKNOWN)
    stage_attribute(state, node)
    if kind.startswith(("dbutils", WORKSPACE_CLIENT)):
        return Value(type=f"{kind}.{name}", source="user" if name in _USER_NAMES else "")
    if name in ("write", "writeStream", "read", "readStream"):
        return _reader_or_writer(kind, name)
    if kind == "SparkSession":
        return Value(type=f"SparkSession.{name}")
    if kind == "namespace":
        return parameter(name, base.symbol[0] if base.symbol else "option")
    if kind == "Path" and name in ("parent", "parents"):
        return texts.parent(base) if name == "parent" else Value(type="Path.parents", data=base)
    if base.source or base.symbol:
        data = base.data if base.source == "versions" else None
        symbol = step(base.symbol, name)
        return Value(source=base.source, name=name if symbol else base.name, data=data, symbol=symbol)
    return Value(source="user") if name in _USER_NAMES else UNKNOWN


def of_self(state: State, name: str) -> Value:
    """An attribute of `self`: what the class gives it so far, else what it may be given elsewhere."""
    found = (state.owner or {}).get(name)
    if found is not None:
        return found
    kind = state.scope.name.rpartition(".")[0]
    return Value(name=name, symbol=("local", kind, Given(), name)) if kind else UNKNOWN


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
        state.uses.add(func.attr)
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
    site = arguments(state, node)
    if type(func) is ast.Name and func.id == "getattr" and site.given("", 1).known == "current_stage":
        stage_read(state, node)
    handed_on(state, node, site)
    return methods.call(state, base, name, site)


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
            if value.symbol:
                keywords["**"] = value
            if value.type == "dict":
                keywords.update({key: item for key, item in value.data.items() if isinstance(key, str)})
            keywords_spread = keywords_spread or value.type != "dict"
        else:
            keywords[keyword.arg] = _spelled_if_unknown(value, keyword.value)
            if value.text is not None:
                note_named(state, keyword.value, keyword.arg, value)
    return Site(node, tuple(args), keywords, spread, keywords_spread)


def _spelled_if_unknown(value: Value, node: ast.expr) -> Value:
    if value is UNKNOWN:  # others have a name
        name = spelled(node)
        return Value(name=name) if name else value
    return value


def _subscript(state: State, node: Any) -> Value:
    base = state.evaluate(node.value)
    index = state.evaluate(node.slice)
    if index.text == "current_stage" and type(node.ctx) is ast.Load:
        stage_read(state, node)
    if base.type == "dict":
        return containers.item(base, index)
    if base.type == "list" and type(index.data) is int and -len(base.data) <= index.data < len(base.data):
        return cast("Value", base.data[index.data])
    if base.type == "Path.parents":
        return texts.parent(base.data, index.data + 1) if type(index.data) is int and index.data >= 0 else UNKNOWN
    if base.source == "versions":
        return mark_newest(state, base) if index.type == "const" else base
    if base.type == "self":
        return UNKNOWN
    started = _of_start(base, index)
    if started is not None:
        return started
    symbol = step(base.place, index.known or "*") if base.type in ("", "instance") else ()
    if base.source or symbol:
        return Value(source=base.source, name=index.known or base.name, symbol=symbol)
    return UNKNOWN


def _of_start(base: Value, index: Value) -> Value | None:
    """What whoever starts the code gives it: an environment variable, an argument, an option."""
    if base.ref == "os.environ":
        return parameter(index.known or "", "env")
    if base.ref == "sys.argv":
        number = index.data if index.type == "const" else None
        return Value(source="parameter", symbol=("argv", str(number - 1)) if type(number) is int and number > 0 else ())
    if base.type == "namespace":
        return parameter(index.known or "", base.symbol[0] if base.symbol else "")
    return None


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
