"""The variables of a bundle in one target, and what a reference can come to."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from lakewarden.sources.repository.bundle.merge import is_null
from lakewarden.sources.yaml_nodes import Map, Node

_DECLARATION = frozenset({"default", "lookup", "type", "description"})


class Kind(str, Enum):
    """Why a reference has no value."""

    UNSET = "unset"  # a variable without a value, or that nobody declares
    BROKEN = "broken"  # refers to itself, to nothing, or through too many others
    LOOKUP = "lookup"  # looked up in the workspace
    COMMIT = "commit"  # the commit that is deployed
    DEPLOYMENT = "deployment"  # known once the bundle is deployed
    RUN = "run"  # known once the job runs


class Problem(NamedTuple):
    """Why there is no value, and what would give one."""

    kind: Kind
    reason: str
    remedy: str = ""


class Value(NamedTuple):
    """A text with its references replaced; None with the problem where one has no value.

    `varies`: it depends on the target. `commit`: it carries the commit that is deployed.
    """

    text: str | None
    problem: Problem | None = None
    varies: bool = False
    commit: bool = False


class Variable(NamedTuple):
    """A variable in one target. `node` is None without a value; `varies`: the target sets it itself."""

    node: Node | None
    lookup: bool = False
    varies: bool = False


def variables_of(declared: Node | None, assigned: Node | None, overrides: Node | None = None) -> dict[str, Variable]:
    """Every variable with its value in one target; what a target assigns replaces the default, and what the file of overrides
    beside the bundle says replaces both.
    """
    found: dict[str, Variable] = {}
    for name, node in declared.items.items() if isinstance(declared, Map) else ():
        found[name] = _declaration(node, varies=False) if isinstance(node, Map) else Variable(None if is_null(node) else node)
    for name, node in assigned.items.items() if isinstance(assigned, Map) else ():
        if is_null(node):
            found.setdefault(name, Variable(None))
        elif (
            isinstance(node, Map)
            and node.items.keys() <= _DECLARATION
            and not node.items.keys().isdisjoint({"default", "lookup"})
        ):
            found[name] = _declaration(node, varies=True)
        else:
            found[name] = Variable(node, varies=True)
    for name, node in overrides.items.items() if isinstance(overrides, Map) else ():
        if not is_null(node):
            found[name] = Variable(node, varies=True)
    return found


def _declaration(node: Map, *, varies: bool) -> Variable:
    default = node.get("default")
    if default is not None and not is_null(default):
        return Variable(default, varies=varies)
    return Variable(None, lookup=not is_null(node.get("lookup")), varies=varies)
