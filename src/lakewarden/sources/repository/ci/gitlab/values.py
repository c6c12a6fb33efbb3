"""Values of variables in the conditions of GitLab CI, and answers that leave open what whoever starts a pipeline decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from lakewarden.sources.repository.ci.ternary import every, some
from lakewarden.sources.repository.ci.workflow import DEFAULT_BRANCH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Answer(NamedTuple):
    """Can a condition be true, and can it be false? Both, where it depends on what somebody chooses; None: not known."""

    true: bool | None
    false: bool | None


YES, NO, FREE, DUNNO = Answer(True, False), Answer(False, True), Answer(True, True), Answer(None, None)


class Unknown(NamedTuple):
    """A value that is not known. `chosen`: whoever starts the pipeline, or writes the commit, chooses it freely. `set_`: is it
    set to anything but an empty text?
    """

    chosen: bool = False
    set_: bool | None = None


class Default(NamedTuple):
    """The name of the default branch, which the file does not tell. `perhaps` are the names that it may have."""

    perhaps: frozenset[str]


class Set(NamedTuple):
    """A value that the file sets, and that may be set otherwise when a pipeline is started. `options` are all that it may be
    set to, None where that is free.
    """

    value: str
    options: tuple[str, ...] | None = None
    offered: bool = False


Value: TypeAlias = str | Unknown | Default | Set | None


def of(answer: bool | None) -> Answer:
    """An answer that depends on nobody."""
    return DUNNO if answer is None else YES if answer else NO


def both(answers: Iterable[Answer]) -> Answer:
    """Are all of them true?"""
    held = list(answers)
    return Answer(every([answer.true for answer in held]), some([answer.false for answer in held]))


def either(answers: Iterable[Answer]) -> Answer:
    """Is one of them true?"""
    held = list(answers)
    return Answer(some([answer.true for answer in held]), every([answer.false for answer in held]))


def opposite(answer: Answer) -> Answer:
    """The opposite answer."""
    return Answer(answer.false, answer.true)


def equal(left: Value, right: Value) -> Answer:
    """Are two values equal?"""
    if isinstance(left, Set):
        return may_be(left, lambda value: equal(value, right))
    if isinstance(right, Set):
        return may_be(right, lambda value: equal(left, value))
    if isinstance(left, Default):
        return _is_default(right, left)
    if isinstance(right, Default):
        return _is_default(left, right)
    if isinstance(left, Unknown):
        return _is_unknown(left, right)
    return _is_unknown(right, left) if isinstance(right, Unknown) else of(left == right)


def present(value: Value) -> Answer:
    """Is a variable set, and not empty?"""
    if isinstance(value, Set):
        return may_be(value, present)
    if isinstance(value, Default):
        return YES
    if isinstance(value, Unknown):
        return YES if value.set_ else FREE if value.chosen else DUNNO
    return of(bool(value))


def may_be(value: Set, test: Callable[[Value], Answer]) -> Answer:
    """The answer for a value that may be set otherwise: of what is offered, any may be chosen."""
    here = test(value.value)
    if value.options is not None:
        found = [here, *(test(option) for option in value.options)]
        return Answer(some([answer.true for answer in found]), some([answer.false for answer in found]))
    return FREE if value.offered else Answer(some([here.true, None]), some([here.false, None]))


def _is_unknown(unknown: Unknown, other: Value) -> Answer:
    if other is None and unknown.set_:
        return NO
    return FREE if unknown.chosen or (isinstance(other, Unknown) and other.chosen) else DUNNO


def _is_default(name: Value, default: Default) -> Answer:
    if isinstance(name, Default) or name == DEFAULT_BRANCH:
        return YES
    if isinstance(name, Unknown):
        return FREE if name.chosen else DUNNO
    return DUNNO if name in default.perhaps else NO
