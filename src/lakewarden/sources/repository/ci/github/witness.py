"""Whether a condition can hold, where whoever starts a workflow chooses a part of what it reads: an actor, a label, a message."""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING

from lakewarden.sources.repository.ci.github.expressions import evaluate, holds
from lakewarden.sources.repository.ci.github.syntax import (
    All,
    Call,
    Compared,
    Item,
    Joined,
    Literal,
    Node,
    Not,
    children,
    dotted,
    walk,
)
from lakewarden.sources.repository.ci.github.values import Object, Unknown, Value, truth

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lakewarden.sources.repository.ci.github.expressions import Scope

MAX_TRIALS = 400
_MAX_LITERALS = 12

#: Chosen by whoever starts it, or the same in every run of the repository that the workflow was written for.
_FREE = (
    r"github\.(?:actor|triggering_actor|run_attempt|run_number|head_ref|repository|repository_owner"
    r"|event\.repository\.(?:fork|name|full_name|owner\.login)"
    r"|event\.(?!repository\b|organization\b|installation\b|enterprise\b|inputs\b|pull_request\.base\b|merge_group\b).+)"
)
_ROOTS = ("github.", "secrets.", "vars.", "env.")
_OTHER = "\ue000other"


def can_hold(node: Node | None, scope: Scope, domains: Mapping[str, tuple[Value, ...]]) -> bool | None:
    """Can a condition hold? True where it holds for one choice of what is free, false where it holds for none.

    `domains` are all values that a path can have, where they are few. Of secrets no more is taken for granted than that
    they are there.
    """
    if node is None:
        return None
    answer = holds(node, scope)
    if answer is not None:
        return answer
    free: dict[str, Sequence[Value]] = {}
    literals = _literals(node)
    for path, read, listed in _paths(node):
        now = evaluate(read, scope)
        if not isinstance(now, Unknown):
            continue
        if now.name.startswith("secrets.") or (now.name.startswith("vars.") and "" in literals):
            free[path] = (_OTHER,)  # what CI is configured with is taken to be there
        elif re.fullmatch(_FREE, path):
            possible = domains.get(path) or _candidates(literals, listed=listed)
            free[path] = [value for value in possible if now.truth is None or truth(value) is now.truth]
    if not free:
        return None
    choices = list(free.values())
    if _size(choices) > MAX_TRIALS:
        return None
    answers = {holds(_replaced(node, dict(zip(free, chosen, strict=True))), scope) for chosen in product(*choices)}
    if True in answers:
        return True
    return False if answers == {False} and all(path in domains for path in free) else None


def _paths(node: Node) -> Iterator[tuple[str, Node, bool]]:
    """The paths that it reads, with their nodes, and whether each is read as a list."""
    waiting = [(node, False)]
    while waiting:
        at, listed = waiting.pop()
        path = dotted(at)
        if path is None:
            waiting.extend((child, isinstance(at, All)) for child in children(at))
        elif path.startswith(_ROOTS):
            yield path, at, listed


def _literals(node: Node) -> list[Value]:
    """What the condition compares with."""
    found: dict[object, Value] = {}
    for part in walk(node):
        if isinstance(part, Item):
            continue
        for child in children(part):
            if isinstance(child, Literal) and isinstance(child.value, (str, float)) and len(found) < _MAX_LITERALS:
                found[child.value] = child.value
    return list(found.values())


def _candidates(literals: Sequence[Value], *, listed: bool) -> tuple[Value, ...]:
    if listed:
        return ((), *((Object({"name": text, "login": text}),) for text in literals))
    return (*literals, _OTHER, True, False)


def _size(choices: Sequence[Sequence[Value]]) -> int:
    size = 1
    for several in choices:
        size *= len(several)
    return size


def _replaced(node: Node, values: Mapping[str, Value]) -> Node:
    """The condition with values in place of paths."""
    path = dotted(node)
    if path is not None:
        return Literal(values[path]) if path in values else node
    if isinstance(node, Item):
        return Item(_replaced(node.of, values), _replaced(node.key, values))
    if isinstance(node, All):
        return All(_replaced(node.of, values))
    if isinstance(node, Not):
        return Not(_replaced(node.of, values))
    if isinstance(node, Compared):
        return Compared(node.sign, _replaced(node.left, values), _replaced(node.right, values))
    if isinstance(node, Joined):
        return Joined(node.sign, tuple(_replaced(part, values) for part in node.parts))
    if isinstance(node, Call):
        return Call(node.name, tuple(_replaced(part, values) for part in node.arguments))
    return node
