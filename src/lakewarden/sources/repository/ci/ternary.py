"""Logic with a third answer: None where it is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def every(answers: Iterable[bool | None]) -> bool | None:
    """Are all of them true?"""
    result: bool | None = True
    for answer in answers:
        if answer is False:
            return False
        if answer is None:
            result = None
    return result


def some(answers: Iterable[bool | None]) -> bool | None:
    """Is one of them true?"""
    result: bool | None = False
    for answer in answers:
        if answer:
            return True
        if answer is None:
            result = None
    return result


def negated(answer: bool | None) -> bool | None:
    """The opposite."""
    return None if answer is None else not answer
