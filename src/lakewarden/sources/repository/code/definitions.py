"""Functions and classes of the file: their definitions, their bodies, what they return."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from lakewarden.sources.repository.code import pipelines, signatures
from lakewarden.sources.repository.code.apis import FEATURE_CLIENT, PREDEFINED, canonical_class
from lakewarden.sources.repository.code.calls import plain
from lakewarden.sources.repository.code.literals import note_named
from lakewarden.sources.repository.code.state import Function, Names, Scope, State
from lakewarden.sources.repository.code.symbols import keep_default
from lakewarden.sources.repository.code.values import UNKNOWN, Value, merge, text
from lakewarden.sources.repository.code.workspace_store import client_of

if TYPE_CHECKING:
    from lakewarden.sources.repository.code.site import Site

_MAX_DEPTH = 4
_MAX_STEPS = 20_000
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def run_pending(state: State) -> None:
    """Read the bodies of all functions met so far."""
    while state.pending:
        function = state.pending.pop(0)
        found = run_function(state, function)
        if found.text is not None or found.place or found.source:
            state.returns[function.name] = found


def run_function(state: State, function: Function, site: Site | None = None) -> Value:
    """Read the body of a function; what it returns. `site` gives its parameters values."""
    node = function.node
    if isinstance(node, ast.Lambda):
        return UNKNOWN
    kept = state.scope, state.owner, state.swallowing, state.returned, state.picking
    state.scope = Scope(function.name, function.outer)
    state.owner, state.swallowing, state.returned, state.picking = function.owner, [], [], None
    try:
        _bind_parameters(state, function, site)
        state.run(node.body)
        return merged(state.returned)
    finally:
        state.scope, state.owner, state.swallowing, state.returned, state.picking = kept


def summarise(state: State, function: Function, site: Site) -> Value:
    """What a call of a function of the file returns, read without keeping anything."""
    node = function.node
    if isinstance(node, (ast.Lambda, ast.AsyncFunctionDef)) or state.steps > _MAX_STEPS:
        return UNKNOWN
    number = id(node)
    simple = len(node.body) <= _MAX_DEPTH and all(
        isinstance(s, (ast.Assign, ast.Expr, ast.Return, ast.Import, ast.ImportFrom)) for s in node.body
    )
    if not simple and number in state.summaries:
        return state.summaries[number]
    if number in state.busy or len(state.busy) >= _MAX_DEPTH:
        return UNKNOWN
    state.busy.add(number)
    state.silent += 1
    state.steps += len(node.body)
    try:
        result = run_function(state, function, site if simple else None)
    finally:
        state.silent -= 1
        state.busy.discard(number)
    if not simple:
        state.summaries[number] = result
    return result


def merged(values: list[Value]) -> Value:
    """What is known of one of several values."""
    result = values[0] if values else UNKNOWN
    for value in values[1:]:
        result = merge(result, value)
    return result


def _bind_parameters(state: State, function: Function, site: Site | None) -> None:
    arguments: ast.arguments = function.node.args
    names = [*arguments.posonlyargs, *arguments.args]
    offset = 0
    if function.bound and names:
        state.scope.now[names[0].arg] = Value(type="self")
        offset = 1
    for number, arg in enumerate(names[offset:]):
        state.scope.now[arg.arg] = _of_parameter(state, function, arg, site, number)
    for arg in arguments.kwonlyargs:
        state.scope.now[arg.arg] = _of_parameter(state, function, arg, site, -1)
    for rest in (arguments.vararg, arguments.kwarg):
        if rest is not None:
            state.scope.now[rest.arg] = UNKNOWN


def _is_command(decorator: ast.expr) -> bool:
    """Does a decorator of click or typer make a command of the function?"""
    func = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(func, ast.Attribute) and func.attr in ("command", "option", "argument", "callback")


def _is_static(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> bool:
    return any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in getattr(node, "decorator_list", ()))


_ANNOTATED = {
    "mlflow.MlflowClient": "mlflow.MlflowClient",
    FEATURE_CLIENT: FEATURE_CLIENT,
    "WorkspaceClient": "WorkspaceClient",
    "pyspark.sql.SparkSession": "SparkSession",
    "pyspark.sql.DataFrame": "DataFrame",
}


def _of_parameter(state: State, function: Function, arg: ast.arg, site: Site | None, position: int) -> Value:
    if site is not None:
        value = site.get((arg.arg, position))
        if value.type not in ("absent", "hidden"):
            return value
    name = arg.annotation
    if isinstance(name, ast.Constant) and isinstance(name.value, str) and name.value.isidentifier():
        name = ast.Name(name.value, ast.Load())
    if isinstance(name, (ast.Name, ast.Attribute)):
        kind = canonical_class(state.evaluate(name).ref)
        if kind in _ANNOTATED:
            return client_of(name) if kind == FEATURE_CLIENT else Value(type=_ANNOTATED[kind])
    if arg.arg in PREDEFINED:
        return Value(type=PREDEFINED[arg.arg])
    symbol = ("option", arg.arg) if function.launched else ("arg", function.name, arg.arg)
    return Value(source="parameter", name=arg.arg, symbol=symbol)


def define(state: State, node: Any) -> bool:
    """A function: its defaults now, its body when the file is read to its end."""
    launched = False
    if node.decorator_list:
        state.uses.add(node.name)  # by what it is handed to
    for decorator in node.decorator_list:
        found = state.evaluate(decorator)
        launched = launched or _is_command(decorator)
        if found.type == pipelines.PIPELINE_TABLE or found.ref in pipelines.PIPELINE_TABLES:
            pipelines.pipeline_table(state, decorator, node.name, found)
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    with_default = positional[len(positional) - len(arguments.defaults) :]
    for arg, default in (
        *zip(with_default, arguments.defaults, strict=True),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ):
        value = state.evaluate(default)
        if value.text is not None:
            note_named(state, default, arg.arg, value, default=True)
            if launched:
                keep_default(state, "option", arg.arg, value)
    outer = state.scope
    name = f"{outer.name}.{node.name}" if outer.name else node.name
    function = Function(node, outer, name, None, launched=launched)
    state.functions[name] = function
    state.signed[name] = signatures.of_function(node)
    outer.bind(node.name, Value(type="function", data=function))
    if not state.silent:
        state.pending.append(function)
        if node.name.endswith("thresholds"):
            _note_thresholds(state, node)
    return False


def _note_thresholds(state: State, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    """A function that is named for thresholds and only ever returns an empty collection."""
    inner = {
        id(part)
        for one in ast.walk(node)
        if one is not node and isinstance(one, (*_FUNCTIONS, ast.Lambda))
        for part in ast.walk(one)
    }
    returns = [part for part in ast.walk(node) if isinstance(part, ast.Return) and id(part) not in inner]
    if returns and all(_is_empty(part.value) for part in returns):
        plain(state, "validation.no_thresholds", returns[0])


def _is_empty(node: ast.expr | None) -> bool:
    if isinstance(node, ast.Call):
        called = isinstance(node.func, ast.Name) and node.func.id in ("dict", "list", "tuple")
        return called and not node.args and not node.keywords
    return (isinstance(node, ast.Dict) and not node.keys) or (isinstance(node, (ast.List, ast.Tuple)) and not node.elts)


def define_class(state: State, node: Any) -> bool:
    """A class: its body now, its methods later, the constructor first, for what it gives `self`."""
    if node.decorator_list:
        state.uses.add(node.name)
    for decorator in node.decorator_list:
        state.evaluate(decorator)
    bases = [state.evaluate(base) for base in node.bases]
    outer = state.scope
    name = f"{outer.name}.{node.name}" if outer.name else node.name
    outer.bind(node.name, Value(type="class", data=name))
    state.bases[name] = bases
    state.signed[name] = signatures.of_class(node, bases, state.signed)
    owner: Names = {}
    state.scope = body = Scope(name, outer)
    body.now.update(outer.now)
    state.owners[name] = owner
    try:
        state.run([statement for statement in node.body if not isinstance(statement, _FUNCTIONS)])
    finally:
        state.scope = outer
    owner.update(body.ever)
    kept = signatures.kept(node, state.signed[name])
    if kept is not None:
        owner[signatures.KEPT] = text(kept)
    methods = [statement for statement in node.body if isinstance(statement, _FUNCTIONS)]
    for method in sorted(methods, key=lambda m: m.name != "__init__"):
        function = Function(method, outer, f"{name}.{method.name}", owner, not _is_static(method))
        state.functions[function.name] = function
        for default in (*method.args.defaults, *(d for d in method.args.kw_defaults if d is not None)):
            state.evaluate(default)
        owner.setdefault(method.name, Value(type="function", data=function))
        if not state.silent:
            state.pending.append(function)
    return False
