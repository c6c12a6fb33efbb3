"""Works out expressions. What it says is so under every value that the unknown parts may take; else it is `Unknown`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from lakewarden.sources.repository.terraform import nodes
from lakewarden.sources.repository.terraform.functions import call, sorted_pairs
from lakewarden.sources.repository.terraform.values import (
    MAX_LENGTH,
    Unknown,
    Value,
    equal,
    is_plain,
    to_bool,
    to_number,
    to_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lakewarden.sources.repository.terraform.nodes import Expr

#: Expressions within expressions, by way of locals, variables and modules too.
MAX_DEPTH = 150


class Scope(Protocol):
    """What names mean at one place."""

    @property
    def strict(self) -> bool:
        """Does it matter whether an expression fails?"""

    def name(self, name: str) -> Value:
        """What the first word of a reference stands for."""

    def function(self, name: str, args: list[Value]) -> Value:
        """A function that reads files; `NotImplemented` for any other."""

    def enter(self) -> Unknown | None:
        """Count a step; the reason where no more are taken."""

    def leave(self) -> None:
        """End a step."""


class Inner:
    """A scope with further names. `strict`: it is told whether an expression fails, so that nothing may hide that."""

    def __init__(self, outer: Scope, names: Mapping[str, Value], *, strict: bool = False) -> None:
        self.outer = outer
        self.names = names
        self.strict = strict or outer.strict

    def name(self, name: str) -> Value:
        """What a name stands for."""
        return self.names[name] if name in self.names else self.outer.name(name)

    def function(self, name: str, args: list[Value]) -> Value:
        """A function that reads files."""
        return self.outer.function(name, args)

    def enter(self) -> Unknown | None:
        """Count a step."""
        return self.outer.enter()

    def leave(self) -> None:
        """End a step."""
        self.outer.leave()


def evaluate(expr: Expr, scope: Scope) -> Value:
    """The value of an expression."""
    if isinstance(expr, nodes.Literal):
        return expr.value
    stop = scope.enter()
    if stop is not None:
        return stop
    try:
        return _EVALUATE[type(expr)](expr, scope)
    finally:
        scope.leave()


def take(of: Value, name: str) -> Value:
    """`of.name`."""
    if isinstance(of, Unknown):
        return of
    if isinstance(of, dict):
        return of[name] if name in of else Unknown(f"there is no {name} here", "mend the expression", wrong=True)
    if isinstance(of, list):
        number = to_number(name)
        if number is not None:
            return at(of, number)
        # What Terraform once allowed: an attribute of a resource with a count of one.
        return Unknown(f"a list has no {name}", "mend the expression", wrong=True)
    if is_plain(of):
        return Unknown(f"there is no {name} here", "mend the expression", wrong=True)
    return of.attribute(name)


def at(of: Value, key: Value) -> Value:
    """`of[key]`."""
    for side in (of, key):
        if isinstance(side, Unknown):
            return side
    if isinstance(of, list):
        number = to_number(key)
        if number is not None and number == int(number) and 0 <= number < len(of):
            return of[int(number)]
        return Unknown("the index is outside of the list", "mend the expression", wrong=True)
    text = to_text(key)
    if text is None:
        return Unknown("the index is neither a number nor a text", "mend the expression", wrong=True)
    return take(of, text)


def _template(expr: nodes.Template, scope: Scope) -> Value:
    found: list[str] = []
    for part in expr.parts:
        value = evaluate(part, scope)
        if isinstance(value, Unknown):
            return value
        text = to_text(value)
        if text is None:
            return Unknown("a text cannot hold what is put into it", "mend the expression", wrong=True)
        found.append(text)
    whole = "".join(found)
    return whole if len(whole) <= MAX_LENGTH else Unknown("a text becomes too long")


def _name(expr: nodes.Name, scope: Scope) -> Value:
    return scope.name(expr.name)


def _attr(expr: nodes.Attr, scope: Scope) -> Value:
    return take(evaluate(expr.of, scope), expr.name)


def _index(expr: nodes.Index, scope: Scope) -> Value:
    return at(evaluate(expr.of, scope), evaluate(expr.key, scope))


def _splat(expr: nodes.Splat, scope: Scope) -> Value:
    of = evaluate(expr.of, scope)
    if isinstance(of, Unknown):
        return of
    items = [] if of is None else of if isinstance(of, list) else [of]
    return [evaluate(expr.each, Inner(scope, {"*": item})) for item in items]


def _call(expr: nodes.Call, scope: Scope) -> Value:
    if expr.name in ("try", "can"):
        return _try(expr, scope)
    args = [evaluate(arg, scope) for arg in expr.args]
    if expr.spread and args:
        last = args.pop()
        if isinstance(last, Unknown):
            return last
        if not isinstance(last, list):
            return Unknown(f"{expr.name} is called with what is no list", "mend the expression", wrong=True)
        args += last
    found = scope.function(expr.name, args)
    return call(expr.name, args) if found is NotImplemented else found


def _try(expr: nodes.Call, scope: Scope) -> Value:
    """`try` takes the first expression that does not fail, `can` tells whether its one does."""
    for arg in expr.args:
        value = evaluate(arg, Inner(scope, {}, strict=True))
        wrong = isinstance(value, Unknown) and value.wrong
        if expr.name == "can":
            return value if isinstance(value, Unknown) and not wrong else not wrong
        if not wrong:
            return value
    return Unknown(f"every expression in {expr.name} fails", "mend the expression", wrong=True)


def _tuple(expr: nodes.TupleOf, scope: Scope) -> Value:
    return [evaluate(item, scope) for item in expr.items]


def _object(expr: nodes.ObjectOf, scope: Scope) -> Value:
    found: dict[str, Value] = {}
    for key, value in expr.items:
        name = evaluate(key, scope)
        if isinstance(name, Unknown):
            return name
        text = to_text(name)
        if text is None:
            return Unknown("a key of an object is no text", "mend the expression", wrong=True)
        found[text] = evaluate(value, scope)
    return found


def _for(expr: nodes.For, scope: Scope) -> Value:
    of = evaluate(expr.of, scope)
    if isinstance(of, Unknown):
        return of
    items = sorted_pairs(of)
    if items is None:
        return Unknown("a for goes through what is no collection", "mend the expression", wrong=True)
    listed: list[Value] = []
    keyed: dict[str, Value] = {}
    for key, value in items:
        names = {expr.value_name: value} if expr.key_name is None else {expr.key_name: key, expr.value_name: value}
        inner = Inner(scope, names)
        keep = True if expr.cond is None else _truth(evaluate(expr.cond, inner))
        if isinstance(keep, Unknown):
            return keep
        if not keep:
            continue
        if expr.key is None:
            listed.append(evaluate(expr.value, inner))
            continue
        problem = _keyed(expr, inner, keyed)
        if problem is not None:
            return problem
    return listed if expr.key is None else keyed


def _keyed(expr: nodes.For, scope: Scope, keyed: dict[str, Value]) -> Unknown | None:
    """Take one entry of an object in; the problem where its key is not known, or stands twice."""
    name = evaluate(expr.key, scope) if expr.key is not None else None
    text = to_text(name)
    if text is None:
        return name if isinstance(name, Unknown) else Unknown("a key of an object is no text", wrong=True)
    if expr.group:
        keyed.setdefault(text, []).append(evaluate(expr.value, scope))
    elif text in keyed:
        return Unknown(f"the key {text} stands twice", "mend the expression", wrong=True)
    else:
        keyed[text] = evaluate(expr.value, scope)
    return None


def _truth(value: Value) -> bool | Unknown:
    if isinstance(value, Unknown):
        return value
    found = to_bool(value)
    return found if found is not None else Unknown("a condition is neither true nor false", "mend the expression", wrong=True)


def _conditional(expr: nodes.Conditional, scope: Scope) -> Value:
    cond = _truth(evaluate(expr.cond, scope))
    return cond if isinstance(cond, Unknown) else evaluate(expr.yes if cond else expr.no, scope)


def _operation(expr: nodes.Operation, scope: Scope) -> Value:
    left = evaluate(expr.left, scope)
    if expr.right is None:
        if isinstance(left, Unknown):
            return left
        if expr.op == "!":
            truth = _truth(left)
            return truth if isinstance(truth, Unknown) else not truth
        number = to_number(left)
        return -number if number is not None else Unknown("what is negated is no number", wrong=True)
    if expr.op in ("&&", "||"):
        return _logic(left, evaluate(expr.right, scope), decisive=expr.op == "||", strict=scope.strict)
    right = evaluate(expr.right, scope)
    if expr.op in ("==", "!="):
        same = equal(left, right)
        return same if isinstance(same, Unknown) else same == (expr.op == "==")
    for side in (left, right):
        if isinstance(side, Unknown):
            return side
    one, other = to_number(left), to_number(right)
    if one is None or other is None:
        return Unknown("a calculation with what is no number", "mend the expression", wrong=True)
    return _calculate(expr.op, one, other)


def _logic(left: Value, right: Value, *, decisive: bool, strict: bool) -> Value:
    """One side may decide, whatever the other is. `strict`: unless that fails, which somebody may be waiting for."""
    truths = [_truth(left), _truth(right)]
    if not strict and any(not isinstance(truth, Unknown) and truth is decisive for truth in truths):
        return decisive
    return next((truth for truth in truths if isinstance(truth, Unknown)), not decisive)


def _calculate(op: str, one: float, other: float) -> Value:
    if op in ("/", "%") and other == 0:
        return Unknown("a division by zero", "mend the expression", wrong=True)
    try:
        return _CALCULATE[op](one, other) if op in _CALCULATE else Unknown(f"{op} is not evaluated")
    except OverflowError:
        return Unknown("a number becomes too large")


_CALCULATE: dict[str, Callable[[float, float], Value]] = {
    "+": lambda one, other: one + other,
    "-": lambda one, other: one - other,
    "*": lambda one, other: one * other,
    "/": lambda one, other: int(one / other) if one / other == int(one / other) else one / other,
    "%": lambda one, other: one - other * int(one / other),
    "<": lambda one, other: one < other,
    ">": lambda one, other: one > other,
    "<=": lambda one, other: one <= other,
    ">=": lambda one, other: one >= other,
}


def _opaque(expr: nodes.Opaque, _scope: Scope) -> Value:
    return Unknown(expr.reason)


_EVALUATE: dict[type, Callable[..., Value]] = {
    nodes.Template: _template,
    nodes.Name: _name,
    nodes.Attr: _attr,
    nodes.Index: _index,
    nodes.Splat: _splat,
    nodes.Call: _call,
    nodes.TupleOf: _tuple,
    nodes.ObjectOf: _object,
    nodes.For: _for,
    nodes.Conditional: _conditional,
    nodes.Operation: _operation,
    nodes.Opaque: _opaque,
}
