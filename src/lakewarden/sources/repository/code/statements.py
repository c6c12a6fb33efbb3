"""Reads the statements of a file in order: names, branches, functions, and the calls in them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from lakewarden.sources.repository.code import definitions
from lakewarden.sources.repository.code.apis import PREDEFINED, canonical_class
from lakewarden.sources.repository.code.binding import bind
from lakewarden.sources.repository.code.calls import mark_newest
from lakewarden.sources.repository.code.handlers import catches_broadly, is_failing_exit, swallows
from lakewarden.sources.repository.code.literals import note_named
from lakewarden.sources.repository.code.result import Import
from lakewarden.sources.repository.code.values import NONE, UNKNOWN, Value, concat, each, merge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lakewarden.sources.repository.code.state import Names, State


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _expression(state: State, node: Any) -> bool:
    if type(node.value) is not ast.Constant:
        state.evaluate(node.value)
        if type(node.value) is ast.Call and is_failing_exit(node.value):
            state.check()
    return False


def _assign(state: State, node: Any) -> bool:
    value = state.evaluate(node.value)
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
        value = state.evaluate(node.value)
        _note_target(state, node.target, value)
        bind(state, node.target, value)
    return False


def _augmented(state: State, node: Any) -> bool:
    value = state.evaluate(node.value)
    if type(node.target) is ast.Name:
        before = state.lookup(node.target.id)
        adds = type(node.op) is ast.Add and before.text is not None
        bind(state, node.target, concat([before, value]) if adds else UNKNOWN)
    return False


def _return(state: State, node: Any) -> bool:
    state.returned.append(state.evaluate(node.value) if node.value is not None else NONE)
    return True


def _raise(state: State, node: Any) -> bool:
    with state.shown_only():
        state.evaluate(node.exc)
        state.evaluate(node.cause)
    state.check()
    return True


def _leave(_state: State, _node: Any) -> bool:
    return True


def _assert(state: State, node: Any) -> bool:
    state.evaluate(node.test)
    with state.shown_only():
        state.evaluate(node.msg)
    state.check()
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
    state.branches += 1
    for body in bodies:
        state.scope.now = dict(before)
        if not state.run(body):
            ends.append(state.scope.now)
    state.branches -= 1
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
    test = state.evaluate(node.test)
    if test.type == "const" and type(node.test) is ast.Constant and not test.data:
        return state.run(node.orelse)
    kept = state.picking
    state.picking = kept or test.source == "picking"
    try:
        return _branches(state, [node.body, node.orelse])
    finally:
        state.picking = kept


def _for(state: State, node: Any) -> bool:
    values = state.evaluate(node.iter)
    _forget(state, node.body)
    before = dict(state.scope.now)
    bind(state, node.target, each(values))
    state.run(node.body)
    state.scope.now = _joined([state.scope.now, before])
    state.run(node.orelse)
    return False


def _while(state: State, node: Any) -> bool:
    _forget(state, node.body)
    state.evaluate(node.test)
    _branches(state, [node.body, []])
    state.run(node.orelse)
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
            if isinstance(inner, list) and not isinstance(statement, (*_FUNCTIONS, ast.ClassDef)):
                names |= _assigned(inner)
    return names


def _try(state: State, node: Any) -> bool:
    before = dict(state.scope.now)
    state.swallowing.append(swallows(node))
    state.branches += 1
    try:
        ended = state.run(node.body)
    finally:
        state.swallowing.pop()
        state.branches -= 1
    after_body = state.scope.now
    ends = []
    for handler in node.handlers:
        state.scope.now = _joined([dict(after_body), before])
        if handler.name:
            state.scope.now[handler.name] = UNKNOWN
        state.handling += 1
        ended_there = state.run(handler.body)
        state.handling -= 1
        if not ended_there:
            ends.append(state.scope.now)
    state.scope.now = dict(after_body)
    if not ended:
        ended = state.run(node.orelse)
    if not ended:
        ends.insert(0, state.scope.now)
    if ends:
        state.scope.now = _joined(ends)
    return state.run(node.finalbody) or not ends


def _with(state: State, node: Any) -> bool:
    passes: bool | None = False
    for item in node.items:
        value = state.evaluate(item.context_expr)
        call = item.context_expr
        if isinstance(call, ast.Call) and isinstance(call.func, (ast.Name, ast.Attribute)):
            name = call.func.id if isinstance(call.func, ast.Name) else call.func.attr
            if name == "suppress":
                passes = catches_broadly(call.args)
        if item.optional_vars is not None:
            bind(state, item.optional_vars, value)
    state.swallowing.append(passes)
    try:
        ended = state.run(node.body)
    finally:
        state.swallowing.pop()
    return ended and passes is False


def _match(state: State, node: Any) -> bool:
    state.evaluate(node.subject)
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
            state.opened = True
            continue
        state.uses.add(alias.name)
        if alias.name in PREDEFINED:
            value = Value(type=PREDEFINED[alias.name])
        else:
            ref = f"{module}.{alias.name}" if not module.endswith(".") else f"{module}{alias.name}"
            value = Value(ref=canonical_class(ref))
        state.scope.bind(alias.asname or alias.name, value)
    return False


STATEMENTS: dict[type[ast.AST], Callable[[State, Any], bool]] = {
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
    ast.FunctionDef: definitions.define,
    ast.AsyncFunctionDef: definitions.define,
    ast.ClassDef: definitions.define_class,
    ast.Global: _global,
    ast.Import: _import,
    ast.ImportFrom: _import_from,
    ast.Match: _match,
}
if hasattr(ast, "TryStar"):
    STATEMENTS[ast.TryStar] = _try
