"""Tests of the shell: `[ … ]` and `[[ … ]]`, decided where they can be, or told as a condition on how CI was started."""

from __future__ import annotations

import re
import warnings
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from lakewarden.sources.repository.ci.shell.values import negated
from lakewarden.sources.repository.ci.shell.variables import is_marked, settled
from lakewarden.sources.repository.ci.workflow import HOLE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lakewarden.sources.repository.ci.shell.values import Guard
    from lakewarden.sources.repository.ci.workflow import Situation

    #: True, False, a condition, or None where nothing is known.
    Answer = bool | Guard | None
    #: Does a path exist? None where it cannot be told.
    Exists = Callable[[str], bool | None]

_LONGEST = 200
_REPEATED_GROUP = re.compile(r"\)[*+{?]|[*+}][*+{]")
_PAIR, _TRIPLE = 2, 3


def test(words: Sequence[str], exists: Exists) -> Answer:
    """The answer of a test, given its words without brackets."""
    for splitters, stop in ((("||", "-o"), True), (("&&", "-a"), False)):
        for at, word in enumerate(words):
            if word in splitters and 0 < at < len(words) - 1:
                return joined(test(words[:at], exists), test(words[at + 1 :], exists), either=stop)
    if words and words[0] == "!":
        return opposite(test(words[1:], exists))
    if len(words) == 1:
        return _filled(words[0])
    if len(words) == _PAIR:
        return _unary(words[0], words[1], exists)
    if len(words) == _TRIPLE:
        return _binary(words[0], words[1], words[2])
    return None


def opposite(answer: Answer) -> Answer:
    """Not."""
    if answer is None or isinstance(answer, bool):
        return None if answer is None else not answer
    return negated(answer)


def joined(one: Answer, other: Answer, *, either: bool) -> Answer:
    """Either of two, or both."""
    if one is either or other is either:
        return either
    if isinstance(one, bool):
        return other
    if isinstance(other, bool):
        return one
    if one is None and other is None:
        return None

    def both(situation: Situation) -> bool | None:
        answers = (_asked(one, situation), _asked(other, situation))
        return either if either in answers else None if None in answers else not either

    return both


def matches(text: str, patterns: Sequence[str]) -> Answer:
    """Does a text match one of the patterns of `case`?"""
    return _decided(text, lambda known: any(fnmatchcase(known, pattern) for pattern in patterns), "".join(patterns))


def _asked(answer: Answer, situation: Situation) -> bool | None:
    return answer if answer is None or isinstance(answer, bool) else answer(situation)


def _unary(how: str, what: str, exists: Exists) -> Answer:
    if how == "-n":
        return _filled(what)
    if how == "-z":
        return opposite(_filled(what))
    if how in ("-d", "-f", "-e", "-s", "-r", "-x"):
        return None if HOLE in what or is_marked(what) else exists(what)
    return None


def _filled(text: str) -> Answer:
    """Is a value given? What CI is configured with is taken to be there."""
    if HOLE in text:
        return True
    return _decided(text, bool)


def _binary(one: str, how: str, other: str) -> Answer:
    if how in ("=", "=="):
        if is_marked(other) and not is_marked(one):
            one, other = other, one
        return _decided(one, lambda known: fnmatchcase(known, other) or known == other, other)
    if how == "!=":
        return opposite(_binary(one, "=", other))
    if how == "=~" and len(other) <= _LONGEST and not _REPEATED_GROUP.search(other):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a pattern of a shell may look odd to Python
                pattern = re.compile(other)
        except (re.error, OverflowError):
            return None
        return _decided(one, lambda known: pattern.search(known[:_LONGEST]) is not None, other)
    return None


def _decided(text: str, decide: Callable[[str], bool], against: str = "") -> Answer:
    """Decide about a text now, or once it is known how CI was started."""
    if HOLE in text or HOLE in against or is_marked(against):
        return None
    if not is_marked(text):
        return decide(text)

    def guard(situation: Situation) -> bool | None:
        known = settled(text, situation)
        return None if known is None else decide(known)

    return guard
