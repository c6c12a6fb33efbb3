"""Which task comes before which, over any number of edges, and whether its failure stops what comes later."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

#: Conditions under which a task does not run when one that it depends on has failed.
_STOPPING = frozenset({"ALL_SUCCESS", "NONE_FAILED"})


class Edges(NamedTuple):
    """What one task depends on, and `run_if`, its condition; None where that cannot be told."""

    upstream: Sequence[str]
    run_if: str | None


def closure(edges: Mapping[str, Edges]) -> Iterator[tuple[str, str, bool | None]]:
    """Task, upstream task, and whether the failure of the upstream task keeps the task from running.

    It does where on one way between them every task waits for success.
    """
    for task in edges:
        reached = _reach(edges, task, frozenset())
        stopping = _reach(edges, task, _STOPPING)
        perhaps = _reach(edges, task, _STOPPING | {None})
        for upstream in reached:
            if upstream != task:
                yield task, upstream, True if upstream in stopping else None if upstream in perhaps else False


def _reach(edges: Mapping[str, Edges], task: str, conditions: frozenset[str | None]) -> dict[str, None]:
    """What comes before a task over tasks with one of these conditions, or with any."""
    found: dict[str, None] = {}
    todo = [task]
    while todo:
        at = edges[todo.pop()]
        if conditions and at.run_if not in conditions:
            continue
        for upstream in at.upstream:
            if upstream in edges and upstream not in found:
                found[upstream] = None
                todo.append(upstream)
    return found
