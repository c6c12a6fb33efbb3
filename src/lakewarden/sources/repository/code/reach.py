"""Closure of imports and %run: which calls a file makes or reaches, and what keeps the list from being complete."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lakewarden.sources.repository.code.result import Span


class Reached(NamedTuple):
    """A call that is made or reached: whether every such call switches its feature off, and where the first stands."""

    disables: bool | None
    path: str
    span: Span


class Hole(NamedTuple):
    """Something that keeps the list of reached calls from being complete."""

    cause: str
    reason: str
    remedy: str
    path: str
    span: Span


class Own(NamedTuple):
    """The calls that a file makes, each API once: those that run when it is loaded or that it uses itself, and those that
    wait in its functions and classes for somebody who uses them. `uses` are the names that it reads.
    """

    runs: Mapping[str, Reached]
    waits: Mapping[str, Mapping[str, Reached]]
    uses: frozenset[str]


def close(
    own: Mapping[str, Own], edges: Mapping[str, list[str]], holes: Mapping[str, Hole]
) -> tuple[dict[str, dict[str, Reached]], dict[str, Hole]]:
    """Pass calls and holes on from each file to those that load it, until nothing changes. Circles are fine.

    What waits in a function is passed only to who names it; a package passes on everything.
    """
    shared = {path: dict(calls.runs) for path, calls in own.items()}
    missing = dict(holes)
    loaded_by = _users(edges)
    todo = [path for path in own if path in loaded_by]
    while todo:
        path = todo.pop()
        for user in loaded_by.get(path, ()):
            changed = _pass_on(shared[path], shared[user])
            for calls in _woken(own[path], own[user], package=user.endswith("__init__.py")):
                changed = _pass_on(calls, shared[user]) or changed
            if path in missing and user not in missing:
                missing[user] = missing[path]
                changed = True
            if changed and user in loaded_by:
                todo.append(user)
    for path, found in own.items():
        for waiting in found.waits.values():
            _pass_on(waiting, shared[path])
    return shared, missing


def _users(edges: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """The files that load each file."""
    found: dict[str, list[str]] = {}
    for path, targets in edges.items():
        for target in targets:
            if target != path:
                found.setdefault(target, []).append(path)
    return found


def _woken(own: Own, user: Own, *, package: bool) -> Iterator[Mapping[str, Reached]]:
    """The calls that wait for somebody and that a user of the file comes to make."""
    return (calls for name, calls in own.waits.items() if package or name in user.uses)


def _pass_on(source: Mapping[str, Reached], target: dict[str, Reached]) -> bool:
    changed = False
    for api, call in source.items():
        here = target.get(api)
        if here is None:
            target[api] = call
            changed = True
            continue
        both = every(here.disables, call.disables)
        if both is not here.disables:
            target[api] = here._replace(disables=both)
            changed = True
    return changed


def every(one: bool | None, other: bool | None) -> bool | None:
    """Do both hold? In three-valued logic."""
    if one is False or other is False:
        return False
    return None if one is None or other is None else True
