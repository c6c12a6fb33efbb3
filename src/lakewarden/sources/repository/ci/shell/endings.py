"""How a part of a script ends: with an exit, badly, or well."""

from __future__ import annotations

from typing import NamedTuple

from lakewarden.sources.repository.ci.shell.tree import Group, Node, Sequence, Simple, Test

#: Commands that end well.
_HARMLESS = frozenset({"true", ":", "echo", "printf", "cat", "sleep", "date", "ls", "set", "tee", "warn", "continue"})


class Outcome(NamedTuple):
    """What a failure means. `stop`: does the script fail when this statement does? `status`: does it where the statement is
    a part of one that only hands its status on?
    """

    stop: bool | None
    status: bool | None


IGNORED = Outcome(False, False)


def exits(node: Node) -> bool:
    """Does it end with `exit` or `return`?"""
    last = _last(node)
    return isinstance(last, Simple) and bool(last.words) and last.words[0].keyword in ("exit", "return")


def ends_badly(node: Node) -> bool | None:
    """Does it end with a failure: `exit 1`, `false`? None where it is a command of which nobody knows."""
    last = _last(node)
    if last is None:
        return False
    if not isinstance(last, Simple) or not last.words:
        return None
    name = last.words[0].keyword
    if name in ("exit", "return"):
        return (last.words[1].literal if len(last.words) > 1 else "0") != "0"
    return True if name == "false" else False if name in _HARMLESS else None


def is_test(node: Node) -> bool:
    """Is it `[ … ]` or `[[ … ]]` alone?"""
    if isinstance(node, Sequence):
        return len(node.items) == 1 and is_test(node.items[0][0])
    return isinstance(node, Test) or (isinstance(node, Simple) and bool(node.words) and node.words[0].keyword in ("[", "test"))


def _last(node: Node) -> Node | None:
    while isinstance(node, (Sequence, Group)):
        if isinstance(node, Group):
            node = node.body
        elif node.items:
            node = node.items[-1][0]
        else:
            return None
    return node
