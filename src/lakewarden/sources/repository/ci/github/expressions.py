"""What an expression of GitHub Actions is worth where not all is known: the answer is never more certain than it can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.sources.repository.ci.github.functions import FUNCTIONS, STATUS
from lakewarden.sources.repository.ci.github.syntax import (
    All,
    Call,
    Compared,
    Hole,
    Item,
    Joined,
    Literal,
    Name,
    Node,
    Not,
    dotted,
    walk,
)
from lakewarden.sources.repository.ci.github.values import Many, Object, Unknown, Value, equal, less, to_text, truth
from lakewarden.sources.repository.ci.ternary import negated, some

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    #: The value of a context by its name, and of a status function by its name and `()`.
    Scope = Callable[[str], Value]

_UNKNOWN = Unknown()
_MAX_TEXT = 200_000


def evaluate(node: Node, scope: Scope) -> Value:
    """The value of an expression."""
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, Name):
        return scope(node.name)
    if isinstance(node, Item):
        return _item(evaluate(node.of, scope), evaluate(node.key, scope))
    if isinstance(node, All):
        return _all(evaluate(node.of, scope))
    if isinstance(node, Not):
        return _or_unknown(negated(truth(evaluate(node.of, scope))))
    if isinstance(node, Compared):
        return _or_unknown(_compare(node.sign, evaluate(node.left, scope), evaluate(node.right, scope)))
    if isinstance(node, Joined):
        return _joined(node.sign, node.parts, scope)
    return _call(node, scope)


def holds(node: Node | None, scope: Scope) -> bool | None:
    """Does a condition hold? None where that cannot be told."""
    return None if node is None else truth(evaluate(node, scope))


def render(parts: Sequence[str | Hole], scope: Scope, direct: Scope | None = None) -> Value:
    """The value of a text: of any kind where it is one `${{ }}`, else a text, unknown as soon as one part is.

    `direct` gives the values of what is put in as it is.
    """
    if len(parts) == 1 and isinstance(parts[0], Hole):
        return _hole(parts[0], scope, direct)
    known = True
    texts = []
    for part in parts:
        value = part if isinstance(part, str) else _hole(part, scope, direct)
        known = known and not isinstance(value, Unknown)
        texts.append(to_text(value))
    text = "".join(texts)
    if len(text) > _MAX_TEXT:
        return _UNKNOWN
    return text if known else Unknown(text, True if any(isinstance(part, str) and part for part in parts) else None)


def asks_for_status(node: Node) -> bool:
    """Does a condition call a status function? One that does not is asked only after success."""
    return any(isinstance(found, Call) and found.name in STATUS for found in walk(node))


def _hole(hole: Hole, scope: Scope, direct: Scope | None) -> Value:
    """The value of a `${{ }}`. An unknown one that names secrets or variables is written as it stands, so that they can be read."""
    if hole.node is None:
        return _UNKNOWN
    value = evaluate(hole.node, direct if direct is not None and dotted(hole.node) is not None else scope)
    if not isinstance(value, Unknown) or value.text != _UNKNOWN.text:
        return value
    written = any(isinstance(node, Name) and node.name in ("secrets", "vars") for node in walk(hole.node))
    return value.written(f"${{{{ {hole.source} }}}}") if written else value


def _item(of: Value, key: Value) -> Value:
    if isinstance(of, Many):
        return Many(tuple(_item(item, key) for item in of.items if isinstance(item, (Object, Unknown, tuple))))
    if isinstance(of, Unknown) or isinstance(key, Unknown):
        return _UNKNOWN if isinstance(of, (Unknown, Object, tuple)) else None
    if isinstance(of, Object):
        return of.get(to_text(key)) if isinstance(key, (str, bool, float)) else None
    if isinstance(of, tuple) and isinstance(key, float) and key >= 0 and key < len(of):
        return of[int(key)]
    return None


def _all(of: Value) -> Value:
    if isinstance(of, Object):
        return _UNKNOWN if of.rest is not None else Many(tuple(of.items.values()))
    if isinstance(of, Many):
        return Many(tuple(inner for item in of.items for inner in _inner(item)))
    if isinstance(of, Unknown):
        return _UNKNOWN
    return Many(of) if isinstance(of, tuple) else Many(())


def _inner(of: Value) -> tuple[Value, ...]:
    found = _all(of)
    return found.items if isinstance(found, Many) else (found,)


def _or_unknown(value: bool | None) -> Value:
    return _UNKNOWN if value is None else value


def _compare(sign: str, left: Value, right: Value) -> bool | None:
    if sign == "==":
        return equal(left, right)
    if sign == "!=":
        return negated(equal(left, right))
    if sign == "<":
        return less(left, right)
    if sign == ">":
        return less(right, left)
    smaller = less(left, right) if sign == "<=" else less(right, left)
    return True if smaller else some((smaller, equal(left, right)))


def _joined(sign: str, parts: Sequence[Node], scope: Scope) -> Value:
    """`&&` gives the first part that is false, `||` the first that is true, else the last.

    After a part of which neither is known, the answer is unknown, though it may be certain that it counts as true or false.
    """
    stop = sign == "||"
    sure = True
    text = _UNKNOWN.text
    for part in parts[:-1]:
        value = evaluate(part, scope)
        found = truth(value)
        if found is stop:
            return value if sure else Unknown(text, stop)
        if sure and found is None:
            sure = False
            # `secrets.a || secrets.b` is written as the first: the second stands in where that is not set.
            text = value.text if stop and isinstance(value, Unknown) and value.name else text
    last = evaluate(parts[-1], scope)
    if sure:
        return last
    return Unknown(text, stop if truth(last) is stop else None)


def _call(node: Call, scope: Scope) -> Value:
    if node.name in STATUS:
        return _UNKNOWN if node.arguments else scope(f"{node.name}()")
    function = FUNCTIONS.get(node.name)
    if function is None:
        return _UNKNOWN
    least, most, apply = function
    if not least <= len(node.arguments) <= most:
        return _UNKNOWN
    return apply([evaluate(argument, scope) for argument in node.arguments])
