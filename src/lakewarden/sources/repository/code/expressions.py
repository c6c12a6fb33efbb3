"""What is known of the value of an expression; on the way every call in it is looked at once."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from lakewarden.sources.repository.code import methods
from lakewarden.sources.repository.code.access import FRAME, READER, WRITER
from lakewarden.sources.repository.code.apis import FREE_NAMES, PREDEFINED, WORKSPACE_CLIENT, canonical_class
from lakewarden.sources.repository.code.calls import mark_newest, plain
from lakewarden.sources.repository.code.literals import note_named, note_text
from lakewarden.sources.repository.code.site import Site
from lakewarden.sources.repository.code.state import Function, Scope
from lakewarden.sources.repository.code.values import (
    NONE,
    UNKNOWN,
    Value,
    concat,
    const,
    merge,
    parameter,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakewarden.sources.repository.code.state import State

_BUILTINS = frozenset(
    {
        "open",
        "max",
        "min",
        "sorted",
        "int",
        "str",
        "list",
        "tuple",
        "print",
        "next",
        "reversed",
        "display",
        "displayHTML",
        "sql",
        "getArgument",
    }
)
_USER_NAMES = frozenset({"userName", "user_name", "current_user"})
_ORDERING = (ast.Gt, ast.GtE, ast.Lt, ast.LtE)
_MAX_ITEMS = 100


def evaluate(state: State, node: ast.expr | None) -> Value:
    """Read an expression."""
    if node is None:
        return UNKNOWN
    handler = _HANDLERS.get(type(node))
    if handler is not None:
        return handler(state, node)
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            evaluate(state, child)
    return UNKNOWN


def folded(state: State, node: ast.expr) -> Value:
    """Read a part of a text: only the whole is looked at for names of objects."""
    kind = type(node)
    if kind is ast.Constant:
        return _constant_value(node.value)  # type: ignore[attr-defined]
    if kind is ast.JoinedStr:
        return _formatted_value(state, node)
    if kind is ast.BinOp:
        return _operation_value(state, node)
    return evaluate(state, node)


def _constant_value(value: object) -> Value:
    return text(value) if isinstance(value, str) else const(value)


def _constant(state: State, node: Any) -> Value:
    value = node.value
    if isinstance(value, str):
        known = text(value)
        note_text(state, node, known)
        return known
    return NONE if value is None else const(value)


def _name(state: State, node: Any) -> Value:
    name = node.id
    found = state.scope.find(name)
    if found is not None:
        return found
    if name in PREDEFINED:
        return Value(type=PREDEFINED[name])
    if name in FREE_NAMES:
        return Value(ref=FREE_NAMES[name])
    return Value(ref=f"builtins.{name}") if name in _BUILTINS else UNKNOWN


def _formatted_value(state: State, node: Any) -> Value:
    parts = []
    for part in node.values:
        if type(part) is ast.FormattedValue:
            value = folded(state, part.value)
            if part.format_spec is not None:
                folded(state, part.format_spec)
                value = UNKNOWN if value.text is not None else value._replace(type="")
            if value.text is None and value.type != "const" and not value.name:
                value = value._replace(name=_spelled(part.value))
            parts.append(value)
        else:
            parts.append(folded(state, part))
    return concat(parts)


def _spelled(node: ast.expr) -> str:
    """How the code writes a value, where it is a name: for people only."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    return ""


def _formatted(state: State, node: Any) -> Value:
    value = _formatted_value(state, node)
    note_text(state, node, value)
    return value


def _operation_value(state: State, node: Any) -> Value:
    """`+` on texts, `%` on a text, `/` on a path; a long chain of `+` without recursion."""
    if type(node.op) is ast.Add:
        terms = []
        rest = node
        while type(rest) is ast.BinOp and type(rest.op) is ast.Add:
            terms.append(rest.right)
            rest = rest.left
        terms.append(rest)
        values = []
        for term in reversed(terms):
            value = folded(state, term)
            values.append(value if value.name or value.text is not None else value._replace(name=_spelled(term)))
        if any(value.text is not None for value in values):
            return concat(values)
        return _carried(values)
    left, right = folded(state, node.left), evaluate(state, node.right)
    if type(node.op) is ast.Mod and left.text is not None:
        return _percent(left, right)
    if type(node.op) is ast.Div and left.type == "Path":
        return concat([left, text("/"), right])._replace(type="Path")
    return _carried([left, right])


def _carried(values: list[Value]) -> Value:
    """What the result of an operation stems from."""
    for value in values:
        if value.source in ("newest", "search", "versions", "user"):
            return Value(source=value.source, data=value.data)
    return UNKNOWN


def _percent(left: Value, right: Value) -> Value:
    if left.holes or left.text is None:
        return UNKNOWN
    parts = left.text.split("%s")
    given = list(right.data) if right.type == "list" else [right]
    if "%" in "".join(parts).replace("%%", "") or len(given) != len(parts) - 1:
        return UNKNOWN
    values = [text(parts[0].replace("%%", "%"))]
    for value, part in zip(given, parts[1:], strict=True):
        values.extend((value, text(part.replace("%%", "%"))))
    return concat(values)


def _operation(state: State, node: Any) -> Value:
    value = _operation_value(state, node)
    note_text(state, node, value)
    return value


def _attribute(state: State, node: Any) -> Value:
    base = evaluate(state, node.value)
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
        plain(state, "mlflow.current_stage", node)
    if kind.startswith(("dbutils", WORKSPACE_CLIENT)):
        return Value(type=f"{kind}.{name}", source="user" if name in _USER_NAMES else "")
    if name in ("write", "writeStream", "read", "readStream"):
        return _reader_or_writer(kind, name)
    if kind == "SparkSession":
        return Value(type=f"SparkSession.{name}")
    if kind == "namespace":
        return parameter(name)
    if base.source:
        return Value(source=base.source, name=base.name, data=base.data if base.source == "versions" else None)
    return Value(source="user") if name in _USER_NAMES else UNKNOWN


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
        base, name = evaluate(state, func), ""
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
            value = evaluate(state, arg.value)
            if value.type == "list" and not spread:
                args.extend(value.data)
            else:
                spread = True
        elif spread:
            evaluate(state, arg)
        else:
            args.append(_spelled_if_unknown(evaluate(state, arg), arg))
    keywords: dict[str, Value] = {}
    keywords_spread = False
    for keyword in node.keywords:
        value = evaluate(state, keyword.value)
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
        name = _spelled(node)
        return Value(name=name) if name else value
    return value


def _subscript(state: State, node: Any) -> Value:
    base = evaluate(state, node.value)
    index = evaluate(state, node.slice)
    if base.type == "dict" and (index.known is not None or index.type == "const"):
        key = index.known if index.text is not None else index.data
        try:
            found = base.data.get(key)
        except TypeError:
            return UNKNOWN
        return UNKNOWN if found is None else found  # type: ignore[no-any-return]
    if base.ref in ("os.environ", "sys.argv"):
        return parameter(index.known or "")
    if base.source == "versions":
        return mark_newest(state, base) if index.type == "const" else base
    if base.type == "self":
        return UNKNOWN
    return Value(source=base.source, name=index.known or base.name) if base.source else UNKNOWN


def _choice(state: State, node: Any) -> Value:
    test = evaluate(state, node.test)
    one, other = evaluate(state, node.body), evaluate(state, node.orelse)
    if test.source == "picking" and "versions" in (one.source, other.source):
        return mark_newest(state, one if one.source == "versions" else other)
    return merge(one, other)


def _boolean(state: State, node: Any) -> Value:
    values = [evaluate(state, value) for value in node.values]
    for value in values:
        if value.source == "picking":
            return value
    result = values[0]
    for value in values[1:]:
        result = merge(result, value)
    return result


def _comparison(state: State, node: Any) -> Value:
    sides = [evaluate(state, node.left), *(evaluate(state, side) for side in node.comparators)]
    if isinstance(node.ops[0], _ORDERING):
        for side in sides:
            if side.source == "versions":
                return Value(source="picking", data=side.data)
    return UNKNOWN


def _sequence(state: State, node: Any) -> Value:
    values = tuple(evaluate(state, item) for item in node.elts)
    return Value(type="list", data=values) if len(values) <= _MAX_ITEMS else UNKNOWN


def _mapping(state: State, node: Any) -> Value:
    found: dict[object, Value] = {}
    whole = len(node.keys) <= _MAX_ITEMS
    for key_node, value_node in zip(node.keys, node.values, strict=True):
        value = evaluate(state, value_node)
        if key_node is None:
            whole = False
            continue
        key = evaluate(state, key_node)
        if key.known is not None:
            found[key.known] = value
            if value.text is not None:
                note_named(state, value_node, key.known, value)
        elif key.type == "const":
            found[key.data] = value
        else:
            whole = False
    return Value(type="dict", data=found) if whole else UNKNOWN


def _comprehension(state: State, node: Any) -> Value:
    outer = state.scope
    state.scope = inner = Scope(outer.name, outer)
    inner.now.update(outer.now)
    source = UNKNOWN
    try:
        for generator in node.generators:
            values = evaluate(state, generator.iter)
            source = values if values.source else source
            bind(state, generator.target, Value(source=values.source, data=values.data) if values.source else UNKNOWN)
            for test in generator.ifs:
                evaluate(state, test)
        if isinstance(node, ast.DictComp):
            evaluate(state, node.key)
            found = evaluate(state, node.value)
        else:
            found = evaluate(state, node.elt)
    finally:
        state.scope = outer
    carried = found if found.source else source
    return Value(source=carried.source, data=carried.data if carried.source == "versions" else None)


def bind(state: State, target: ast.expr, value: Value) -> None:
    """Assign a value to a target."""
    kind = type(target)
    if kind is ast.Name:
        state.scope.bind(target.id, value)  # type: ignore[attr-defined]
    elif kind in (ast.Tuple, ast.List):
        items = target.elts  # type: ignore[attr-defined]
        fits = value.type == "list" and len(value.data) == len(items)
        carried = Value(source=value.source, data=value.data) if value.source else UNKNOWN
        for number, item in enumerate(items):
            bind(state, item, value.data[number] if fits else carried)
    elif kind is ast.Starred:
        bind(state, target.value, UNKNOWN)  # type: ignore[attr-defined]
    elif kind is ast.Attribute:
        _bind_attribute(state, target, value)
    elif kind is ast.Subscript:
        _bind_item(state, target, value)


def _bind_attribute(state: State, target: Any, value: Value) -> None:
    base = evaluate(state, target.value)
    if base.type == "self" and state.owner is not None:
        before = state.owner.get(target.attr)
        state.owner[target.attr] = value if before is None else merge(before, value)


def _bind_item(state: State, target: Any, value: Value) -> None:
    base = evaluate(state, target.value)
    key = evaluate(state, target.slice)
    if base.ref == "os.environ" and key.known == "MLFLOW_REGISTRY_URI":
        known = value.known
        plain(state, "mlflow.set_registry_uri", target, known, () if known is not None else ("its value",))
    elif key.known is not None and value.text is not None:
        note_named(state, target, key.known, value)
    if base.type == "dict" and type(target.value) is ast.Name:
        state.scope.bind(target.value.id, UNKNOWN)


def _lambda(state: State, node: Any) -> Value:
    outer = state.scope
    state.scope = inner = Scope(outer.name, outer)
    inner.now.update(outer.now)
    arguments_of = node.args
    for arg in (*arguments_of.posonlyargs, *arguments_of.args, *arguments_of.kwonlyargs):
        inner.now[arg.arg] = UNKNOWN
    try:
        evaluate(state, node.body)
    finally:
        state.scope = outer
    return Value(type="function", data=Function(node, outer, outer.name, None))


def _walrus(state: State, node: Any) -> Value:
    value = evaluate(state, node.value)
    bind(state, node.target, value)
    return value


def _negated(state: State, node: Any) -> Value:
    value = evaluate(state, node.operand)
    if type(node.op) is ast.USub and value.type == "const" and isinstance(value.data, (int, float)):
        return const(-value.data)
    return UNKNOWN


def _inner(state: State, node: Any) -> Value:
    return evaluate(state, node.value)


_HANDLERS: dict[type[ast.AST], Callable[[State, Any], Value]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.JoinedStr: _formatted,
    ast.FormattedValue: _inner,
    ast.BinOp: _operation,
    ast.Attribute: _attribute,
    ast.Call: _call,
    ast.Subscript: _subscript,
    ast.IfExp: _choice,
    ast.BoolOp: _boolean,
    ast.Compare: _comparison,
    ast.List: _sequence,
    ast.Tuple: _sequence,
    ast.Set: _sequence,
    ast.Dict: _mapping,
    ast.ListComp: _comprehension,
    ast.SetComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.DictComp: _comprehension,
    ast.Lambda: _lambda,
    ast.NamedExpr: _walrus,
    ast.UnaryOp: _negated,
    ast.Await: _inner,
    ast.Starred: _inner,
}
