"""Regular expressions of GitLab CI: do they match a name, and which names do they speak of?"""

from __future__ import annotations

import re
import warnings
from functools import lru_cache
from itertools import product

_MAX_SAMPLES = 8
_MAX_LENGTH = 200
_ESCAPES = {"d": "1", "w": "1", "s": " ", "D": "x", "W": "-", "S": "x", "A": "", "z": "", "Z": "", "b": "", "B": "", "h": "a"}
_UNBOUNDED = re.compile(r"(?<!\\)(?:[*+]|\{\d*,\d*\})")
_NESTED = re.compile(r"(?:[*+]|\{\d*,\d*\})[^()]*\)+(?:[*+]|\{)")


def matches(source: str, flags: str, text: str) -> bool | None:
    """Does a pattern match somewhere in a text? None where it is no pattern, or one that may take for ever."""
    pattern = _compiled(source, flags)
    if pattern is None or len(text) > _MAX_LENGTH:
        return None
    loops = len(_UNBOUNDED.findall(source))
    if loops > 6 or (loops > 4 and len(text) > 24) or _NESTED.search(source):  # noqa: PLR2004 - measured: under 0.1 s
        return None
    return pattern.search(text) is not None


@lru_cache(maxsize=512)
def samples(source: str, flags: str) -> tuple[str, ...]:
    """Some texts that a pattern matches. It may be open at its end: a `/` or a number is put there."""
    try:
        found, at = _Samples(source).alternatives(0)
    except (IndexError, ValueError, RecursionError):
        return ()
    if at != len(source):
        return ()
    told = [text for text in found if text]
    if source.startswith("^") and not source.endswith("$"):
        told = [more for text in told for more in ([f"{text}1"] if len(text) == 1 or text[-1] in "-/." else [text, f"{text}/1"])]
    return tuple(text for text in dict.fromkeys(told) if matches(source, flags, text))


@lru_cache(maxsize=512)
def _compiled(source: str, flags: str) -> re.Pattern[str] | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a pattern of another language may look odd to Python
            return _compile(source, flags)
    except (re.error, OverflowError, RecursionError):
        return None


def _compile(source: str, flags: str) -> re.Pattern[str]:
    return re.compile(source.replace(r"\z", r"\Z").replace(r"\h", "[0-9a-fA-F]"), re.IGNORECASE if "i" in flags else 0)


class _Samples:
    """Walks through a pattern; every method gives texts and the place behind what it read."""

    def __init__(self, source: str) -> None:
        self.source = source

    def alternatives(self, at: int) -> tuple[list[str], int]:
        found: list[str] = []
        while True:
            texts, at = self.row(at)
            found += texts
            if at >= len(self.source) or self.source[at] == ")":
                return found[:_MAX_SAMPLES], at
            at += 1

    def row(self, at: int) -> tuple[list[str], int]:
        found = [""]
        while at < len(self.source) and self.source[at] not in "|)":
            texts, at = self.repeated(at)
            found = ["".join(pair) for pair in product(found, texts)][:_MAX_SAMPLES]
        return found, at

    def repeated(self, at: int) -> tuple[list[str], int]:
        texts, at = self.one(at)
        sign = self.source[at : at + 1]
        if sign and sign in "*+?":
            at += 1
            texts = [*texts, ""] if sign == "?" else texts
        elif sign == "{" and (counts := re.compile(r"\{(\d*),?\d*\}").match(self.source, at)):
            at = counts.end()
            texts = [text * min(int(counts[1] or 0) or 1, 8) for text in texts]
        if self.source[at : at + 1] == "?":
            at += 1
        return texts, at

    def one(self, at: int) -> tuple[list[str], int]:
        char = self.source[at]
        if char in "^$":
            return [""], at + 1
        if char == ".":
            return ["1"], at + 1
        if char == "\\":
            after = self.source[at + 1]
            return [_ESCAPES.get(after, after)], at + 2
        if char == "[":
            return self.members(at + 1)
        if char == "(":
            return self.group(at + 1)
        return [char], at + 1

    def group(self, at: int) -> tuple[list[str], int]:
        opening = re.compile(r"\?(?:[a-zA-Z]*:|P?<\w+>)").match(self.source, at)
        if opening is not None:
            at = opening.end()
        elif self.source[at] == "?":
            flags = re.compile(r"\?[a-zA-Z]+\)").match(self.source, at)
            if flags is None:
                raise ValueError
            return [""], flags.end()
        found, at = self.alternatives(at)
        if self.source[at] != ")":
            raise ValueError
        return found, at + 1

    def members(self, at: int) -> tuple[list[str], int]:
        negated = self.source[at] == "^"
        at += negated
        first = self.source[at]
        end = self.source.index("]", at + 1)
        while self.source[end - 1] == "\\":
            end = self.source.index("]", end + 1)
        if negated:
            inside = self.source[at:end]
            return [next(char for char in "1xyz" if char not in inside)], end + 1
        if first == "\\":
            first = _ESCAPES.get(self.source[at + 1], self.source[at + 1])
        return [first], end + 1
