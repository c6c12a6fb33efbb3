"""Tokens of the expression languages of CI systems, and what their parsers have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re

MAX_TOKENS = 4_000
MAX_DEPTH = 60


class NoExpressionError(ValueError):
    """A text is no expression."""


class Reader:
    """Goes through the tokens of a source: pairs of the name of a group of the pattern and the text. `sign` is the group of
    operators and brackets.
    """

    def __init__(self, pattern: re.Pattern[str], source: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        self.at = 0
        self.depth = 0
        place, end = 0, len(source.rstrip())
        while place < end:
            found = pattern.match(source, place)
            if found is None or len(self.tokens) > MAX_TOKENS:
                raise NoExpressionError
            place = found.end()
            self.tokens.append((found.lastgroup or "", found[found.lastgroup or 0]))
        self.tokens.append(("end", ""))

    def next(self) -> tuple[str, str]:
        """The next token, passed over."""
        self.at += 1
        return self.tokens[self.at - 1]

    def took(self, *signs: str) -> str:
        """One of some signs, if it is next; it is passed over."""
        kind, text = self.tokens[self.at]
        if kind != "sign" or text not in signs:
            return ""
        self.at += 1
        return text

    def need(self, sign: str) -> None:
        """Pass over a sign that has to be next."""
        if not self.took(sign):
            raise NoExpressionError

    def end(self) -> None:
        """Nothing may follow."""
        if self.tokens[self.at][0] != "end":
            raise NoExpressionError

    def enter(self) -> None:
        """Go one bracket deeper."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise NoExpressionError

    def leave(self) -> None:
        """Come back from a bracket."""
        self.depth -= 1
