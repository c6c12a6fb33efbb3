"""Reads the statements of a file in order: names, branches, functions, and the calls in them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from lakewarden.sources.repository.code.apis import PREDEFINED, canonical_class
from lakewarden.sources.repository.code.calls import mark_newest
from lakewarden.sources.repository.code.expressions import bind, evaluate
from lakewarden.sources.repository.code.handlers import catches_broadly, swallows
from lakewarden.sources.repository.code.literals import note_named
from lakewarden.sources.repository.code.result import Import
from lakewarden.sources.repository.code.state import Function, Names, Scope, State
from lakewarden.sources.repository.code.values import NONE, UNKNOWN, Value, concat, merge, parameter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lakewarden.sources.repository.code.site import Site

_MAX_DEPTH = 4
_MAX_STEPS = 20_000
_Function = (ast.FunctionDef, ast.AsyncFunctionDef)


def run(state: State, body: Iterable[ast.stmt]) -> bool:
    """Read statements; TRUE when what follows them is never reached."""
    for statement in body:
        handler = _HANDLERS.get(type(statement))
        if handler is not None and handler(state, statement):
            return True
    return False


def run_pending(state: State) -> None:
    """Read the bodies of all functions met so far."""
    while state.pending:
        run_function(state, state.pending.pop(0))


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
        run(state, node.body)
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
    if function.owner is not None and names and not _is_static(function.node):
        state.scope.now[names[0].arg] = Value(type="self")
        offset = 1
    for number, arg in enumerate(names[offset:]):
        state.scope.now[arg.arg] = _of_parameter(state, arg, site, number)
    for arg in arguments.kwonlyargs:
        state.scope.now[arg.arg] = _of_parameter(state, arg, site, -1)
    for rest in (arguments.vararg, arguments.kwarg):
        if rest is not None:
            state.scope.now[rest.arg] = UNKNOWN


def _is_static(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> bool:
    return any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in getattr(node, "decorator_list", ()))


def _of_parameter(state: State, arg: ast.arg, site: Site | None, position: int) -> Value:
    if site is not None:
        value = site.get((arg.arg, position))
        if value.type not in ("absent", "hidden"):
            return value
    name = arg.annotation
    if isinstance(name, ast.Constant) and isinstance(name.value, str) and name.value.isidentifier():
        name = ast.Name(name.value, ast.Load())
    if isinstance(name, (ast.Name, ast.Attribute)):
        kind = canonical_class(evaluate(state, name).ref)
        if kind in _ANNOTATED:
            return Value(type=_ANNOTATED[kind])
    return parameter(arg.arg) if arg.arg not in PREDEFINED else Value(type=PREDEFINED[arg.arg])


_ANNOTATED = {
    "mlflow.MlflowClient": "mlflow.MlflowClient",
    "FeatureEngineeringClient": "FeatureEngineeringClient",
    "WorkspaceClient": "WorkspaceClient",
    "pyspark.sql.SparkSession": "SparkSession",
    "pyspark.sql.DataFrame": "DataFrame",
}


def _define(state: State, node: Any) -> bool:
    for decorator in node.decorator_list:
        evaluate(state, decorator)
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    with_default = positional[len(positional) - len(arguments.defaults) :]
    for arg, default in (
        *zip(with_default, arguments.defaults, strict=True),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ):
        value = evaluate(state, default)
        if value.text is not None:
            note_named(state, default, arg.arg, value, default=True)
    outer = state.scope
    name = f"{outer.name}.{node.name}" if outer.name else node.name
    function = Function(node, outer, name, None)
    outer.bind(node.name, Value(type="function", data=function))
    if not state.silent:
        state.pending.append(function)
    return False


def _define_class(state: State, node: Any) -> bool:
    for part in (*node.decorator_list, *node.bases):
        evaluate(state, part)
    outer = state.scope
    name = f"{outer.name}.{node.name}" if outer.name else node.name
    outer.bind(node.name, Value(type="class", data=name))
    owner: Names = {}
    state.scope = body = Scope(name, outer)
    body.now.update(outer.now)
    try:
        run(state, [statement for statement in node.body if not isinstance(statement, _Function)])
    finally:
        state.scope = outer
    owner.update(body.ever)
    methods = [statement for statement in node.body if isinstance(statement, _Function)]
    for method in sorted(methods, key=lambda m: m.name != "__init__"):
        function = Function(method, outer, f"{name}.{method.name}", owner)
        for default in (*method.args.defaults, *(d for d in method.args.kw_defaults if d is not None)):
            evaluate(state, default)
        owner.setdefault(method.name, Value(type="function", data=function))
        if not state.silent:
            state.pending.append(function)
    return False


def _expression(state: State, node: Any) -> bool:
    if type(node.value) is not ast.Constant:
        evaluate(state, node.value)
    return False


def _assign(state: State, node: Any) -> bool:
    value = evaluate(state, node.value)
    if state.picking and value.source == "versions":
        value = mark_newest(state, value)
    for target in node.targets:
        _note_target(state, target, value)
        bind(state, target, value if value is not UNKNOWN or type(target) is not ast.Name else Value(name=target.id))
    return False


def _note_target(state: State, target: ast.expr, value: Value) -> None:
    if value.text is not None:
        name = target.id if isinstance(target, ast.Name) else target.attr if isinstance(target, ast.Attribute) else ""
        if name:
            note_named(state, target, name, value)


def _annotated(state: State, node: Any) -> bool:
    if node.value is not None:
        value = evaluate(state, node.value)
        _note_target(state, node.target, value)
        bind(state, node.target, value)
    return False


def _augmented(state: State, node: Any) -> bool:
    value = evaluate(state, node.value)
    if type(node.target) is ast.Name:
        before = state.lookup(node.target.id)
        adds = type(node.op) is ast.Add and before.text is not None
        bind(state, node.target, concat([before, value]) if adds else UNKNOWN)
    return False


def _return(state: State, node: Any) -> bool:
    state.returned.append(evaluate(state, node.value) if node.value is not None else NONE)
    return True


def _raise(state: State, node: Any) -> bool:
    with state.shown_only():
        evaluate(state, node.exc)
        evaluate(state, node.cause)
    return True


def _leave(_state: State, _node: Any) -> bool:
    return True


def _assert(state: State, node: Any) -> bool:
    evaluate(state, node.test)
    with state.shown_only():
        evaluate(state, node.msg)
    return False


def _delete(state: State, node: Any) -> bool:
    for target in node.targets:
        if type(target) is ast.Name:
            state.scope.bind(target.id, UNKNOWN)
    return False


def _branches(state: State, bodies: list[list[ast.stmt]]) -> bool:
    """Read alternatives, each from what held before, and keep what is true after all that go on."""
    before = state.scope.now
    ends: list[Names] = []
    for body in bodies:
        state.scope.now = dict(before)
        if not run(state, body):
            ends.append(state.scope.now)
    if not ends:
        state.scope.now = before
        return bool(bodies)
    state.scope.now = _joined(ends)
    return False


def _joined(ends: list[Names]) -> Names:
    result = ends[0]
    for other in ends[1:]:
        for name, value in other.items():
            here = result.get(name)
            if here is not value:
                result[name] = value if here is None else merge(here, value)
    return result


def _if(state: State, node: Any) -> bool:
    test = evaluate(state, node.test)
    if test.type == "const" and type(node.test) is ast.Constant and not test.data:
        return run(state, node.orelse)
    kept = state.picking
    state.picking = kept or test.source == "picking"
    try:
        return _branches(state, [node.body, node.orelse])
    finally:
        state.picking = kept


def _for(state: State, node: Any) -> bool:
    values = evaluate(state, node.iter)
    carried = Value(source=values.source, data=values.data) if values.source else UNKNOWN
    _forget(state, node.body)
    before = dict(state.scope.now)
    bind(state, node.target, carried)
    run(state, node.body)
    state.scope.now = _joined([state.scope.now, before])
    run(state, node.orelse)
    return False


def _while(state: State, node: Any) -> bool:
    _forget(state, node.body)
    evaluate(state, node.test)
    _branches(state, [node.body, []])
    run(state, node.orelse)
    return False


def _forget(state: State, body: list[ast.stmt]) -> None:
    """What a loop assigns is not known inside it from the start, unless the loop assigns it first."""
    now = state.scope.now
    for name in _assigned(body):
        value = now.get(name)
        if value is not None and value.text is not None:
            now[name] = Value(name=name)


def _assigned(body: Iterable[ast.stmt]) -> set[str]:
    names: set[str] = set()
    for statement in body:
        targets: list[ast.expr] = []
        if isinstance(statement, ast.Assign):
            targets = statement.targets
        elif isinstance(statement, (ast.AugAssign, ast.AnnAssign, ast.For)):
            targets = [statement.target]
        names.update(target.id for target in targets if isinstance(target, ast.Name))
        for field in ("body", "orelse", "finalbody"):
            inner = getattr(statement, field, None)
            if isinstance(inner, list) and not isinstance(statement, (*_Function, ast.ClassDef)):
                names |= _assigned(inner)
    return names


def _try(state: State, node: Any) -> bool:
    before = dict(state.scope.now)
    state.swallowing.append(swallows(node))
    try:
        ended = run(state, node.body)
    finally:
        state.swallowing.pop()
    after_body = state.scope.now
    ends = []
    for handler in node.handlers:
        state.scope.now = _joined([dict(after_body), before])
        if handler.name:
            state.scope.now[handler.name] = UNKNOWN
        if not run(state, handler.body):
            ends.append(state.scope.now)
    state.scope.now = dict(after_body)
    if not ended:
        ended = run(state, node.orelse)
    if not ended:
        ends.insert(0, state.scope.now)
    if ends:
        state.scope.now = _joined(ends)
    return run(state, node.finalbody) or not ends


def _with(state: State, node: Any) -> bool:
    passes: bool | None = False
    for item in node.items:
        value = evaluate(state, item.context_expr)
        call = item.context_expr
        if isinstance(call, ast.Call) and isinstance(call.func, (ast.Name, ast.Attribute)):
            name = call.func.id if isinstance(call.func, ast.Name) else call.func.attr
            if name == "suppress":
                passes = catches_broadly(call.args)
        if item.optional_vars is not None:
            bind(state, item.optional_vars, value)
    state.swallowing.append(passes)
    try:
        ended = run(state, node.body)
    finally:
        state.swallowing.pop()
    return ended and passes is False


def _match(state: State, node: Any) -> bool:
    evaluate(state, node.subject)
    _branches(state, [*(case.body for case in node.cases), []])
    return False


def _global(state: State, node: Any) -> bool:
    if state.scope.outer is not None:
        state.scope.globals.update(node.names)
    return False


def _import(state: State, node: Any) -> bool:
    for alias in node.names:
        if alias.asname:
            state.scope.bind(alias.asname, Value(ref=alias.name))
        else:
            top = alias.name.partition(".")[0]
            state.scope.bind(top, Value(ref=top))
        if not state.silent:
            state.imports.append(Import(alias.name, (), state.span(node)))
    return False


def _import_from(state: State, node: Any) -> bool:
    module = "." * node.level + (node.module or "")
    if not state.silent:
        state.imports.append(Import(module, tuple(alias.name for alias in node.names), state.span(node)))
    for alias in node.names:
        if alias.name == "*":
            continue
        if alias.name in PREDEFINED:
            value = Value(type=PREDEFINED[alias.name])
        else:
            ref = f"{module}.{alias.name}" if not module.endswith(".") else f"{module}{alias.name}"
            value = Value(ref=canonical_class(ref))
        state.scope.bind(alias.asname or alias.name, value)
    return False


_HANDLERS: dict[type[ast.AST], Callable[[State, Any], bool]] = {
    ast.Expr: _expression,
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.Return: _return,
    ast.Raise: _raise,
    ast.Break: _leave,
    ast.Continue: _leave,
    ast.Assert: _assert,
    ast.Delete: _delete,
    ast.If: _if,
    ast.For: _for,
    ast.AsyncFor: _for,
    ast.While: _while,
    ast.Try: _try,
    ast.With: _with,
    ast.AsyncWith: _with,
    ast.FunctionDef: _define,
    ast.AsyncFunctionDef: _define,
    ast.ClassDef: _define_class,
    ast.Global: _global,
    ast.Import: _import,
    ast.ImportFrom: _import_from,
    ast.Match: _match,
}
if hasattr(ast, "TryStar"):
    _HANDLERS[ast.TryStar] = _try
