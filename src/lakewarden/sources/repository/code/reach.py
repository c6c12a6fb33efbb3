"""Closure of imports and %run: which calls a file makes or reaches, and what keeps the list from being complete."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

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


def close(
    own: Mapping[str, Mapping[str, Reached]], edges: Mapping[str, list[str]], holes: Mapping[str, Hole]
) -> tuple[dict[str, dict[str, Reached]], dict[str, Hole]]:
    """Pass calls and holes on from each file to those that load it, until nothing changes. Circles are fine."""
    reached = {path: dict(calls) for path, calls in own.items()}
    missing = dict(holes)
    loaded_by: dict[str, list[str]] = {}
    for path, targets in edges.items():
        for target in targets:
            if target != path:
                loaded_by.setdefault(target, []).append(path)
    todo = [path for path in own if path in loaded_by and (own[path] or path in missing)]
    while todo:
        path = todo.pop()
        for user in loaded_by.get(path, ()):
            changed = _pass_on(reached.setdefault(path, {}), reached.setdefault(user, {}))
            if path in missing and user not in missing:
                missing[user] = missing[path]
                changed = True
            if changed and user in loaded_by:
                todo.append(user)
    return reached, missing


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
