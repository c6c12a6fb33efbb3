"""The patterns of branches and tags in `on:`."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_TEMPLATE = r"\{\{|\$\{|\{%"
_LETTER = "x"


class _Piece(NamedTuple):
    """A part of a pattern: one of `letters` (None: any) as often as `least` and `most` say; `folders` is `**/`."""

    letters: frozenset[str] | None
    least: int = 1
    most: int | None = 1
    slash: bool = True
    folders: bool = False


def admits(patterns: Sequence[str], name: str) -> bool | None:
    """Does a list of patterns let a name through? The last that matches counts; `!` takes out what earlier ones let in.

    None where that hangs on a pattern of a template that was not filled in.
    """
    answer: bool | None = False
    for pattern in patterns:
        negated = pattern.startswith("!")
        matched = matches(pattern[1:] if negated else pattern, name)
        if matched:
            answer = not negated
        elif matched is None and answer is negated:
            answer = None
    return answer


def matches(pattern: str, name: str) -> bool | None:
    """Does one pattern match a name?"""
    if re.search(_TEMPLATE, pattern):
        return None
    places = {0}
    for piece in _pieces(pattern):
        places = _after(piece, name, places)
        if not places:
            return False
    return len(name) in places


def sample(pattern: str) -> str | None:
    """A name that a pattern matches; None where there is none, or where it is not known."""
    if re.search(_TEMPLATE, pattern):
        return None
    out = []
    for piece in _pieces(pattern):
        if piece.folders or (piece.least == 0 and piece.most == 1):
            continue
        if piece.letters == frozenset():
            return None
        out.append(_LETTER if piece.letters is None else min(piece.letters))
    return "".join(out)


@lru_cache(maxsize=1024)
def _pieces(pattern: str) -> tuple[_Piece, ...]:
    found: list[_Piece] = []
    at = 0
    while at < len(pattern):
        letter = pattern[at]
        if pattern.startswith("**/", at) and (at == 0 or pattern[at - 1] == "/"):
            found.append(_Piece(None, folders=True))
            at += 3
            continue
        at += 1
        if letter == "*":
            wide = pattern.startswith("*", at)
            while pattern.startswith("*", at):
                at += 1
            found.append(_Piece(None, 0, None, slash=wide))
        elif letter in "+?" and found and found[-1].most == 1 and not found[-1].folders:
            found[-1] = found[-1]._replace(most=None) if letter == "+" else found[-1]._replace(least=0)
        elif letter == "[" and (end := pattern.find("]", at)) > 0:
            found.append(_Piece(_members(pattern[at:end])))
            at = end + 1
        else:
            if letter == "\\" and at < len(pattern):
                letter = pattern[at]
                at += 1
            found.append(_Piece(frozenset(letter)))
    return tuple(found)


def _members(inside: str) -> frozenset[str]:
    """The letters of `[…]`."""
    found: set[str] = set()
    for first, last in re.findall(r"(.)(?:-(.))?", inside, re.DOTALL):
        found.update(map(chr, range(ord(first), ord(last or first) + 1)))
    return frozenset(found)


def _after(piece: _Piece, name: str, places: set[int]) -> set[int]:
    """Where a name can go on after a piece, from any of the places."""
    if piece.folders:
        first = min(places)
        return places | {at + 1 for at in range(first, len(name)) if name[at] == "/"}
    reached = set(places) if piece.least == 0 else set()
    waiting = places
    for _ in range(len(name) if piece.most is None else 1):
        waiting = {at + 1 for at in waiting if at < len(name) and _fits(piece, name[at])} - reached
        if not waiting:
            break
        reached |= waiting
    return reached


def _fits(piece: _Piece, letter: str) -> bool:
    return (piece.slash or letter != "/") if piece.letters is None else letter in piece.letters
