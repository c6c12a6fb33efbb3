"""Answers that several collectors read are asked for once in each workspace; problems of some of many are kept for the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

from lakewarden.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakewarden.sources.platform.estate import Estate

Value = TypeVar("Value")


def once(estate: Estate, name: str, ask: Callable[[], Value]) -> Value:
    """What `ask` gave when it was first called under this name. Raises the SourceError that it raised then.

    Two threads that come at the same time may both ask; both get the answer of one of them.
    """
    if name not in estate.kept:
        found: object
        try:
            found = ask()
        except SourceError as problem:
            found = problem
        estate.kept.setdefault(name, found)
    kept = estate.kept[name]
    if isinstance(kept, SourceError):
        raise kept
    return cast("Value", kept)


def attempt(problems: list[SourceError], call: Callable[[], Value]) -> Value | None:
    """What `call` gives; None where it raises a SourceError, which is added to `problems`: raise one of them at the end."""
    try:
        return call()
    except SourceError as problem:
        problems.append(problem)
        return None
